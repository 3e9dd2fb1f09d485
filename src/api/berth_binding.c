/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth_binding.c - which robot a foreign token or a client certificate stands for
 *(auth/binding.h): one set of handlers for both, since they differ in the path alone.
 *
 *	{"name": "deploy", "conditions": [{"claim": "repository", "equals": "acme/shop"}],
 *	 "robot_id": 7}                     a robot, or
 *	 "permissions": […]}                permissions as a robot has them
 */
#include "api/audit.h"
#include "api/binding_json.h"
#include "api/handlers_robot.h"
#include "notify/audit.h"

#include "base/banned.h"

#define BINDING_JSON_MAX KIB(512)

err_t binding_tenant(struct ctx *ctx, struct request *rq, int64_t *ret)
{
	TRY(query_i64(ctx, rq, STR("tenant_id"), ctx->tenant_id, ret));
	ctx->tenant_id = *ret; /* its projects are meant too */
	return robot_tenant_check(ctx, rq);
}

err_t binding_issuer(struct ctx *ctx, struct request *rq, struct issuer *ret)
{
	int64_t tenant_id;
	TRY(binding_tenant(ctx, rq, &tenant_id));
	err_t err = issuer_get(ctx, rq->api->options.auth, tenant_id, rq->id, ret);
	return err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such issuer") : err;
}

err_t binding_may_keep(struct ctx *ctx, struct request *rq, const struct issuer *issuer)
{
	struct binding_list bound = { .page = { .tenant_id = issuer->row.tenant_id,
						.issuer_id = issuer->row.id,
						.limit = BINDINGS_MAX } };
	TRY(binding_list(ctx, rq->api->options.auth, &bound));
	for (size_t i = 0; i < bound.page.count; i++)
		TRY(robot_may_give(ctx, rq, bound.list[i].robot.permissions,
				   bound.list[i].robot.permission_count));
	return OK;
}

void audit_federated(struct request *rq)
{
	if (!rq->who.on_behalf_of.len)
		return;
	struct audit_event *event = audit_about(rq, AUDIT_EXCHANGE_TOKEN);
	if (!event)
		return;
	event->resource = rq->who.name;
	audit_note(rq->api->options.audit, event);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void write_binding(struct json_writer *w, const struct binding *binding)
{
	const struct binding_row *row = &binding->row;
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", row->id);
	json_write_str(w, "name", row->name);
	json_write_i64(w, "position", row->position);
	json_write_bool(w, "enabled", row->enabled);
	json_write_raw(w, "conditions", row->conditions);
	json_write_i64(w, "lifetime_seconds", row->lifetime_s);
	json_write_i64(w, "robot_id", row->robot_id);
	json_write_str(w, "robot", binding->robot.full_name);
	if (binding->own_robot)
		robot_write_permissions_of(w, &binding->robot);
	json_write_time(w, "creation_time", row->created_at_us);
	json_write_time(w, "update_time", row->updated_at_us);
	json_write_time(w, "used_time", row->used_at_us);
	json_write_object_end(w);
}

static str binding_json(struct ctx *ctx, const struct binding *binding)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(BINDING_JSON_MAX);
	struct json_writer w = JSON_WRITER(&body);
	write_binding(&w, binding);
	return buf_overrun(&body) ? STR_NONE : arena_copy(ctx->arena, buf_str(&body));
}

/* --- reading ---------------------------------------------------------------------------------- */

/* What a path is about: the bindings of an issuer, or those of certificates. */
struct holder {
	int64_t tenant_id, issuer_id, binding_id;
	str name;
};

static err_t find_holder(struct ctx *ctx, struct request *rq, bool of_issuer, struct holder *ret)
{
	struct issuer issuer;
	if (!of_issuer) {
		TRY(binding_tenant(ctx, rq, &ret->tenant_id));
		ret->issuer_id = 0;
		ret->binding_id = rq->id;
		ret->name = STR("certificates");
		return OK;
	}
	TRY(binding_issuer(ctx, rq, &issuer));
	*ret = (struct holder){ issuer.row.tenant_id, issuer.row.id, rq->sub_id, issuer.row.name };
	return OK;
}

