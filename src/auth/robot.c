/* SPDX-License-Identifier: Apache-2.0 */
/* robot.c - see robot.h: secrets, and logging in with them. */
#include "robot_internal.h"

#include "base/clock.h"
#include "codec/secret_text.h"
#include "crypto/jwt.h"
#include "crypto/random.h"
#include "db/db.h"

#include "base/banned.h"

#define WHAT	    STR("robot")
#define HINT_LEN    4	/* letters of a made secret that are shown */
#define TENANTS_MAX 100 /* in which one robot's name is looked for */
#define SECOND_US   INT64_C(1000000)

/* --- secrets ---------------------------------------------------------------------------------- */

err_t robot_secret_choose(struct ctx *ctx, str wanted, str *ret_secret)
{
	if (!wanted.len) {
		*ret_secret = secret_text_make(ctx->arena, STR(SECRET_PREFIX_ROBOT),
					       random_password(ctx->arena, SECRET_TEXT_RANDOM));
		return OK;
	}
	*ret_secret = wanted;
	return robot_check_secret(ctx, wanted);
}

struct robot_secret_row robot_secret_new_row(struct ctx *ctx, const struct auth *auth,
					     int64_t robot_id, str secret)
{
	bool made = secret_text_is(secret, STR(SECRET_PREFIX_ROBOT));
	return (struct robot_secret_row){
		.robot_id = robot_id,
		.hash = auth_secret_hash(ctx, auth, WHAT, robot_id, secret),
		.hint = made ? str_take(secret, sizeof SECRET_PREFIX_ROBOT - 1 + HINT_LEN)
			     : STR(""),
	};
}

struct set_work {
	const struct auth *auth;
	int64_t id;
	str secret;
};

static err_t set_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct set_work *work = arg;
	struct robot_secret_row row = robot_secret_new_row(ctx, work->auth, work->id, work->secret);
	TRY(db_robot_changed(ctx, tx, work->id));
	TRY(db_robot_secret_delete_all(ctx, tx, work->id));
	return db_robot_secret_insert(ctx, tx, &row);
}

err_t robot_set_secret(struct ctx *ctx, struct auth *auth, int64_t id, str wanted, str *ret_secret)
{
	struct set_work work = { .auth = auth, .id = id };
	TRY(robot_secret_choose(ctx, wanted, &work.secret));
	TRY(db_run(ctx, auth->db, SQL_WRITE, set_body, &work));
	state_drop(auth, SUBJECT_ROBOT, id);
	*ret_secret = work.secret;
	return OK;
}

struct add_work {
	struct robot_secret_row row;
	int64_t now_us, grace_s;
	struct robot_secret_row *others;
	size_t other_count;
};

/* The update of the robot's row makes two who add at once wait for each other. */
static err_t add_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct add_work *work = arg;
	int64_t robot_id = work->row.robot_id;
	TRY(db_robot_touch(ctx, tx, robot_id));
	TRY(db_robot_secret_delete_expired(ctx, tx, robot_id, work->now_us));
	TRY(db_robot_secret_list(ctx, tx, robot_id, work->now_us, ROBOT_SECRETS_MAX, &work->others,
				 &work->other_count));
	if (work->other_count == ROBOT_SECRETS_MAX)
		return fail(ctx, ERR_EXISTS, "robot has %d secrets", ROBOT_SECRETS_MAX);
	TRY(db_robot_secret_insert(ctx, tx, &work->row));
	if (work->grace_s < 0)
		return OK;
	return db_robot_secret_expire_others(ctx, tx, robot_id, work->row.id,
					     work->now_us + work->grace_s * SECOND_US);
}

