/* SPDX-License-Identifier: Apache-2.0 */
/*
 * robot.h - robots: names with secrets for programs, of the system or of one project, with exactly
 * the permissions somebody gave them.
 *
 * A robot's name is the prefix of the configuration, then `name` or `project+name`:
 * `robot$library+builder`. It may have two secrets at a time, so that one can be replaced while
 * programs still use the other; each looks like `berth_rob_…` (codec/secret_text.h) unless its
 * maker chose it, is shown once, and kept as a keyed hash. Instead of a secret it may be let in by
 * a token of a trusted issuer (workload.h).
 *
 * Every change raises the robot's epoch: what was obtained before is worth nothing from the moment
 * the call returns (state.h). Adding and removing one of two secrets does not: only what came by
 * the removed one ends.
 *
 * When a robot and its secret were last used is written in batches: up to a minute late, and lost
 * when the process is killed.
 *
 * Who may do any of this, and what may be given away, is the caller's to ask (api).
 *
 * Errors: ERR_ABSENT (unrecorded) for no such robot, ERR_EXISTS for a name that is taken,
 * ERR_REQUEST_INVALID for what cannot be.
 */
#pragma once

#include "auth/auth.h"
#include "db/robot.h"

#define ROBOT_NAME_MAX		255
#define ROBOT_DESCRIPTION_MAX	1024
#define ROBOT_PERMISSIONS_MAX	500
#define ROBOT_SECRETS_MAX	2
#define ROBOT_SECRET_CHARS_MIN	8
#define ROBOT_SECRET_CHARS_MAX	128
#define ROBOT_FOREVER		INT64_C(-1)
#define ROBOT_DURATION_DAYS_MAX INT64_C(2147483646)

struct robot_permission {
	enum permission_place place;
	int64_t project_id; /* PROJECT_ALL; 0 in the system */
	str project;	    /* its name, "*" or "/" */
	str repository_glob;
	struct action_set allowed, denied;
};

struct robot {
	struct robot_row row;
	str full_name; /* with the prefix */
	struct robot_permission *permissions;
	size_t permission_count;
};

/* `name`, lower case: Harbor's rule; it has no `+` and no prefix. OK or ERR_REQUEST_INVALID. */
err_t robot_check_name(struct ctx *ctx, str name);
/* A secret somebody chose: 8 to 128 characters, upper and lower case and a digit. */
err_t robot_check_secret(struct ctx *ctx, str secret);
/* Days, or ROBOT_FOREVER. */
err_t robot_check_duration(struct ctx *ctx, int64_t duration_days);
/* When a robot made then ends, seconds; 0: never. */
int64_t robot_expiry_s(int64_t created_at_us, int64_t duration_days);

/* Name with the prefix, in the arena. */
/* How long a robot's name may be without the prefix, in bytes. */
size_t robot_name_room(struct ctx *ctx, const struct auth *auth);
str robot_full_name(struct ctx *ctx, const struct auth *auth, str name);
/* The name without the prefix; false when it does not start with it. */
bool robot_strip_prefix(struct ctx *ctx, const struct auth *auth, str full_name, str *ret);

/*
 * Makes one from `robot->row` (tenant, name, project, description, duration, disabled, visible,
 * creator) and its permissions, and fills the rest. The secret is `wanted`, or made when that is
 * empty; given back in the arena.
 */
err_t robot_create(struct ctx *ctx, struct auth *auth, struct robot *robot, str wanted,
		   str *ret_secret);
err_t robot_get(struct ctx *ctx, struct auth *auth, int64_t id, struct robot *ret);
err_t robot_list(struct ctx *ctx, struct auth *auth, const struct robot_query *query,
		 struct robot **ret, size_t *ret_count, int64_t *ret_total);
/* Takes description, duration, expiry, disabled and permissions from `robot`. */
err_t robot_update(struct ctx *ctx, struct auth *auth, const struct robot *robot);
err_t robot_delete(struct ctx *ctx, struct auth *auth, int64_t id);

/* --- secrets ------------------------------------------------------------------------------------
 */

/* In place of all it had; everything obtained before ends. */
err_t robot_set_secret(struct ctx *ctx, struct auth *auth, int64_t id, str wanted, str *ret_secret);

struct robot_secret_new {
	str wanted;	       /* empty: made */
	int64_t expires_at_us; /* 0: never */
	int64_t grace_s; /* the other one counts so much longer; negative: as long as it did */
};
/* ERR_EXISTS when it has ROBOT_SECRETS_MAX, or this one already. */
err_t robot_secret_add(struct ctx *ctx, struct auth *auth, int64_t id,
		       const struct robot_secret_new *from, struct robot_secret_row *ret,
		       str *ret_secret);
err_t robot_secret_list(struct ctx *ctx, struct auth *auth, int64_t id,
			struct robot_secret_row **ret, size_t *ret_count);
err_t robot_secret_delete(struct ctx *ctx, struct auth *auth, int64_t id, int64_t secret_id);

/* --- using --------------------------------------------------------------------------------------
 */

/* Who a robot is as of now, `*ret_live` false when it is disabled or has expired. */
err_t robot_identity(struct ctx *ctx, struct auth *auth, int64_t id, bool *ret_live,
		     struct identity *ret);
/* When one of its secrets ends: 0 when it is gone, INT64_MAX for never. */
err_t robot_secret_end(struct ctx *ctx, struct auth *auth, int64_t id, int64_t secret_id,
		       int64_t *ret_us);

/* Writes when robots and secrets were used. */
err_t robot_write_uses(struct ctx *ctx, struct auth *auth);