struct binding_body {
	str name;
	int64_t position, lifetime_s, robot_id;
	bool enabled;
	const struct json_value *conditions, *permissions;
};

static err_t read_conditions(struct ctx *ctx, const struct json_value *array, str *ret)
{
	size_t len = json_value_print(array, NULL, 0);
	if (len > BINDING_CONDITIONS_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "conditions are too long");
	char *text = arena_alloc(ctx->arena, len + 1);
	json_value_print(array, text, len + 1);
	*ret = (str){ text, len };
	return OK;
}

/* The robot it names, or permissions of its own; and whether the asker may hand that on. */
static err_t read_target(struct ctx *ctx, struct request *rq, const struct binding_body *body,
			 struct binding *binding)
{
	struct robot *robot = &binding->robot;
	struct robot_wish wish;
	binding->row.robot_id = body->robot_id;
	if (binding->own_robot && body->permissions) {
		TRY(robot_wish_read(ctx, body->permissions, &wish));
		TRY(robot_wish_resolve(ctx, rq, &wish));
		robot->permissions = wish.permissions;
		robot->permission_count = wish.count;
	}
	if (binding->own_robot)
		return robot_may_give(ctx, rq, robot->permissions, robot->permission_count);
	struct robot named;
	err_t err = robot_get(ctx, rq->api->options.auth, body->robot_id, &named);
	if (err == ERR_ABSENT ||
	    (err == OK && (named.row.tenant_id != binding->row.tenant_id || !named.row.visible)))
		return fail(ctx, ERR_REQUEST_INVALID, "robot_id is no robot of this tenant");
	TRY(err);
	TRY(robot_may_give(ctx, rq, named.permissions, named.permission_count));
	*robot = named;
	return OK;
}

/* Absent members stay as they are. */
static err_t read_body(struct ctx *ctx, struct request *rq, const struct json_value *root,
		       struct binding *binding)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct binding_body, "name", name, ISSUER_NAME_MAX),
		JSON_FIELD_I64(struct binding_body, "position", position),
		JSON_FIELD_BOOL(struct binding_body, "enabled", enabled),
		JSON_FIELD_I64(struct binding_body, "lifetime_seconds", lifetime_s),
		JSON_FIELD_I64(struct binding_body, "robot_id", robot_id),
		JSON_FIELD_ARRAY(struct binding_body, "conditions", conditions),
		JSON_FIELD_ARRAY(struct binding_body, "permissions", permissions),
	};
	struct binding_row *row = &binding->row;
	struct binding_body body = { .name = row->name,
				     .position = row->position,
				     .enabled = row->enabled,
				     .lifetime_s = row->lifetime_s,
				     .robot_id = row->robot_id };
	TRY(body_shape(ctx, root, fields, COUNT_OF(fields), &body));
	if (!row->id)
		binding->own_robot = body.permissions && !body.robot_id;
	if (body.permissions && !binding->own_robot)
		return fail(ctx, ERR_REQUEST_INVALID,
			    "a binding has either robot_id or permissions");
	if (row->id && (!str_eq(body.name, row->name) ||
			(binding->own_robot && body.robot_id != row->robot_id)))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "the name and the kind of a binding cannot be changed");
	row->name = arena_copy(ctx->arena, body.name);
	row->position = body.position;
	row->enabled = body.enabled;
	row->lifetime_s = body.lifetime_s;
	if (body.conditions)
		TRY(read_conditions(ctx, body.conditions, &row->conditions));
	return read_target(ctx, rq, &body, binding);
}

/* --- operations ------------------------------------------------------------------------------- */

static err_t list_binding(struct ctx *ctx, struct request *rq, bool of_issuer)
{
	struct list list;
	struct holder holder;
	TRY(list_begin(ctx, rq, &list));
	TRY(find_holder(ctx, rq, of_issuer, &holder));
	struct binding_list found = { .page = { .tenant_id = holder.tenant_id,
						.issuer_id = holder.issuer_id,
						.limit = list.page_size,
						.offset = list.offset } };
	TRY(binding_list(ctx, rq->api->options.auth, &found));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < found.page.count; i++)
		write_binding(&w, &found.list[i]);
	json_write_array_end(&w);
	return list_answer(rq, &list, found.page.total, &body);
}

