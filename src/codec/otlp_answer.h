/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_answer.h - what a collector says of a batch of spans that it took (opentelemetry-proto 1.x,
 * ExportTraceServiceResponse, in the JSON that goes with a request in JSON): that it rejected some
 * of them, or a warning.
 *
 *	{"partialSuccess": {"rejectedSpans": "3", "errorMessage": "too old"}}
 *
 * 64-bit numbers are texts there, and numbers with some collectors. An empty answer, an empty
 * object and no partialSuccess all say that everything was taken.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"

#define OTLP_MESSAGE_MAX 200

struct otlp_answer {
	uint64_t rejected_spans;
	str message; /* at most OTLP_MESSAGE_MAX bytes, cut; empty: none */
};

/* Strs are in the arena. False, with a reason there, for what is no such answer. */
bool otlp_answer_parse(struct arena *arena, str json, struct otlp_answer *ret, str *ret_problem);
