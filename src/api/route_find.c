/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route_find.c - how a path finds its row in the table of routes.c.
 *
 * A repository name may contain slashes and even "manifests" or "tags/list", so paths are read from
 * the right: the last segments must fit the pattern's, and {name} is whatever remains between them
 * and the pattern's start.
 */
#include "api/request.h"
#include "codec/url.h"

#include "base/banned.h"

#define ID_MAX INT64_MAX

/* Takes the last segment off `*path`: "/v2/a/b" gives "b" and leaves "/v2/a". */
static bool pop_segment(str *path, str *ret_segment)
{
	str before, last;
	if (!str_cut_last(*path, '/', &before, &last))
		return false;
	*path = before;
	*ret_segment = last;
	return true;
}

/* What stands at each parameter of a pattern, still encoded. */
enum slot {
	SLOT_REFERENCE,
	SLOT_DIGEST,
	SLOT_UPLOAD,
	SLOT_PROJECT, /* name or id */
	SLOT_PROJECT_NAME,
	SLOT_REPOSITORY,
	SLOT_TAG,
	SLOT_ID,
	SLOT_SUB,
	SLOT_TASK,
	SLOT_WORD,
	SLOT_USER,
	SLOT_COUNT,
};

static const str slot_names[SLOT_COUNT] = {
	[SLOT_REFERENCE] = STR_INIT("{reference}"),
	[SLOT_DIGEST] = STR_INIT("{digest}"),
	[SLOT_UPLOAD] = STR_INIT("{upload}"),
	[SLOT_PROJECT] = STR_INIT("{project}"),
	[SLOT_PROJECT_NAME] = STR_INIT("{project_name}"),
	[SLOT_REPOSITORY] = STR_INIT("{repository}"),
	[SLOT_TAG] = STR_INIT("{tag}"),
	[SLOT_ID] = STR_INIT("{id}"),
	[SLOT_SUB] = STR_INIT("{sub}"),
	[SLOT_TASK] = STR_INIT("{task}"),
	[SLOT_WORD] = STR_INIT("{word}"),
	[SLOT_USER] = STR_INIT("{user}"),
};

struct match {
	str name;
	str slots[SLOT_COUNT];
};

static str *match_slot(struct match *match, str parameter)
{
	for (enum slot slot = 0; slot < SLOT_COUNT; slot++)
		if (str_eq(parameter, slot_names[slot]))
			return &match->slots[slot];
	return NULL;
}

/* Compares from the right; see the top of the file. */
static bool pattern_match(str pattern, str path, struct match *ret)
{
	struct match match = { 0 };
	str wanted, have;
	while (pop_segment(&pattern, &wanted)) {
		if (str_eq(wanted, STR("{name}"))) {
			if (!str_has_prefix(path, pattern) || path.len < pattern.len + 2)
				return false;
			match.name = str_skip(path, pattern.len + 1);
			*ret = match;
			return true;
		}
		if (!pop_segment(&path, &have))
			return false;
		str *slot = wanted.len && wanted.ptr[0] == '{' ? match_slot(&match, wanted) : NULL;
		if (slot && have.len)
			*slot = have;
		else if (!str_eq(wanted, have))
			return false;
	}
	*ret = match;
	return path.len == 0;
}

static bool method_fits(enum http_method asked, enum http_method row)
{
	return asked == row || (asked == HTTP_HEAD && row == HTTP_GET);
}

/* Outside /v2, where slashes mean something, several are one and a last one is none, as in Harbor.
 */
static str merge_slashes(struct arena *arena, str path)
{
	char *merged = arena_alloc(arena, path.len + 1);
	size_t len = 0;
	for (size_t i = 0; i < path.len; i++)
		if (path.ptr[i] != '/' || !len || merged[len - 1] != '/')
			merged[len++] = path.ptr[i];
	while (len > 1 && merged[len - 1] == '/')
		len--;
	return (str){ merged, len };
}

static str path_to_match(struct ctx *ctx, str path)
{
	str merged = str_has_prefix(path, STR("/v2")) ? path : merge_slashes(ctx->arena, path);
	return str_has_prefix(merged, STR("/v2")) ? path : merged; /* "//v2/" is none of ours */
}

static const struct route *find_row(struct ctx *ctx, struct request *rq, struct match *ret,
				    struct buf *allowed)
{
	const struct http_head *head = rq->x->head;
	str path = path_to_match(ctx, head->path);
	for (size_t i = 0; i < api_route_count; i++) {
		const struct route *route = &api_routes[i];
		struct match match;
		if (!pattern_match(str_from(route->pattern), path, &match))
			continue;
		if (method_fits(head->method, route->method)) {
			*ret = match;
			return route;
		}
		buf_printf(allowed, "%s%s", allowed->len ? ", " : "",
			   http_method_name(route->method));
	}
	return NULL;
}

/* --- the parts of the path, checked ------------------------------------------------------------
 */

static err_t decode(struct ctx *ctx, str raw, err_t err, str *ret)
{
	if (!url_decode(ctx->arena, raw, ret))
		return fail(ctx, err, "path segment does not decode");
	return OK;
}

