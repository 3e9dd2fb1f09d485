/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth_robot.c - what our own API adds to robots: when they were used, and two secrets at a time.
 *
 * To replace a secret without an outage: make a second one with a grace, hand it out, and the first
 * ends by itself.
 */
#include "api/audit.h"
#include "api/handlers_robot.h"
#include "api/robot_json.h"
#include "base/clock.h"

#include "base/banned.h"

#define GRACE_S_MAX (INT64_C(90) * 86400)

err_t berth_robot_get(struct ctx *ctx, struct request *rq)
{
	struct robot robot;
	TRY(robot_of_path(ctx, rq, ACTION_ROBOT_READ, ACTION_SYSTEM_ROBOT_READ, &robot));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	robot_write(&w, &robot);
	json_write_i64(&w, "tenant_id", robot.row.tenant_id);
	json_write_i64(&w, "project_id", robot.row.project_id);
	json_write_time(&w, "used_time", robot.row.used_at_us);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

static void write_secret(struct json_writer *w, const struct robot_secret_row *row, str secret)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", row->id);
	json_write_str(w, "hint", row->hint);
	if (secret.len)
		json_write_str(w, "secret", secret);
	json_write_time(w, "creation_time", row->created_at_us);
	json_write_time(w, "expiry_time", row->expires_at_us);
	json_write_time(w, "used_time", row->used_at_us);
	json_write_object_end(w);
}

err_t berth_robot_secret_list(struct ctx *ctx, struct request *rq)
{
	struct robot robot;
	struct robot_secret_row *rows;
	size_t count;
	TRY(robot_of_path(ctx, rq, ACTION_ROBOT_READ, ACTION_SYSTEM_ROBOT_READ, &robot));
	TRY(robot_secret_list(ctx, rq->api->options.auth, robot.row.id, &rows, &count));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++)
		write_secret(&w, &rows[i], STR_NONE);
	json_write_array_end(&w);
	return answer_object(ctx, rq, &body);
}

struct secret_body {
	str secret;
	int64_t grace_s, lifetime_s;
	bool has_grace;
};

static err_t read_secret(struct ctx *ctx, struct request *rq, struct json_document *doc,
			 struct robot_secret_new *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct secret_body, "secret", secret, KIB(1)),
		JSON_FIELD_I64(struct secret_body, "grace_seconds", grace_s),
		JSON_FIELD_HAS(struct secret_body, "grace_seconds", has_grace),
		JSON_FIELD_I64(struct secret_body, "lifetime_seconds", lifetime_s),
	};
	struct secret_body body = { 0 };
	TRY(body_read(ctx, rq, doc));
	TRY(body_shape(ctx, doc->root, fields, COUNT_OF(fields), &body));
	if (body.grace_s < 0 || body.grace_s > GRACE_S_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "grace_seconds is from 0 to %lld",
			    (long long)GRACE_S_MAX);
	if (body.lifetime_s < 0 || body.lifetime_s > INT64_C(3650) * 86400)
		return fail(ctx, ERR_REQUEST_INVALID, "lifetime_seconds is from 0 to ten years");
	*ret = (struct robot_secret_new){ .wanted = body.secret,
					  .grace_s = body.has_grace ? body.grace_s : -1 };
	if (body.lifetime_s)
		ret->expires_at_us = clock_wall_us() + body.lifetime_s * INT64_C(1000000);
	return OK;
}

static struct audit_event *declare(struct request *rq, const struct robot *robot)
{
	struct audit_event *event = audit_change(rq, AUDIT_UPDATE_ROBOT);
	event->tenant_id = robot->row.tenant_id;
	event->project_id = robot->row.project_id;
	event->resource = robot->full_name;
	return event;
}

err_t berth_robot_secret_create(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct robot robot;
	struct robot_secret_new wanted;
	struct robot_secret_row row;
	str secret;
	TRY(robot_of_path(ctx, rq, ACTION_ROBOT_UPDATE, ACTION_SYSTEM_ROBOT_UPDATE, &robot));
	TRY(robot_may_give(ctx, rq, robot.permissions, robot.permission_count));
	TRY(read_secret(ctx, rq, &doc, &wanted));
	declare(rq, &robot)->after = STR("{\"secret_added\":true}");
	err_t err =
		robot_secret_add(ctx, rq->api->options.auth, robot.row.id, &wanted, &row, &secret);
	if (err == ERR_EXISTS) {
		ctx_forgive(ctx);
		return fail(ctx, ERR_EXISTS, "the robot has two secrets, or this one, already");
	}
	TRY(err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such robot") : err);
	CLEANUP(buf_done) struct buf body = BUF_INIT(KIB(4));
	struct json_writer w = JSON_WRITER(&body);
	write_secret(&w, &row, secret);
	return answer_created_with(ctx, rq, row.id, &body);
}

err_t berth_robot_secret_delete(struct ctx *ctx, struct request *rq)
{
	struct robot robot;
	TRY(robot_of_path(ctx, rq, ACTION_ROBOT_UPDATE, ACTION_SYSTEM_ROBOT_UPDATE, &robot));
	declare(rq, &robot)->before =
		arena_printf(ctx->arena, "{\"secret_id\":%lld}", (long long)rq->sub_id);
	err_t err = robot_secret_delete(ctx, rq->api->options.auth, robot.row.id, rq->sub_id);
	TRY(err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such secret") : err);
	return answer_empty(rq, 200);
}
