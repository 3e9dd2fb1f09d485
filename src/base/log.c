/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - see log.h. The level is the only process-wide state in base besides the hash key. */
#include "base/log.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json_escape.h"

#include <unistd.h>

#include "base/banned.h"

static enum log_level log_level = LOG_INFO;
static enum log_format log_format = LOG_FORMAT_TEXT;

static const char *const level_names[] = { "debug", "info", "warn", "error", "notice" };

void log_setup(enum log_level level, enum log_format format)
{
	log_level = level;
	log_format = format;
}

bool log_enabled(enum log_level level)
{
	return level >= log_level;
}

static __thread struct {
	const struct log_field *fields;
	size_t count;
} about;

void log_about(const struct log_field *fields, size_t count)
{
	about.fields = fields;
	about.count = count;
}

static bool is_plain(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] == '"' || s.ptr[i] == '=' || s.ptr[i] == '\\' ||
		    (unsigned char)s.ptr[i] >= 0x7f)
			return false;
	return s.len > 0;
}

static void add_text_value(struct buf *line, str value)
{
	if (is_plain(value))
		buf_add(line, value);
	else
		json_escape(line, value);
}

static void add_field(struct buf *line, const struct log_field *field)
{
	bool json = log_format == LOG_FORMAT_JSON;
	if (json)
		buf_printf(line, ",\"%s\":", field->key);
	else
		buf_printf(line, " %s=", field->key);

	if (field->kind == LOG_FIELD_I64)
		buf_printf(line, "%lld", (long long)field->number);
	else if (json)
		json_escape(line, str_take(field->text, LOG_VALUE_MAX));
	else
		add_text_value(line, str_take(field->text, LOG_VALUE_MAX));
}

/* A field that does not fit is left out as a whole: half of one would spoil the line's JSON. */
static void add_fitting_field(struct buf *line, const struct log_field *field)
{
	size_t before = line->len;
	add_field(line, field);
	if (buf_overrun(line)) {
		line->len = before;
		line->overrun = false;
	}
}

static bool has_key(const struct log_field *fields, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (fields[i].key && str_eq(str_from(fields[i].key), str_from(key)))
			return true;
	return false;
}

static void add_about(struct buf *line, const struct log_field *fields, size_t count)
{
	for (size_t i = 0; i < about.count; i++)
		if (about.fields[i].key && !has_key(fields, count, about.fields[i].key))
			add_fitting_field(line, &about.fields[i]);
}

void log_write(enum log_level level, const char *message, const struct log_field *fields,
	       size_t count)
{
	str end = log_format == LOG_FORMAT_JSON ? STR("}\n") : STR("\n");
	CLEANUP(buf_done) struct buf line = BUF_INIT(LOG_LINE_MAX - end.len);
	char now[CLOCK_RFC3339_MAX];
	str time = clock_rfc3339(clock_wall_us(), now);

	if (log_format == LOG_FORMAT_JSON) {
		buf_printf(&line,
			   "{\"time\":\"" STR_FMT "\",\"level\":\"%s\",\"message\":", STR_ARG(time),
			   level_names[level]);
		json_escape(&line, str_from(message));
	} else {
		buf_printf(&line, STR_FMT " %-5s %s", STR_ARG(time), level_names[level], message);
	}
	for (size_t i = 0; i < count; i++)
		if (fields[i].key)
			add_fitting_field(&line, &fields[i]);
	add_about(&line, fields, count);

	line.max += end.len;
	buf_add(&line, end);
	ssize_t written = write(STDERR_FILENO, line.ptr, line.len);
	(void)written; /* nowhere to report it */
}
