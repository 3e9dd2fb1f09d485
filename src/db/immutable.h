/* SPDX-License-Identifier: Apache-2.0 */
/* immutable.h - the rules of a project by which tags may not move or go (model/immutable.h). */
#pragma once

#include "model/immutable.h"
#include "sql/sql.h"

/* In the order in which they were made. */
err_t db_immutable_list(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
			struct immutable_rule **ret, size_t *ret_count);

/* Nobody else changes the project's rules before the transaction ends. ERR_ABSENT when the project
 * is gone. */
err_t db_immutable_hold(struct ctx *ctx, struct sql_tx *tx, int64_t project_id);

err_t db_immutable_insert(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
			  const struct immutable_rule *rule, int64_t *ret_id);
/* ERR_ABSENT when the project has no such rule. */
err_t db_immutable_update(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
			  const struct immutable_rule *rule);
err_t db_immutable_delete(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, int64_t id);
err_t db_immutable_delete_all(struct ctx *ctx, struct sql_tx *tx, int64_t project_id);
