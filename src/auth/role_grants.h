/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role_grants.h - what a custom role allows, as JSON and as the decision wants it.
 *
 *	[{"repositories": "team-a-*", "permissions": ["repository:pull", "tag:list"]},
 *	 {"permissions": ["project:read"]}]
 *
 * Permissions are those inside a project, by their names. `repositories` is a pattern (base/glob.h)
 * over repository names without the project; a set without it counts for the project and all its
 * repositories, a set with it only for what concerns one repository that fits.
 */
#pragma once

#include "base/ctx.h"
#include "codec/json.h"
#include "codec/json_writer.h"
#include "model/access.h"

#define ROLE_GRANTS_MAX	     16
#define ROLE_GLOB_BYTES_MAX  256
#define ROLE_JSON_BYTES_MAX  KIB(64)
#define ROLE_GRANTS_HELD_MAX 256 /* of all roles of one person in one project */

struct role_grants {
	struct custom_grant *items; /* in the arena */
	size_t count, cap;
};

/* From a request: ERR_UNPROCESSABLE says what is wrong. Strings point into the arena. */
err_t role_grants_parse(struct ctx *ctx, const struct json_value *array, struct role_grants *ret);

/* From a row, added to what is there. Permissions that this program does not know are nobody's. */
err_t role_grants_read(struct ctx *ctx, str json, struct role_grants *into);

void role_grants_write(struct json_writer *w, const char *key, const struct custom_grant *items,
		       size_t count);

/* The same as a row keeps it. */
str role_grants_json(struct ctx *ctx, const struct role_grants *grants);
