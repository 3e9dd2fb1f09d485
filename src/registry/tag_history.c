/* SPDX-License-Identifier: Apache-2.0 */
/* tag_history.c - see tag_history.h. tag_revert() is in tag.c, beside the making of tags. */
#include "registry/tag_history.h"
#include "base/clock.h"
#include "db/db.h"
#include "internal.h"
#include "registry/repository.h"

#include "base/banned.h"

err_t tag_history(struct ctx *ctx, struct registry *registry, str repository,
		  struct tag_event_query *query, struct tag_event **ret, size_t *ret_count)
{
	TRY(repository_find(ctx, registry, repository, &query->repository_id));
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return db_tag_event_page(ctx, &tx, query, ret, ret_count);
}

err_t tag_revert_find(struct ctx *ctx, struct registry *registry, const struct tag_revert *revert,
		      digest *ret)
{
	struct tag_event_query query = { .tag = revert->tag, .before = INT64_MAX, .max = 1 };
	struct tag_event *event;
	size_t count;
	if (!digest_is_none(revert->d)) {
		*ret = revert->d;
		return OK;
	}
	if (revert->event_id && revert->event_id < INT64_MAX)
		query.before = revert->event_id + 1;
	TRY(tag_history(ctx, registry, revert->repository, &query, &event, &count));
	if (!count || (revert->event_id && event->id != revert->event_id))
		return fail(ctx, ERR_NOT_FOUND, "no such change of the tag is known");
	if (!event->from_digest.len)
		return fail(ctx, ERR_UNPROCESSABLE,
			    "change %lld made the tag: there is nothing before it to go back to",
			    (long long)event->id);
	if (!digest_parse(event->from_digest, ret))
		return fail(ctx, ERR_CORRUPT, "a tag's history has a malformed digest");
	return OK;
}

struct purge_work {
	int64_t before_us;
	size_t max;
	int64_t count;
	bool more;
};

static err_t purge(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct purge_work *work = arg;
	return db_tag_event_purge(ctx, tx, work->before_us, work->max, &work->count, &work->more);
}

err_t tag_history_purge(struct ctx *ctx, struct registry *registry, size_t max, size_t *ret_count,
			bool *ret_more)
{
	struct purge_work work = {
		.before_us = clock_wall_us() - registry->options.tag_history_ms * 1000, .max = max
	};
	TRY(db_run(ctx, registry->db, SQL_WRITE_RELAXED, purge, &work));
	*ret_count = (size_t)work.count;
	*ret_more = work.more;
	return OK;
}
