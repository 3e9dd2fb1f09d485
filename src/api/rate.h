/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate.h - rate limits: by address before anybody is asked who he is, then by user, robot or
 * stranger at an address, and by tenant; for each class of routes (config/rates.h).
 *
 * What is over its limit is ERR_TOO_MANY_REQUESTS with Retry-After, and nothing of it is done. What
 * has begun is never cut off: an upload's session and the bytes of an answer are not counted, and
 * neither is what watches over a server (health, ping).
 *
 * Every answer says where its asker stands: RateLimit-Policy and RateLimit
 * (draft-ietf-httpapi-ratelimit-headers-10) with each limit that applied, and for older clients
 * RateLimit-Limit, -Remaining and -Reset with the tightest.
 *
 * Buckets are in memory (base/rate.h), of this node, and gone with it.
 */
#pragma once

#include "api/request.h"

struct rate_limits *rate_limits_new(const str texts[RATE_WHO_COUNT]); /* NULL when there are none */
void rate_limits_free(struct rate_limits *limits);

/* Once the route is known. */
err_t rate_check_address(struct ctx *ctx, struct request *rq);

/* Once the identity is known; adds the headers. */
err_t rate_check_identity(struct ctx *ctx, struct request *rq);

/* Adds the headers for what was taken. */
void rate_headers(struct request *rq);
