/* SPDX-License-Identifier: Apache-2.0 */
/* Messages for syslog servers byte by byte, and the addresses of such servers. */
#include <criterion/criterion.h>
#include <string.h>

#include "codec/syslog.h"

static const struct syslog_message PLAIN = {
	.facility = SYSLOG_FACILITY_LOG_AUDIT,
	.severity = SYSLOG_INFORMATIONAL,
	.time_us = INT64_C(1767225845678901),
	.host = STR_INIT("node-1"),
	.app = STR_INIT("berth"),
	.process = STR_INIT("42"),
	.id = STR_INIT("create_project"),
	.data_id = "audit@32473",
	.msg = STR_INIT("{\"a\":1}"),
};

static void expect(const struct syslog_message *message, const char *wanted)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(8));
	syslog_write(&b, message);
	cr_assert(str_eq(buf_str(&b), str_from(wanted)), "is " STR_FMT, STR_ARG(buf_str(&b)));
}

Test(codec_syslog, a_plain_message)
{
	expect(&PLAIN, "<110>1 2026-01-01T00:04:05.678901Z node-1 berth 42 create_project "
		       "[audit@32473] {\"a\":1}");
}

Test(codec_syslog, priorities)
{
	struct syslog_message message = PLAIN;
	message.msg = STR_NONE;
	message.facility = 0;
	message.severity = SYSLOG_WARNING;
	expect(&message, "<4>1 2026-01-01T00:04:05.678901Z node-1 berth 42 create_project "
			 "[audit@32473]");
	message.facility = SYSLOG_FACILITY_MAX;
	message.severity = SYSLOG_NOTICE;
	expect(&message, "<189>1 2026-01-01T00:04:05.678901Z node-1 berth 42 create_project "
			 "[audit@32473]");
}

Test(codec_syslog, hostile_fields)
{
	const struct syslog_param params[] = {
		{ "quoted", STR("a\"b\\c]d[e") },
		{ "empty", STR_NONE },
		{ "lines", STR("a\nb\r\0c\x7f") },
		{ "bytes", STR("\xff\xc3\xa4\xc0\x80") },
	};
	struct syslog_message message = PLAIN;
	message.host = STR("a b\n\xc3\xa4");
	message.app = message.process = STR_NONE;
	message.id = STR("0123456789012345678901234567890123456789");
	message.params = params;
	message.param_count = COUNT_OF(params);
	expect(&message, "<110>1 2026-01-01T00:04:05.678901Z a?b??? - - "
			 "01234567890123456789012345678901 [audit@32473 "
			 "quoted=\"a\\\"b\\\\c\\]d[e\" lines=\"a?b??c?\" "
			 "bytes=\"\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\"] {\"a\":1}");
}

Test(codec_syslog, the_length_counts_bytes)
{
	CLEANUP(buf_done) struct buf plain = BUF_INIT(KIB(1)), framed = BUF_INIT(KIB(1));
	struct syslog_message message = PLAIN;
	message.msg = STR("\xc3\xa4\n");
	syslog_write(&plain, &message);
	syslog_write_framed(&framed, KIB(1), &message);
	str length, rest;
	uint64_t number;
	cr_assert(str_cut(buf_str(&framed), ' ', &length, &rest));
	cr_assert(str_to_u64(length, KIB(1), &number) && number == plain.len);
	cr_assert(str_eq(rest, buf_str(&plain)));
}

Test(codec_syslog, what_is_too_long_is_no_message)
{
	CLEANUP(buf_done) struct buf framed = BUF_INIT(KIB(1));
	syslog_write_framed(&framed, 64, &PLAIN);
	cr_assert(buf_overrun(&framed));
}

static const struct {
	const char *text, *authority;
	bool tls;
} endpoints[] = {
	{ "logs.example.com:514", "logs.example.com:514", false },
	{ "tcp://192.0.2.1:1", "192.0.2.1:1", false },
	{ "tls://logs_1.example-2.com:65535", "logs_1.example-2.com:65535", true },
	{ "[2001:db8::1]:514", "[2001:db8::1]:514", false },
	{ "tls://[::ffff:192.0.2.1]:514", "[::ffff:192.0.2.1]:514", true },
	{ "", NULL, false },
	{ "host", NULL, false },
	{ ":514", NULL, false },
	{ "host:", NULL, false },
	{ "host:0", NULL, false },
	{ "host:65536", NULL, false },
	{ "host:-1", NULL, false },
	{ "udp://host:514", NULL, false },
	{ "tls://", NULL, false },
	{ "tls://tcp://host:514", NULL, false },
	{ "user@host:514", NULL, false },
	{ "host/path:514", NULL, false },
	{ "a b:514", NULL, false },
	{ "host:514 ", NULL, false },
	{ "2001:db8::1:514", NULL, false },
	{ "[]:514", NULL, false },
	{ "[:514", NULL, false },
	{ "[::1:514", NULL, false },
	{ "[fe80::1%25eth0]:514", NULL, false },
};

Test(codec_syslog, endpoints)
{
	for (size_t i = 0; i < COUNT_OF(endpoints); i++) {
		struct syslog_endpoint endpoint;
		bool fine = syslog_endpoint_parse(str_from(endpoints[i].text), &endpoint);
		cr_assert_eq(fine, endpoints[i].authority != NULL, "%s", endpoints[i].text);
		if (!fine)
			continue;
		cr_assert(str_eq(endpoint.authority, str_from(endpoints[i].authority)));
		cr_assert_eq(endpoint.tls, endpoints[i].tls);
	}
	static char long_name[SYSLOG_ENDPOINT_BYTES_MAX + 8];
	struct syslog_endpoint endpoint;
	memset(long_name, 'a', sizeof long_name);
	memcpy(long_name + sizeof long_name - 4, ":514", 4);
	cr_assert(!syslog_endpoint_parse((str){ long_name, sizeof long_name }, &endpoint));
}
