/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - one line per event, as text for people or JSON for machines.
 *
 *	LOG(LOG_INFO, "listening", LOG_STR("address", addr), LOG_I64("workers", n));
 *
 * A line is written by one write(2) to standard error, so lines of threads never mix. Values are
 * escaped in both formats and cut at LOG_VALUE_MAX bytes; a field that does not fit into
 * LOG_LINE_MAX is left out. A function either logs or returns an error, not both.
 */
#pragma once

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define LOG_LINE_MAX  4096
#define LOG_VALUE_MAX 512

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_NOTICE };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log_field {
	const char *key; /* NULL ends the list and is skipped in the middle */
	enum { LOG_FIELD_STR, LOG_FIELD_I64 } kind;
	str text;
	int64_t number;
};

#define LOG_STR(key_, value_)                                                                      \
	{                                                                                          \
		(key_), LOG_FIELD_STR, (value_), 0                                                 \
	}
#define LOG_CSTR(key_, value_)                                                                     \
	{                                                                                          \
		(key_), LOG_FIELD_STR, str_from(value_), 0                                         \
	}
#define LOG_I64(key_, value_)                                                                      \
	{                                                                                          \
		(key_), LOG_FIELD_I64, STR_NONE, (int64_t)(value_)                                 \
	}

#define LOG(level_, message_, ...)                                                                 \
	do {                                                                                       \
		if (log_enabled(level_)) {                                                         \
			const struct log_field log_fields_[] = { __VA_ARGS__ __VA_OPT__(, ){       \
				NULL, LOG_FIELD_STR, STR_NONE, 0 } };                              \
			log_write(level_, message_, log_fields_, COUNT_OF(log_fields_));           \
		}                                                                                  \
	} while (0)

/*
 * What each line of this thread says besides, until it is set anew: whose work the thread does (the
 * id of a request, or of a job). The fields stay the caller's and live as long as they are set. A
 * line that has a field of the same key has its own one only. NULL, 0: nothing.
 */
void log_about(const struct log_field *fields, size_t count);

/* Process-wide; set once at start, before threads. The default is LOG_INFO as text. */
void log_setup(enum log_level level, enum log_format format);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *message, const struct log_field *fields,
	       size_t count);