err_t robot_secret_add(struct ctx *ctx, struct auth *auth, int64_t id,
		       const struct robot_secret_new *from, struct robot_secret_row *ret,
		       str *ret_secret)
{
	struct add_work work = { .now_us = clock_wall_us(), .grace_s = from->grace_s };
	str secret;
	if (from->expires_at_us && from->expires_at_us <= work.now_us)
		return fail(ctx, ERR_REQUEST_INVALID, "the secret would have expired already");
	TRY(robot_secret_choose(ctx, from->wanted, &secret));
	work.row = robot_secret_new_row(ctx, auth, id, secret);
	work.row.expires_at_us = from->expires_at_us;
	TRY(db_run(ctx, auth->db, SQL_WRITE, add_body, &work));
	for (size_t i = 0; i < work.other_count; i++)
		state_drop_secret(auth, SUBJECT_ROBOT, work.others[i].id);
	*ret = work.row;
	*ret_secret = secret;
	return OK;
}

struct secrets_work {
	int64_t id, secret_id;
	struct robot_secret_row *rows;
	size_t count;
	struct robot_secret_row row;
};

static err_t secrets_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct secrets_work *work = arg;
	return db_robot_secret_list(ctx, tx, work->id, clock_wall_us(), ROBOT_SECRETS_MAX,
				    &work->rows, &work->count);
}

err_t robot_secret_list(struct ctx *ctx, struct auth *auth, int64_t id,
			struct robot_secret_row **ret, size_t *ret_count)
{
	struct secrets_work work = { .id = id };
	TRY(db_run(ctx, auth->db, SQL_READ, secrets_body, &work));
	*ret = work.rows;
	*ret_count = work.count;
	return OK;
}

static err_t delete_secret_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct secrets_work *work = arg;
	return db_robot_secret_delete(ctx, tx, work->id, work->secret_id);
}

err_t robot_secret_delete(struct ctx *ctx, struct auth *auth, int64_t id, int64_t secret_id)
{
	struct secrets_work work = { .id = id, .secret_id = secret_id };
	TRY(db_run(ctx, auth->db, SQL_WRITE, delete_secret_body, &work));
	state_drop_secret(auth, SUBJECT_ROBOT, secret_id);
	return OK;
}

/* --- using ------------------------------------------------------------------------------------ */

static void make_identity(struct ctx *ctx, const struct robot *robot, struct identity *ret)
{
	struct robot_grant *grants =
		ARENA_ARRAY(ctx->arena, struct robot_grant, robot->permission_count);
	for (size_t i = 0; i < robot->permission_count; i++) {
		const struct robot_permission *from = &robot->permissions[i];
		grants[i] = (struct robot_grant){
			.place = from->place,
			.project_id = from->project_id,
			.actions = from->allowed,
			.denied = from->denied,
			.push_is_pull = robot->row.project_id != 0,
			.repository_glob = from->repository_glob,
		};
	}
	*ret = (struct identity){
		.subject = SUBJECT_ROBOT,
		.id = robot->row.id,
		.tenant_id = robot->row.tenant_id,
		.name = robot->full_name,
		.epoch = robot->row.epoch,
		.robot_grants = grants,
		.robot_grant_count = robot->permission_count,
		.issuer = STR("local"),
	};
}

static bool is_live(const struct robot *robot, int64_t now_us)
{
	return !robot->row.disabled &&
	       (!robot->row.expires_at_s || robot->row.expires_at_s > now_us / SECOND_US);
}

err_t robot_identity(struct ctx *ctx, struct auth *auth, int64_t id, bool *ret_live,
		     struct identity *ret)
{
	struct robot robot;
	TRY(robot_get(ctx, auth, id, &robot));
	make_identity(ctx, &robot, ret);
	*ret_live = is_live(&robot, clock_wall_us());
	return OK;
}

static err_t get_secret_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct secrets_work *work = arg;
	return db_robot_secret_get(ctx, tx, work->id, work->secret_id, &work->row);
}

err_t robot_secret_end(struct ctx *ctx, struct auth *auth, int64_t id, int64_t secret_id,
		       int64_t *ret_us)
{
	struct secrets_work work = { .id = id, .secret_id = secret_id };
	err_t err = db_run(ctx, auth->db, SQL_READ, get_secret_body, &work);
	if (err != OK && err != ERR_ABSENT)
		return err;
	*ret_us = err == ERR_ABSENT	   ? 0
		  : work.row.expires_at_us ? work.row.expires_at_us
					   : INT64_MAX;
	return OK;
}

