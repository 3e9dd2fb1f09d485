/* SPDX-License-Identifier: Apache-2.0 */
/* operations.c - see operations.h. */
#include "api/operations.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define OPERATION_UNKNOWN "unknown"
#define SERIES_MAX	  1024

/* What a client can get; the last is for what is none of these. */
static const char *const statuses[] = {
	"200", "201", "202", "204", "206", "301", "302", "303", "304", "307", "308", "400",
	"401", "403", "404", "405", "408", "409", "410", "411", "412", "413", "414", "415",
	"416", "417", "422", "429", "431", "500", "501", "502", "503", "505", "507", "other",
};
#define STATUS_OTHER (COUNT_OF(statuses) - 1)

/* Cells of a series: its statuses, and how long all of them took. */
#define TIME_CELL COUNT_OF(statuses)
#define CELLS	  (COUNT_OF(statuses) + 1)

struct series {
	const char *operation;
	enum http_method method;
};

struct operations {
	struct series series[SERIES_MAX];
	size_t count;
	uint16_t *of_route;				/* of each row; of its HEAD: one more */
	uint16_t of_none[HTTP_METHOD_COUNT];		/* no route at all */
	uint8_t of_status[600];				/* index of statuses */
	_Atomic(uint64_t) (*cells)[SERIES_MAX * CELLS]; /* METRIC_SHARDS times */
};

static uint16_t series_of(struct operations *operations, const char *operation,
			  enum http_method method)
{
	for (size_t i = 0; i < operations->count; i++)
		if (operations->series[i].method == method &&
		    strcmp(operations->series[i].operation, operation) == 0)
			return (uint16_t)i;
	CHECK(operations->count < SERIES_MAX);
	operations->series[operations->count] = (struct series){ operation, method };
	return (uint16_t)operations->count++;
}

static void index_routes(struct operations *operations)
{
	for (size_t i = 0; i < api_route_count; i++) {
		const struct route *route = &api_routes[i];
		const char *name = route->operation ? route->operation : OPERATION_UNKNOWN;
		operations->of_route[2 * i] = series_of(operations, name, route->method);
		operations->of_route[2 * i + 1] = series_of(operations, name, HTTP_HEAD);
	}
	for (enum http_method method = 0; method < HTTP_METHOD_COUNT; method++)
		operations->of_none[method] = series_of(operations, OPERATION_UNKNOWN, method);
}

static void index_statuses(struct operations *operations)
{
	memset(operations->of_status, STATUS_OTHER, sizeof operations->of_status);
	for (size_t i = 0; i < STATUS_OTHER; i++) {
		uint64_t status;
		CHECK(str_to_u64(str_from(statuses[i]), 599, &status));
		operations->of_status[status] = (uint8_t)i;
	}
}

struct operations *operations_new(void)
{
	struct operations *operations = calloc(1, sizeof *operations);
	CHECK(operations);
	operations->of_route = calloc(2 * api_route_count, sizeof *operations->of_route);
	operations->cells = calloc(METRIC_SHARDS, sizeof *operations->cells);
	CHECK(operations->of_route && operations->cells);
	index_routes(operations);
	index_statuses(operations);
	return operations;
}

void operations_free(struct operations *operations)
{
	if (!operations)
		return;
	free(operations->of_route);
	free(operations->cells);
	free(operations);
}

/* --- counting --------------------------------------------------------------------------------- */

static size_t series_of_request(const struct operations *operations, const struct request *rq)
{
	enum http_method method = rq->x->head->method;
	if (!rq->route)
		return operations->of_none[method];
	return operations->of_route[2 * (size_t)(rq->route - api_routes) + (method == HTTP_HEAD)];
}

void operations_count(struct operations *operations, const struct request *rq, int64_t took_ns)
{
	int status = rq->x->status;
	if (!rq->x->answered || (rq->route && rq->route->kind == ROUTE_SIGHT))
		return;
	bool known = status >= 0 && (size_t)status < COUNT_OF(operations->of_status);
	_Atomic(uint64_t) *cells =
		operations->cells[metric_shard()] + CELLS * series_of_request(operations, rq);
	atomic_fetch_add_explicit(&cells[known ? operations->of_status[status] : STATUS_OTHER], 1,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&cells[TIME_CELL], (uint64_t)MAX(took_ns, 0),
				  memory_order_relaxed);
}

/* --- reading ---------------------------------------------------------------------------------- */

static uint64_t read_cell(const struct operations *operations, size_t series, size_t cell)
{
	uint64_t sum = 0;
	for (size_t shard = 0; shard < METRIC_SHARDS; shard++)
		sum += atomic_load_explicit(&operations->cells[shard][series * CELLS + cell],
					    memory_order_relaxed);
	return sum;
}

void operations_collect(const struct operations *operations, struct samples *samples)
{
	for (size_t i = 0; i < operations->count; i++) {
		uint64_t all = 0;
		str method = str_from(http_method_name(operations->series[i].method));
		str operation = str_from(operations->series[i].operation);
		for (size_t status = 0; status < COUNT_OF(statuses); status++) {
			uint64_t count = read_cell(operations, i, status);
			all += count;
			if (count)
				samples_put(samples,
					    &(struct sample){
						    .id = METRIC_ID_OPERATIONS,
						    .labels = { method, str_from(statuses[status]),
								operation },
						    .value = (int64_t)count });
		}
		if (all)
			samples_put(samples, &(struct sample){ .id = METRIC_ID_OPERATION_SECONDS,
							       .labels = { method, operation },
							       .value = (int64_t)read_cell(
								       operations, i, TIME_CELL),
							       .count = all });
	}
}
