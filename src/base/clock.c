/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - see clock.h. */
#include "base/clock.h"

#include "base/error.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/banned.h"

static int64_t read_clock_ns(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return now.tv_sec * CLOCK_S + now.tv_nsec;
}

int64_t clock_now_ns(void)
{
	return read_clock_ns(CLOCK_MONOTONIC);
}

#ifdef BERTH_FAULTS
static int64_t wrong_by_us;

static void read_wrong_by(void)
{
	const char *text = getenv("BERTH_FAULT_CLOCK_S");
	uint64_t seconds;
	if (!text)
		return;
	bool behind = text[0] == '-';
	bool clock_fault_is_valid = str_to_u64(str_from(text + behind), 86400, &seconds);
	CHECK(clock_fault_is_valid);
	wrong_by_us = (behind ? -1 : 1) * (int64_t)seconds * 1000000;
}

static int64_t wrong_by(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, read_wrong_by);
	return wrong_by_us;
}
#else
static int64_t wrong_by(void)
{
	return 0;
}
#endif

int64_t clock_wall_us(void)
{
	return read_clock_ns(CLOCK_REALTIME) / CLOCK_US + wrong_by();
}

static struct tm utc(int64_t wall_us)
{
	time_t seconds = wall_us / 1000000;
	struct tm fields;
	gmtime_r(&seconds, &fields);
	return fields;
}

str clock_rfc3339(int64_t wall_us, char into[CLOCK_RFC3339_MAX])
{
	struct tm t = utc(wall_us);
	size_t len = strftime(into, CLOCK_RFC3339_MAX, "%Y-%m-%dT%H:%M:%S", &t);
	len += (size_t)snprintf(into + len, CLOCK_RFC3339_MAX - len, ".%06uZ",
				(unsigned)(wall_us % 1000000) % 1000000u);
	return (str){ into, len };
}

str clock_http_date(int64_t wall_us, char into[CLOCK_HTTP_MAX])
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm t = utc(wall_us);
	int len = snprintf(into, CLOCK_HTTP_MAX, "%s, %02u %s %04u %02u:%02u:%02u GMT",
			   days[t.tm_wday], (unsigned)t.tm_mday % 100u, months[t.tm_mon],
			   (unsigned)(t.tm_year + 1900) % 10000u, (unsigned)t.tm_hour % 100u,
			   (unsigned)t.tm_min % 100u, (unsigned)t.tm_sec % 100u);
	return (str){ into, (size_t)len };
}
