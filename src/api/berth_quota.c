/* SPDX-License-Identifier: Apache-2.0 */
/* berth_quota.c - quotas of tenants, all that can be limited of a project, and counting anew. */
#include "api/audit.h"
#include "api/handlers.h"
#include "api/quota_json.h"
#include "registry/trash.h"

#include "base/banned.h"

/* Whose it is: a tenant's by the path's id, or the project of the path. */
static err_t get(struct ctx *ctx, struct request *rq, enum quota_scope scope, struct quota *ret)
{
	int64_t id = scope == QUOTA_TENANT ? rq->id : rq->project_found.id;
	if (scope == QUOTA_TENANT && id != ctx->tenant_id) /* who may see all tenants */
		TRY(request_require(ctx, rq, ACTION_TENANT_LIST, 0));
	return quota_get(ctx, rq->api->options.registry, scope, id, ret);
}

static err_t answer_quota(struct ctx *ctx, struct request *rq, enum quota_scope scope)
{
	struct quota quota;
	int64_t in_trash;
	TRY(get(ctx, rq, scope, &quota));
	TRY(trash_bytes(ctx, rq->api->options.registry, quota.tenant_id,
			scope == QUOTA_PROJECT ? quota.holder_id : 0, &in_trash));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	quota_json_write(&w, &quota, true);
	json_write_i64(&w, "reserved_bytes", quota.reserved_bytes);
	json_write_i64(&w, "trash_storage", in_trash);
	json_write_time(&w, "updated_at", quota.updated_at_us);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

static err_t change_quota(struct ctx *ctx, struct request *rq, enum quota_scope scope)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct quota quota;
	TRY(get(ctx, rq, scope, &quota));
	TRY(body_read(ctx, rq, &doc));
	struct audit_event *event = audit_change(rq, AUDIT_UPDATE_QUOTA);
	event->resource = quota.name;
	if (scope == QUOTA_PROJECT) {
		event->project_id = quota.holder_id;
		event->project = quota.name;
	}
	event->before = quota_limits_json(ctx, &quota);
	TRY(quota_json_read(ctx, doc.root, &quota));
	event->after = quota_limits_json(ctx, &quota);
	TRY(quota_limit(ctx, rq->api->options.registry, &quota));
	return answer_quota(ctx, rq, scope);
}

err_t berth_tenant_quota_get(struct ctx *ctx, struct request *rq)
{
	return answer_quota(ctx, rq, QUOTA_TENANT);
}

err_t berth_tenant_quota_update(struct ctx *ctx, struct request *rq)
{
	return change_quota(ctx, rq, QUOTA_TENANT);
}

err_t berth_project_quota_get(struct ctx *ctx, struct request *rq)
{
	return answer_quota(ctx, rq, QUOTA_PROJECT);
}

err_t berth_project_quota_update(struct ctx *ctx, struct request *rq)
{
	return change_quota(ctx, rq, QUOTA_PROJECT);
}

/* --- counting anew -----------------------------------------------------------------------------
 */

static void write_used(struct json_writer *w, const char *key, const struct quota *quota)
{
	json_write_object_begin(w, key);
	for (enum quota_resource i = 0; i < QUOTA_RESOURCE_COUNT; i++)
		json_write_i64(w, quota_resource_text(i), quota->used[i]);
	json_write_i64(w, "reserved_bytes", quota->reserved_bytes);
	json_write_object_end(w);
}

err_t berth_quota_recount(struct ctx *ctx, struct request *rq)
{
	struct quota_recounted found;
	audit_change(rq, AUDIT_UPDATE_QUOTA)->resource = STR("recount");
	TRY(quota_recount(ctx, rq->api->options.registry, &found));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_i64(&w, "mended_rows", found.rows);
	json_write_array_begin(&w, "differences");
	for (size_t i = 0; i < found.count; i++) {
		const struct quota_wrong *wrong = &found.holders[i];
		json_write_object_begin(&w, NULL);
		json_write_str(&w, "scope",
			       wrong->scope == QUOTA_PROJECT ? STR("project") : STR("tenant"));
		json_write_i64(&w, "id", wrong->holder_id);
		json_write_str(&w, "name", wrong->name);
		write_used(&w, "was", &wrong->said);
		write_used(&w, "is", &wrong->actual);
		json_write_object_end(&w);
	}
	json_write_array_end(&w);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}
