/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_query.h - which records of the audit trail a request asks for, and which of them the asker
 * may see: for Harbor's lists and for our own.
 *
 * Whoever may list the audit log of the system sees all of it, or all of his tenant's; others see
 * that of the projects whose log they may list. In `q` (codec/harbor_query.h) these keys count:
 * username, operation, resource, resource_type, digest, address, request_id (exact, ~contains, or
 * {one of}), op_time (a range), project_id, operation_result (true, false), result (allowed,
 * denied, failed). Others are ignored, as everywhere.
 */
#pragma once

#include "api/harbor.h"
#include "notify/audit_search.h"

struct audit_query {
	struct list list;
	struct audit_filter *filters;
	struct audit_search search; /* by those filters; its page is the list's */
};

/* Everything the asker may see. */
err_t audit_query_all(struct ctx *ctx, struct request *rq, struct audit_query *ret);

/* What concerns the project of the route. */
err_t audit_query_project(struct ctx *ctx, struct request *rq, struct audit_query *ret);

/* Only what was allowed and done. */
void audit_query_successes(struct audit_query *query);
