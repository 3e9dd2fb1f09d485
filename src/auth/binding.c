/* SPDX-License-Identifier: Apache-2.0 */
/* binding.c - see binding.h. */
#include "binding_internal.h"
#include "robot_internal.h"

#include "base/clock.h"
#include "db/db.h"
#include "model/condition.h"

#include "base/banned.h"

/* --- what can be ------------------------------------------------------------------------------ */

static bool parse_conditions(struct arena *arena, str text, struct conditions *ret,
			     const char **ret_why)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	*ret_why = "conditions are no JSON";
	return json_parse(text, JSON_LIMITS_SMALL, &doc, &problem) &&
	       conditions_read(arena, doc.root, ret, ret_why);
}

static err_t check(struct ctx *ctx, const struct binding *binding)
{
	struct conditions conditions;
	const char *why;
	const struct binding_row *row = &binding->row;
	TRY(robot_check_name(ctx, row->name));
	if (row->lifetime_s < BINDING_LIFETIME_S_MIN || row->lifetime_s > BINDING_LIFETIME_S_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "the lifetime is from %lld to %lld seconds",
			    (long long)BINDING_LIFETIME_S_MIN, (long long)BINDING_LIFETIME_S_MAX);
	if (row->conditions.len > BINDING_CONDITIONS_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "conditions are too long");
	if (!parse_conditions(ctx->arena, row->conditions, &conditions, &why))
		return fail(ctx, ERR_REQUEST_INVALID, "%s", why);
	return OK;
}

/* --- changing --------------------------------------------------------------------------------- */

struct binding_work {
	const struct auth *auth;
	struct binding *binding;
	int64_t robot_before;
};

/* A name that no robot of people can have, for the slash in it. */
static void describe_own_robot(struct ctx *ctx, struct binding *binding)
{
	binding->robot.row = (struct robot_row){
		.tenant_id = binding->row.tenant_id,
		.name = arena_printf(ctx->arena, STR_FMT "/" STR_FMT, STR_ARG(binding->issuer_name),
				     STR_ARG(binding->row.name)),
		.description = STR(""),
		.duration_days = ROBOT_FOREVER,
		.creator_type = STR("local"),
	};
}

static err_t find_robot(struct ctx *ctx, struct sql_tx *tx, const struct auth *auth,
			struct binding *binding)
{
	struct robot *robot = &binding->robot;
	TRY(db_robot_get(ctx, tx, binding->row.robot_id, &robot->row));
	if (robot->row.tenant_id != binding->row.tenant_id || !robot->row.visible)
		return ERR_ABSENT;
	return robot_read(ctx, tx, auth, robot);
}

static err_t create_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct binding_work *work = arg;
	struct binding *binding = work->binding;
	if (!binding->own_robot) {
		TRY(find_robot(ctx, tx, work->auth, binding));
		return db_binding_insert(ctx, tx, &binding->row);
	}
	describe_own_robot(ctx, binding);
	TRY(robot_insert(ctx, tx, &binding->robot));
	binding->row.robot_id = binding->robot.row.id;
	return db_binding_insert(ctx, tx, &binding->row);
}

err_t binding_create(struct ctx *ctx, struct auth *auth, struct binding *binding)
{
	struct binding_work work = { .auth = auth, .binding = binding };
	TRY(check(ctx, binding));
	TRY(db_run(ctx, auth->db, SQL_WRITE, create_body, &work));
	binding->robot.full_name = robot_full_name(ctx, auth, binding->robot.row.name);
	return OK;
}

static err_t update_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct binding_work *work = arg;
	struct binding *binding = work->binding;
	if (!binding->own_robot)
		TRY(find_robot(ctx, tx, work->auth, binding));
	TRY(db_binding_update(ctx, tx, &binding->row));
	if (binding->own_robot)
		TRY(robot_write_permissions(ctx, tx, &binding->robot));
	TRY(db_robot_changed(ctx, tx, work->robot_before));
	return work->robot_before == binding->row.robot_id
		       ? OK
		       : db_robot_changed(ctx, tx, binding->row.robot_id);
}

err_t binding_update(struct ctx *ctx, struct auth *auth, struct binding *binding,
		     int64_t robot_before)
{
	struct binding_work work = { .auth = auth,
				     .binding = binding,
				     .robot_before = robot_before };
	TRY(check(ctx, binding));
	TRY(db_run(ctx, auth->db, SQL_WRITE, update_body, &work));
	state_drop(auth, SUBJECT_ROBOT, robot_before);
	state_drop(auth, SUBJECT_ROBOT, binding->row.robot_id);
	return OK;
}

static err_t delete_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct binding_work *work = arg;
	const struct binding *binding = work->binding;
	TRY(db_binding_delete(ctx, tx, binding->row.id));
	return binding->own_robot ? db_robot_delete(ctx, tx, binding->row.robot_id)
				  : db_robot_changed(ctx, tx, binding->row.robot_id);
}

