/* SPDX-License-Identifier: Apache-2.0 */
/* berth_inventory.c - what clusters say that runs in them, which keeps it from going by itself. */
#include "registry/inventory.h"
#include "api/audit.h"
#include "api/handlers_retention.h"
#include "api/harbor.h"

#include "base/banned.h"

#define TTL_DEFAULT_S 3600
#define PAGE_MAX      1000

struct report_body {
	str cluster;
	int64_t ttl_s;
	bool adds;
	const struct json_value *digests;
};

static err_t read_digests(struct ctx *ctx, const struct json_value *array,
			  struct inventory_report *report)
{
	report->count = json_count(array);
	if (report->count > INVENTORY_DIGESTS_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "digests: at most %d in one report",
			    INVENTORY_DIGESTS_MAX);
	digest *list = ARENA_ARRAY(ctx->arena, digest, report->count + 1);
	for (size_t i = 0; i < report->count; i++)
		if (!digest_parse(json_value_str(json_element(array, i)), &list[i]))
			return fail(ctx, ERR_REQUEST_INVALID, "digests[%zu]: not a digest", i);
	report->digests = list;
	return OK;
}

static err_t check_body(struct ctx *ctx, const struct report_body *body)
{
	if (!body->cluster.len)
		return fail(ctx, ERR_REQUEST_INVALID, "cluster: a name is wanted");
	if (body->ttl_s < 1 || body->ttl_s > INVENTORY_TTL_MAX_S)
		return fail(ctx, ERR_REQUEST_INVALID, "ttl_seconds: 1 to %d", INVENTORY_TTL_MAX_S);
	if (!body->digests)
		return fail(ctx, ERR_REQUEST_INVALID, "digests: a list is wanted");
	return OK;
}

err_t berth_inventory_report(struct ctx *ctx, struct request *rq)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct report_body, "cluster", cluster, INVENTORY_CLUSTER_MAX),
		JSON_FIELD_I64(struct report_body, "ttl_seconds", ttl_s),
		JSON_FIELD_BOOL(struct report_body, "add", adds),
		JSON_FIELD_ARRAY(struct report_body, "digests", digests),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct report_body body = { .ttl_s = TTL_DEFAULT_S };
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &body));
	TRY(check_body(ctx, &body));
	struct inventory_report report = { .cluster = body.cluster,
					   .ttl_s = body.ttl_s,
					   .adds = body.adds };
	TRY(read_digests(ctx, body.digests, &report));
	struct audit_event *event = audit_change(rq, AUDIT_UPDATE_INVENTORY);
	event->resource = arena_copy(ctx->arena, body.cluster);
	event->after = arena_printf(ctx->arena, "{\"digests\":%zu,\"ttl_seconds\":%lld}",
				    report.count, (long long)report.ttl_s);
	TRY(inventory_report(ctx, rq->api->options.registry, &report));
	return answer_empty(rq, 200);
}

err_t berth_inventory_delete(struct ctx *ctx, struct request *rq)
{
	audit_change(rq, AUDIT_DELETE_INVENTORY)->resource = rq->word;
	TRY(inventory_forget(ctx, rq->api->options.registry, rq->word));
	return answer_empty(rq, 200);
}

static err_t write_rows(struct ctx *ctx, struct request *rq, const struct inventory_row *rows,
			size_t count)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++) {
		json_write_object_begin(&w, NULL);
		json_write_str(&w, "cluster", rows[i].cluster);
		json_write_str(&w, "digest", rows[i].digest_text);
		json_write_time(&w, "reported_at", rows[i].reported_at_us);
		json_write_time(&w, "expires_at", rows[i].expires_at_us);
		json_write_object_end(&w);
	}
	json_write_array_end(&w);
	return answer_object(ctx, rq, &body);
}

/* By cluster and digest; a page goes on behind `cluster` and `digest`, those of the last row. */
err_t berth_inventory_list(struct ctx *ctx, struct request *rq)
{
	struct inventory_row *rows;
	const struct inventory_row after = { .cluster = request_query(rq, STR("cluster")),
					     .digest_text = request_query(rq, STR("digest")) };
	size_t count;
	int64_t max;
	TRY(query_i64(ctx, rq, STR("page_size"), PAGE_MAX, &max));
	TRY(inventory_list(ctx, rq->api->options.registry, &after, MAX(MIN(max, PAGE_MAX), 1),
			   &rows, &count));
	return write_rows(ctx, rq, rows, count);
}
