/* SPDX-License-Identifier: Apache-2.0 */
/* internal.h - what the files of auth share. */
#pragma once

#include "auth/auth.h"
#include "keys.h"

#define AUTH_KEY_BYTES		 32
#define AUTH_USER_BYTES_MAX	 255
#define AUTH_REFRESH_LIFETIME_S	 (INT64_C(30) * 86400)
#define AUTH_PASSWORD_REMEMBER_S 60

struct auth {
	struct sql *db;
	struct cache *cache; /* identity images by 'T' token, 'P' keyed hash of user and password */
	struct keys keys;
	struct outside *outside; /* other identity providers */
	int64_t token_lifetime_s;
	char password_key[AUTH_KEY_BYTES]; /* of this process only; keys the 'P' entries */
};

/* A local account by its name; ERR_ABSENT, unrecorded, when there is none. `ret_record` may be
 * NULL. */
err_t auth_find_account(struct ctx *ctx, struct auth *auth, str user, struct identity *ret,
			str *ret_record);
