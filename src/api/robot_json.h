/* SPDX-License-Identifier: Apache-2.0 */
/*
 * robot_json.h - robots as Harbor writes them, and the rule of what may be given to one: shared by
 * the files whose operations make or change robots.
 */
#pragma once

#include "api/harbor.h"
#include "auth/robot.h"

/* ERR_DENIED for whom the tenant that is asked about is not his own, unless he sees all of them. */
err_t robot_tenant_check(struct ctx *ctx, const struct request *rq);

/* A `permissions` array as its sender wrote it: checked against what can be given to robots, with
 * projects by name yet. */
struct robot_wish {
	struct robot_permission *permissions;
	size_t count;
};

/*
 * ERR_REQUEST_INVALID, in Harbor's words, for an empty list, an unknown kind, or a resource and
 * action that no robot can have. What is said twice of one place is one permission.
 */
err_t robot_wish_read(struct ctx *ctx, const struct json_value *array, struct robot_wish *ret);

/* Fills the projects' ids. ERR_NOT_FOUND for one that is not there. */
err_t robot_wish_resolve(struct ctx *ctx, struct request *rq, struct robot_wish *wish);

/* Nobody gives away what he does not have: ERR_DENIED unless the asker holds all of it himself. */
err_t robot_may_give(struct ctx *ctx, struct request *rq,
		     const struct robot_permission *permissions, size_t count);

/* The member `permissions`. */
void robot_write_permissions_of(struct json_writer *w, const struct robot *robot);
/* The members of one robot; the object is the caller's. `created` is RobotCreated's short form. */
void robot_write(struct json_writer *w, const struct robot *robot);
/* The whole object, for the audit trail. */
str robot_json(struct ctx *ctx, const struct robot *robot);

/*
 * The robot with the path's {id}, when the asker may `in_project` to robots of its project, or
 * `in_system` to the system's. Whoever may neither learns nothing: ERR_DENIED. ERR_NOT_FOUND for
 * who may and asks for one that is not there.
 */
err_t robot_of_path(struct ctx *ctx, struct request *rq, enum action in_project,
		    enum action in_system, struct robot *ret);
