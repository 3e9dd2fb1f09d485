/* SPDX-License-Identifier: Apache-2.0 */
/* handlers_tenant.h - as handlers.h: tenants. */
#pragma once

#include "api/request.h"

/* berth_tenant.c */
err_t berth_tenant_list(struct ctx *ctx, struct request *rq);
err_t berth_tenant_create(struct ctx *ctx, struct request *rq);
err_t berth_tenant_current(struct ctx *ctx, struct request *rq);
err_t berth_tenant_get(struct ctx *ctx, struct request *rq);
err_t berth_tenant_update(struct ctx *ctx, struct request *rq);
err_t berth_tenant_delete(struct ctx *ctx, struct request *rq);
err_t berth_tenant_host_add(struct ctx *ctx, struct request *rq);
err_t berth_tenant_host_remove(struct ctx *ctx, struct request *rq);
err_t berth_tenant_storage_update(struct ctx *ctx, struct request *rq);
err_t berth_tenant_storage_erase(struct ctx *ctx, struct request *rq);
err_t berth_tenant_admin_list(struct ctx *ctx, struct request *rq);
err_t berth_tenant_admin_add(struct ctx *ctx, struct request *rq);
err_t berth_tenant_admin_remove_user(struct ctx *ctx, struct request *rq);
err_t berth_tenant_admin_remove_group(struct ctx *ctx, struct request *rq);

/* berth_trash.c */
err_t berth_trash_list(struct ctx *ctx, struct request *rq);
err_t berth_trash_restore(struct ctx *ctx, struct request *rq);
err_t berth_trash_delete(struct ctx *ctx, struct request *rq);
err_t berth_trash_window_get(struct ctx *ctx, struct request *rq);
err_t berth_trash_window_put(struct ctx *ctx, struct request *rq);
