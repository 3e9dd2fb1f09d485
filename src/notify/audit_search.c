/* SPDX-License-Identifier: Apache-2.0 */
/* audit_search.c - see notify/audit_search.h. */
#include "notify/audit_search.h"
#include "internal.h"

#include "base/clock.h"
#include "db/db.h"
#include "os/fault.h"

#include "base/banned.h"

#define MERGE_ROWS	2000 /* in memory at first, of all branches together */
#define BRANCH_ROWS_MIN 2
#define COUNT_WALK_MS	20
#define ACTORS_WALK_MAX 5000 /* look-ups */

/* One filter's rows, page after page. */
struct branch {
	const struct audit_filter *filter;
	bool led; /* every row looked at is one that is wanted */
	struct audit_page page;
	struct audit_row *rows;
	size_t count, at;
	bool begun, ended;
};

struct searching {
	const struct audit_search *search;
	int64_t until_ns;
	size_t max; /* of the count */
	struct branch *branches;
	struct audit_found found;
};

/* --- one of many ---------------------------------------------------------------------------- */

static struct audit_place place_of(const struct audit_row *row)
{
	return (struct audit_place){ row->time_us, row->id };
}

static bool is_before(struct audit_place a, struct audit_place b, bool oldest_first)
{
	bool older = a.time_us != b.time_us ? a.time_us < b.time_us : a.id < b.id;
	return older == oldest_first && (a.id != b.id || a.time_us != b.time_us);
}

/* Some of what comes next: a page of it, or what is among the next AUDIT_WALK_ROWS. */
static err_t step(struct ctx *ctx, struct sql_tx *tx, struct branch *branch)
{
	struct audit_page page = branch->page;
	err_t edge = ERR_ABSENT;
	if (!branch->led)
		edge = db_audit_edge(ctx, tx, branch->filter, &page, AUDIT_WALK_ROWS, &page.until);
	if (edge != OK && edge != ERR_ABSENT)
		return edge;
	TRY(db_audit_page(ctx, tx, branch->filter, &page, &branch->rows, &branch->count));
	branch->at = 0;
	branch->begun = true;
	if (branch->count == page.max)
		branch->page.after = place_of(&branch->rows[branch->count - 1]);
	else if (edge == OK)
		branch->page.after = page.until;
	else
		branch->ended = true;
	return OK;
}

static bool has_row(const struct branch *branch)
{
	return branch->at < branch->count;
}

static err_t fetch(struct ctx *ctx, struct sql_tx *tx, const struct searching *work,
		   struct branch *branch)
{
	while (!has_row(branch) && !branch->ended) {
		if (branch->begun && !branch->led && clock_now_ns() >= work->until_ns)
			return OK;
		TRY(ctx_check(ctx));
		TRY(step(ctx, tx, branch));
	}
	return OK;
}

/* The branch whose next row comes first, or NULL: all have ended, or one of them has not come so
 * far (found.late, and found.next is how far it has). */
static err_t find_next(struct ctx *ctx, struct sql_tx *tx, struct searching *work,
		       struct branch **ret)
{
	bool oldest_first = work->search->page.oldest_first;
	struct audit_found *found = &work->found;
	struct branch *next = NULL;
	found->late = false;
	for (size_t i = 0; i < work->search->filter_count; i++) {
		struct branch *branch = &work->branches[i];
		TRY(fetch(ctx, tx, work, branch));
		if (has_row(branch)) {
			if (!next || is_before(place_of(&branch->rows[branch->at]),
					       place_of(&next->rows[next->at]), oldest_first))
				next = branch;
		} else if (!branch->ended &&
			   (!found->late ||
			    is_before(branch->page.after, found->next, oldest_first))) {
			found->late = true;
			found->next = branch->page.after;
		}
	}
	if (next && found->late &&
	    is_before(found->next, place_of(&next->rows[next->at]), oldest_first))
		next = NULL;
	*ret = next;
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
		branch->led = db_audit_is_led(branch->filter);
		branch->page.skip = 0;
		branch->page.max = MIN(rows, search->page.max + search->page.skip);
	}
}

static err_t merge(struct ctx *ctx, struct sql_tx *tx, struct searching *work)
{
	size_t skip = work->search->page.skip, max = work->search->page.max;
	struct audit_found *found = &work->found;
	int64_t last_id = 0;
	open_branches(ctx, work);
	found->rows = ARENA_ARRAY(ctx->arena, struct audit_row, max);
	while (found->count < max) {
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
			found->rows[found->count++] = *row;
	}
	return OK;
}

