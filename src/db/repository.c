/* SPDX-License-Identifier: Apache-2.0 */
/* repository.c - see repository.h. */
#include "db/repository.h"
#include "base/clock.h"
#include "codec/reference.h"
#include "db/alias.h"
#include "db/project_content.h"
#include "db/quota.h"
#include "repository.sql.h"
#include "rows.h"

#include "base/banned.h"

static str name_in(struct ctx *ctx, str project, str rest)
{
	return arena_printf(ctx->arena, STR_FMT "/" STR_FMT, STR_ARG(project), STR_ARG(rest));
}

/* The one text of the one row. */
static err_t read_text(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		       int64_t id, str *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statement, SQL_ARGS(SQL_I64(id)), &rows));
	*ret = db_text(ctx, &rows, 0);
	return OK;
}

/* A row that is damaged is none. */
static void read_wish(struct ctx *ctx, const struct sql_rows *rows, struct repository_wish *wish)
{
	digest d;
	wish->found = !sql_is_null(rows, 3) && digest_parse(sql_text(rows, 4), &d);
	if (wish->found)
		wish->row = (struct manifest_row){ sql_i64(rows, 3), d, db_text(ctx, rows, 5),
						   db_text(ctx, rows, 6) };
}

static err_t find(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		  struct sql_args args, struct repository_wish *wish, struct repository *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statement, args, &rows));
	if (wish)
		read_wish(ctx, &rows, wish);
	*ret = (struct repository){
		.id = sql_i64(&rows, 0),
		.project_id = sql_i64(&rows, 1),
		.name = db_text(ctx, &rows, 2),
	};
	return OK;
}

/* A project's name, and what follows it. */
#define SQL_PARTS(asked, name) SQL_TEXT(asked), SQL_TEXT(str_skip(name, (asked).len))

err_t db_repository_find(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name,
			 struct repository *ret)
{
	str project = reference_project(name);
	return find(ctx, tx, &SQL_REPOSITORY_FIND,
		    SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(name), SQL_PARTS(project, name)), NULL,
		    ret);
}

err_t db_repository_find_wanting(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name,
				 struct repository_wish *wish, struct repository *ret)
{
	bool tagged = wish->tag.len != 0;
	str project = reference_project(name);
	struct sql_value what = tagged ? SQL_TEXT(wish->tag) : db_digest(ctx, wish->digest);
	err_t err =
		find(ctx, tx,
		     tagged ? &SQL_REPOSITORY_NAMED_WITH_TAG : &SQL_REPOSITORY_NAMED_WITH_DIGEST,
		     SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(name), what), wish, ret);
	if (err != ERR_ABSENT)
		return err;
	return find(ctx, tx, &SQL_REPOSITORY_FIND_WANTING,
		    SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(name), SQL_PARTS(project, name),
			     SQL_TEXT(wish->tag), tagged ? SQL_TEXT(STR_NONE) : what),
		    wish, ret);
}

err_t db_repository_name(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
			 str *ret_name, int64_t *ret_project_id)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_REPOSITORY_NAME, SQL_ARGS(SQL_I64(tenant_id), SQL_I64(id)),
		    &rows));
	*ret_name = db_text(ctx, &rows, 0);
	*ret_project_id = sql_i64(&rows, 1);
	return OK;
}

err_t db_repository_hold_project(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
				 str *ret_name)
{
	return read_text(ctx, tx, &SQL_REPOSITORY_HOLD_PROJECT, project_id, ret_name);
}

err_t db_repository_ensure(struct ctx *ctx, struct sql_tx *tx, const struct project *project,
			   str name, int64_t *ret_made)
{
	str asked, rest, project_name;
	CHECK(str_cut(name, '/', &asked, &rest));
	TRY(db_repository_hold_project(ctx, tx, project->id, &project_name));
	name = name_in(ctx, project_name, rest);
	TRY(sql_exec(ctx, tx, &SQL_REPOSITORY_INSERT,
		     SQL_ARGS(SQL_I64(project->id), SQL_TEXT(name), SQL_I64(clock_wall_us())),
		     ret_made));
	return db_alias_refuse(ctx, tx, ALIAS_OF_REPOSITORY, project->tenant_id, name);
}

err_t db_repository_page(struct ctx *ctx, struct sql_tx *tx, const struct repository_query *query,
			 str **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_REPOSITORY_PAGE,
			    SQL_ARGS(SQL_I64(query->tenant_id), SQL_TEXT(query->last),
				     SQL_I64(query->all), SQL_I64((int64_t)query->max)),
			    &db_text_reader, (void **)ret, ret_count);
}

/* --- for people ---------------------------------------------------------------------------------
 */

