/* SPDX-License-Identifier: Apache-2.0 */
/* audit_search.c - see notify/audit_search.h. */
#include "notify/audit_search.h"
#include "internal.h"

#include "db/db.h"
#include "os/fault.h"

#include "base/banned.h"

#define MERGE_ROWS	2000 /* in memory at first, of all branches together */
#define BRANCH_ROWS_MIN 2

/* One filter's rows, page after page. */
struct branch {
	const struct audit_filter *filter;
	struct audit_page page;
	struct audit_row *rows;
	size_t count, at;
	bool ended;
};

struct searching {
	const struct audit_search *search;
	size_t max; /* of the count */
	struct branch *branches;
	struct audit_row *rows;
	size_t count;
};

/* --- one of many ---------------------------------------------------------------------------- */

static err_t fetch(struct ctx *ctx, struct sql_tx *tx, struct branch *branch)
{
	if (branch->at < branch->count || branch->ended)
		return OK;
	TRY(db_audit_page(ctx, tx, branch->filter, &branch->page, &branch->rows, &branch->count));
	branch->at = 0;
	branch->ended = branch->count < branch->page.max;
	if (branch->count) {
		const struct audit_row *last = &branch->rows[branch->count - 1];
		branch->page.after = (struct audit_place){ last->time_us, last->id };
	}
	return OK;
}

static bool is_before(const struct audit_row *a, const struct audit_row *b, bool oldest_first)
{
	bool older = a->time_us != b->time_us ? a->time_us < b->time_us : a->id < b->id;
	return older == oldest_first && a->id != b->id;
}

/* The branch whose next row comes first; NULL when all have ended. */
static err_t find_next(struct ctx *ctx, struct sql_tx *tx, struct searching *work,
		       struct branch **ret)
{
	const struct audit_search *search = work->search;
	*ret = NULL;
	for (size_t i = 0; i < search->filter_count; i++) {
		struct branch *branch = &work->branches[i];
		TRY(fetch(ctx, tx, branch));
		if (branch->at < branch->count &&
		    (!*ret || is_before(&branch->rows[branch->at], &(*ret)->rows[(*ret)->at],
					search->page.oldest_first)))
			*ret = branch;
	}
	return OK;
}

static void open_branches(struct ctx *ctx, struct searching *work)
{
	const struct audit_search *search = work->search;
	size_t rows = MAX(MERGE_ROWS / search->filter_count, BRANCH_ROWS_MIN);
	work->branches = ARENA_ARRAY(ctx->arena, struct branch, search->filter_count);
	for (size_t i = 0; i < search->filter_count; i++) {
		struct branch *branch = &work->branches[i];
		*branch = (struct branch){ .filter = &search->filters[i], .page = search->page };
		branch->page.skip = 0;
		branch->page.max = MIN(rows, search->page.max + search->page.skip);
	}
}

static err_t merge(struct ctx *ctx, struct sql_tx *tx, struct searching *work)
{
	size_t skip = work->search->page.skip, max = work->search->page.max;
	int64_t last_id = 0;
	open_branches(ctx, work);
	work->rows = ARENA_ARRAY(ctx->arena, struct audit_row, max);
	while (work->count < max) {
		struct branch *next;
		TRY(find_next(ctx, tx, work, &next));
		if (!next)
			break;
		const struct audit_row *row = &next->rows[next->at++];
		if (row->id == last_id)
			continue; /* fits another filter, too */
		last_id = row->id;
		if (skip)
			skip--;
		else
			work->rows[work->count++] = *row;
	}
	return OK;
}

/* --- all of them ---------------------------------------------------------------------------- */

static err_t search_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct searching *work = arg;
	const struct audit_search *search = work->search;
	work->count = 0;
	if (FAULT("audit.search"))
		return fail(ctx, ERR_DATABASE, "audit: a page could not be read");
	if (search->filter_count == 1)
		return db_audit_page(ctx, tx, search->filters, &search->page, &work->rows,
				     &work->count);
	return merge(ctx, tx, work);
}

err_t audit_search(struct ctx *ctx, struct audit *audit, const struct audit_search *search,
		   struct audit_row **ret, size_t *ret_count)
{
	struct searching work = { .search = search };
	if (search->filter_count > 1 && search->page.skip > AUDIT_SKIP_MAX)
		return fail(ctx, ERR_UNPROCESSABLE, "the page is too far away; narrow the search");
	if (search->filter_count && search->page.max)
		TRY(db_run(ctx, audit->options.db, SQL_READ, search_body, &work));
	*ret = work.rows;
	*ret_count = work.count;
	return OK;
}

static err_t count_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct searching *work = arg;
	work->count = 0;
	for (size_t i = 0; i < work->search->filter_count && work->count < work->max; i++) {
		size_t found;
		TRY(db_audit_count(ctx, tx, &work->search->filters[i], work->max - work->count,
				   &found));
		work->count += found;
	}
	return OK;
}

err_t audit_search_count(struct ctx *ctx, struct audit *audit, const struct audit_search *search,
			 size_t max, size_t *ret)
{
	struct searching work = { .search = search, .max = max };
	TRY(db_run(ctx, audit->options.db, SQL_READ, count_body, &work));
	*ret = work.count;
	return OK;
}
