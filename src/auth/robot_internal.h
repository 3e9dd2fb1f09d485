/* SPDX-License-Identifier: Apache-2.0 */
/* robot_internal.h - what the files of robots share. */
#pragma once

#include "auth/robot.h"
#include "internal.h"

str robot_prefix(struct ctx *ctx, const struct auth *auth);

/* Permissions and full name of `robot->row`. */
err_t robot_read(struct ctx *ctx, struct sql_tx *tx, const struct auth *auth, struct robot *robot);

/* A robot without secrets. `expires_at_s` is the caller's to set; fills id and creation. */
err_t robot_insert(struct ctx *ctx, struct sql_tx *tx, struct robot *robot);
err_t robot_write_permissions(struct ctx *ctx, struct sql_tx *tx, const struct robot *robot);

/* `wanted` when it may be one, else a new secret. */
err_t robot_secret_choose(struct ctx *ctx, str wanted, str *ret_secret);
struct robot_secret_row robot_secret_new_row(struct ctx *ctx, const struct auth *auth,
					     int64_t robot_id, str secret);