struct login_work {
	const struct auth *auth;
	str name, secret;
	int64_t now_us;
	struct robot robot;
	int64_t secret_id;
};

/* ERR_ABSENT: no robot of this name has such a secret. ERR_UNAUTHORIZED: see auth_tenant_wanted().
 */
static err_t login_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct login_work *work = arg;
	int64_t *ids;
	size_t count;
	work->robot = (struct robot){ 0 };
	TRY(db_robot_named(ctx, tx, auth_tenant_wanted(ctx), work->name, TENANTS_MAX, &ids,
			   &count));
	for (size_t i = 0; i < count; i++) {
		str hash = auth_secret_hash(ctx, work->auth, WHAT, ids[i], work->secret);
		struct robot_row row;
		int64_t secret_id;
		err_t err =
			db_robot_find_secret(ctx, tx, ids[i], hash, work->now_us, &row, &secret_id);
		int64_t before = work->robot.row.tenant_id; /* 0: none yet */
		if (err == ERR_ABSENT || (err == OK && before == row.tenant_id))
			continue;
		TRY(err);
		if (before == TENANT_DEFAULT)
			break;
		if (before) /* secrets can be chosen */
			return fail(ctx, ERR_UNAUTHORIZED,
				    "robots of several tenants have this secret");
		work->robot.row = row;
		work->secret_id = secret_id;
	}
	return work->robot.row.id ? robot_read(ctx, tx, work->auth, &work->robot) : ERR_ABSENT;
}

/* Nobody else can have the name when the prefix has a byte that names of users cannot have. */
static bool is_prefix_reserved(struct ctx *ctx, const struct auth *auth)
{
	str prefix = robot_prefix(ctx, auth);
	for (size_t i = 0; i < prefix.len; i++)
		if (str_has_byte(STR(",\"~#%$"), prefix.ptr[i]))
			return true;
	return false;
}

/* A method of chain.h. */
err_t robot_identify(struct ctx *ctx, struct auth *auth, str user, str password,
		     struct identity *ret)
{
	struct login_work work = { .auth = auth, .secret = password, .now_us = clock_wall_us() };
	if (!robot_strip_prefix(ctx, auth, user, &work.name) || jwt_looks_like_one(password))
		return ERR_ABSENT; /* a signed token under a robot's name is workload.c's */
	err_t err = db_run(ctx, auth->db, SQL_READ, login_body, &work);
	/* The same answer, in the same time, whether there is such a robot or not. */
	if (err == ERR_ABSENT && !is_prefix_reserved(ctx, auth))
		return ERR_ABSENT;
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_UNAUTHORIZED, "no robot of this name has such a secret");
	TRY(err);
	if (!is_live(&work.robot, work.now_us))
		return fail(ctx, ERR_UNAUTHORIZED, "robot is disabled or has expired");
	uses_note(&auth->robot_uses, work.robot.row.id, work.now_us);
	uses_note(&auth->robot_secret_uses, work.secret_id, work.now_us);
	make_identity(ctx, &work.robot, ret);
	ret->access_token_id = work.secret_id;
	return OK;
}

struct uses_work {
	struct use robots[USES_MAX], secrets[USES_MAX];
	size_t robot_count, secret_count;
};

static err_t uses_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct uses_work *work = arg;
	for (size_t i = 0; i < work->robot_count; i++)
		TRY(db_robot_used(ctx, tx, work->robots[i].id, work->robots[i].at_us));
	for (size_t i = 0; i < work->secret_count; i++)
		TRY(db_robot_secret_used(ctx, tx, work->secrets[i].id, work->secrets[i].at_us));
	return OK;
}

err_t robot_write_uses(struct ctx *ctx, struct auth *auth)
{
	struct uses_work *work = ARENA_NEW(ctx->arena, struct uses_work);
	work->robot_count = uses_take(&auth->robot_uses, work->robots);
	work->secret_count = uses_take(&auth->robot_secret_uses, work->secrets);
	if (!work->robot_count && !work->secret_count)
		return OK;
	return db_run(ctx, auth->db, SQL_WRITE_RELAXED, uses_body, work);
}
