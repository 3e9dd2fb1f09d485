/* SPDX-License-Identifier: Apache-2.0 */
/* webhook.c - see webhook.h. */
#include "db/webhook.h"
#include "rows.h"
#include "webhook.sql.h"

#include "base/banned.h"

/* --- policies --------------------------------------------------------------------------------- */

static void read_policy(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct webhook_policy_row *)item = (struct webhook_policy_row){
		.id = sql_i64(rows, 0),
		.tenant_id = sql_i64(rows, 1),
		.project_id = sql_i64(rows, 2),
		.name = db_text(ctx, rows, 3),
		.description = db_text(ctx, rows, 4),
		.creator = db_text(ctx, rows, 5),
		.enabled = sql_i64(rows, 6) != 0,
		.events = sql_i64(rows, 7),
		.filters = db_text(ctx, rows, 8),
		.targets = db_text(ctx, rows, 9),
		.secrets = db_text(ctx, rows, 10),
		.created_at_us = sql_i64(rows, 11),
		.updated_at_us = sql_i64(rows, 12),
	};
}

static const struct row_reader policy_reader = { sizeof(struct webhook_policy_row), read_policy };

err_t db_webhook_policy_insert(struct ctx *ctx, struct sql_tx *tx,
			       const struct webhook_policy_row *row, int64_t *ret_id)
{
	return db_insert_id(ctx, tx, &SQL_WEBHOOK_POLICY_INSERT,
			    SQL_ARGS(SQL_I64(row->tenant_id), SQL_I64(row->project_id),
				     SQL_TEXT(row->name), SQL_TEXT(row->description),
				     SQL_TEXT(row->creator), SQL_I64(row->enabled),
				     SQL_I64(row->events), SQL_TEXT(row->filters),
				     SQL_TEXT(row->targets), SQL_TEXT(row->secrets)),
			    ret_id);
}

err_t db_webhook_policy_update(struct ctx *ctx, struct sql_tx *tx,
			       const struct webhook_policy_row *row)
{
	int64_t id = row->id;
	err_t err = db_one_i64(
		ctx, tx, &SQL_WEBHOOK_POLICY_SAME_NAME,
		SQL_ARGS(SQL_I64(row->tenant_id), SQL_I64(row->project_id), SQL_TEXT(row->name)),
		&id);
	if (err != OK && err != ERR_ABSENT)
		return err;
	if (id != row->id)
		return ERR_EXISTS;
	return db_exec_one(ctx, tx, &SQL_WEBHOOK_POLICY_UPDATE,
			   SQL_ARGS(SQL_I64(row->id), SQL_TEXT(row->name),
				    SQL_TEXT(row->description), SQL_I64(row->enabled),
				    SQL_I64(row->events), SQL_TEXT(row->filters),
				    SQL_TEXT(row->targets), SQL_TEXT(row->secrets)));
}

err_t db_webhook_policy_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_WEBHOOK_POLICY_DELETE, SQL_ARGS(SQL_I64(id)));
}

err_t db_webhook_policy_delete_of_project(struct ctx *ctx, struct sql_tx *tx, int64_t project_id)
{
	return sql_exec(ctx, tx, &SQL_WEBHOOK_POLICY_DELETE_OF_PROJECT,
			SQL_ARGS(SQL_I64(project_id)), NULL);
}

static err_t read_one(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		      struct sql_args args, struct webhook_policy_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statement, args, &rows));
	read_policy(ctx, &rows, ret);
	return OK;
}

err_t db_webhook_policy_find(struct ctx *ctx, struct sql_tx *tx, struct webhook_place place,
			     int64_t id, struct webhook_policy_row *ret)
{
	return read_one(ctx, tx, &SQL_WEBHOOK_POLICY_FIND,
			SQL_ARGS(SQL_I64(place.tenant_id), SQL_I64(place.project_id), SQL_I64(id)),
			ret);
}

err_t db_webhook_policy_get(struct ctx *ctx, struct sql_tx *tx, int64_t id,
			    struct webhook_policy_row *ret)
{
	return read_one(ctx, tx, &SQL_WEBHOOK_POLICY_GET, SQL_ARGS(SQL_I64(id)), ret);
}

err_t db_webhook_policy_list(struct ctx *ctx, struct sql_tx *tx, struct webhook_place place,
			     struct webhook_page page, struct webhook_policy_row **ret,
			     size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_WEBHOOK_POLICY_LIST,
			    SQL_ARGS(SQL_I64(place.tenant_id), SQL_I64(place.project_id),
				     SQL_I64(page.max), SQL_I64(page.offset)),
			    &policy_reader, (void **)ret, ret_count);
}

