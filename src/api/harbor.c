/* SPDX-License-Identifier: Apache-2.0 */
/* harbor.c - see harbor.h. */
#include "api/harbor.h"
#include "api/handlers.h"
#include "base/clock.h"
#include "codec/url.h"
#include "registry/project.h"

#include "base/banned.h"

#define PAGE_MAX INT64_C(1000000000)
#define LINK_MAX KIB(8)

/* --- lists -------------------------------------------------------------------------------------
 */

err_t query_i64(struct ctx *ctx, struct request *rq, str name, int64_t otherwise, int64_t *ret)
{
	uint64_t value = (uint64_t)otherwise;
	str given = request_query(rq, name); /* empty: absent, as Harbor takes it */
	if (given.len && !str_to_u64(given, PAGE_MAX, &value))
		return fail(ctx, ERR_UNPROCESSABLE, STR_FMT " is no whole number", STR_ARG(name));
	*ret = (int64_t)value;
	return OK;
}

err_t query_bool(struct ctx *ctx, struct request *rq, str name, bool otherwise, bool *ret)
{
	str text = request_query(rq, name);
	bool yes = str_eq(text, STR("true")) || str_eq(text, STR("1"));
	bool no = str_eq(text, STR("false")) || str_eq(text, STR("0"));
	if (request_has_query(rq, name) && text.len && !yes && !no)
		return fail(ctx, ERR_UNPROCESSABLE, STR_FMT " is not true or false", STR_ARG(name));
	*ret = text.len ? yes : otherwise;
	return OK;
}

/* Clients in Go send 0 for what was not set. Harbor answers that with everything from the first on.
 */
static err_t read_page(struct ctx *ctx, struct request *rq, struct list *list)
{
	TRY(query_i64(ctx, rq, STR("page"), 1, &list->page));
	TRY(query_i64(ctx, rq, STR("page_size"), HARBOR_PAGE_DEFAULT, &list->page_size));
	if (list->page_size > HARBOR_PAGE_SIZE_MAX)
		return fail(ctx, ERR_UNPROCESSABLE, "page_size is at most %d",
			    HARBOR_PAGE_SIZE_MAX);
	if (!list->page)
		list->page = 1;
	if (!list->page_size)
		list->page_size = HARBOR_PAGE_SIZE_MAX;
	list->offset = (list->page - 1) * list->page_size;
	return OK;
}

/* Here `+` is a blank, as forms have it; what means a plus sign is encoded twice. */
static bool decode_again(struct arena *arena, str text, str *ret)
{
	str copy = arena_copy(arena, text);
	char *bytes = (char *)(uintptr_t)copy.ptr;
	for (size_t i = 0; i < copy.len; i++)
		if (bytes[i] == '+')
			bytes[i] = ' ';
	return url_decode(arena, copy, ret);
}

err_t list_begin(struct ctx *ctx, struct request *rq, struct list *ret)
{
	struct list list = { 0 };
	const char *why = "";
	str q, sort;
	TRY(read_page(ctx, rq, &list));
	/* The whole value may be encoded once more, as Harbor's page does it. */
	if (!decode_again(ctx->arena, request_query(rq, STR("q")), &q) ||
	    !decode_again(ctx->arena, request_query(rq, STR("sort")), &sort))
		return fail(ctx, ERR_REQUEST_INVALID, "q or sort does not decode");
	if (!harbor_query_parse(ctx->arena, q, &list.query, &why) ||
	    !harbor_sort_parse(sort, &list.query, &why))
		return fail(ctx, ERR_REQUEST_INVALID, "%s", why);
	*ret = list;
	return OK;
}

/* The request's own parameters but `page`, so that filters stay. */
static void add_link(struct buf *b, struct request *rq, const struct list *list, int64_t page,
		     const char *rel)
{
	str query = rq->x->head->query;
	buf_printf(b, "%s<" STR_FMT "?page=%lld&page_size=%lld", b->len ? " , " : "",
		   STR_ARG(rq->x->head->path), (long long)page, (long long)list->page_size);
	for (str pair; str_next(&query, '&', &pair);) {
		str name, value;
		if (!str_cut(pair, '=', &name, &value))
			name = pair;
		if (pair.len && !str_eq(name, STR("page")) && !str_eq(name, STR("page_size")))
			buf_printf(b, "&" STR_FMT, STR_ARG(pair));
	}
	buf_printf(b, ">; rel=\"%s\"", rel);
}

err_t list_answer(struct request *rq, const struct list *list, int64_t total,
		  const struct buf *body)
{
	CLEANUP(buf_done) struct buf link = BUF_INIT(LINK_MAX);
	if (list->page > 1)
		add_link(&link, rq, list, list->page - 1, "prev");
	if (list->offset + list->page_size < total)
		add_link(&link, rq, list, list->page + 1, "next");
	exchange_header_printf(rq->x, STR("X-Total-Count"), "%lld", (long long)total);
	if (link.len && !buf_overrun(&link))
		exchange_header(rq->x, STR("Link"), buf_str(&link));
	return answer_object(rq->x->ctx, rq, body);
}

static const struct harbor_filter *find_filter(const struct list *list, const char *key)
{
	return harbor_filter_find(&list->query, str_from(key));
}

str list_text(const struct list *list, const char *key)
{
	const struct harbor_filter *filter = find_filter(list, key);
	bool text = filter && (filter->kind == FILTER_EXACT || filter->kind == FILTER_FUZZY);
	return text ? filter->value : STR_NONE;
}

bool list_is_fuzzy(const struct list *list, const char *key)
{
	const struct harbor_filter *filter = find_filter(list, key);
	return filter && filter->kind == FILTER_FUZZY;
}

