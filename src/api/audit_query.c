/* SPDX-License-Identifier: Apache-2.0 */
/* audit_query.c - see api/audit_query.h. */
#include "api/audit_query.h"
#include "auth/membership.h"

#include "base/banned.h"

#define PROJECTS_MAX AUDIT_FILTERS_MAX
#define SPELLED_MAX  200

/* The filters under work: each key multiplies them by its values. */
struct filters {
	struct audit_filter *items;
	size_t count;
};

static err_t multiply(struct ctx *ctx, struct filters *filters, size_t by)
{
	size_t count = filters->count * by;
	if (by > AUDIT_FILTERS_MAX || count > AUDIT_FILTERS_MAX)
		return fail(ctx, ERR_UNPROCESSABLE, "q asks for too many alternatives");
	struct audit_filter *items = ARENA_ARRAY(ctx->arena, struct audit_filter, count + 1);
	for (size_t i = 0; i < count; i++)
		items[i] = filters->items[i / by];
	*filters = (struct filters){ items, count };
	return OK;
}

/* --- texts ---------------------------------------------------------------------------------- */

static const struct {
	const char *key;
	size_t offset;
} text_keys[] = {
	{ "username", offsetof(struct audit_filter, actor) },
	{ "operation", offsetof(struct audit_filter, operation) },
	{ "resource", offsetof(struct audit_filter, resource) },
	{ "resource_type", offsetof(struct audit_filter, resource_type) },
	{ "digest", offsetof(struct audit_filter, digest) },
	{ "address", offsetof(struct audit_filter, address) },
	{ "request_id", offsetof(struct audit_filter, request_id) },
};

static void set_match(struct audit_filter *filter, size_t offset, struct audit_match match)
{
	*(struct audit_match *)(void *)((char *)filter + offset) = match;
}

static err_t add_text(struct ctx *ctx, struct filters *filters, const struct harbor_filter *asked,
		      size_t offset)
{
	switch (asked->kind) {
	case FILTER_EXACT:
	case FILTER_FUZZY:
		for (size_t i = 0; i < filters->count; i++)
			set_match(
				&filters->items[i], offset,
				(struct audit_match){ asked->value, asked->kind == FILTER_FUZZY });
		return OK;
	case FILTER_OR:
		TRY(multiply(ctx, filters, asked->value_count));
		for (size_t i = 0; i < filters->count; i++)
			set_match(&filters->items[i], offset,
				  (struct audit_match){ asked->values[i % asked->value_count],
							false });
		return OK;
	case FILTER_RANGE:
	case FILTER_AND:
		break;
	}
	return fail(ctx, ERR_REQUEST_INVALID, STR_FMT " takes no range and no list of all",
		    STR_ARG(asked->key));
}

static err_t add_texts(struct ctx *ctx, const struct list *list, struct filters *filters)
{
	for (size_t i = 0; i < COUNT_OF(text_keys); i++) {
		const struct harbor_filter *asked =
			harbor_filter_find(&list->query, str_from(text_keys[i].key));
		if (asked)
			TRY(add_text(ctx, filters, asked, text_keys[i].offset));
	}
	return OK;
}

/* --- results, times -------------------------------------------------------------------------- */

static err_t add_result(struct ctx *ctx, const struct list *list, struct filters *filters)
{
	str ours = list_text(list, "result"), harbors = list_text(list, "operation_result");
	enum audit_result result = AUDIT_ALLOWED;
	if (ours.len && !audit_result_find(ours, &result))
		return fail(ctx, ERR_REQUEST_INVALID, "result is allowed, denied or failed");
	if (str_eq(harbors, STR("false"))) {
		TRY(multiply(ctx, filters, 2));
		for (size_t i = 0; i < filters->count; i++)
			filters->items[i].result = i % 2 ? AUDIT_DENIED : AUDIT_FAILED;
	} else if (ours.len || harbors.len) {
		for (size_t i = 0; i < filters->count; i++)
			filters->items[i].result = (int)result;
	}
	return OK;
}

static err_t add_times(struct ctx *ctx, const struct list *list, struct filters *filters)
{
	int64_t from_us, until_us;
	TRY(list_times(ctx, list, "op_time", &from_us, &until_us));
	for (size_t i = 0; i < filters->count; i++) {
		filters->items[i].from_us = from_us;
		filters->items[i].to_us = until_us;
	}
	return OK;
}

