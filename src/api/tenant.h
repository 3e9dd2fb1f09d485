/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenant.h - the tenant of a request, in three steps: what the host says, whether who asks counts
 * there, and what the tenant's state lets happen.
 *
 * System administrators and auditors are of the default tenant, and act in each by its host.
 * Everybody else counts in his own only: elsewhere he is as unknown as his name is
 * (ERR_UNAUTHORIZED). On a host of no tenant the credentials select one.
 */
#pragma once

#include "api/request.h"

/* By the host; sets ctx->tenant_id and ctx->tenant_fixed. For the dispatcher, before it asks who
 * asks. */
err_t tenant_begin(struct ctx *ctx, struct request *rq);

/* Once `rq->who` is filled. ERR_UNAUTHORIZED. */
err_t tenant_settle(struct ctx *ctx, struct request *rq);

/* ERR_TENANT_SUSPENDED for everybody but system administrators; and ERR_TENANT_READ_ONLY for what
 * changes something. */
err_t tenant_check_suspended(struct ctx *ctx, const struct request *rq);
err_t tenant_check_read_only(struct ctx *ctx, const struct request *rq);

/* Strangers may make accounts for themselves here: the default tenant's, where the system's setting
 * says so. Another tenant's people are its administrators' and its providers' to let in. */
bool tenant_is_open(const struct request *rq);
