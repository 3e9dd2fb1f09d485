/* SPDX-License-Identifier: Apache-2.0 */
/* json_writer.c - see json_writer.h. */
#include "codec/json_writer.h"

#include "base/error.h"
#include "base/json_escape.h"

#include "base/banned.h"

/* What stands before a value: a comma where one is due, and its name. */
static void before_value(struct json_writer *w, const char *key)
{
	if (key)
		json_write_key(w, str_from(key));
	if (w->comma)
		buf_add_byte(w->buf, ',');
	w->comma = true;
}

void json_write_key(struct json_writer *w, str key)
{
	if (w->comma)
		buf_add_byte(w->buf, ',');
	json_escape(w->buf, key);
	buf_add_byte(w->buf, ':');
	w->comma = false;
}

static void begin(struct json_writer *w, const char *key, char bracket)
{
	before_value(w, key);
	buf_add_byte(w->buf, bracket);
	w->comma = false;
	w->depth++;
}

static void end(struct json_writer *w, char bracket)
{
	CHECK(w->depth > 0);
	buf_add_byte(w->buf, bracket);
	w->comma = true;
	w->depth--;
}

void json_write_object_begin(struct json_writer *w, const char *key)
{
	begin(w, key, '{');
}

void json_write_object_end(struct json_writer *w)
{
	end(w, '}');
}

void json_write_array_begin(struct json_writer *w, const char *key)
{
	begin(w, key, '[');
}

void json_write_array_end(struct json_writer *w)
{
	end(w, ']');
}

void json_write_str(struct json_writer *w, const char *key, str value)
{
	before_value(w, key);
	json_escape(w->buf, value);
}

void json_write_i64(struct json_writer *w, const char *key, int64_t value)
{
	before_value(w, key);
	if (value < 0)
		buf_add_byte(w->buf, '-');
	buf_add_u64(w->buf, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void json_write_bool(struct json_writer *w, const char *key, bool value)
{
	json_write_raw(w, key, value ? STR("true") : STR("false"));
}

void json_write_null(struct json_writer *w, const char *key)
{
	json_write_raw(w, key, STR("null"));
}

void json_write_raw(struct json_writer *w, const char *key, str json)
{
	before_value(w, key);
	buf_add(w->buf, json);
}