static struct audit_event *declare(struct request *rq, const struct holder *holder,
				   const struct binding *binding)
{
	struct audit_event *event = audit_change(rq, AUDIT_UPDATE_FEDERATION);
	event->tenant_id = holder->tenant_id;
	event->resource = arena_printf(rq->x->ctx->arena, STR_FMT "/" STR_FMT,
				       STR_ARG(holder->name), STR_ARG(binding->row.name));
	return event;
}

static err_t create_binding(struct ctx *ctx, struct request *rq, bool of_issuer)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct holder holder;
	TRY(find_holder(ctx, rq, of_issuer, &holder));
	struct binding binding = { .row = { .tenant_id = holder.tenant_id,
					    .issuer_id = holder.issuer_id,
					    .enabled = true,
					    .lifetime_s = BINDING_LIFETIME_S,
					    .name = STR(""),
					    .conditions = STR("[]") },
				   .issuer_name = holder.name };
	TRY(body_read(ctx, rq, &doc));
	TRY(read_body(ctx, rq, doc.root, &binding));
	declare(rq, &holder, &binding)->after = binding_json(ctx, &binding);
	err_t err = binding_create(ctx, rq->api->options.auth, &binding);
	if (err == ERR_EXISTS)
		return fail(ctx, ERR_EXISTS, "there is a binding of this name already");
	TRY(err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "issuer or robot is gone") : err);
	return answer_created(rq, binding.row.id);
}

static err_t find_binding(struct ctx *ctx, struct request *rq, bool of_issuer,
			  struct holder *ret_holder, struct binding *ret)
{
	TRY(find_holder(ctx, rq, of_issuer, ret_holder));
	err_t err = binding_get(ctx, rq->api->options.auth, ret_holder->tenant_id,
				ret_holder->issuer_id, ret_holder->binding_id, ret);
	return err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such binding") : err;
}

static err_t get_binding(struct ctx *ctx, struct request *rq, bool of_issuer)
{
	struct holder holder;
	struct binding binding;
	TRY(find_binding(ctx, rq, of_issuer, &holder, &binding));
	return answer_json(rq, 200, binding_json(ctx, &binding));
}

static err_t update_binding(struct ctx *ctx, struct request *rq, bool of_issuer)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct holder holder;
	struct binding binding;
	TRY(find_binding(ctx, rq, of_issuer, &holder, &binding));
	TRY(body_read(ctx, rq, &doc));
	struct audit_event *event = declare(rq, &holder, &binding);
	event->before = binding_json(ctx, &binding);
	int64_t robot_before = binding.row.robot_id;
	TRY(read_body(ctx, rq, doc.root, &binding));
	event->after = binding_json(ctx, &binding);
	err_t err = binding_update(ctx, rq->api->options.auth, &binding, robot_before);
	TRY(err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such binding") : err);
	return answer_json(rq, 200, binding_json(ctx, &binding));
}

static err_t delete_binding(struct ctx *ctx, struct request *rq, bool of_issuer)
{
	struct holder holder;
	struct binding binding;
	TRY(find_binding(ctx, rq, of_issuer, &holder, &binding));
	declare(rq, &holder, &binding)->before = binding_json(ctx, &binding);
	err_t err = binding_delete(ctx, rq->api->options.auth, &binding);
	TRY(err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such binding") : err);
	return answer_empty(rq, 200);
}

#define BINDING_HANDLERS(verb)                                                                     \
	err_t berth_binding_##verb(struct ctx *ctx, struct request *rq)                            \
	{                                                                                          \
		return verb##_binding(ctx, rq, true);                                              \
	}                                                                                          \
	err_t berth_certificate_##verb(struct ctx *ctx, struct request *rq)                        \
	{                                                                                          \
		return verb##_binding(ctx, rq, false);                                             \
	}

BINDING_HANDLERS(list)
BINDING_HANDLERS(create)
BINDING_HANDLERS(get)
BINDING_HANDLERS(update)
BINDING_HANDLERS(delete)
