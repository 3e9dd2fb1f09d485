/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traceparent.h - which trace a request belongs to, as W3C Trace Context writes it.
 *
 *	traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 *
 * version, trace, span of who asks, flags. Of a version we do not know, what we know of it counts
 * (§3.2.3); an id of zeros, upper case and version ff are refused.
 */
#pragma once

#include "base/arena.h"

#define TRACE_ID_BYTES	   16
#define TRACEPARENT_LEN	   55
#define TRACESTATE_LEN_MAX 512 /* §3.3.1.5: what everybody must pass on */

/* What a piece of work carries with it (ctx->trace) while it is recorded. */
struct trace {
	unsigned char id[TRACE_ID_BYTES];
	uint64_t span; /* the one that is running */
	uint64_t root; /* the one of all of the work */
	bool sampled;
	str state;		/* tracestate, passed on as it came; empty: none */
	const struct trace *by; /* what does this piece of it, another time: linked; NULL: itself */
	/* Steps that were recorded, and those that were not because of the bound; 0: no bound. */
	unsigned steps, steps_max, steps_left_out;
};

/* False, and nothing set, for what is none. Sets all but the state. */
bool traceparent_parse(str header, struct trace *ret);

/* Writes the header's value and returns it. */
str traceparent_format(const struct trace *trace, char into[TRACEPARENT_LEN + 1]);

/* The same of all of the work, for what goes on after it; empty when `trace` is NULL. */
str traceparent_of_all(const struct trace *trace, char into[TRACEPARENT_LEN + 1]);

/* Its id in hex, for log lines; empty when it is recorded nowhere, or NULL. */
str trace_id_text(struct arena *arena, const struct trace *trace);

/* Whether a tracestate may be passed on: printable, not too long. */
bool tracestate_is_valid(str header);