/* --- all of them ---------------------------------------------------------------------------- */

static err_t search_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct searching *work = arg;
	const struct audit_search *search = work->search;
	struct audit_found *found = &work->found;
	*found = (struct audit_found){ 0 };
	if (FAULT("audit.search"))
		return fail(ctx, ERR_DATABASE, "audit: a page could not be read");
	if (search->filter_count == 1 && db_audit_is_led(search->filters))
		TRY(db_audit_page(ctx, tx, search->filters, &search->page, &found->rows,
				  &found->count));
	else
		TRY(merge(ctx, tx, work));
	if (found->count == search->page.max) {
		found->late = false;
		found->next = place_of(&found->rows[found->count - 1]);
	}
	found->more = found->late || found->count == search->page.max;
	return OK;
}

err_t audit_search(struct ctx *ctx, struct audit *audit, const struct audit_search *search,
		   struct audit_found *ret)
{
	struct searching work = {
		.search = search,
		.until_ns = clock_now_ns() + search->walk_ms * CLOCK_MS,
	};
	bool merges = search->filter_count > 1 ||
		      (search->filter_count && !db_audit_is_led(search->filters));
	if (merges && search->page.skip > AUDIT_SKIP_MAX)
		return fail(ctx, ERR_UNPROCESSABLE, "the page is too far away; narrow the search");
	if (search->filter_count && search->page.max)
		TRY(db_run(ctx, audit->options.db, SQL_READ, search_body, &work));
	*ret = work.found;
	return OK;
}

/* --- counting ------------------------------------------------------------------------------- */

struct counting {
	const struct audit_search *search;
	int64_t until_ns;
	size_t max, found;
	bool more;
};

static err_t count_one(struct ctx *ctx, struct sql_tx *tx, const struct audit_filter *filter,
		       struct counting *work)
{
	static const struct audit_page all = { 0 };
	struct audit_place until = { 0 };
	size_t found;
	err_t edge = ERR_ABSENT;
	if (!db_audit_is_led(filter))
		edge = db_audit_edge(ctx, tx, filter, &all, AUDIT_WALK_ROWS, &until);
	if (edge != OK && edge != ERR_ABSENT)
		return edge;
	work->more |= edge == OK;
	TRY(db_audit_count(ctx, tx, filter, work->max - work->found, until, &found));
	work->found += found;
	return OK;
}

static err_t count_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct counting *work = arg;
	work->found = 0;
	work->more = false;
	for (size_t i = 0; i < work->search->filter_count && work->found < work->max; i++) {
		if (i && clock_now_ns() >= work->until_ns) {
			work->more = true;
			return OK;
		}
		TRY(count_one(ctx, tx, &work->search->filters[i], work));
	}
	work->more |= work->found >= work->max;
	return OK;
}

err_t audit_search_count(struct ctx *ctx, struct audit *audit, const struct audit_search *search,
			 size_t max, size_t *ret, bool *ret_more)
{
	struct counting work = {
		.search = search,
		.until_ns = clock_now_ns() + COUNT_WALK_MS * CLOCK_MS,
		.max = max,
	};
	TRY(db_run(ctx, audit->options.db, SQL_READ, count_body, &work));
	*ret = work.found;
	*ret_more = work.more;
	return OK;
}

/* --- actors --------------------------------------------------------------------------------- */

struct naming {
	str part;
	str *names;
	size_t count;
	bool too_many;
};

static err_t actors_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct naming *work = arg;
	err_t err = db_audit_actor_list(ctx, tx, work->part, ACTORS_WALK_MAX, &work->names,
					&work->count);
	work->too_many = err == ERR_ABSENT || work->count > AUDIT_ACTORS_MAX;
	return err == ERR_ABSENT ? OK : err;
}

err_t audit_search_actors(struct ctx *ctx, struct audit *audit, str part, str **ret,
			  size_t *ret_count)
{
	struct naming work = { .part = part };
	TRY(db_run(ctx, audit->options.db, SQL_READ, actors_body, &work));
	if (work.too_many)
		return ERR_ABSENT;
	*ret = work.names;
	*ret_count = work.count;
	return OK;
}
