/* SPDX-License-Identifier: Apache-2.0 */
/* handlers_robot.h - as handlers.h: robots, and whose word is taken in place of their secrets. */
#pragma once

#include "api/request.h"

/* berth_issuer.c */
err_t berth_issuer_list(struct ctx *ctx, struct request *rq);
err_t berth_issuer_create(struct ctx *ctx, struct request *rq);
err_t berth_issuer_get(struct ctx *ctx, struct request *rq);
err_t berth_issuer_update(struct ctx *ctx, struct request *rq);
err_t berth_issuer_delete(struct ctx *ctx, struct request *rq);
err_t berth_token_exchange(struct ctx *ctx, struct request *rq);

/* berth_binding.c */
err_t berth_binding_list(struct ctx *ctx, struct request *rq);
err_t berth_binding_create(struct ctx *ctx, struct request *rq);
err_t berth_binding_get(struct ctx *ctx, struct request *rq);
err_t berth_binding_update(struct ctx *ctx, struct request *rq);
err_t berth_binding_delete(struct ctx *ctx, struct request *rq);
err_t berth_certificate_list(struct ctx *ctx, struct request *rq);
err_t berth_certificate_create(struct ctx *ctx, struct request *rq);
err_t berth_certificate_get(struct ctx *ctx, struct request *rq);
err_t berth_certificate_update(struct ctx *ctx, struct request *rq);
err_t berth_certificate_delete(struct ctx *ctx, struct request *rq);

/* berth_robot.c */
err_t berth_robot_get(struct ctx *ctx, struct request *rq);
err_t berth_robot_secret_list(struct ctx *ctx, struct request *rq);
err_t berth_robot_secret_create(struct ctx *ctx, struct request *rq);
err_t berth_robot_secret_delete(struct ctx *ctx, struct request *rq);

/* harbor_robot.c */
err_t harbor_robot_list(struct ctx *ctx, struct request *rq);
err_t harbor_robot_create(struct ctx *ctx, struct request *rq);
err_t harbor_robot_get(struct ctx *ctx, struct request *rq);
err_t harbor_robot_update(struct ctx *ctx, struct request *rq);
err_t harbor_robot_refresh(struct ctx *ctx, struct request *rq);
err_t harbor_robot_delete(struct ctx *ctx, struct request *rq);