/* --- projects -------------------------------------------------------------------------------- */

struct projects {
	bool all;	   /* or those of one tenant */
	int64_t tenant_id; /* AUDIT_ANY */
	int64_t *ids;
	size_t count;
};

static err_t keep_allowed(struct ctx *ctx, struct request *rq, struct projects *projects)
{
	size_t kept = 0;
	for (size_t i = 0; i < projects->count; i++) {
		struct decision decision;
		TRY(request_may_in(ctx, rq, ACTION_LOG_LIST, projects->ids[i], &decision));
		if (decision.allowed)
			projects->ids[kept++] = projects->ids[i];
	}
	projects->count = kept;
	return OK;
}

static void add_robots_projects(struct ctx *ctx, const struct identity *who,
				struct projects *projects)
{
	if (who->subject != SUBJECT_ROBOT)
		return;
	projects->ids = ARENA_ARRAY(ctx->arena, int64_t, who->robot_grant_count + 1);
	for (size_t i = 0; i < who->robot_grant_count; i++)
		if (who->robot_grants[i].project_id > 0 && projects->count < PROJECTS_MAX)
			projects->ids[projects->count++] = who->robot_grants[i].project_id;
}

static err_t find_projects(struct ctx *ctx, struct request *rq, struct projects *ret)
{
	const struct identity *who = &rq->who;
	struct projects projects = { .tenant_id = AUDIT_ANY };
	struct decision decision;
	TRY(request_may_in(ctx, rq, ACTION_AUDIT_LIST, 0, &decision));
	projects.all = decision.allowed;
	if (projects.all &&
	    (ctx->tenant_fixed || !(who->flags & (IDENTITY_ADMIN | IDENTITY_AUDITOR))))
		projects.tenant_id = request_tenant(rq);
	if (!projects.all) {
		TRY(membership_projects(ctx, rq->api->options.auth, who, PROJECTS_MAX,
					&projects.ids, &projects.count));
		add_robots_projects(ctx, who, &projects);
		TRY(keep_allowed(ctx, rq, &projects));
	}
	*ret = projects;
	return OK;
}

/* One project out of those, when one is asked for. */
static err_t narrow(struct ctx *ctx, const struct list *list, struct projects *projects,
		    int64_t *ret_project_id)
{
	bool one;
	TRY(list_number(ctx, list, "project_id", &one, ret_project_id));
	if (!one)
		*ret_project_id = AUDIT_ANY;
	if (!one || projects->all)
		return OK;
	for (size_t i = 0; i < projects->count; i++)
		if (projects->ids[i] == *ret_project_id) {
			projects->ids += i;
			projects->count = 1;
			return OK;
		}
	projects->count = 0;
	return OK;
}

static err_t add_projects(struct ctx *ctx, struct request *rq, const struct list *list,
			  struct filters *filters)
{
	struct projects projects;
	int64_t project_id;
	TRY(find_projects(ctx, rq, &projects));
	TRY(narrow(ctx, list, &projects, &project_id));
	if (!projects.all)
		TRY(multiply(ctx, filters, projects.count));
	for (size_t i = 0; i < filters->count; i++) {
		filters->items[i].tenant_id = projects.tenant_id;
		filters->items[i].project_id =
			projects.all ? project_id : projects.ids[i % projects.count];
	}
	return OK;
}

/* --- what has an index ------------------------------------------------------------------------ */

/* Few people have names with a certain part: each of them has an index. */
static err_t spell_actors(struct ctx *ctx, struct request *rq, struct filters *filters)
{
	str *names;
	size_t count;
	if (!filters->count || !filters->items[0].actor.part || !filters->items[0].actor.text.len)
		return OK;
	err_t err = audit_search_actors(ctx, rq->api->options.audit, filters->items[0].actor.text,
					&names, &count);
	if (err == ERR_ABSENT || (err == OK && filters->count * count > SPELLED_MAX))
		return OK;
	TRY(err);
	TRY(multiply(ctx, filters, count));
	for (size_t i = 0; i < filters->count; i++)
		filters->items[i].actor = (struct audit_match){ names[i % count], false };
	return OK;
}

static bool fits(const struct audit_match *match, str text)
{
	size_t at;
	if (!match->text.len)
		return true;
	return match->part ? str_find(text, match->text, &at) : str_eq(text, match->text);
}

