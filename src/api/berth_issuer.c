/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth_issuer.c - whose tokens are taken in place of a robot's secret (auth/issuer.h), and such a
 * token exchanged for one that is good as docker's password.
 */
#include "api/audit.h"
#include "api/binding_json.h"
#include "api/tenant.h"
#include "api/handlers_robot.h"
#include "auth/workload.h"
#include "base/clock.h"

#include "base/banned.h"

#define ISSUER_JSON_MAX KIB(256)

/* --- writing ---------------------------------------------------------------------------------- */

static void write_issuer(struct json_writer *w, const struct issuer *issuer)
{
	const struct token_issuer_row *row = &issuer->row;
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", row->id);
	json_write_i64(w, "tenant_id", row->tenant_id);
	json_write_str(w, "name", row->name);
	json_write_str(w, "url", row->url);
	if (row->keys.len)
		json_write_raw(w, "keys", row->keys);
	if (row->ca.len)
		json_write_str(w, "ca", row->ca);
	json_write_array_begin(w, "audiences");
	for (size_t i = 0; i < issuer->audience_count; i++)
		json_write_str(w, NULL, issuer->audiences[i]);
	json_write_array_end(w);
	json_write_bool(w, "enabled", row->enabled);
	json_write_bool(w, "skip_verify", row->skip_verify);
	json_write_bool(w, "single_use", row->single_use);
	json_write_time(w, "creation_time", row->created_at_us);
	json_write_time(w, "update_time", row->updated_at_us);
	json_write_object_end(w);
}

static str issuer_json(struct ctx *ctx, const struct issuer *issuer)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(ISSUER_JSON_MAX);
	struct json_writer w = JSON_WRITER(&body);
	write_issuer(&w, issuer);
	return arena_copy(ctx->arena, buf_str(&body));
}

/* --- reading ---------------------------------------------------------------------------------- */

struct issuer_body {
	str name, url, ca;
	bool enabled, skip_verify, single_use, has_audiences;
	const struct json_value *audiences;
};

static err_t read_audiences(struct ctx *ctx, const struct json_value *array, struct issuer *issuer)
{
	size_t count = json_count(array);
	str *audiences = ARENA_ARRAY(ctx->arena, str, count);
	for (size_t i = 0; i < count; i++) {
		if (!json_value_is_str(json_element(array, i)))
			return fail(ctx, ERR_UNPROCESSABLE, "an audience is no string");
		audiences[i] = arena_copy(ctx->arena, json_value_str(json_element(array, i)));
	}
	issuer->audiences = audiences;
	issuer->audience_count = count;
	return OK;
}

/* The key set as the JSON object that it is; null takes it away. */
static err_t read_keys(struct ctx *ctx, const struct json_value *root, struct issuer *issuer)
{
	str key;
	const struct json_value *value, *keys = json_member(root, "keys");
	for (void *at = NULL; json_next_member(root, &at, &key, &value);)
		if (str_eq(key, STR("keys")))
			issuer->row.keys = STR("");
	if (!keys)
		return OK;
	if (!json_value_is_object(keys))
		return fail(ctx, ERR_UNPROCESSABLE, "keys is not an object");
	size_t len = json_value_print(keys, NULL, 0);
	char *text = arena_alloc(ctx->arena, len + 1);
	json_value_print(keys, text, len + 1);
	issuer->row.keys = (str){ text, len };
	return OK;
}

/* Absent members stay as they are. */
static err_t read_body(struct ctx *ctx, const struct json_value *root, struct issuer *issuer)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct issuer_body, "name", name, ISSUER_NAME_MAX),
		JSON_FIELD_STR(struct issuer_body, "url", url, ISSUER_URL_MAX),
		JSON_FIELD_STR(struct issuer_body, "ca", ca, ISSUER_CA_MAX),
		JSON_FIELD_BOOL(struct issuer_body, "enabled", enabled),
		JSON_FIELD_BOOL(struct issuer_body, "skip_verify", skip_verify),
		JSON_FIELD_BOOL(struct issuer_body, "single_use", single_use),
		JSON_FIELD_ARRAY(struct issuer_body, "audiences", audiences),
	};
	struct token_issuer_row *row = &issuer->row;
	struct issuer_body body = { .name = row->name,
				    .url = row->url,
				    .ca = row->ca,
				    .enabled = row->enabled,
				    .skip_verify = row->skip_verify,
				    .single_use = row->single_use };
	TRY(body_shape(ctx, root, fields, COUNT_OF(fields), &body));
	if (row->id && !str_eq(body.name, row->name))
		return fail(ctx, ERR_REQUEST_INVALID, "the name cannot be changed");
	row->name = arena_copy(ctx->arena, body.name);
	row->url = arena_copy(ctx->arena, body.url);
	row->ca = arena_copy(ctx->arena, body.ca);
	row->enabled = body.enabled;
	row->skip_verify = body.skip_verify;
	row->single_use = body.single_use;
	if (body.audiences)
		TRY(read_audiences(ctx, body.audiences, issuer));
	return read_keys(ctx, root, issuer);
}

