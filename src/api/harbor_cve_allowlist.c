/* SPDX-License-Identifier: Apache-2.0 */
/* harbor_cve_allowlist.c - the system's list of vulnerabilities that do not count; see
 * cve_allowlist.h. */
#include "api/audit.h"
#include "api/cve_allowlist.h"
#include "api/handlers.h"

#include "base/banned.h"

void cve_allowlist_write(struct json_writer *w, const char *key, const struct cve_allowlist *list)
{
	json_write_object_begin(w, key);
	json_write_i64(w, "id", list->id);
	json_write_i64(w, "project_id", list->project_id);
	if (list->expires_at_s)
		json_write_i64(w, "expires_at", list->expires_at_s);
	json_write_array_begin(w, "items");
	for (size_t i = 0; i < list->count; i++) {
		json_write_object_begin(w, NULL);
		json_write_str(w, "cve_id", list->cve_ids[i]);
		json_write_object_end(w);
	}
	json_write_array_end(w);
	/* Harbor's clients parse both, so a list that nobody has written yet has none. */
	json_write_time(w, "creation_time", list->created_at_us);
	json_write_time(w, "update_time", list->updated_at_us);
	json_write_object_end(w);
}

struct allowlist_body {
	int64_t expires_at_s;
	const struct json_value *items;
};

err_t cve_allowlist_read(struct ctx *ctx, const struct json_value *object,
			 struct cve_allowlist *list)
{
	static const struct json_field fields[] = {
		JSON_FIELD_I64(struct allowlist_body, "expires_at", expires_at_s),
		JSON_FIELD_ARRAY(struct allowlist_body, "items", items),
	};
	struct allowlist_body body = { 0 };
	TRY(body_shape(ctx, object, fields, COUNT_OF(fields), &body));
	size_t count = json_count(body.items);
	str *ids = ARENA_ARRAY(ctx->arena, str, count);
	for (size_t i = 0; i < count; i++) {
		str id;
		if (json_get_str(json_element(body.items, i), "cve_id", &id) != JSON_FOUND)
			return fail(ctx, ERR_UNPROCESSABLE, "items: entry %zu has no cve_id", i);
		ids[i] = arena_copy(ctx->arena, id);
	}
	list->expires_at_s = body.expires_at_s;
	list->cve_ids = ids;
	list->count = count;
	return OK;
}

static str list_json(struct ctx *ctx, const struct cve_allowlist *list)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	cve_allowlist_write(&w, NULL, list);
	return arena_copy(ctx->arena, buf_str(&body));
}

static err_t find(struct ctx *ctx, struct request *rq, struct cve_allowlist *ret)
{
	return cve_allowlist_get(ctx, rq->api->options.registry, CVE_ALLOWLIST_SYSTEM, ret);
}

err_t harbor_cve_allowlist_get(struct ctx *ctx, struct request *rq)
{
	struct cve_allowlist list;
	TRY(find(ctx, rq, &list));
	return answer_json(rq, 200, list_json(ctx, &list));
}

err_t harbor_cve_allowlist_put(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct cve_allowlist before, wanted = { .project_id = CVE_ALLOWLIST_SYSTEM };
	TRY(body_read(ctx, rq, &doc));
	TRY(cve_allowlist_read(ctx, doc.root, &wanted));
	TRY(find(ctx, rq, &before));
	struct audit_event *event = audit_change(rq, AUDIT_UPDATE_CONFIGURATION);
	event->resource = STR("cve_allowlist");
	event->before = list_json(ctx, &before);
	event->after = list_json(ctx, &wanted);
	TRY(cve_allowlist_put(ctx, rq->api->options.registry, &wanted));
	return answer_empty(rq, 200);
}
