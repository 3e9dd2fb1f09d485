/* SPDX-License-Identifier: Apache-2.0 */
/* syslog.c - see codec/syslog.h. */
#include "codec/syslog.h"

#include "base/clock.h"

#include "base/banned.h"

/* RFC 5424 §6 */
#define HOST_BYTES_MAX	  255
#define APP_BYTES_MAX	  48
#define PROCESS_BYTES_MAX 128
#define ID_BYTES_MAX	  32

static void write_field(struct buf *b, str text, size_t bytes_max)
{
	text = str_take(text, bytes_max);
	buf_add_byte(b, ' ');
	if (!text.len)
		buf_add_byte(b, '-');
	for (size_t i = 0; i < text.len; i++)
		buf_add_byte(b, text.ptr[i] > ' ' && text.ptr[i] < 0x7f ? text.ptr[i] : '?');
}

/* The length of the character that begins `text`; 0 when it is none. */
static size_t character_length(str text)
{
	for (size_t len = 1; len <= 4 && len <= text.len; len++)
		if (str_is_utf8(str_take(text, len)))
			return len;
	return 0;
}

static void write_value(struct buf *b, str text)
{
	while (text.len) {
		size_t len = character_length(text);
		unsigned char first = (unsigned char)text.ptr[0];
		if (!len)
			buf_add(b, STR("\xef\xbf\xbd"));
		else if (len == 1 && (first < ' ' || first == 0x7f))
			buf_add_byte(b, '?');
		else if (first == '"' || first == '\\' || first == ']')
			buf_printf(b, "\\%c", first);
		else
			buf_add(b, str_take(text, len));
		text = str_skip(text, len ? len : 1);
	}
}

static void write_data(struct buf *b, const struct syslog_message *message)
{
	buf_printf(b, " [%s", message->data_id);
	for (size_t i = 0; i < message->param_count; i++) {
		const struct syslog_param *param = &message->params[i];
		if (!param->value.len)
			continue;
		buf_printf(b, " %s=\"", param->name);
		write_value(b, param->value);
		buf_add_byte(b, '"');
	}
	buf_add_byte(b, ']');
}

void syslog_write(struct buf *b, const struct syslog_message *message)
{
	char time[CLOCK_RFC3339_MAX];
	unsigned facility = MIN(message->facility, (unsigned)SYSLOG_FACILITY_MAX);
	buf_printf(b, "<%u>1 ", facility * 8 + (unsigned)message->severity);
	buf_add(b, clock_rfc3339(message->time_us, time));
	write_field(b, message->host, HOST_BYTES_MAX);
	write_field(b, message->app, APP_BYTES_MAX);
	write_field(b, message->process, PROCESS_BYTES_MAX);
	write_field(b, message->id, ID_BYTES_MAX);
	write_data(b, message);
	if (message->msg.len) {
		buf_add_byte(b, ' ');
		buf_add(b, message->msg);
	}
}

void syslog_write_framed(struct buf *b, size_t bytes_max, const struct syslog_message *message)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(bytes_max);
	syslog_write(&text, message);
	b->overrun |= buf_overrun(&text);
	buf_add_u64(b, text.len);
	buf_add_byte(b, ' ');
	buf_add(b, buf_str(&text));
}

/* --- where to ------------------------------------------------------------------------------- */

static bool is_all(str text, const char *others)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool alphanumeric =
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!alphanumeric && !str_has_byte(str_from(others), c))
			return false;
	}
	return text.len > 0;
}

static bool is_host(str host)
{
	if (!str_has_prefix(host, STR("[")))
		return is_all(host, ".-_");
	return str_has_suffix(host, STR("]")) &&
	       is_all(str_take(str_skip(host, 1), host.len - 2), ":.");
}

bool syslog_endpoint_parse(str text, struct syslog_endpoint *ret)
{
	str host, port_text;
	uint64_t port;
	bool tls = str_has_prefix(text, STR("tls://"));
	if (text.len > SYSLOG_ENDPOINT_BYTES_MAX)
		return false;
	if (tls || str_has_prefix(text, STR("tcp://")))
		text = str_skip(text, 6);
	if (!str_cut_last(text, ':', &host, &port_text) || !is_host(host) ||
	    !str_to_u64(port_text, 65535, &port) || !port)
		return false;
	*ret = (struct syslog_endpoint){ .tls = tls, .authority = text };
	return true;
}