/* --- operations ------------------------------------------------------------------------------- */

err_t berth_issuer_list(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct issuer_list found = { 0 };
	TRY(list_begin(ctx, rq, &list));
	TRY(binding_tenant(ctx, rq, &found.page.tenant_id));
	found.page.limit = list.page_size;
	found.page.offset = list.offset;
	TRY(issuer_list(ctx, rq->api->options.auth, &found));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < found.page.count; i++)
		write_issuer(&w, &found.list[i]);
	json_write_array_end(&w);
	return list_answer(rq, &list, found.page.total, &body);
}

static struct audit_event *declare(struct request *rq, enum audit_type type,
				   const struct issuer *issuer)
{
	struct audit_event *event = audit_change(rq, type);
	event->tenant_id = issuer->row.tenant_id;
	event->resource = issuer->row.name;
	return event;
}

static err_t taken(struct ctx *ctx, err_t err)
{
	return err == ERR_EXISTS
		       ? fail(ctx, ERR_EXISTS, "there is an issuer of this name or URL already")
		       : err;
}

err_t berth_issuer_create(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct issuer issuer = { .row = { .enabled = true,
					  .name = STR(""),
					  .url = STR(""),
					  .ca = STR(""),
					  .keys = STR("") } };
	TRY(binding_tenant(ctx, rq, &issuer.row.tenant_id));
	TRY(body_read(ctx, rq, &doc));
	TRY(read_body(ctx, doc.root, &issuer));
	declare(rq, AUDIT_CREATE_FEDERATION, &issuer)->after = issuer_json(ctx, &issuer);
	TRY(taken(ctx, issuer_create(ctx, rq->api->options.auth, &issuer)));
	return answer_created(rq, issuer.row.id);
}

err_t berth_issuer_get(struct ctx *ctx, struct request *rq)
{
	struct issuer issuer;
	TRY(binding_issuer(ctx, rq, &issuer));
	return answer_json(rq, 200, issuer_json(ctx, &issuer));
}

err_t berth_issuer_update(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct issuer issuer;
	TRY(binding_issuer(ctx, rq, &issuer));
	TRY(body_read(ctx, rq, &doc));
	struct audit_event *event = declare(rq, AUDIT_UPDATE_FEDERATION, &issuer);
	event->before = issuer_json(ctx, &issuer);
	TRY(read_body(ctx, doc.root, &issuer));
	TRY(binding_may_keep(ctx, rq, &issuer));
	event->after = issuer_json(ctx, &issuer);
	TRY(taken(ctx, issuer_update(ctx, rq->api->options.auth, &issuer)));
	return answer_json(rq, 200, issuer_json(ctx, &issuer));
}

err_t berth_issuer_delete(struct ctx *ctx, struct request *rq)
{
	struct issuer issuer;
	TRY(binding_issuer(ctx, rq, &issuer));
	declare(rq, AUDIT_DELETE_FEDERATION, &issuer)->before = issuer_json(ctx, &issuer);
	err_t err = issuer_delete(ctx, rq->api->options.auth, issuer.row.tenant_id, issuer.row.id);
	TRY(err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such issuer") : err);
	return answer_empty(rq, 200);
}

/* --- exchange --------------------------------------------------------------------------------- */

struct exchange_body {
	str token, robot;
};

static err_t exchange(struct ctx *ctx, struct request *rq, struct auth_token *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct exchange_body, "token", token, KIB(32)),
		JSON_FIELD_STR(struct exchange_body, "robot", robot, ROBOT_NAME_MAX),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct exchange_body body = { 0 };
	struct auth *auth = rq->api->options.auth;
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &body));
	err_t err = workload_exchange(ctx, auth, body.token, body.robot, &rq->who);
	if (err == ERR_ABSENT)
		err = fail(ctx, ERR_UNAUTHORIZED, "token of an issuer that nobody here knows");
	if (err == OK)
		err = tenant_settle(ctx, rq);
	rq->bad_credentials = err == ERR_UNAUTHORIZED;
	TRY(err);
	TRY(tenant_check_suspended(ctx, rq));
	return auth_issue_login(ctx, auth, &rq->who, ret);
}

err_t berth_token_exchange(struct ctx *ctx, struct request *rq)
{
	struct auth_token token;
	TRY(exchange(ctx, rq, &token));
	audit_federated(rq);
	CLEANUP(buf_done) struct buf body = BUF_INIT(KIB(64));
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "username", rq->who.name);
	json_write_str(&w, "password", token.token);
	json_write_i64(&w, "expires_in", token.expires_in_s);
	json_write_time(&w, "expiry_time",
			token.issued_at_us + token.expires_in_s * INT64_C(1000000));
	json_write_object_end(&w);
	exchange_header(rq->x, STR("Cache-Control"), STR("no-store"));
	return answer_object(ctx, rq, &body);
}
