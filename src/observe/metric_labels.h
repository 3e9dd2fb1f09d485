/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metric_labels.h - the labels of counted metrics, and all values each of them can have.
 *
 * X(label, name, text). Lists that stand somewhere else too say where: their order is the same.
 */
#pragma once

#include "base/step.h"
#include "http/client.h"

/* X(label, text), and all of them. */
#define METRIC_LABEL_TABLE(X)                                                                      \
	X(ROUTE, "route")                                                                          \
	X(METHOD, "method")                                                                        \
	X(STATUS, "status")                                                                        \
	X(MODE, "mode")                                                                            \
	X(OPERATION, "operation")                                                                  \
	X(PURPOSE, "purpose")                                                                      \
	X(STEP, "step")                                                                            \
	X(WHO, "who")                                                                              \
	X(CLASS, "class")                                                                          \
	X(REASON, "reason")                                                                        \
	X(NONE, NULL)

#define METRIC_LABEL_VALUES_ROUTE(X)                                                               \
	X(ROUTE, MANIFEST, "manifest")                                                             \
	X(ROUTE, BLOB, "blob")                                                                     \
	X(ROUTE, UPLOAD, "upload")                                                                 \
	X(ROUTE, TAGS, "tags")                                                                     \
	X(ROUTE, REFERRERS, "referrers")                                                           \
	X(ROUTE, CATALOG, "catalog")                                                               \
	X(ROUTE, PING, "ping")                                                                     \
	X(ROUTE, TOKEN, "token")                                                                   \
	X(ROUTE, PORTAL, "portal")                                                                 \
	X(ROUTE, HARBOR, "harbor")                                                                 \
	X(ROUTE, BERTH, "berth")                                                                   \
	X(ROUTE, SIGHT, "sight")                                                                   \
	X(ROUTE, NONE, "none")

/* In the order of enum http_method. */
#define METRIC_LABEL_VALUES_METHOD(X)                                                              \
	X(METHOD, GET, "GET")                                                                      \
	X(METHOD, HEAD, "HEAD")                                                                    \
	X(METHOD, POST, "POST")                                                                    \
	X(METHOD, PUT, "PUT")                                                                      \
	X(METHOD, PATCH, "PATCH")                                                                  \
	X(METHOD, DELETE, "DELETE")                                                                \
	X(METHOD, OPTIONS, "OPTIONS")                                                              \
	X(METHOD, OTHER, "other")

/* `cut`: the answer was not finished. */
#define METRIC_LABEL_VALUES_STATUS(X)                                                              \
	X(STATUS, CUT, "cut")                                                                      \
	X(STATUS, 1, "1xx")                                                                        \
	X(STATUS, 2, "2xx")                                                                        \
	X(STATUS, 3, "3xx")                                                                        \
	X(STATUS, 4, "4xx")                                                                        \
	X(STATUS, 5, "5xx")

/* In the order of enum sql_mode. */
#define METRIC_LABEL_VALUES_MODE(X)                                                                \
	X(MODE, READ, "read")                                                                      \
	X(MODE, WRITE, "write")                                                                    \
	X(MODE, AHEAD, "ahead")                                                                    \
	X(MODE, RELAXED, "relaxed")

#define METRIC_LABEL_VALUES_OPERATION(X) STEP_STORAGE_TABLE(X, OPERATION)
#define METRIC_LABEL_VALUES_PURPOSE(X)	 CLIENT_PURPOSE_TABLE(X, PURPOSE)
#define METRIC_LABEL_VALUES_STEP(X)	 STEP_KIND_TABLE(X, STEP)

/* In the orders of enum rate_who (api/api.h) and enum rate_class (config/rates.h). */
#define METRIC_LABEL_VALUES_WHO(X)                                                                 \
	X(WHO, ADDRESS, "address")                                                                 \
	X(WHO, ANONYMOUS, "anonymous")                                                             \
	X(WHO, USER, "user")                                                                       \
	X(WHO, ROBOT, "robot")                                                                     \
	X(WHO, TENANT, "tenant")

#define METRIC_LABEL_VALUES_CLASS(X)                                                               \
	X(CLASS, PULL, "pull")                                                                     \
	X(CLASS, PUSH, "push")                                                                     \
	X(CLASS, LOGIN, "login")                                                                   \
	X(CLASS, READ, "read")                                                                     \
	X(CLASS, WRITE, "write")

/* Why a span was not passed on; `rejected`: out of a batch that was taken. */
#define METRIC_LABEL_VALUES_REASON(X)                                                              \
	X(REASON, FULL, "full")                                                                    \
	X(REASON, REFUSED, "refused")                                                              \
	X(REASON, REJECTED, "rejected")                                                            \
	X(REASON, UNREACHABLE, "unreachable")

#define METRIC_LABEL_VALUES_NONE(X) X(NONE, ONE, "")
