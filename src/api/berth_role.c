/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth_role.c - roles that a tenant makes for itself, beside Harbor's five; a member gets one by
 * its id, as any other role.
 */
#include "api/audit.h"
#include "api/handlers.h"
#include "api/harbor.h"
#include "auth/role.h"

#include "base/banned.h"

static struct auth *auth_of(struct request *rq)
{
	return rq->api->options.auth;
}

static void write_role(struct json_writer *w, const struct role *role)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", role->id);
	json_write_str(w, "name", role->name);
	json_write_str(w, "description", role->description);
	json_write_bool(w, "builtin", role->tenant_id == 0);
	role_grants_write(w, "grants", role->grants.items, role->grants.count);
	json_write_time(w, "creation_time", role->created_at_us);
	json_write_time(w, "update_time", role->updated_at_us);
	json_write_object_end(w);
}

static str role_json(struct ctx *ctx, const struct role *role)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(ROLE_JSON_BYTES_MAX);
	struct json_writer w = JSON_WRITER(&b);
	write_role(&w, role);
	return arena_copy(ctx->arena, buf_str(&b));
}

static err_t find(struct ctx *ctx, struct request *rq, struct role *ret)
{
	err_t err = role_get(ctx, auth_of(rq), ctx->tenant_id, rq->id, ret);
	return err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such role") : err;
}

err_t berth_role_list(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct role *roles;
	size_t count;
	int64_t total;
	TRY(list_begin(ctx, rq, &list));
	const struct role_query query = { ctx->tenant_id, list.offset, list.page_size };
	TRY(role_list(ctx, auth_of(rq), &query, &roles, &count, &total));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++)
		write_role(&w, &roles[i]);
	json_write_array_end(&w);
	return list_answer(rq, &list, total, &body);
}

err_t berth_role_get(struct ctx *ctx, struct request *rq)
{
	struct role role;
	TRY(find(ctx, rq, &role));
	return answer_json(rq, 200, role_json(ctx, &role));
}

/* Absent members stay as they are. */
static err_t read_body(struct ctx *ctx, struct request *rq, struct role *role)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct role, "name", name, ROLE_NAME_BYTES_MAX),
		JSON_FIELD_STR(struct role, "description", description, ROLE_DESCRIPTION_BYTES_MAX),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	const struct json_value *grants;
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), role));
	role->name = arena_copy(ctx->arena, role->name);
	role->description = arena_copy(ctx->arena, role->description);
	grants = json_member(doc.root, "grants");
	return grants ? role_grants_parse(ctx, grants, &role->grants) : OK;
}

static err_t name_taken(struct ctx *ctx, err_t err)
{
	return err == ERR_EXISTS ? fail(ctx, ERR_EXISTS, "a role has this name") : err;
}

err_t berth_role_create(struct ctx *ctx, struct request *rq)
{
	struct role role = { .tenant_id = ctx->tenant_id };
	TRY(read_body(ctx, rq, &role));
	struct audit_event *event = audit_change(rq, AUDIT_CREATE_ROLE);
	event->resource = role.name;
	event->after = role_json(ctx, &role);
	TRY(name_taken(ctx, role_create(ctx, auth_of(rq), &role)));
	return answer_created(rq, role.id);
}

err_t berth_role_update(struct ctx *ctx, struct request *rq)
{
	struct role role;
	TRY(find(ctx, rq, &role));
	str before = role_json(ctx, &role);
	TRY(read_body(ctx, rq, &role));
	struct audit_event *event = audit_change(rq, AUDIT_UPDATE_ROLE);
	event->resource = role.name;
	event->before = before;
	event->after = role_json(ctx, &role);
	TRY(name_taken(ctx, role_update(ctx, auth_of(rq), &role)));
	return answer_json(rq, 200, role_json(ctx, &role));
}

err_t berth_role_delete(struct ctx *ctx, struct request *rq)
{
	struct role role;
	TRY(find(ctx, rq, &role));
	struct audit_event *event = audit_change(rq, AUDIT_DELETE_ROLE);
	event->resource = role.name;
	event->before = role_json(ctx, &role);
	err_t err = role_delete(ctx, auth_of(rq), &role);
	TRY(err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such role") : err);
	return answer_empty(rq, 200);
}
