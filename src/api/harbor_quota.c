/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harbor_quota.c - quotas of projects, in the words of Harbor's REST API v2.0. A quota has the id
 * of its project.
 */
#include "api/audit.h"
#include "api/handlers.h"
#include "api/quota_json.h"

#include "base/banned.h"

static struct registry *registry_of(struct request *rq)
{
	return rq->api->options.registry;
}

static void write_quota(struct json_writer *w, const struct quota *quota)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", quota->holder_id);
	json_write_object_begin(w, "ref");
	json_write_i64(w, "id", quota->holder_id);
	json_write_str(w, "name", quota->name);
	json_write_str(w, "owner_name", quota->owner);
	json_write_object_end(w);
	quota_json_write(w, quota, false);
	json_write_time(w, "creation_time", quota->created_at_us);
	json_write_time(w, "update_time", quota->updated_at_us);
	json_write_object_end(w);
}

/* `reference` is "project", the only one there is; what fits nothing finds nothing. */
static bool read_filter(struct request *rq, int64_t *ret_project_id)
{
	str reference = request_query(rq, STR("reference"));
	str id = request_query(rq, STR("reference_id"));
	*ret_project_id = 0;
	if (reference.len && !str_eq(reference, STR("project")))
		return false;
	uint64_t number = 0;
	if (id.len && (!str_to_u64(id, INT64_MAX, &number) || !number))
		return false;
	*ret_project_id = (int64_t)number;
	return true;
}

err_t harbor_quota_list(struct ctx *ctx, struct request *rq)
{
	static const char *const columns[QUOTA_ORDER_COUNT] = {
		[QUOTA_BY_ID] = "id",
		[QUOTA_BY_CREATION] = "creation_time",
		[QUOTA_BY_UPDATE] = "update_time",
		[QUOTA_BY_LIMIT] = "hard.storage",
		[QUOTA_BY_USED] = "used.storage",
	};
	struct list list;
	struct quota *quotas;
	size_t count = 0;
	int64_t total = 0;
	TRY(list_begin(ctx, rq, &list));
	struct quota_query query = { .limit = list.page_size, .offset = list.offset };
	query.order = (enum quota_order)list_sort(&list, columns, COUNT_OF(columns), QUOTA_BY_ID,
						  &query.descending);
	if (read_filter(rq, &query.project_id))
		TRY(quota_list(ctx, registry_of(rq), &query, &quotas, &count, &total));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++)
		write_quota(&w, &quotas[i]);
	json_write_array_end(&w);
	return list_answer(rq, &list, total, &body);
}

err_t harbor_quota_get(struct ctx *ctx, struct request *rq)
{
	struct quota quota;
	TRY(quota_get(ctx, registry_of(rq), QUOTA_PROJECT, rq->id, &quota));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	write_quota(&w, &quota);
	return answer_object(ctx, rq, &body);
}

err_t harbor_quota_update(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct quota quota;
	TRY(quota_get(ctx, registry_of(rq), QUOTA_PROJECT, rq->id, &quota));
	TRY(body_read(ctx, rq, &doc));
	struct audit_event *event = audit_change(rq, AUDIT_UPDATE_QUOTA);
	event->project_id = quota.holder_id;
	event->project = event->resource = quota.name;
	event->before = quota_limits_json(ctx, &quota);
	TRY(quota_json_read(ctx, doc.root, &quota));
	event->after = quota_limits_json(ctx, &quota);
	TRY(quota_limit(ctx, registry_of(rq), &quota));
	return answer_empty(rq, 200);
}
