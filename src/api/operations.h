/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operations.h - requests counted as Harbor's core counts them: by method, status and operation,
 * which is what the description of Harbor's API calls a row of the route table (`operation` there),
 * `v2_…` for the distribution protocol, or `unknown`.
 *
 *	operations_count(api->operations, rq, took_ns);		per request, behind its answer
 *	operations_collect(api->operations, &samples);		when somebody scrapes
 *
 * The series follow from the route table and the list of statuses in operations.c, so no client can
 * make one more. Counting adds to words that threads seldom share (observe/metric.h); what was
 * never counted costs a page of nothing.
 *
 * A request whose client got no status is not counted, nor are metrics and probes, which Harbor
 * serves elsewhere.
 */
#pragma once

#include "api/request.h"
#include "observe/exposition.h"

struct operations *operations_new(void);
void operations_free(struct operations *operations);

void operations_count(struct operations *operations, const struct request *rq, int64_t took_ns);

void operations_collect(const struct operations *operations, struct samples *samples);
