/* SPDX-License-Identifier: Apache-2.0 */
/* tag_event.c - see tag_event.h. */
#include "db/tag_event.h"
#include "base/clock.h"
#include "rows.h"
#include "tag_event.sql.h"

#include "base/banned.h"

err_t db_tag_event_insert(struct ctx *ctx, struct sql_tx *tx, const struct tag_change *change)
{
	return sql_exec(ctx, tx, &SQL_TAG_EVENT_INSERT,
			SQL_ARGS(SQL_I64(change->repository_id), SQL_TEXT(change->tag),
				 SQL_I64(clock_wall_us()), SQL_TEXT(change->how),
				 SQL_TEXT(change->actor_type), SQL_TEXT(change->actor),
				 SQL_I64(change->from_id), SQL_I64(change->to_id)),
			NULL);
}

static void read_event(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	struct tag_event *event = item;
	*event = (struct tag_event){
		.id = sql_i64(rows, 0),
		.at_us = sql_i64(rows, 1),
		.how = db_text(ctx, rows, 2),
		.actor_type = db_text(ctx, rows, 3),
		.actor = db_text(ctx, rows, 4),
		.from_digest = db_text(ctx, rows, 5),
		.to_digest = db_text(ctx, rows, 6),
	};
}

err_t db_tag_event_page(struct ctx *ctx, struct sql_tx *tx, const struct tag_event_query *query,
			struct tag_event **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct tag_event), read_event };
	return db_rows_read(ctx, tx, &SQL_TAG_EVENT_PAGE,
			    SQL_ARGS(SQL_I64(query->repository_id), SQL_TEXT(query->tag),
				     SQL_I64(query->before), SQL_I64(query->max)),
			    &reader, (void **)ret, ret_count);
}

/* The last of the oldest that are from before. */
static err_t find_last(struct ctx *ctx, struct sql_tx *tx, int64_t before_us, size_t max,
		       int64_t *ret_last, size_t *ret_count)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	bool has;
	*ret_last = 0;
	*ret_count = 0;
	TRY(sql_query(ctx, tx, &SQL_TAG_EVENT_OLDEST, SQL_ARGS(SQL_I64((int64_t)max)), &rows));
	for (;;) {
		TRY(sql_next(ctx, &rows, &has));
		if (!has || sql_i64(&rows, 1) >= before_us)
			return OK;
		*ret_last = sql_i64(&rows, 0);
		++*ret_count;
	}
}

err_t db_tag_event_purge(struct ctx *ctx, struct sql_tx *tx, int64_t before_us, size_t max,
			 int64_t *ret_count, bool *ret_more)
{
	int64_t last;
	size_t count;
	TRY(find_last(ctx, tx, before_us, max, &last, &count));
	*ret_more = count == max;
	*ret_count = 0;
	return count ? sql_exec(ctx, tx, &SQL_TAG_EVENT_PURGE, SQL_ARGS(SQL_I64(last)), ret_count)
		     : OK;
}
