/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever the fields hold, a message has one head of printable ASCII, data whose quotes and
 * brackets close where they should, and well-formed UTF-8; and what parses as an endpoint is a host
 * and a port. */
#include "base/error.h"
#include "codec/syslog.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* The head up to the data, and what follows it. */
static str skip_head(str text)
{
	str piece;
	CHECK(str_has_prefix(text, STR("<110>1 ")));
	for (int field = 0; field < 6; field++) {
		CHECK(str_cut(text, ' ', &piece, &text) && piece.len);
		for (size_t i = 0; i < piece.len; i++)
			CHECK(piece.ptr[i] > ' ' && piece.ptr[i] < 0x7f);
	}
	return text;
}

/* Behind the bracket that closes the data. */
static str skip_data(str text)
{
	bool quoted = false;
	CHECK(str_has_prefix(text, STR("[audit@32473")));
	for (size_t i = 1; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		CHECK(c >= ' ' && c != 0x7f);
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (c == ']') {
			CHECK(!quoted);
			return str_skip(text, i + 1);
		}
	}
	CHECK(!"the data has no end");
	return text;
}

static void write(str a, str b)
{
	const struct syslog_param params[] = { { "a", a }, { "b", b } };
	const struct syslog_message message = {
		.facility = SYSLOG_FACILITY_LOG_AUDIT,
		.severity = SYSLOG_INFORMATIONAL,
		.time_us = (int64_t)a.len,
		.host = a,
		.app = b,
		.process = a,
		.id = b,
		.data_id = "audit@32473",
		.params = params,
		.param_count = COUNT_OF(params),
		.msg = STR("end"),
	};
	CLEANUP(buf_done) struct buf text = BUF_INIT(MIB(1));
	syslog_write(&text, &message);
	CHECK(!buf_overrun(&text) && str_is_utf8(buf_str(&text)));
	CHECK(str_eq(skip_data(skip_head(buf_str(&text))), STR(" end")));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	str text = { (const char *)bytes, MIN(len, KIB(16)) }, a = text, b = STR_NONE;
	struct syslog_endpoint endpoint;
	(void)str_cut(text, '|', &a, &b);
	write(a, b);
	if (syslog_endpoint_parse(text, &endpoint)) {
		CHECK(str_has_suffix(text, endpoint.authority) && endpoint.authority.len >= 3);
		CHECK(!str_has_byte(endpoint.authority, '/') &&
		      !str_has_byte(endpoint.authority, '@'));
	}
	return 0;
}
