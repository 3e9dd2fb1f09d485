/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_writer.h - JSON text built into a buf, with commas and escapes done by the writer.
 *
 * Every call takes the member's name, or NULL inside an array and at the top:
 *
 *	struct json_writer w = JSON_WRITER(&body);
 *	json_write_object_begin(&w, NULL);
 *	json_write_str(&w, "name", name);
 *	json_write_array_begin(&w, "tags");
 *	json_write_str(&w, NULL, tag);
 *	json_write_array_end(&w);
 *	json_write_object_end(&w);
 *
 * An overrun is the buf's: ask buf_overrun once at the end. Ending what was not begun ends the
 * process.
 */
#pragma once

#include "base/buf.h"

struct json_writer {
	struct buf *buf;
	unsigned depth;
	bool comma; /* a value stands before what comes next */
};

#define JSON_WRITER(buf_)                                                                          \
	{                                                                                          \
		.buf = (buf_)                                                                      \
	}

void json_write_object_begin(struct json_writer *w, const char *key);
void json_write_object_end(struct json_writer *w);
void json_write_array_begin(struct json_writer *w, const char *key);
void json_write_array_end(struct json_writer *w);

void json_write_str(struct json_writer *w, const char *key, str value);
void json_write_i64(struct json_writer *w, const char *key, int64_t value);
void json_write_bool(struct json_writer *w, const char *key, bool value);
void json_write_null(struct json_writer *w, const char *key);

/* `json` is one complete value, trusted to be well-formed. */
void json_write_raw(struct json_writer *w, const char *key, str json);

/* A key that is data; the value follows by a call with NULL. */
void json_write_key(struct json_writer *w, str key);
