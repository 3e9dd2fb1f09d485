/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c - see watch.h. */
#include "api/watch.h"
#include "api/operations.h"
#include "base/clock.h"
#include "config/rates.h"
#include "observe/activity.h"
#include "observe/metric.h"
#include "observe/slow.h"
#include "observe/tracer.h"

#include <string.h>

#include "base/banned.h"

_Static_assert((int)METRIC_VALUES_METHOD == HTTP_METHOD_COUNT, "a method without a label");
_Static_assert((int)METRIC_VALUES_WHO == RATE_WHO_COUNT, "a limit without a label");
_Static_assert((int)METRIC_VALUES_CLASS == RATE_CLASS_COUNT, "a class without a label");

/* The first that a pattern holds is its class; those of the API stand below /api. */
static const struct {
	const char *part;
	enum metric_label_ROUTE label;
} parts[] = {
	{ "/api/berth/", METRIC_ROUTE_BERTH },
	{ "/api/", METRIC_ROUTE_HARBOR },
	{ "/manifests/", METRIC_ROUTE_MANIFEST },
	{ "/uploads", METRIC_ROUTE_UPLOAD },
	{ "/blobs/", METRIC_ROUTE_BLOB },
	{ "/tags/", METRIC_ROUTE_TAGS },
	{ "/referrers/", METRIC_ROUTE_REFERRERS },
	{ "/_catalog", METRIC_ROUTE_CATALOG },
	{ "/v2", METRIC_ROUTE_PING },
	{ "/service/", METRIC_ROUTE_TOKEN },
	{ "/c/", METRIC_ROUTE_PORTAL },
};

static enum metric_label_ROUTE label_of(const struct route *route)
{
	for (size_t i = 0; i < COUNT_OF(parts) && route->kind != ROUTE_SIGHT; i++)
		if (strstr(route->pattern, parts[i].part))
			return parts[i].label;
	return METRIC_ROUTE_SIGHT;
}

uint8_t *watch_route_labels(struct arena *arena)
{
	uint8_t *labels = ARENA_ARRAY(arena, uint8_t, api_route_count);
	for (size_t i = 0; i < api_route_count; i++)
		labels[i] = (uint8_t)label_of(&api_routes[i]);
	return labels;
}

/* The status the client saw, or that he did not see all of it. */
static enum metric_label_STATUS status_of(const struct request *rq, err_t err)
{
	int status = rq->x->status;
	bool whole = rq->x->answered && (err == OK || status == error_info(err)->status);
	return whole && status >= 100 && status < 600
		       ? (enum metric_label_STATUS)(METRIC_STATUS_1 + status / 100 - 1)
		       : METRIC_STATUS_CUT;
}

static void count(const struct request *rq, err_t err, int64_t took_ns)
{
	const struct exchange *x = rq->x;
	unsigned route =
		rq->route ? rq->api->route_labels[rq->route - api_routes] : METRIC_ROUTE_NONE;
	metric_add(METRIC_AT3(HTTP_REQUESTS, METRIC_VALUES_METHOD, METRIC_VALUES_STATUS, route,
			      x->head->method, status_of(rq, err)),
		   1);
	metric_time(METRIC_TIMES_AT1(HTTP_SECONDS, route), took_ns);
	if (x->received_bytes)
		metric_add(METRIC_AT1(HTTP_RECEIVED, route), x->received_bytes);
	if (x->sent_bytes)
		metric_add(METRIC_AT1(HTTP_SENT, route), x->sent_bytes);
}

void watch_refused(void)
{
	metric_add(METRIC_CELL_HTTP_REFUSED, 1);
}

void watch_limited(enum rate_who who, unsigned class)
{
	metric_add(METRIC_AT2(RATE_LIMITED, METRIC_VALUES_CLASS, who, class), 1);
}

void watch_redirect(void)
{
	metric_add(METRIC_CELL_BLOB_REDIRECTS, 1);
}

/* --- one request ------------------------------------------------------------------------------ */

static const char *pattern_of(const struct request *rq)
{
	return rq->route ? rq->route->pattern : "none";
}

void watch_begin(struct request *rq)
{
	struct tracer *tracer = rq->api->options.tracer;
	if (!tracer)
		return;
	rq->trace_parent = tracer_open(tracer, request_header(rq, STR("traceparent")),
				       request_header(rq, STR("tracestate")), &rq->trace);
	rq->x->ctx->trace = &rq->trace;
	str trace = trace_id_text(rq->x->ctx->arena, &rq->trace);
	rq->about[1] = (struct log_field)LOG_STR(trace.len ? "trace" : NULL, trace);
}

void watch_route(const struct request *rq)
{
	activity_begin(http_method_name(rq->x->head->method), pattern_of(rq), rq->x->began_ns);
}

void watch_end(struct request *rq, err_t err)
{
	const struct exchange *x = rq->x;
	int64_t now_ns = clock_now_ns(), took_ns = now_ns - x->began_ns;
	const char *method = http_method_name(x->head->method);
	const struct slow_about about = { .kind = method,
					  .what = x->head->path,
					  .request_id = x->ctx->request_id,
					  .status = x->status };
	const struct traced traced = { .method = method,
				       .route = pattern_of(rq),
				       .path = x->head->path,
				       .request_id = x->ctx->request_id,
				       .status = x->status,
				       .took_ns = took_ns };
	activity_end();
	count(rq, err, took_ns);
	operations_count(rq->api->operations, rq, took_ns);
	slow_note(&slow_requests, now_ns, took_ns, &about);
	if (!x->ctx->trace)
		return;
	tracer_close(rq->api->options.tracer, &rq->trace, rq->trace_parent, &traced);
	x->ctx->trace = NULL;
}
