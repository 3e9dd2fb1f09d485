/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storage_binding.h - which storages there are: making, finding, changing and erasing them.
 *
 * A binding says where the bytes of a tenant are and how to get there: a driver of store.h, a
 * location, the driver's settings and secrets, and whether all is encrypted under a key of its own.
 * That key (32 random bytes) and the secrets are sealed under the master key; neither comes out of
 * here again.
 *
 * A location is relative to the server's root of storages (option `storage.root`): one to
 * STORAGE_SEGMENTS_MAX names, each as a storage's own name, with `/` between. Two storages of a
 * driver are never in the same place, nor one inside of the other, an erased one included.
 *
 *	const struct storage_spec spec = { .name = STR("acme"), .driver = STR("filesystem"),
 *					   .encrypted = true };
 *	TRY(storage_binding_insert(ctx, registry, tx, &spec, &binding));
 *	TRY(… insert the tenant with binding.id …);
 *
 * Errors: ERR_REQUEST_INVALID (400, with a text for the client), ERR_EXISTS (409: the name or the
 * place is taken), ERR_NOT_FOUND, ERR_CONFIG (no master key).
 */
#pragma once

#include "registry/registry.h"

#define STORAGE_NAME_MAX     64
#define STORAGE_SEGMENTS_MAX 8
#define STORAGE_SETTINGS_MAX KIB(8) /* bytes of settings, and of secrets */

struct storage_spec {
	str name; /* lower-case letters, digits, `.`, `_` and `-`; begins with one of the first two
		   */
	str driver;   /* empty: the default storage's */
	str location; /* empty: the name */
	str settings; /* a JSON object of strings; empty: {} */
	str secrets;  /* the same */
	bool encrypted;
};

struct storage_binding {
	int64_t id;
	str name, driver, location;
	str settings; /* JSON object */
	bool has_secrets;
	bool encrypted;
	int64_t erased_at_us; /* 0: it is not */
	int64_t created_at_us, updated_at_us;
};

/* Whether it could be made, but for what is there already. */
err_t storage_binding_check(struct ctx *ctx, const struct registry *registry,
			    const struct storage_spec *spec);

/* In the transaction of whoever needs it: nothing is opened and no directory made before the first
 * use, so a transaction that fails leaves nothing. */
err_t storage_binding_insert(struct ctx *ctx, struct registry *registry, struct sql_tx *tx,
			     const struct storage_spec *spec, struct storage_binding *ret);

err_t storage_binding_get(struct ctx *ctx, struct sql_tx *tx, int64_t id,
			  struct storage_binding *ret);

struct storage_change {
	int64_t id;
	const str *settings, *secrets; /* NULL leaves the one or the other */
};
/* ERR_STORAGE_ERASED. Counts from the next opening on. */
err_t storage_binding_update(struct ctx *ctx, struct registry *registry,
			     const struct storage_change *change);
/* The same in two halves: the row, and, after the commit, what this server has open. */
err_t storage_binding_update_in(struct ctx *ctx, struct registry *registry, struct sql_tx *tx,
				const struct storage_change *change);
void storage_reopen(struct registry *registry, int64_t id);

/*
 * Destroys the key of an encrypted storage, and with it all bytes that lie there; for ever. The row
 * stays, so that its place is never used again. From its return on every use of the storage is
 * ERR_STORAGE_ERASED here, what is being read at that moment included; its files may be removed.
 * Another server on the same database is told. Rows of manifests are no
 * bytes of a storage: they go with their projects. Copies of the database keep the sealed key they
 * had.
 *
 * OK when it is erased already. ERR_PRECONDITION_FAILED when it is not encrypted: there is no key.
 */
err_t storage_erase(struct ctx *ctx, struct registry *registry, int64_t id);

/* The same in two halves, for one transaction with other changes: the row, and, after the commit,
 * what this server has open and in memory. That is more than the one storage's: small blobs are in
 * memory by where they were read, and may have moved since (storage_move.h). */
struct storage_domain {
	int64_t *ids; /* in ctx's arena */
	size_t count;
};
err_t storage_erase_in(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct storage_domain *ret);
void storage_forget_domain(struct registry *registry, const struct storage_domain *domain);

/* What this server has open and in memory of one storage. */
void storage_forget(struct registry *registry, int64_t id);
