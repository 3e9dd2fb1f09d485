/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outside.h - everybody else who may vouch for users, as one part of auth: the providers of a
 * tenant in their order, and what is needed to ask them.
 *
 * What cannot be asked does not stop the others: only when none of them knew anything is the first
 * such failure the answer, so that "try later" is said and not "wrong password".
 */
#pragma once

#include "auth/directory.h"
#include "auth/external.h"
#include "auth/identity_provider.h"
#include "auth/keystone.h"
#include "auth/oidc.h"
#include "auth/turns.h"

struct outside {
	/* For identity providers only: what hangs here stops nothing else. */
	struct outbound *outbound;
	struct jwks *jwks;
	struct oidc *oidc;
	struct keystone *keystone;
	struct directory *directory;
	struct identity_providers providers;
	struct turns turns; /* whoever asks a provider takes one first */
};

struct outside_options {
	struct sql *db;			    /* not owned */
	const struct secretbox_key *master; /* not owned */
	unsigned threads_max;		    /* that may be busy with logging in */
	str tenants_allow;		    /* see http/outbound.h */
};

/* ERR_CONFIG for a list that does not parse. */
err_t outside_new(struct ctx *ctx, const struct outside_options *options, struct outside **ret);
void outside_free(struct outside *outside); /* NULL is fine */

/*
 * A name and a password, by the enabled providers of the tenant in their order. ERR_ABSENT,
 * unrecorded, when none of them has such names; ERR_UNAUTHORIZED when one says they are wrong.
 */
err_t outside_identify_password(struct ctx *ctx, struct outside *outside, int64_t tenant_id,
				str user, str password, struct external_user *ret);

/* A bearer token that one of the tenant's providers issued. The same errors. */
err_t outside_identify_bearer(struct ctx *ctx, struct outside *outside, int64_t tenant_id,
			      str token, struct external_user *ret);