static void read_row(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct repository_row *)item = (struct repository_row){
		.id = sql_i64(rows, 0),
		.project_id = sql_i64(rows, 1),
		.name = db_text(ctx, rows, 2),
		.description = db_text(ctx, rows, 3),
		.artifact_count = sql_i64(rows, 4),
		.pull_count = sql_i64(rows, 5),
		.created_at_us = sql_i64(rows, 6),
		.updated_at_us = sql_i64(rows, 7),
		.project = db_text(ctx, rows, 8),
		.is_public = sql_i64(rows, 9) != 0,
		.list_version = sql_i64(rows, 10),
		.pulled_at_us = sql_i64(rows, 11),
	};
}

err_t db_repository_get(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct repository_row *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_REPOSITORY_GET, SQL_ARGS(SQL_I64(id)), &rows));
	read_row(ctx, &rows, ret);
	return OK;
}

/* --- lists --------------------------------------------------------------------------------------
 */

enum scope { SCOPE_PROJECT, SCOPE_TENANT, SCOPE_SEEN };

static enum scope scope_of(const struct repository_search *search)
{
	if (search->project_id)
		return SCOPE_PROJECT;
	return search->sight->account_id == SIGHT_EVERYTHING ? SCOPE_TENANT : SCOPE_SEEN;
}

static int64_t holder_of(const struct repository_search *search)
{
	return search->project_id ? search->project_id : search->sight->tenant_id;
}

bool repository_search_is_narrowed(const struct repository_search *search)
{
	return search->name_like.len || search->name.len || search->blob.len;
}

/* With places: by [scope][descending]. */
static const struct sql_statement *const by_name[2][2] = {
	{ &SQL_REPOSITORY_BY_NAME_OF_PROJECT_UP, &SQL_REPOSITORY_BY_NAME_OF_PROJECT_DOWN },
	{ &SQL_REPOSITORY_BY_NAME_OF_TENANT_UP, &SQL_REPOSITORY_BY_NAME_OF_TENANT_DOWN },
};
static const struct sql_statement *const by_id[2][2] = {
	{ &SQL_REPOSITORY_BY_ID_OF_PROJECT_UP, &SQL_REPOSITORY_BY_ID_OF_PROJECT_DOWN },
	{ &SQL_REPOSITORY_BY_ID_OF_TENANT_UP, &SQL_REPOSITORY_BY_ID_OF_TENANT_DOWN },
};
static const struct sql_statement *const named_like[2][2] = {
	{ &SQL_REPOSITORY_NAMED_LIKE_OF_PROJECT_UP, &SQL_REPOSITORY_NAMED_LIKE_OF_PROJECT_DOWN },
	{ &SQL_REPOSITORY_NAMED_LIKE_OF_TENANT_UP, &SQL_REPOSITORY_NAMED_LIKE_OF_TENANT_DOWN },
};
static const struct sql_statement *const count_like[2] = {
	&SQL_REPOSITORY_COUNT_LIKE_OF_PROJECT,
	&SQL_REPOSITORY_COUNT_LIKE_OF_TENANT,
};

/* Orders of a project that have an index but no places: by [order][descending]. */
static const struct sql_statement *const ordered[REPOSITORY_ORDER_COUNT][2] = {
	[REPOSITORY_BY_UPDATE] = { &SQL_REPOSITORY_OF_PROJECT_BY_UPDATED_AT_US_UP,
				   &SQL_REPOSITORY_OF_PROJECT_BY_UPDATED_AT_US_DOWN },
	[REPOSITORY_BY_PULLS] = { &SQL_REPOSITORY_OF_PROJECT_BY_PULL_COUNT_UP,
				  &SQL_REPOSITORY_OF_PROJECT_BY_PULL_COUNT_DOWN },
	[REPOSITORY_BY_ARTIFACTS] = { &SQL_REPOSITORY_OF_PROJECT_BY_ARTIFACT_COUNT_UP,
				      &SQL_REPOSITORY_OF_PROJECT_BY_ARTIFACT_COUNT_DOWN },
};

#define BY(where, direction)                                                                       \
	{                                                                                          \
		&SQL_REPOSITORY_FITTING_##where##_BY_NAME_##direction,                             \
			&SQL_REPOSITORY_FITTING_##where##_BY_ID_##direction,                       \
			&SQL_REPOSITORY_FITTING_##where##_BY_UPDATED_AT_US_##direction,            \
			&SQL_REPOSITORY_FITTING_##where##_BY_PULL_COUNT_##direction,               \
			&SQL_REPOSITORY_FITTING_##where##_BY_ARTIFACT_COUNT_##direction,           \
	}
