/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.h - what is written down of each request besides its answer: metrics, its trace, what its
 * thread does, and whether it was among the slowest.
 */
#pragma once

#include "api/request.h"

/* For each row of api_routes its METRIC_ROUTE_…. */
uint8_t *watch_route_labels(struct arena *arena);

/* At its begin, once its route is known (or that there is none), and behind its answer. */
void watch_begin(struct request *rq);
void watch_route(const struct request *rq);
void watch_end(struct request *rq, err_t err);

/* One that never began. */
void watch_refused(void);
/* A client that was sent to the storage's server for a blob. */
void watch_redirect(void);
/* One that a rate limit refused; `class` is an enum rate_class. */
void watch_limited(enum rate_who who, unsigned class);
