/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issuer.h - whose tokens are taken in place of a robot's secret: a cluster that signs the tokens
 * of its service accounts, a CI system that signs one for each job.
 *
 * An issuer is known by the URL in `iss`. Its keys are fetched as OpenID Connect Discovery says, or
 * uploaded for one that cannot be reached. A token must be meant for one of its `audiences`: a
 * token made for somebody else would otherwise let that somebody in here. Which robot a token
 * stands for its bindings say (binding.h).
 *
 * Changing an issuer raises the epoch of every robot that its bindings name: what was obtained by
 * its tokens is worth nothing from then on.
 *
 * Errors: ERR_ABSENT (unrecorded) for no such issuer in the tenant, ERR_EXISTS for a name or URL
 * that is taken, ERR_REQUEST_INVALID for what cannot be.
 */
#pragma once

#include "auth/auth.h"
#include "db/token_issuer.h"

#define ISSUER_NAME_MAX	     127
#define ISSUER_URL_MAX	     2048
#define ISSUER_KEYS_MAX	     KIB(128)
#define ISSUER_CA_MAX	     KIB(64)
#define ISSUER_AUDIENCES_MAX 16
#define ISSUER_AUDIENCE_MAX  255

struct issuer {
	struct token_issuer_row row; /* but for `audiences` */
	const str *audiences;
	size_t audience_count;
};

/* Fills id and times. */
err_t issuer_create(struct ctx *ctx, struct auth *auth, struct issuer *issuer);
err_t issuer_get(struct ctx *ctx, struct auth *auth, int64_t tenant_id, int64_t id,
		 struct issuer *ret);
struct issuer_list {
	struct token_issuer_page page;
	struct issuer *list; /* of page.count */
};
err_t issuer_list(struct ctx *ctx, struct auth *auth, struct issuer_list *list);
err_t issuer_update(struct ctx *ctx, struct auth *auth, struct issuer *issuer);
/* With its bindings and the robots that are theirs alone. */
err_t issuer_delete(struct ctx *ctx, struct auth *auth, int64_t tenant_id, int64_t id);

/* The enabled issuers of a URL, one in each tenant that counts (auth_tenant_wanted()), the default
 * one's first. */
err_t issuer_of_url(struct ctx *ctx, struct auth *auth, str url, struct issuer **ret,
		    size_t *ret_count);
