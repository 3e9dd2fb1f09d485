/* SPDX-License-Identifier: Apache-2.0 */
/* handlers_webhook.h - handlers of webhooks: harbor_webhook.c and berth_webhook.c. */
#pragma once

#include "api/request.h"

err_t harbor_webhook_create(struct ctx *ctx, struct request *rq);
err_t harbor_webhook_get(struct ctx *ctx, struct request *rq);
err_t harbor_webhook_update(struct ctx *ctx, struct request *rq);
err_t harbor_webhook_delete(struct ctx *ctx, struct request *rq);
err_t harbor_webhook_list(struct ctx *ctx, struct request *rq);
err_t harbor_webhook_events(struct ctx *ctx, struct request *rq);
err_t harbor_webhook_executions(struct ctx *ctx, struct request *rq);
err_t harbor_webhook_jobs(struct ctx *ctx, struct request *rq);
err_t harbor_webhook_tasks(struct ctx *ctx, struct request *rq);
err_t harbor_webhook_log(struct ctx *ctx, struct request *rq);
err_t harbor_webhook_last(struct ctx *ctx, struct request *rq);

err_t berth_webhook_deliveries(struct ctx *ctx, struct request *rq);
err_t berth_webhook_delivery(struct ctx *ctx, struct request *rq);
err_t berth_webhook_redeliver(struct ctx *ctx, struct request *rq);
err_t berth_webhook_ping(struct ctx *ctx, struct request *rq);
