/* SPDX-License-Identifier: Apache-2.0 */
/* tenant_json.h - tenants, their hosts and their administrators, as JSON and back. */
#pragma once

#include "api/harbor.h"
#include "auth/user.h"
#include "auth/user_group.h"
#include "registry/tenant.h"

static inline struct registry *registry_of(struct request *rq)
{
	return rq->api->options.registry;
}

/* Where its bytes are and how to get there is told to who sees the whole system only. */
void tenant_json_write(struct json_writer *w, const struct request *rq,
		       const struct tenant *tenant);
str tenant_json(struct ctx *ctx, const struct request *rq, const struct tenant *tenant);
void tenant_json_write_admin(struct json_writer *w, const struct tenant_admin *admin);

/* What one is to be, for the audit trail: without secrets and passwords. */
str tenant_json_new(struct ctx *ctx, const struct tenant_new *from);

/* ERR_REQUEST_INVALID or ERR_UNPROCESSABLE, also of the next ones. */
err_t tenant_json_read_new(struct ctx *ctx, const struct json_value *root, struct tenant_new *ret);
/* Title, state and reason; what is absent stays, but a new state without a reason has none. */
err_t tenant_json_read_change(struct ctx *ctx, const struct json_value *root,
			      struct tenant_row *row);
/* A storage, as a new tenant's is described. */
err_t tenant_json_read_storage(struct ctx *ctx, const struct json_value *object,
			       struct storage_spec *ret);
/* `settings` and `secrets`, as texts; empty: absent. */
err_t tenant_json_read_storage_maps(struct ctx *ctx, const struct json_value *root,
				    struct storage_spec *ret);
err_t tenant_state_read(struct ctx *ctx, str text, enum tenant_state *ret);
/* In its one form. */
err_t tenant_host_read(struct ctx *ctx, str text, str *ret);

/* Whom to make an administrator: exactly one of them. */
struct tenant_admin_wanted {
	int64_t user_id, group_id;
	str username;
	bool is_new;
	struct user_new user;
};
err_t tenant_json_read_admin(struct ctx *ctx, const struct json_value *root,
			     struct tenant_admin_wanted *ret);