static err_t take_name(struct ctx *ctx, struct request *rq, str raw)
{
	TRY(decode(ctx, raw, ERR_NAME_INVALID, &rq->name_asked));
	if (!reference_is_repository(rq->name_asked))
		return fail(ctx, ERR_NAME_INVALID, "repository name does not fit the grammar");
	rq->repository =
		str_has_byte(rq->name_asked, '/')
			? rq->name_asked
			: arena_printf(ctx->arena, "library/" STR_FMT, STR_ARG(rq->name_asked));
	return OK;
}

static err_t take_digest(struct ctx *ctx, struct request *rq, str raw)
{
	TRY(decode(ctx, raw, ERR_DIGEST_INVALID, &rq->digest_text));
	if (!digest_parse(rq->digest_text, &rq->digest))
		return fail(ctx, ERR_DIGEST_INVALID, "digest in the path does not parse");
	return OK;
}

static err_t take_project_name(struct ctx *ctx, struct request *rq, str raw)
{
	TRY(decode(ctx, raw, ERR_NOT_FOUND, &rq->project));
	if (!reference_is_project(rq->project))
		return fail(ctx, ERR_NOT_FOUND, "no project can have this name");
	return OK;
}

/* A name or, when all digits and not said to be a name, an id. */
static err_t take_project(struct ctx *ctx, struct request *rq, str raw)
{
	uint64_t id;
	if (str_eq(request_header(rq, STR("X-Is-Resource-Name")), STR("true")) ||
	    !str_to_u64(raw, ID_MAX, &id))
		return take_project_name(ctx, rq, raw);
	rq->project_id_asked = (int64_t)id;
	return OK;
}

/* Harbor's clients encode a name with slashes twice; other clients once. */
static err_t take_repository(struct ctx *ctx, struct request *rq, str raw)
{
	str once, twice;
	TRY(decode(ctx, raw, ERR_NOT_FOUND, &once));
	TRY(decode(ctx, once, ERR_NOT_FOUND, &twice));
	rq->repository =
		arena_printf(ctx->arena, STR_FMT "/" STR_FMT, STR_ARG(rq->project), STR_ARG(twice));
	if (!reference_is_repository(rq->repository))
		return fail(ctx, ERR_NOT_FOUND, "no repository can have this name");
	return OK;
}

static err_t take_id(struct ctx *ctx, str raw, int64_t *ret)
{
	uint64_t id;
	if (!str_to_u64(raw, ID_MAX, &id))
		return fail(ctx, ERR_UNPROCESSABLE, "an id in the path is not a number");
	*ret = (int64_t)id;
	return OK;
}

static err_t take_ids(struct ctx *ctx, struct request *rq, const struct match *match)
{
	int64_t *const ids[] = {
		[SLOT_ID] = &rq->id, [SLOT_SUB] = &rq->sub_id, [SLOT_TASK] = &rq->task_id
	};
	for (enum slot slot = SLOT_ID; slot <= SLOT_TASK; slot++)
		if (match->slots[slot].len)
			TRY(take_id(ctx, match->slots[slot], ids[slot]));
	return OK;
}

static err_t take_parts(struct ctx *ctx, struct request *rq, const struct match *match)
{
	const str *slots = match->slots;
	if (match->name.len)
		TRY(take_name(ctx, rq, match->name));
	if (slots[SLOT_DIGEST].len)
		TRY(take_digest(ctx, rq, slots[SLOT_DIGEST]));
	TRY(decode(ctx, slots[SLOT_REFERENCE], ERR_MANIFEST_UNKNOWN, &rq->reference));
	TRY(decode(ctx, slots[SLOT_UPLOAD], ERR_UPLOAD_UNKNOWN, &rq->upload_id));
	TRY(decode(ctx, slots[SLOT_TAG], ERR_NOT_FOUND, &rq->tag));
	TRY(decode(ctx, slots[SLOT_WORD], ERR_NOT_FOUND, &rq->word));
	if (slots[SLOT_PROJECT].len)
		TRY(take_project(ctx, rq, slots[SLOT_PROJECT]));
	if (slots[SLOT_PROJECT_NAME].len)
		TRY(take_project_name(ctx, rq, slots[SLOT_PROJECT_NAME]));
	if (slots[SLOT_REPOSITORY].len)
		TRY(take_repository(ctx, rq, slots[SLOT_REPOSITORY]));
	if (slots[SLOT_USER].len)
		TRY(take_id(ctx, slots[SLOT_USER], &rq->user_id));
	return take_ids(ctx, rq, match);
}

err_t route_find(struct ctx *ctx, struct request *rq)
{
	CLEANUP(buf_done) struct buf allowed = BUF_INIT(256);
	struct match match;
	const struct route *route = find_row(ctx, rq, &match, &allowed);
	if (!route && allowed.len) {
		exchange_header(rq->x, STR("Allow"), buf_str(&allowed));
		rq->keep_headers = true;
		return fail(ctx, ERR_UNSUPPORTED, "method not allowed here");
	}
	if (!route)
		return fail(ctx, ERR_NOT_FOUND, "no such path");
	rq->route = route;
	return take_parts(ctx, rq, &match);
}
