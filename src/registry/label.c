/* SPDX-License-Identifier: Apache-2.0 */
/* label.c - see label.h. */
#include "registry/label.h"
#include "db/db.h"
#include "internal.h"

#include "base/banned.h"

struct label_work {
	struct label *label;
	int64_t artifact_id, label_id;
};

/* What the database says in words for a client. */
static err_t tell(struct ctx *ctx, err_t err)
{
	if (err == ERR_EXISTS)
		return fail(ctx, ERR_EXISTS, "there is such a label, or it is worn");
	if (err == ERR_ABSENT) {
		ctx_forgive(ctx);
		return fail(ctx, ERR_NOT_FOUND, "no such label, project or artifact");
	}
	return err;
}

static err_t run(struct ctx *ctx, struct registry *registry,
		 err_t (*body)(struct ctx *ctx, struct sql_tx *tx, void *arg),
		 struct label_work *work)
{
	return tell(ctx, db_run(ctx, registry->db, SQL_WRITE, body, work));
}

static err_t create(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct label_work *work = arg;
	return db_label_insert(ctx, tx, work->label, &work->label->id);
}

err_t label_create(struct ctx *ctx, struct registry *registry, struct label *label)
{
	struct label_work work = { .label = label };
	label->tenant_id = ctx->tenant_id;
	return run(ctx, registry, create, &work);
}

err_t label_get(struct ctx *ctx, struct registry *registry, int64_t id, struct label *ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return tell(ctx, db_label_get(ctx, &tx, ctx->tenant_id, id, ret));
}

err_t label_list(struct ctx *ctx, struct registry *registry, const struct label_query *query,
		 struct label_page *ret)
{
	struct label_page page;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	TRY(db_label_count(ctx, &tx, query, &page.total));
	TRY(db_label_page(ctx, &tx, query, &page.items, &page.count));
	*ret = page;
	return OK;
}

static err_t update(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct label_work *work = arg;
	return db_label_update(ctx, tx, work->label);
}

err_t label_update(struct ctx *ctx, struct registry *registry, const struct label *label)
{
	struct label changed = *label;
	struct label_work work = { .label = &changed };
	return run(ctx, registry, update, &work);
}

static err_t delete (struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct label_work *work = arg;
	return db_label_delete(ctx, tx, work->label_id);
}

err_t label_delete(struct ctx *ctx, struct registry *registry, int64_t id)
{
	struct label_work work = { .label_id = id };
	return run(ctx, registry, delete, &work);
}

static err_t put_on(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct label_work *work = arg;
	int64_t worn;
	TRY(db_label_count_on(ctx, tx, work->artifact_id, &worn));
	if (worn >= LABELS_WORN_MAX)
		return fail(ctx, ERR_LIMIT, "an artifact wears at most %d labels", LABELS_WORN_MAX);
	return db_label_put_on(ctx, tx, work->artifact_id, work->label_id);
}

err_t label_put_on(struct ctx *ctx, struct registry *registry, int64_t artifact_id,
		   int64_t label_id)
{
	struct label_work work = { .artifact_id = artifact_id, .label_id = label_id };
	return run(ctx, registry, put_on, &work);
}

static err_t take_off(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct label_work *work = arg;
	return db_label_take_off(ctx, tx, work->artifact_id, work->label_id);
}

err_t label_take_off(struct ctx *ctx, struct registry *registry, int64_t artifact_id,
		     int64_t label_id)
{
	struct label_work work = { .artifact_id = artifact_id, .label_id = label_id };
	return run(ctx, registry, take_off, &work);
}
