/* SPDX-License-Identifier: Apache-2.0 */
/* robot_rows.c - see robot.h: robots and their permissions as rows. */
#include "robot_internal.h"

#include "base/clock.h"
#include "base/buf.h"
#include "db/db.h"
#include "settings/system.h"

#include "base/banned.h"

#define ACTIONS_TEXT_MAX KIB(16)
#define SECOND_US	 INT64_C(1000000)
#define DAY_S		 INT64_C(86400)

/* --- what can be ------------------------------------------------------------------------------ */

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* [a-z0-9]+(?:[._-][a-z0-9]+)* */
err_t robot_check_name(struct ctx *ctx, str name)
{
	bool fine = name.len && name.len <= ROBOT_NAME_MAX && is_alnum(name.ptr[name.len - 1]);
	bool separated = true;
	for (size_t i = 0; fine && i < name.len; i++) {
		bool separator = name.ptr[i] == '.' || name.ptr[i] == '_' || name.ptr[i] == '-';
		fine = separator ? !separated : is_alnum(name.ptr[i]);
		separated = separator;
	}
	return fine ? OK
		    : fail(ctx, ERR_REQUEST_INVALID,
			   "robot name is not in lower case or contains illegal characters");
}

err_t robot_check_secret(struct ctx *ctx, str secret)
{
	bool upper = false, lower = false, digit = false;
	for (size_t i = 0; i < secret.len; i++) {
		upper |= secret.ptr[i] >= 'A' && secret.ptr[i] <= 'Z';
		lower |= secret.ptr[i] >= 'a' && secret.ptr[i] <= 'z';
		digit |= secret.ptr[i] >= '0' && secret.ptr[i] <= '9';
	}
	if (secret.len < ROBOT_SECRET_CHARS_MIN || secret.len > ROBOT_SECRET_CHARS_MAX || !upper ||
	    !lower || !digit)
		return fail(ctx, ERR_REQUEST_INVALID,
			    "the secret must be 8-128, inclusively, characters long with at least "
			    "1 uppercase letter, 1 lowercase letter and 1 number");
	return OK;
}

err_t robot_check_duration(struct ctx *ctx, int64_t duration_days)
{
	if (duration_days != ROBOT_FOREVER &&
	    (duration_days <= 0 || duration_days > ROBOT_DURATION_DAYS_MAX))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "bad request error duration input: %lld, duration must be either "
			    "-1(Never) or a positive integer",
			    (long long)duration_days);
	return OK;
}

int64_t robot_expiry_s(int64_t created_at_us, int64_t duration_days)
{
	if (duration_days == ROBOT_FOREVER)
		return 0;
	return created_at_us / SECOND_US + duration_days * DAY_S;
}

str robot_prefix(struct ctx *ctx, const struct auth *auth)
{
	return system_text(ctx, auth->settings, SYSTEM_ROBOT_NAME_PREFIX);
}

str robot_full_name(struct ctx *ctx, const struct auth *auth, str name)
{
	str prefix = robot_prefix(ctx, auth);
	return arena_printf(ctx->arena, STR_FMT STR_FMT, STR_ARG(prefix), STR_ARG(name));
}

size_t robot_name_room(struct ctx *ctx, const struct auth *auth)
{
	return ROBOT_NAME_MAX - MIN(robot_prefix(ctx, auth).len, (size_t)ROBOT_NAME_MAX);
}

bool robot_strip_prefix(struct ctx *ctx, const struct auth *auth, str full_name, str *ret)
{
	str prefix = robot_prefix(ctx, auth);
	if (!str_has_prefix(full_name, prefix))
		return false;
	*ret = str_skip(full_name, prefix.len);
	return true;
}

/* --- permissions as text ---------------------------------------------------------------------- */

static str actions_text(struct ctx *ctx, const struct action_set *set)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(ACTIONS_TEXT_MAX);
	for (enum action action = 0; action < ACTION_COUNT; action++)
		if (action_set_has(set, action))
			buf_printf(&b, "%s%s", b.len ? "," : "", action_name(action));
	return arena_copy(ctx->arena, buf_str(&b));
}

/* What this program does not know (it is older than the row) is not held. */
static struct action_set actions_read(enum permission_place place, str text)
{
	struct action_set set = { { 0 } };
	for (str word; str_next(&text, ',', &word);) {
		str resource, action;
		if (!str_cut(word, ':', &resource, &action))
			continue;
		enum action found = permission_find(place, resource, action);
		if (found != ACTION_COUNT)
			action_set_add(&set, found);
	}
	return set;
}

static void read_permission(const struct robot_permission_row *row, struct robot_permission *ret)
{
	bool in_project = row->place == PLACE_PROJECT;
	enum permission_place place = in_project ? PLACE_PROJECT : PLACE_SYSTEM;
	*ret = (struct robot_permission){
		.place = place,
		.project_id = in_project && !row->project_id ? PROJECT_ALL : row->project_id,
		.project = !in_project	     ? STR("/")
			   : row->project_id ? row->project
					     : STR("*"),
		.repository_glob = row->repository_glob,
		.allowed = actions_read(place, row->allowed),
		.denied = actions_read(place, row->denied),
	};
}