/* All others: by [not of one project][descending][order]. */
static const struct sql_statement *const fitting[2][2][REPOSITORY_ORDER_COUNT] = {
	{ BY(IN_PROJECT, UP), BY(IN_PROJECT, DOWN) },
	{ BY(SEEN, UP), BY(SEEN, DOWN) },
};
#undef BY

/* NULL when it has no places. */
static const struct sql_statement *placed(const struct repository_search *search)
{
	enum scope scope = scope_of(search);
	if (scope == SCOPE_SEEN || search->name.len || search->blob.len)
		return NULL;
	if (search->order == REPOSITORY_BY_NAME)
		return (search->name_like.len ? named_like : by_name)[scope][search->descending];
	if (search->order == REPOSITORY_BY_CREATION && !search->name_like.len)
		return by_id[scope][search->descending];
	return NULL;
}

bool repository_search_has_places(const struct repository_search *search, bool *ret_led)
{
	*ret_led = !search->name_like.len;
	return placed(search) != NULL;
}

static const struct row_reader row_reader = { sizeof(struct repository_row), read_row };

static err_t read_list(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		       struct sql_args args, struct repository_row **ret, size_t *ret_count)
{
	args.count = statement->parameters;
	return db_rows_read(ctx, tx, statement, args, &row_reader, (void **)ret, ret_count);
}

static err_t read_named(struct ctx *ctx, struct sql_tx *tx, const struct repository_search *search,
			struct repository_row **ret, size_t *ret_count)
{
	if (scope_of(search) == SCOPE_SEEN)
		return read_list(ctx, tx, &SQL_REPOSITORY_NAMED_SEEN,
				 SQL_ARGS(SQL_SIGHT(search->sight), SQL_TEXT(search->name),
					  SQL_I64(search->max), SQL_I64(search->offset)),
				 ret, ret_count);
	return read_list(ctx, tx,
			 search->project_id ? &SQL_REPOSITORY_NAMED_OF_PROJECT
					    : &SQL_REPOSITORY_NAMED_OF_TENANT,
			 SQL_ARGS(SQL_I64(holder_of(search)), SQL_TEXT(search->name),
				  SQL_I64(search->max), SQL_I64(search->offset)),
			 ret, ret_count);
}

err_t db_repository_list(struct ctx *ctx, struct sql_tx *tx, const struct repository_search *search,
			 int64_t from_id, struct repository_row **ret, size_t *ret_count)
{
	enum scope scope = scope_of(search);
	const struct sql_statement *statement = placed(search);
	if (search->name.len)
		return read_named(ctx, tx, search, ret, ret_count);
	if (!statement && scope == SCOPE_PROJECT && !repository_search_is_narrowed(search))
		statement = ordered[search->order][search->descending];
	if (!statement && scope != SCOPE_PROJECT)
		return read_list(ctx, tx, fitting[1][search->descending][search->order],
				 SQL_ARGS(SQL_SIGHT(search->sight), SQL_TEXT(search->name_like),
					  SQL_TEXT(search->blob), SQL_I64(search->max),
					  SQL_I64(search->offset)),
				 ret, ret_count);
	if (!statement)
		return read_list(ctx, tx, fitting[0][search->descending][search->order],
				 SQL_ARGS(SQL_I64(search->project_id), SQL_I64(search->max),
					  SQL_I64(search->offset), SQL_TEXT(search->name_like),
					  SQL_TEXT(search->blob)),
				 ret, ret_count);
	int64_t beginning = search->descending ? INT64_MAX : 0;
	return read_list(ctx, tx, statement,
			 SQL_ARGS(SQL_I64(holder_of(search)), SQL_I64(search->max),
				  SQL_I64(search->offset), SQL_I64(from_id ? from_id : beginning),
				  SQL_TEXT(search->name_like)),
			 ret, ret_count);
}

err_t db_repository_total(struct ctx *ctx, struct sql_tx *tx,
			  const struct repository_search *search, int64_t *ret,
			  int64_t *ret_version)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	enum quota_scope scope = search->project_id ? QUOTA_PROJECT : QUOTA_TENANT;
	TRY(sql_one(ctx, tx, &SQL_REPOSITORY_TOTAL,
		    SQL_ARGS(SQL_I64(scope), SQL_I64(holder_of(search))), &rows));
	*ret = sql_i64(&rows, 0);
	*ret_version = sql_i64(&rows, 1);
	return OK;
}

