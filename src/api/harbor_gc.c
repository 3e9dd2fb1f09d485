/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harbor_gc.c - garbage collection as people ask for it, in the words of Harbor's REST API v2.0,
 * and what a run removed. What nobody asks for happens by itself (main/jobs.c).
 */
#include "api/background.h"
#include "api/handlers.h"
#include "registry/collect.h"

#include "base/banned.h"

#define WORKERS_MAX    10
#define PER_SECOND_MAX 1000000
#define FREED_MAX      1000
#define FREED_DEFAULT  100

struct gc_parameters {
	bool dry_run, delete_untagged, delete_tag;
	int64_t workers, per_second_max;
};

static err_t check_range(struct ctx *ctx, const char *name, int64_t value, int64_t from, int64_t to)
{
	if (value < from || value > to)
		return fail(ctx, ERR_REQUEST_INVALID, "parameters.%s: from %lld to %lld", name,
			    (long long)from, (long long)to);
	return OK;
}

/* Members of Harbor's that mean nothing here are let be. */
static err_t read_parameters(struct ctx *ctx, const struct json_value *given, str *ret)
{
	struct gc_parameters wanted = { .workers = 1 };
	static const struct json_field fields[] = {
		JSON_FIELD_BOOL(struct gc_parameters, "dry_run", dry_run),
		JSON_FIELD_BOOL(struct gc_parameters, "delete_untagged", delete_untagged),
		JSON_FIELD_BOOL(struct gc_parameters, "delete_tag", delete_tag),
		JSON_FIELD_I64(struct gc_parameters, "workers", workers),
		JSON_FIELD_I64(struct gc_parameters, "per_second_max", per_second_max),
	};
	if (given)
		TRY(body_shape(ctx, given, fields, COUNT_OF(fields), &wanted));
	TRY(check_range(ctx, "workers", wanted.workers, 1, WORKERS_MAX));
	bool says_rate = json_member(given, "per_second_max") != NULL;
	if (says_rate)
		TRY(check_range(ctx, "per_second_max", wanted.per_second_max, 0, PER_SECOND_MAX));
	CLEANUP(buf_done) struct buf text = BUF_INIT(KIB(1));
	struct json_writer w = JSON_WRITER(&text);
	json_write_object_begin(&w, NULL);
	json_write_bool(&w, "delete_untagged", wanted.delete_untagged);
	json_write_bool(&w, "dry_run", wanted.dry_run);
	json_write_i64(&w, "workers", wanted.workers);
	if (says_rate)
		json_write_i64(&w, "per_second_max", wanted.per_second_max);
	json_write_object_end(&w);
	*ret = arena_copy(ctx->arena, buf_str(&text));
	return OK;
}

const struct background harbor_gc = {
	.kind = STR_INIT("gc"),
	.name = "GARBAGE_COLLECTION",
	.parameters = read_parameters,
};

/* --- what a run removed ----------------------------------------------------------------------- */

static void write_freed(struct json_writer *w, const struct garbage_freed *freed)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", freed->id);
	json_write_str(w, "kind", freed->kind);
	json_write_str(w, str_eq(freed->kind, STR("upload")) ? "upload" : "digest",
		       freed->digest_text);
	if (freed->repository.len)
		json_write_str(w, "repository", freed->repository);
	json_write_i64(w, "size", freed->size_bytes);
	json_write_str(w, "reason", freed->why);
	json_write_object_end(w);
}

/* Page by page: `next` goes on, until there is none. */
err_t berth_gc_items(struct ctx *ctx, struct request *rq)
{
	struct job_row row;
	struct garbage_freed *freed;
	size_t count;
	int64_t after, max;
	TRY(background_find(ctx, rq, harbor_gc.kind, rq->id, &row));
	TRY(query_i64(ctx, rq, STR("after"), 0, &after));
	TRY(query_i64(ctx, rq, STR("limit"), FREED_DEFAULT, &max));
	max = MAX(MIN(max, FREED_MAX), 1);
	TRY(registry_freed(ctx, rq->api->options.registry, row.id, after, (size_t)max, &freed,
			   &count));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_array_begin(&w, "items");
	for (size_t i = 0; i < count; i++)
		write_freed(&w, &freed[i]);
	json_write_array_end(&w);
	if (count == (size_t)max)
		json_write_i64(&w, "next", freed[count - 1].id);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}