err_t binding_delete(struct ctx *ctx, struct auth *auth, const struct binding *binding)
{
	struct binding copy = *binding;
	struct binding_work work = { .binding = &copy };
	TRY(db_run(ctx, auth->db, SQL_WRITE, delete_body, &work));
	state_drop(auth, SUBJECT_ROBOT, binding->row.robot_id);
	return OK;
}

/* --- looking ---------------------------------------------------------------------------------- */

static err_t read_binding(struct ctx *ctx, struct sql_tx *tx, const struct auth *auth,
			  const struct binding_row *row, struct binding *ret)
{
	*ret = (struct binding){ .row = *row, .own_robot = !row->robot_visible };
	TRY(db_robot_get(ctx, tx, row->robot_id, &ret->robot.row));
	return robot_read(ctx, tx, auth, &ret->robot);
}

struct get_work {
	const struct auth *auth;
	int64_t tenant_id, issuer_id, id;
	struct binding *binding;
};

static err_t get_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct get_work *work = arg;
	struct binding_row row;
	TRY(db_binding_get(ctx, tx, work->tenant_id, work->issuer_id, work->id, &row));
	return read_binding(ctx, tx, work->auth, &row, work->binding);
}

err_t binding_get(struct ctx *ctx, struct auth *auth, int64_t tenant_id, int64_t issuer_id,
		  int64_t id, struct binding *ret)
{
	struct get_work work = { auth, tenant_id, issuer_id, id, ret };
	return db_run(ctx, auth->db, SQL_READ, get_body, &work);
}

struct list_work {
	const struct auth *auth;
	struct binding_list *list;
};

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct list_work *work = arg;
	struct binding_page *page = &work->list->page;
	TRY(db_binding_page(ctx, tx, page));
	work->list->list = ARENA_ARRAY(ctx->arena, struct binding, page->count);
	for (size_t i = 0; i < page->count; i++)
		TRY(read_binding(ctx, tx, work->auth, &page->rows[i], &work->list->list[i]));
	return OK;
}

err_t binding_list(struct ctx *ctx, struct auth *auth, struct binding_list *list)
{
	struct list_work work = { auth, list };
	return db_run(ctx, auth->db, SQL_READ, list_body, &work);
}

/* --- choosing --------------------------------------------------------------------------------- */

/* Cut between two characters. */
str binding_subject(struct ctx *ctx, str subject)
{
	size_t len = MIN(subject.len, BINDING_SUBJECT_MAX);
	while (len && len < subject.len && ((unsigned char)subject.ptr[len] & 0xC0) == 0x80)
		len--;
	return len ? arena_copy(ctx->arena, str_take(subject, len)) : STR("(no subject)");
}

static bool fits(struct ctx *ctx, struct auth *auth, const struct binding_row *row,
		 const struct json_value *claims, str robot)
{
	struct conditions conditions;
	const char *why;
	if (!row->enabled ||
	    (robot.len && !str_eq(robot, robot_full_name(ctx, auth, row->robot_name))))
		return false;
	return parse_conditions(ctx->arena, row->conditions, &conditions, &why) &&
	       conditions_hold(&conditions, claims);
}

err_t binding_choose(struct ctx *ctx, struct auth *auth, const struct binding_page *among,
		     const struct json_value *claims, str robot, struct binding_found *found)
{
	int64_t last_tenant = 0;
	bool ended = false, fitted = false;
	for (size_t i = 0; i < among->count; i++) {
		const struct binding_row *row = &among->rows[i];
		struct identity who;
		bool live;
		if (row->tenant_id == last_tenant || !fits(ctx, auth, row, claims, robot))
			continue;
		last_tenant = row->tenant_id;
		TRY(robot_identity(ctx, auth, row->robot_id, &live, &who));
		ended = ended || !live;
		fitted = fitted || live;
		if (!live)
			continue;
		who.lifetime_s_max = row->lifetime_s;
		*found = (struct binding_found){ row, who, found->binding != NULL };
		if (row->tenant_id == TENANT_DEFAULT)
			return OK;
	}
	if (fitted)
		return OK;
	return ended ? fail(ctx, ERR_UNAUTHORIZED, "robot is disabled or has expired") : ERR_ABSENT;
}

err_t binding_take(struct ctx *ctx, struct auth *auth, const struct binding_found *found,
		   struct identity *ret)
{
	int64_t now_us = clock_wall_us();
	if (found->several)
		return fail(ctx, ERR_UNAUTHORIZED,
			    "bindings of several tenants fit: the host must say which");
	uses_note(&auth->robot_uses, found->binding->robot_id, now_us);
	uses_note(&auth->binding_uses, found->binding->id, now_us);
	*ret = found->who;
	return OK;
}
