/* SPDX-License-Identifier: Apache-2.0 */
/* handlers_system.h - the part of handlers.h about the system as a whole. */
#pragma once

#include "api/answer.h"

/* harbor_configuration.c */
err_t harbor_configuration_get(struct ctx *ctx, struct request *rq);
err_t harbor_configuration_get_internal(struct ctx *ctx, struct request *rq);
err_t harbor_configuration_put(struct ctx *ctx, struct request *rq);

/* harbor_quota.c */
err_t harbor_quota_list(struct ctx *ctx, struct request *rq);
err_t harbor_quota_get(struct ctx *ctx, struct request *rq);
err_t harbor_quota_update(struct ctx *ctx, struct request *rq);

/* berth_quota.c */
err_t berth_project_quota_get(struct ctx *ctx, struct request *rq);
err_t berth_project_quota_update(struct ctx *ctx, struct request *rq);
err_t berth_tenant_quota_get(struct ctx *ctx, struct request *rq);
err_t berth_tenant_quota_update(struct ctx *ctx, struct request *rq);
err_t berth_quota_recount(struct ctx *ctx, struct request *rq);

/* harbor_cve_allowlist.c */
err_t harbor_cve_allowlist_get(struct ctx *ctx, struct request *rq);
err_t harbor_cve_allowlist_put(struct ctx *ctx, struct request *rq);

/* harbor_immutable.c */
err_t harbor_immutable_list(struct ctx *ctx, struct request *rq);
err_t harbor_immutable_create(struct ctx *ctx, struct request *rq);
err_t harbor_immutable_update(struct ctx *ctx, struct request *rq);
err_t harbor_immutable_delete(struct ctx *ctx, struct request *rq);

/* berth_tag.c */
err_t berth_tag_history(struct ctx *ctx, struct request *rq);
err_t berth_tag_revert(struct ctx *ctx, struct request *rq);

/* harbor_gc.c */
err_t berth_gc_items(struct ctx *ctx, struct request *rq);

/* harbor_job.c */
err_t harbor_pool_list(struct ctx *ctx, struct request *rq);
err_t harbor_worker_list(struct ctx *ctx, struct request *rq);
err_t harbor_job_stop(struct ctx *ctx, struct request *rq);
err_t harbor_job_log(struct ctx *ctx, struct request *rq);
err_t harbor_queue_list(struct ctx *ctx, struct request *rq);
err_t harbor_queue_act(struct ctx *ctx, struct request *rq);
err_t harbor_schedule_list(struct ctx *ctx, struct request *rq);
err_t harbor_schedule_paused(struct ctx *ctx, struct request *rq);

/* harbor_ldap.c */
err_t harbor_ldap_ping(struct ctx *ctx, struct request *rq);
err_t harbor_ldap_user_search(struct ctx *ctx, struct request *rq);
err_t harbor_ldap_user_import(struct ctx *ctx, struct request *rq);
err_t harbor_ldap_group_search(struct ctx *ctx, struct request *rq);

/* harbor_system.c */
err_t harbor_version_get(struct ctx *ctx, struct request *rq);
err_t harbor_systeminfo_get(struct ctx *ctx, struct request *rq);
err_t harbor_volumes_get(struct ctx *ctx, struct request *rq);
err_t harbor_ca_get(struct ctx *ctx, struct request *rq);
err_t harbor_health_get(struct ctx *ctx, struct request *rq);

/* debug.c */
err_t debug_get(struct ctx *ctx, struct request *rq);

/* metrics.c */
err_t metrics_get(struct ctx *ctx, struct request *rq);

/* probe.c */
err_t probe_live(struct ctx *ctx, struct request *rq);
err_t probe_ready(struct ctx *ctx, struct request *rq);