err_t db_webhook_policy_count(struct ctx *ctx, struct sql_tx *tx, struct webhook_place place,
			      int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_WEBHOOK_POLICY_COUNT,
			  SQL_ARGS(SQL_I64(place.tenant_id), SQL_I64(place.project_id)), ret);
}

err_t db_webhook_policy_about(struct ctx *ctx, struct sql_tx *tx, struct webhook_place place,
			      struct webhook_policy_row **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_WEBHOOK_POLICY_ABOUT,
			    SQL_ARGS(SQL_I64(place.tenant_id), SQL_I64(place.project_id)),
			    &policy_reader, (void **)ret, ret_count);
}

err_t db_webhook_repository(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			    int64_t *ret_created_at_us, bool *ret_public)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_WEBHOOK_REPOSITORY, SQL_ARGS(SQL_I64(repository_id)), &rows));
	*ret_created_at_us = sql_i64(&rows, 0);
	*ret_public = sql_i64(&rows, 1) != 0;
	return OK;
}

static void read_artifact(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct webhook_artifact *)item = (struct webhook_artifact){
		.id = sql_i64(rows, 0),
		.digest_text = db_text(ctx, rows, 1),
		.media_type = db_text(ctx, rows, 2),
		.tag = db_text(ctx, rows, 3),
	};
}

err_t db_webhook_artifacts(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id,
			   int64_t after_id, int64_t max, struct webhook_artifact **ret,
			   size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct webhook_artifact), read_artifact };
	return db_rows_read(ctx, tx, &SQL_WEBHOOK_ARTIFACTS,
			    SQL_ARGS(SQL_I64(repository_id), SQL_I64(after_id), SQL_I64(max)),
			    &reader, (void **)ret, ret_count);
}

/* --- deliveries ------------------------------------------------------------------------------- */

static void read_delivery(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct webhook_delivery *)item = (struct webhook_delivery){
		.id = sql_i64(rows, 0),
		.policy_id = sql_i64(rows, 1),
		.target = sql_i64(rows, 2),
		.subject = db_text(ctx, rows, 3),
		.event = sql_i64(rows, 4),
		.payload = db_text(ctx, rows, 5),
		.extra = db_text(ctx, rows, 6),
		.state = (enum webhook_state)sql_i64(rows, 7),
		.attempts = sql_i64(rows, 8),
		.status = sql_i64(rows, 9),
		.error = db_text(ctx, rows, 10),
		.created_at_us = sql_i64(rows, 11),
		.queued_at_us = sql_i64(rows, 12),
		.tried_at_us = sql_i64(rows, 13),
		.finished_at_us = sql_i64(rows, 14),
		.now_us = sql_i64(rows, 15),
	};
}

static const struct row_reader delivery_reader = { sizeof(struct webhook_delivery), read_delivery };

static err_t insert_delivery(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *how,
			     const struct webhook_delivery *delivery, int64_t *ret_id)
{
	return db_one_i64(ctx, tx, how,
			  SQL_ARGS(SQL_I64(delivery->policy_id), SQL_I64(delivery->target),
				   SQL_TEXT(delivery->subject), SQL_I64(delivery->event),
				   SQL_TEXT(delivery->payload), SQL_TEXT(delivery->extra)),
			  ret_id);
}

err_t db_webhook_delivery_insert(struct ctx *ctx, struct sql_tx *tx,
				 const struct webhook_delivery *delivery, int64_t *ret_id)
{
	return insert_delivery(ctx, tx, &SQL_WEBHOOK_DELIVERY_INSERT, delivery, ret_id);
}

err_t db_webhook_delivery_insert_ping(struct ctx *ctx, struct sql_tx *tx,
				      const struct webhook_delivery *delivery, int64_t *ret_id)
{
	return insert_delivery(ctx, tx, &SQL_WEBHOOK_DELIVERY_INSERT_PING, delivery, ret_id);
}

err_t db_webhook_delivery_get(struct ctx *ctx, struct sql_tx *tx, int64_t id,
			      struct webhook_delivery *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_WEBHOOK_DELIVERY_GET, SQL_ARGS(SQL_I64(id)), &rows));
	read_delivery(ctx, &rows, ret);
	return OK;
}

