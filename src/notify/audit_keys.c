/* SPDX-License-Identifier: Apache-2.0 */
/* audit_keys.c - see audit_keys.h. */
#include "audit_keys.h"

#include "base/clock.h"
#include "db/audit_chain.h"
#include "db/db.h"

#include <string.h>

#include "base/banned.h"

struct key_list {
	struct audit_key *rows;
	size_t count;
};

static str seal_context(struct ctx *ctx, str id)
{
	return arena_printf(ctx->arena, "audit_key/" STR_FMT, STR_ARG(id));
}

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct key_list *list = arg;
	return db_audit_key_list(ctx, tx, JWS_KEYS_MAX, &list->rows, &list->count);
}

static void wipe(str secret)
{
	if (secret.len)
		explicit_bzero((void *)(uintptr_t)secret.ptr, secret.len);
}

static err_t insert_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct audit_chain chain;
	struct key_list list;
	err_t err = db_audit_chain_take(ctx, tx, &chain);
	if (err == ERR_ABSENT) /* another node is at it */
		return fail(ctx, ERR_BUSY, "the audit chain is taken");
	TRY(err);
	TRY(list_body(ctx, tx, &list)); /* again: another node may have been faster */
	return list.count ? OK : db_audit_key_insert(ctx, tx, arg);
}

static err_t make_key(struct ctx *ctx, struct sql *db, const struct secretbox_key *master)
{
	struct jws_key key = { 0 };
	str sealed;
	TRY(jws_key_generate(ctx, &key));
	err_t err =
		secretbox_seal(ctx, master, seal_context(ctx, key.id), key.private_jwk, &sealed);
	wipe(key.private_jwk);
	TRY(err);
	struct audit_key row = { key.id, sealed, clock_wall_us() };
	return db_run(ctx, db, SQL_WRITE, insert_body, &row);
}

static err_t open_key(struct ctx *ctx, const struct secretbox_key *master,
		      const struct audit_key *row, struct jws_key *ret)
{
	ret->id = row->id;
	err_t err = secretbox_open(ctx, master, seal_context(ctx, row->id), row->sealed,
				   &ret->private_jwk);
	if (err == ERR_CORRUPT) {
		ctx_forgive(ctx);
		return fail(ctx, ERR_CONFIG, "master key does not open audit key " STR_FMT,
			    STR_ARG(row->id));
	}
	return err;
}

err_t audit_keys_open(struct ctx *ctx, struct sql *db, const struct secretbox_key *master,
		      bool make, struct jws_ring **ret)
{
	struct key_list list;
	TRY(db_run(ctx, db, SQL_READ, list_body, &list));
	if (!list.count && !make)
		return ERR_ABSENT;
	if (!list.count) {
		TRY(make_key(ctx, db, master));
		TRY(db_run(ctx, db, SQL_READ, list_body, &list));
	}
	struct jws_key keys[JWS_KEYS_MAX] = { 0 };
	err_t err = OK;
	for (size_t i = 0; i < list.count && err == OK; i++)
		err = open_key(ctx, master, &list.rows[i], &keys[i]);
	if (err == OK)
		err = jws_ring_new(ctx, keys, list.count, ret);
	for (size_t i = 0; i < list.count; i++)
		wipe(keys[i].private_jwk);
	return err;
}
