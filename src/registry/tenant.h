/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenant.h - tenants: making and changing them, their hosts, and the storage that each has alone.
 *
 * Which tenant a request is about is auth/tenant.h's; whoever changes one here calls
 * tenant_forget() there, so that it counts at once.
 *
 * A tenant's name never changes, and is given free when it is deleted. The default tenant cannot be
 * suspended or deleted, and its storage not erased.
 *
 * Errors: ERR_NOT_FOUND, ERR_EXISTS (a name, host or place that is taken), ERR_REQUEST_INVALID with
 * a text for the client, ERR_PRECONDITION_FAILED for the default tenant, ERR_IN_USE for deleting
 * one that has projects, ERR_STORAGE_MOVES for deleting or erasing one whose bytes are on a move.
 */
#pragma once

#include "db/account.h"
#include "db/tenant.h"
#include "registry/storage_binding.h"

#define TENANT_TITLE_BYTES_MAX	255
#define TENANT_REASON_BYTES_MAX 255
#define TENANT_HOSTS_MAX	64 /* of one tenant */
#define TENANT_ADMINS_MAX	16 /* made with it */

struct tenant {
	struct tenant_row row;
	str *hosts;
	size_t host_count;
	struct storage_binding storage;
};

struct tenant_new {
	str name; /* valid: auth/tenant.h */
	str title;
	str *hosts; /* as codec/host.h writes them */
	size_t host_count;
	struct storage_spec storage; /* an empty name: one is made */
	struct account *admins;	     /* whole but for the tenant and the right */
	size_t admin_count;
};

/* A name for a storage of a tenant, that none had before. */
str tenant_storage_name(struct ctx *ctx, str tenant);

/* All in one transaction. */
err_t tenant_create(struct ctx *ctx, struct registry *registry, const struct tenant_new *from,
		    int64_t *ret_id);

err_t tenant_get(struct ctx *ctx, struct registry *registry, int64_t id, struct tenant *ret);

struct tenant_list {
	struct tenant_query query; /* which */
	struct tenant *items;	   /* the answer, in the arena */
	size_t count;
	int64_t total;
};
err_t tenant_list(struct ctx *ctx, struct registry *registry, struct tenant_list *list);

/* Title, state and reason. */
err_t tenant_update(struct ctx *ctx, struct registry *registry, const struct tenant_row *row);

/* An encrypted storage's key goes with it: nobody is left who could read. */
err_t tenant_delete(struct ctx *ctx, struct registry *registry, const struct tenant *tenant);

err_t tenant_add_host(struct ctx *ctx, struct registry *registry, int64_t id, str host);
err_t tenant_remove_host(struct ctx *ctx, struct registry *registry, int64_t id, str host);

struct tenant_admin_list {
	int64_t tenant_id, limit, offset; /* which */
	struct tenant_admin *items;	  /* the answer, in the arena */
	size_t count;
	int64_t total;
};
err_t tenant_admins(struct ctx *ctx, struct registry *registry, struct tenant_admin_list *list);

/* storage_binding_update() and storage_erase() of a tenant's. On a move the storage that changes is
 * the new one; ERR_STORAGE_MOVES when `tenant` was read before and means the old one. */
err_t tenant_change_storage(struct ctx *ctx, struct registry *registry, const struct tenant *tenant,
			    const str *settings, const str *secrets);
err_t tenant_erase_storage(struct ctx *ctx, struct registry *registry, const struct tenant *tenant);