err_t db_repository_list_count(struct ctx *ctx, struct sql_tx *tx,
			       const struct repository_search *search, int64_t *ret)
{
	enum scope scope = scope_of(search);
	if (search->name.len) {
		struct repository_search one = *search;
		struct repository_row *rows;
		size_t count;
		one.max = 1;
		one.offset = 0;
		TRY(read_named(ctx, tx, &one, &rows, &count));
		*ret = (int64_t)count;
		return OK;
	}
	if (scope != SCOPE_SEEN && search->name_like.len && !search->blob.len)
		return db_one_i64(ctx, tx, count_like[scope],
				  SQL_ARGS(SQL_I64(holder_of(search)), SQL_TEXT(search->name_like)),
				  ret);
	if (scope == SCOPE_PROJECT)
		return db_one_i64(ctx, tx, &SQL_REPOSITORY_COUNT_FITTING_IN_PROJECT,
				  SQL_ARGS(SQL_I64(search->project_id), SQL_I64(INT64_MAX),
					   SQL_I64(0), SQL_TEXT(search->name_like),
					   SQL_TEXT(search->blob)),
				  ret);
	return db_one_i64(ctx, tx, &SQL_REPOSITORY_COUNT_FITTING_SEEN,
			  SQL_ARGS(SQL_SIGHT(search->sight), SQL_TEXT(search->name_like),
				   SQL_TEXT(search->blob)),
			  ret);
}

err_t db_repository_artifacts(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_REPOSITORY_ARTIFACTS_IN_PROJECT,
			  SQL_ARGS(SQL_I64(project_id)), ret);
}

err_t db_repository_describe(struct ctx *ctx, struct sql_tx *tx, int64_t id, str description)
{
	return db_exec_one(ctx, tx, &SQL_REPOSITORY_DESCRIBE,
			   SQL_ARGS(SQL_I64(id), SQL_TEXT(description), SQL_I64(clock_wall_us())));
}

err_t db_repository_count(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t change,
			  int64_t now_us)
{
	return sql_exec(ctx, tx, &SQL_REPOSITORY_COUNT,
			SQL_ARGS(SQL_I64(id), SQL_I64(change), SQL_I64(now_us)), NULL);
}

err_t db_repository_relist(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	return sql_exec(ctx, tx, &SQL_REPOSITORY_RELIST, SQL_ARGS(SQL_I64(id)), NULL);
}

err_t db_repository_uploads(struct ctx *ctx, struct sql_tx *tx, int64_t id, size_t max, str **ret,
			    size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_REPOSITORY_UPLOADS,
			    SQL_ARGS(SQL_I64(id), SQL_I64((int64_t)max)), &db_text_reader,
			    (void **)ret, ret_count);
}

static err_t lock(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct repository_gone *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_REPOSITORY_LOCK, SQL_ARGS(SQL_I64(id)), &rows));
	ret->project_id = sql_i64(&rows, 0);
	ret->name = db_text(ctx, &rows, 1);
	return OK;
}

err_t db_repository_lock(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	struct repository_gone ignored;
	return lock(ctx, tx, id, &ignored);
}

err_t db_repository_hold(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	return sql_one(ctx, tx, &SQL_REPOSITORY_HOLD, SQL_ARGS(SQL_I64(id)), &rows);
}

err_t db_repository_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id,
			   struct repository_gone *ret)
{
	struct repository_gone gone = { 0 };
	const struct {
		const struct sql_statement *statement;
		int64_t *changed;
	} steps[] = {
		{ &SQL_REPOSITORY_DELETE_TAGS, &gone.tags },
		{ &SQL_REPOSITORY_DELETE_ARTIFACTS, NULL },
		{ &SQL_REPOSITORY_DELETE_REFERENCES, NULL },
		{ &SQL_REPOSITORY_DELETE_MANIFESTS, &gone.manifests },
		{ &SQL_REPOSITORY_DELETE_BLOBS, NULL },
		{ &SQL_REPOSITORY_RAISE_FLOOR, NULL },
		{ &SQL_REPOSITORY_DELETE, NULL },
	};
	int64_t bytes = 0;
	TRY(lock(ctx, tx, id, &gone));
	TRY(db_content_free_repository(ctx, tx, id, &bytes));
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		TRY(sql_exec(ctx, tx, steps[i].statement, SQL_ARGS(SQL_I64(id)), steps[i].changed));
	gone.bytes = -bytes;
	*ret = gone;
	return OK;
}

err_t db_repository_delete_empty(struct ctx *ctx, struct sql_tx *tx, int64_t id,
				 struct repository_gone *ret)
{
	TRY(lock(ctx, tx, id, ret)); /* whoever is pushing has done it, or will not */
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	err_t err = sql_one(ctx, tx, &SQL_REPOSITORY_MANIFEST, SQL_ARGS(SQL_I64(id)), &rows);
	sql_rows_done(&rows);
	if (err != ERR_ABSENT)
		return err == OK ? ERR_EXISTS : err;
	return db_repository_delete(ctx, tx, id, ret);
}
