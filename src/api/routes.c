/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routes.c - every endpoint of the program, in one table, and how a path finds its row.
 *
 * A repository name may contain slashes and even "manifests" or "tags/list", so paths are read from
 * the right: the last segments must fit the pattern's, and {name} is whatever remains between them
 * and the pattern's start. The permission is a column: an endpoint without a decision cannot be
 * written.
 */
#include "api/handlers.h"
#include "codec/url.h"

#include <string.h>

#include "base/banned.h"

#define JSON_BODY_MAX KIB(64)

const struct route api_routes[] = {
#define OCI(method, pattern, action, handler)                                                      \
	{                                                                                          \
		HTTP_##method, pattern, ACTION_##action, ROUTE_OCI, 0, handler                     \
	}
	OCI(GET, "/v2/{name}/manifests/{reference}", REPOSITORY_PULL, oci_manifest_get),
	OCI(GET, "/v2/{name}/blobs/{digest}", REPOSITORY_PULL, oci_blob_get),
	OCI(GET, "/v2/", REGISTRY_PING, oci_ping),
	OCI(GET, "/v2", REGISTRY_PING, oci_ping),
	OCI(POST, "/v2/{name}/blobs/uploads/", REPOSITORY_PUSH, oci_upload_post),
	OCI(POST, "/v2/{name}/blobs/uploads", REPOSITORY_PUSH, oci_upload_post),
	OCI(PATCH, "/v2/{name}/blobs/uploads/{upload}", REPOSITORY_PUSH, oci_upload_patch),
	OCI(PUT, "/v2/{name}/blobs/uploads/{upload}", REPOSITORY_PUSH, oci_upload_put),
	OCI(GET, "/v2/{name}/blobs/uploads/{upload}", REPOSITORY_PUSH, oci_upload_get),
	OCI(DELETE, "/v2/{name}/blobs/uploads/{upload}", REPOSITORY_PUSH, oci_upload_delete),
	OCI(PUT, "/v2/{name}/manifests/{reference}", REPOSITORY_PUSH, oci_manifest_put),
	OCI(DELETE, "/v2/{name}/manifests/{reference}", REPOSITORY_DELETE, oci_manifest_delete),
	OCI(DELETE, "/v2/{name}/blobs/{digest}", REPOSITORY_DELETE, oci_blob_delete),
	OCI(GET, "/v2/{name}/tags/list", REPOSITORY_PULL, oci_tags_get),
	OCI(GET, "/v2/{name}/referrers/{digest}", REPOSITORY_PULL, oci_referrers_get),
	OCI(GET, "/v2/_catalog", CATALOG_LIST, oci_catalog_get),
	OCI(GET, "/v2/_oci/ext/discover", REGISTRY_PING, oci_discover_get),
	OCI(GET, "/v2/{name}/_oci/ext/discover", REPOSITORY_PULL, oci_discover_get),
#undef OCI
	{ HTTP_GET, "/service/token", ACTION_NONE, ROUTE_TOKEN, 0, token_get },
	{ HTTP_POST, "/service/token", ACTION_NONE, ROUTE_TOKEN, JSON_BODY_MAX, token_post },
#define HARBOR(method, pattern, action, handler)                                                   \
	{                                                                                          \
		HTTP_##method, "/api/v2.0" pattern, ACTION_##action, ROUTE_HARBOR, JSON_BODY_MAX,  \
			handler                                                                    \
	}
	HARBOR(GET, "/ping", NONE, harbor_ping),
	HARBOR(GET, "/projects", PROJECT_LIST, harbor_project_list),
	HARBOR(POST, "/projects", PROJECT_CREATE, harbor_project_create),
	HARBOR(GET, "/projects/{project}", PROJECT_READ, harbor_project_get),
	HARBOR(PUT, "/projects/{project}", PROJECT_UPDATE, harbor_project_update),
#undef HARBOR
};

const size_t api_route_count = COUNT_OF(api_routes);

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

struct match {
	str name, reference, digest, upload, project;
};

static str *match_slot(struct match *match, str parameter)
{
	static const struct {
		str parameter;
		size_t offset;
	} slots[] = {
		{ STR_INIT("{reference}"), offsetof(struct match, reference) },
		{ STR_INIT("{digest}"), offsetof(struct match, digest) },
		{ STR_INIT("{upload}"), offsetof(struct match, upload) },
		{ STR_INIT("{project}"), offsetof(struct match, project) },
	};
	for (size_t i = 0; i < COUNT_OF(slots); i++)
		if (str_eq(parameter, slots[i].parameter))
			return (str *)(void *)((char *)match + slots[i].offset);
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

static const struct route *find_row(struct request *rq, struct match *ret, struct buf *allowed)
{
	const struct http_head *head = rq->x->head;
	for (size_t i = 0; i < api_route_count; i++) {
		const struct route *route = &api_routes[i];
		struct match match;
		if (!pattern_match(str_from(route->pattern), head->path, &match))
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

static err_t take_project(struct ctx *ctx, struct request *rq, str raw)
{
	TRY(decode(ctx, raw, ERR_NOT_FOUND, &rq->project));
	if (raw.len && !reference_is_project(rq->project))
		return fail(ctx, ERR_NOT_FOUND, "no project can have this name");
	return OK;
}

err_t route_find(struct ctx *ctx, struct request *rq)
{
	CLEANUP(buf_done) struct buf allowed = BUF_INIT(256);
	struct match match;
	const struct route *route = find_row(rq, &match, &allowed);
	if (!route && allowed.len) {
		exchange_header(rq->x, STR("Allow"), buf_str(&allowed));
		rq->keep_headers = true;
		return fail(ctx, ERR_UNSUPPORTED, "method not allowed here");
	}
	if (!route)
		return fail(ctx, ERR_NOT_FOUND, "no such path");
	rq->route = route;
	if (match.name.len)
		TRY(take_name(ctx, rq, match.name));
	if (match.digest.len)
		TRY(take_digest(ctx, rq, match.digest));
	TRY(decode(ctx, match.reference, ERR_MANIFEST_UNKNOWN, &rq->reference));
	TRY(decode(ctx, match.upload, ERR_UPLOAD_UNKNOWN, &rq->upload_id));
	return take_project(ctx, rq, match.project);
}