static bool is_half_a_type(const struct audit_filter *filter)
{
	const struct audit_match *operation = &filter->operation,
				 *resource = &filter->resource_type;
	bool whole =
		operation->text.len && !operation->part && resource->text.len && !resource->part;
	return !whole && (operation->text.len || resource->text.len);
}

/* The filter as one for each type that it stands for; how many. `into` may be NULL. */
static size_t spell_types_of(const struct audit_filter *filter, struct audit_filter *into)
{
	size_t count = 0;
	for (unsigned i = 0; i < AUDIT_TYPE_COUNT; i++) {
		const struct audit_type_info *type = audit_type_info((enum audit_type)i);
		if (!fits(&filter->operation, type->operation) ||
		    !fits(&filter->resource_type, type->resource_type))
			continue;
		if (into) {
			into[count] = *filter;
			into[count].operation = (struct audit_match){ type->operation, false };
			into[count].resource_type =
				(struct audit_match){ type->resource_type, false };
		}
		count++;
	}
	return count;
}

/* An operation, or a kind of resource, alone has no index: the types it stands for have. */
static void spell_types(struct ctx *ctx, struct filters *filters)
{
	size_t count = 0;
	for (size_t i = 0; i < filters->count; i++)
		count += is_half_a_type(&filters->items[i])
				 ? spell_types_of(&filters->items[i], NULL)
				 : 1;
	if (count > SPELLED_MAX)
		return;
	struct audit_filter *items = ARENA_ARRAY(ctx->arena, struct audit_filter, count + 1);
	count = 0;
	for (size_t i = 0; i < filters->count; i++) {
		if (is_half_a_type(&filters->items[i]))
			count += spell_types_of(&filters->items[i], items + count);
		else
			items[count++] = filters->items[i];
	}
	*filters = (struct filters){ items, count };
}

/* Many filters that an index answers are quicker than one that walks. */
static err_t spell(struct ctx *ctx, struct request *rq, struct filters *filters)
{
	TRY(spell_actors(ctx, rq, filters));
	spell_types(ctx, filters);
	return OK;
}

/* --- all together ----------------------------------------------------------------------------- */

static err_t begin(struct ctx *ctx, struct request *rq, struct audit_query *query,
		   struct filters *ret)
{
	TRY(list_begin(ctx, rq, &query->list));
	*ret = (struct filters){ ARENA_NEW(ctx->arena, struct audit_filter), 1 };
	ret->items[0] = AUDIT_FILTER_NONE;
	TRY(add_texts(ctx, &query->list, ret));
	TRY(add_result(ctx, &query->list, ret));
	return add_times(ctx, &query->list, ret);
}

static void finish(struct audit_query *query, const struct filters *filters)
{
	static const char *const columns[] = { "op_time", "creation_time", "id" };
	bool descending = true;
	list_sort(&query->list, columns, COUNT_OF(columns), 0, &descending);
	query->filters = filters->items;
	query->search = (struct audit_search){
		.filters = filters->items,
		.filter_count = filters->count,
		.page = { .oldest_first = !descending,
			  .skip = (size_t)query->list.offset,
			  .max = (size_t)query->list.page_size },
	};
}

err_t audit_query_all(struct ctx *ctx, struct request *rq, struct audit_query *ret)
{
	struct filters filters;
	TRY(begin(ctx, rq, ret, &filters));
	TRY(add_projects(ctx, rq, &ret->list, &filters));
	TRY(spell(ctx, rq, &filters));
	finish(ret, &filters);
	return OK;
}

err_t audit_query_project(struct ctx *ctx, struct request *rq, struct audit_query *ret)
{
	struct filters filters;
	TRY(begin(ctx, rq, ret, &filters));
	for (size_t i = 0; i < filters.count; i++)
		filters.items[i].project_id = rq->project_found.id;
	TRY(spell(ctx, rq, &filters));
	finish(ret, &filters);
	return OK;
}

void audit_query_successes(struct audit_query *query)
{
	size_t kept = 0;
	for (size_t i = 0; i < query->search.filter_count; i++) {
		query->filters[i].result = AUDIT_ALLOWED;
		bool denials = !query->filters[i].operation.part &&
			       str_eq(query->filters[i].operation.text, STR("deny"));
		if (!denials) /* of which none was ever allowed */
			query->filters[kept++] = query->filters[i];
	}
	query->search.filter_count = kept;
}