err_t list_number(struct ctx *ctx, const struct list *list, const char *key, bool *ret_has,
		  int64_t *ret)
{
	uint64_t number = 0;
	str text = list_text(list, key);
	if (text.len && !str_to_u64(text, INT64_MAX, &number))
		return fail(ctx, ERR_REQUEST_INVALID, "%s is no whole number", key);
	*ret_has = text.len > 0;
	*ret = (int64_t)number;
	return OK;
}

err_t list_times(struct ctx *ctx, const struct list *list, const char *key, int64_t *ret_from_us,
		 int64_t *ret_until_us)
{
	const struct harbor_filter *filter = find_filter(list, key);
	*ret_from_us = 0;
	*ret_until_us = INT64_MAX;
	if (!filter)
		return OK;
	str low = filter->kind == FILTER_RANGE ? filter->low : filter->value;
	str high = filter->kind == FILTER_RANGE ? filter->high : filter->value;
	if ((low.len && !harbor_time_parse(low, ret_from_us)) ||
	    (high.len && !harbor_time_parse(high, ret_until_us)))
		return fail(ctx, ERR_REQUEST_INVALID, "%s is no time", key);
	return OK;
}

str like_pattern(struct arena *arena, str text)
{
	if (!text.len)
		return STR_NONE;
	char *pattern = arena_alloc(arena, 2 * text.len + 2);
	size_t len = 0;
	pattern[len++] = '%';
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '%' || text.ptr[i] == '_' || text.ptr[i] == '\\')
			pattern[len++] = '\\';
		pattern[len++] = text.ptr[i];
	}
	pattern[len++] = '%';
	return (str){ pattern, len };
}

str like_exactly(struct arena *arena, str text)
{
	str pattern = like_pattern(arena, text);
	return pattern.len ? str_skip(str_take(pattern, pattern.len - 1), 1) : STR_NONE;
}

size_t list_sort(const struct list *list, const char *const *columns, size_t count,
		 size_t otherwise, bool *ret_descending)
{
	for (size_t s = 0; s < list->query.sort_count; s++)
		for (size_t i = 0; i < count; i++)
			if (str_eq(list->query.sorts[s].key, str_from(columns[i]))) {
				*ret_descending = list->query.sorts[s].descending;
				return i;
			}
	return otherwise;
}

/* --- bodies ------------------------------------------------------------------------------------
 */

err_t body_read(struct ctx *ctx, struct request *rq, struct json_document *ret)
{
	str body;
	struct json_problem problem;
	TRY(exchange_read_all(rq->x, rq->route->body_max_bytes, &body));
	if (!json_parse(body, JSON_LIMITS_SMALL, ret, &problem))
		return fail(ctx, ERR_REQUEST_INVALID, JSON_PROBLEM_FMT, JSON_PROBLEM_ARG(problem));
	json_done(&rq->body);
	json_share(ret, &rq->body);
	if (!json_value_is_object(ret->root))
		return fail(ctx, ERR_REQUEST_INVALID, "body is not a JSON object");
	return OK;
}

err_t body_shape(struct ctx *ctx, const struct json_value *object, const struct json_field *fields,
		 size_t count, void *into)
{
	struct json_problem problem;
	if (!json_shape_read(object, fields, count, into, &problem))
		return fail(ctx, ERR_UNPROCESSABLE, "%s", problem.text);
	return OK;
}

/* --- answers -----------------------------------------------------------------------------------
 */

static void add_location(struct request *rq, str name)
{
	str path = rq->x->head->path;
	while (str_has_suffix(path, STR("/")))
		path = str_take(path, path.len - 1);
	CLEANUP(buf_done) struct buf location = BUF_INIT(LINK_MAX);
	buf_printf(&location, STR_FMT "/", STR_ARG(path));
	url_encode(&location, name);
	exchange_header(rq->x, STR("Location"), buf_str(&location));
}

err_t answer_created_name(struct request *rq, str name)
{
	add_location(rq, name);
	return answer_empty(rq, 201);
}

err_t answer_created_with(struct ctx *ctx, struct request *rq, int64_t id, const struct buf *body)
{
	if (buf_overrun(body))
		return fail(ctx, ERR_LIMIT, "answer is larger than its buffer");
	add_location(rq, arena_printf(ctx->arena, "%lld", (long long)id));
	return answer_json(rq, 201, buf_str(body));
}

err_t answer_created(struct request *rq, int64_t id)
{
	return answer_created_name(rq, arena_printf(rq->x->ctx->arena, "%lld", (long long)id));
}

err_t answer_object(struct ctx *ctx, struct request *rq, const struct buf *body)
{
	if (buf_overrun(body))
		return fail(ctx, ERR_LIMIT, "answer is larger than its buffer");
	return answer_json(rq, 200, buf_str(body));
}

void json_write_time(struct json_writer *w, const char *key, int64_t at_us)
{
	char text[CLOCK_RFC3339_MAX];
	if (at_us)
		json_write_str(w, key, clock_rfc3339(at_us, text));
}

/* --- decisions ---------------------------------------------------------------------------------
 */

err_t request_require(struct ctx *ctx, struct request *rq, enum action action, int64_t project_id)
{
	struct decision decision;
	TRY(request_may_in(ctx, rq, action, project_id, &decision));
	if (decision.allowed)
		return OK;
	return request_refuse(ctx, rq, &decision);
}

err_t harbor_later(struct ctx *ctx, struct request *rq)
{
	return fail(ctx, ERR_LATER, "no such operation yet");
}
