/* SPDX-License-Identifier: Apache-2.0 */
/* handlers_retention.h - as handlers.h: what goes by itself, and what does not. */
#pragma once

#include "api/answer.h"

/* harbor_retention.c */
err_t harbor_retention_metadata(struct ctx *ctx, struct request *rq);
err_t harbor_retention_create(struct ctx *ctx, struct request *rq);
err_t harbor_retention_get(struct ctx *ctx, struct request *rq);
err_t harbor_retention_update(struct ctx *ctx, struct request *rq);
err_t harbor_retention_delete(struct ctx *ctx, struct request *rq);
err_t harbor_retention_execute(struct ctx *ctx, struct request *rq);
err_t harbor_retention_executions(struct ctx *ctx, struct request *rq);
err_t harbor_retention_operate(struct ctx *ctx, struct request *rq);
err_t harbor_retention_tasks(struct ctx *ctx, struct request *rq);
err_t harbor_retention_task_log(struct ctx *ctx, struct request *rq);

/* berth_retention.c */
err_t berth_retention_get(struct ctx *ctx, struct request *rq);
err_t berth_retention_put(struct ctx *ctx, struct request *rq);
err_t berth_retention_delete(struct ctx *ctx, struct request *rq);
err_t berth_retention_preview(struct ctx *ctx, struct request *rq);
err_t berth_retention_start(struct ctx *ctx, struct request *rq);
err_t berth_retention_runs(struct ctx *ctx, struct request *rq);
err_t berth_retention_run(struct ctx *ctx, struct request *rq);
err_t berth_retention_stop(struct ctx *ctx, struct request *rq);
err_t berth_retention_lines(struct ctx *ctx, struct request *rq);
err_t berth_expiry_list(struct ctx *ctx, struct request *rq);

/* berth_inventory.c */
err_t berth_inventory_list(struct ctx *ctx, struct request *rq);
err_t berth_inventory_report(struct ctx *ctx, struct request *rq);
err_t berth_inventory_delete(struct ctx *ctx, struct request *rq);
