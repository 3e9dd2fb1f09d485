/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span.h - a span as it waits in the queue, and many of them as the JSON of OTLP
 * (opentelemetry-proto 1.x, ExportTraceServiceRequest; ids in hex, 64-bit numbers as texts).
 */
#pragma once

#include "base/buf.h"

/* The numbers are OTLP's. */
enum span_kind { SPAN_INTERNAL = 1, SPAN_SERVER = 2, SPAN_CLIENT = 3, SPAN_CONSUMER = 5 };

/* Texts are cut to fit, and NUL-terminated. */
struct span {
	unsigned char trace[16];
	uint64_t id, parent;	    /* parent 0: none */
	int64_t began_ns, ended_ns; /* since 1970 */
	enum span_kind kind;
	bool failed;
	const char *error; /* a literal; NULL: none */
	char name[96];

	/* Of a request; empty: none. */
	int status;
	char method[16], route[96], path[160], request_id[65];

	/* Of a job's run; 0: none. */
	int64_t job, attempt;
	const char *result; /* a literal; NULL: none */
	int64_t left_out;   /* steps that have no spans, there being too many */

	/* Another span that this one has to do with; 0: none. */
	unsigned char linked_trace[16];
	uint64_t linked;
};

struct span_service {
	str name, instance;
	const char *version;
};

void span_write(struct buf *b, const struct span_service *service, const struct span *spans,
		size_t count);