err_t robot_read(struct ctx *ctx, struct sql_tx *tx, const struct auth *auth, struct robot *robot)
{
	struct robot_permission_row *rows;
	size_t count;
	TRY(db_robot_permission_list(ctx, tx, robot->row.id, &rows, &count));
	robot->permissions = ARENA_ARRAY(ctx->arena, struct robot_permission, count);
	robot->permission_count = count;
	for (size_t i = 0; i < count; i++)
		read_permission(&rows[i], &robot->permissions[i]);
	robot->full_name = robot_full_name(ctx, auth, robot->row.name);
	return OK;
}

err_t robot_write_permissions(struct ctx *ctx, struct sql_tx *tx, const struct robot *robot)
{
	size_t count = robot->permission_count;
	struct robot_permission_row *rows =
		ARENA_ARRAY(ctx->arena, struct robot_permission_row, count);
	for (size_t i = 0; i < count; i++) {
		const struct robot_permission *from = &robot->permissions[i];
		rows[i] = (struct robot_permission_row){
			.place = from->place,
			.project_id = from->project_id == PROJECT_ALL ? 0 : from->project_id,
			.repository_glob = from->repository_glob,
			.allowed = actions_text(ctx, &from->allowed),
			.denied = actions_text(ctx, &from->denied),
		};
	}
	return db_robot_permission_set(ctx, tx, robot->row.id, rows, count);
}

/* --- robots ----------------------------------------------------------------------------------- */

err_t robot_insert(struct ctx *ctx, struct sql_tx *tx, struct robot *robot)
{
	TRY(db_robot_insert(ctx, tx, &robot->row));
	return robot_write_permissions(ctx, tx, robot);
}

struct create_work {
	const struct auth *auth;
	struct robot *robot;
	str secret;
};

static err_t create_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct create_work *work = arg;
	struct robot *robot = work->robot;
	TRY(robot_insert(ctx, tx, robot));
	struct robot_secret_row secret =
		robot_secret_new_row(ctx, work->auth, robot->row.id, work->secret);
	return db_robot_secret_insert(ctx, tx, &secret);
}

err_t robot_create(struct ctx *ctx, struct auth *auth, struct robot *robot, str wanted,
		   str *ret_secret)
{
	struct create_work work = { .auth = auth, .robot = robot };
	robot->row.expires_at_s = robot_expiry_s(clock_wall_us(), robot->row.duration_days);
	robot->full_name = robot_full_name(ctx, auth, robot->row.name);
	if (robot->full_name.len > ROBOT_NAME_MAX)
		return fail(ctx, ERR_REQUEST_INVALID,
			    "the robot's name would be longer than %d bytes", ROBOT_NAME_MAX);
	TRY(robot_secret_choose(ctx, wanted, &work.secret));
	TRY(db_run(ctx, auth->db, SQL_WRITE, create_body, &work));
	*ret_secret = work.secret;
	return OK;
}

struct get_work {
	const struct auth *auth;
	int64_t id;
	struct robot *robot;
};

static err_t get_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct get_work *work = arg;
	TRY(db_robot_get(ctx, tx, work->id, &work->robot->row));
	return robot_read(ctx, tx, work->auth, work->robot);
}

err_t robot_get(struct ctx *ctx, struct auth *auth, int64_t id, struct robot *ret)
{
	struct get_work work = { auth, id, ret };
	return db_run(ctx, auth->db, SQL_READ, get_body, &work);
}

struct list_work {
	const struct auth *auth;
	const struct robot_query *query;
	struct robot *robots;
	size_t count;
	int64_t total;
};

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct list_work *work = arg;
	struct robot_row *rows;
	TRY(db_robot_page(ctx, tx, work->query, &rows, &work->count, &work->total));
	work->robots = ARENA_ARRAY(ctx->arena, struct robot, work->count);
	for (size_t i = 0; i < work->count; i++) {
		work->robots[i] = (struct robot){ .row = rows[i] };
		TRY(robot_read(ctx, tx, work->auth, &work->robots[i]));
	}
	return OK;
}

err_t robot_list(struct ctx *ctx, struct auth *auth, const struct robot_query *query,
		 struct robot **ret, size_t *ret_count, int64_t *ret_total)
{
	struct list_work work = { .auth = auth, .query = query };
	TRY(db_run(ctx, auth->db, SQL_READ, list_body, &work));
	*ret = work.robots;
	*ret_count = work.count;
	*ret_total = work.total;
	return OK;
}

struct update_work {
	const struct robot *robot;
};

static err_t update_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct update_work *work = arg;
	TRY(db_robot_update(ctx, tx, &work->robot->row));
	return robot_write_permissions(ctx, tx, work->robot);
}

err_t robot_update(struct ctx *ctx, struct auth *auth, const struct robot *robot)
{
	struct update_work work = { robot };
	TRY(db_run(ctx, auth->db, SQL_WRITE, update_body, &work));
	state_drop(auth, SUBJECT_ROBOT, robot->row.id);
	return OK;
}

static err_t delete_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	return db_robot_delete(ctx, tx, *(int64_t *)arg);
}

err_t robot_delete(struct ctx *ctx, struct auth *auth, int64_t id)
{
	TRY(db_run(ctx, auth->db, SQL_WRITE, delete_body, &id));
	state_drop(auth, SUBJECT_ROBOT, id);
	return OK;
}
