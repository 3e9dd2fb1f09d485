/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - the two times there are: monotonic for deadlines, UTC for what people see and rows
 * keep.
 *
 * In builds with fault points (os/fault.h) BERTH_FAULT_CLOCK_S says by how many seconds the second
 * one is wrong, as the clocks of nodes may be; negative: behind.
 */
#pragma once

#include "base/str.h"

#include <stdint.h>

#define CLOCK_US INT64_C(1000)
#define CLOCK_MS INT64_C(1000000)
#define CLOCK_S	 INT64_C(1000000000)

int64_t clock_now_ns(void);  /* monotonic; for deadlines and durations */
int64_t clock_wall_us(void); /* microseconds since 1970 UTC; what rows store */

/* Formats into the caller's array and returns a view of it. */
#define CLOCK_RFC3339_MAX 32
#define CLOCK_HTTP_MAX	  32
str clock_rfc3339(int64_t wall_us, char into[CLOCK_RFC3339_MAX]); /* 2026-01-02T03:04:05.678901Z */
str clock_http_date(int64_t wall_us, char into[CLOCK_HTTP_MAX]);  /* RFC 9110 §5.6.7 IMF-fixdate */
