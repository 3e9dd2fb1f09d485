/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenant.h - which tenant a request is about.
 *
 * The host by which the client called us says it, when a tenant has it as one of its own: then only
 * that tenant's identities count, and nothing of another's is there (ctx->tenant_fixed). Any other
 * host is everybody's: the default tenant is meant, unless the credentials are another tenant's.
 *
 * A name to log in with may carry its tenant, "acme/anna". On a tenant's own host only "acme/" (its
 * own) and "default/" are understood; with the latter a system administrator, who is always one of
 * the default tenant, logs in anywhere. What stands before the slash and is no tenant's name is a
 * part of the user's.
 *
 * Look-ups are remembered for STATE_REMEMBER_S, also those that found nothing, in a cache of their
 * own: a warm request asks no database. tenant_forget() drops all, after every change of a tenant;
 * so a change counts at once here, and other nodes are told.
 */
#pragma once

#include "auth/auth.h"
#include "db/tenant.h"

#define TENANT_NAME_BYTES_MAX 63

struct tenant_seen {
	int64_t id; /* 0: there is none */
	enum tenant_state state;
	str reason; /* of the state, in the arena */
};

/* `*ret` with id 0 when no tenant has it: the default tenant is meant. `host` as it was asked for,
 * with or without a port. */
err_t tenant_of_host(struct ctx *ctx, struct auth *auth, str host, struct tenant_seen *ret);
err_t tenant_of_id(struct ctx *ctx, struct auth *auth, int64_t id, struct tenant_seen *ret);

/* Lower-case letters, digits and "-" between them: so that it can be a label of a host name, and is
 * told from what else stands before a slash. */
bool tenant_name_is_valid(str name);

/*
 * Splits "acme/anna" by the rules above, and has nobody but acme's count until tenant_leave(). A
 * name that carries no tenant is all of `*ret_name`, and changes nothing.
 *
 *	CLEANUP(tenant_leave) struct tenant_scope scope = TENANT_SCOPE_INIT;
 *	TRY(tenant_enter(ctx, auth, login, &scope, &name));
 */
struct tenant_scope {
	struct ctx *ctx; /* NULL: not entered */
	int64_t id_before;
	bool fixed_before;
};
#define TENANT_SCOPE_INIT                                                                          \
	{                                                                                          \
		NULL                                                                               \
	}
err_t tenant_enter(struct ctx *ctx, struct auth *auth, str login, struct tenant_scope *scope,
		   str *ret_name);
void tenant_leave(struct tenant_scope *scope); /* CLEANUP */

void tenant_forget(struct auth *auth);