err_t db_webhook_delivery_page(struct ctx *ctx, struct sql_tx *tx,
			       const struct webhook_delivery_query *query,
			       struct webhook_delivery **ret, size_t *ret_count)
{
	if (query->state == WEBHOOK_STATE_COUNT)
		return db_rows_read(ctx, tx, &SQL_WEBHOOK_DELIVERY_PAGE,
				    SQL_ARGS(SQL_I64(query->policy_id), SQL_I64(query->page.max),
					     SQL_I64(query->page.offset)),
				    &delivery_reader, (void **)ret, ret_count);
	return db_rows_read(ctx, tx, &SQL_WEBHOOK_DELIVERY_PAGE_IN_STATE,
			    SQL_ARGS(SQL_I64(query->policy_id), SQL_I64(query->state),
				     SQL_I64(query->page.max), SQL_I64(query->page.offset)),
			    &delivery_reader, (void **)ret, ret_count);
}

err_t db_webhook_delivery_count(struct ctx *ctx, struct sql_tx *tx,
				const struct webhook_delivery_query *query, int64_t *ret)
{
	if (query->state == WEBHOOK_STATE_COUNT)
		return db_one_i64(ctx, tx, &SQL_WEBHOOK_DELIVERY_COUNT,
				  SQL_ARGS(SQL_I64(query->policy_id)), ret);
	return db_one_i64(ctx, tx, &SQL_WEBHOOK_DELIVERY_COUNT_IN_STATE,
			  SQL_ARGS(SQL_I64(query->policy_id), SQL_I64(query->state)), ret);
}

err_t db_webhook_delivery_last(struct ctx *ctx, struct sql_tx *tx, int64_t policy_id, int64_t event,
			       int64_t *ret_us)
{
	*ret_us = 0;
	err_t err = db_one_i64(ctx, tx, &SQL_WEBHOOK_DELIVERY_LAST,
			       SQL_ARGS(SQL_I64(policy_id), SQL_I64(event)), ret_us);
	return err == ERR_ABSENT ? OK : err;
}

err_t db_webhook_tried(struct ctx *ctx, struct sql_tx *tx, int64_t id, enum webhook_state state,
		       const struct webhook_attempt *attempt, int64_t keep)
{
	int64_t number;
	TRY(db_one_i64(ctx, tx, &SQL_WEBHOOK_DELIVERY_TRIED,
		       SQL_ARGS(SQL_I64(id), SQL_I64(state), SQL_I64(attempt->status),
				SQL_TEXT(attempt->error)),
		       &number));
	if (number > keep)
		TRY(sql_exec(ctx, tx, &SQL_WEBHOOK_ATTEMPT_FORGET,
			     SQL_ARGS(SQL_I64(id), SQL_I64(number - keep)), NULL));
	return sql_exec(ctx, tx, &SQL_WEBHOOK_ATTEMPT_ADD,
			SQL_ARGS(SQL_I64(id), SQL_I64(number), SQL_I64(attempt->took_us),
				 SQL_I64(attempt->status), SQL_TEXT(attempt->request),
				 SQL_TEXT(attempt->response), SQL_TEXT(attempt->error)),
			NULL);
}

err_t db_webhook_delivery_again(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_WEBHOOK_DELIVERY_AGAIN, SQL_ARGS(SQL_I64(id)));
}

err_t db_webhook_delivery_drop(struct ctx *ctx, struct sql_tx *tx, int64_t id, str why)
{
	return sql_exec(ctx, tx, &SQL_WEBHOOK_DELIVERY_DROP, SQL_ARGS(SQL_I64(id), SQL_TEXT(why)),
			NULL);
}

static void read_attempt(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct webhook_attempt *)item = (struct webhook_attempt){
		.number = sql_i64(rows, 0),
		.at_us = sql_i64(rows, 1),
		.took_us = sql_i64(rows, 2),
		.status = sql_i64(rows, 3),
		.request = db_text(ctx, rows, 4),
		.response = db_text(ctx, rows, 5),
		.error = db_text(ctx, rows, 6),
	};
}

err_t db_webhook_attempts(struct ctx *ctx, struct sql_tx *tx, int64_t delivery_id,
			  struct webhook_attempt **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct webhook_attempt), read_attempt };
	return db_rows_read(ctx, tx, &SQL_WEBHOOK_ATTEMPT_LIST, SQL_ARGS(SQL_I64(delivery_id)),
			    &reader, (void **)ret, ret_count);
}

err_t db_webhook_purge(struct ctx *ctx, struct sql_tx *tx, int64_t age_us, int64_t max,
		       int64_t *ret_count)
{
	return sql_exec(ctx, tx, &SQL_WEBHOOK_DELIVERY_PURGE,
			SQL_ARGS(SQL_I64(age_us), SQL_I64(max)), ret_count);
}
