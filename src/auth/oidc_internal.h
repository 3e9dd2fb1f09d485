/* SPDX-License-Identifier: Apache-2.0 */
/* oidc_internal.h - what the files of OpenID Connect share. */
#pragma once

#include "auth/oidc.h"
#include "codec/json.h"

struct oidc {
	const struct outbound *outbound;
	struct jwks *jwks;
	struct secretbox_key cookie_key; /* made from the master key: every node has the same */
};

/* oidc_claims.c: the person that id token and userinfo describe; `userinfo` may be NULL. Copies to
 * the arena. */
err_t oidc_read_person(struct ctx *ctx, const struct identity_provider *provider,
		       const struct json_value *id_token, const struct json_value *userinfo,
		       struct external_user *ret);
