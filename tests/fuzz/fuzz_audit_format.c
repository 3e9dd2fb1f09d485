/* SPDX-License-Identifier: Apache-2.0 */
/* A record of strangers' bytes is one JSON object as a CloudEvent and as CADF, and one framed
 * message as syslog. */
#include "codec/json.h"
#include "notify/audit_format.h"
#include "notify/audit_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct audit_sender sender = { .source = STR_INIT("berth://node"),
					    .host = STR_INIT("node"),
					    .process = STR_INIT("1") };

static void check_json(struct ctx *ctx, audit_format *format, const struct audit_row *row)
{
	static const struct json_limits limits = { .depth_max = 32, .values_max = 65536 };
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	CLEANUP(buf_done) struct buf b = BUF_INIT(AUDIT_FORMAT_BYTES_MAX);
	struct json_problem problem;
	format(ctx, &b, &sender, row, STR("1"));
	CHECK(!buf_overrun(&b));
	CHECK(json_parse(buf_str(&b), limits, &doc, &problem) && json_value_is_object(doc.root));
}

static void check_syslog(struct ctx *ctx, const struct audit_row *row)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(AUDIT_FORMAT_BYTES_MAX);
	str length, message;
	uint64_t number;
	audit_format_syslog(ctx, &b, &sender, row, STR("1"));
	CHECK(!buf_overrun(&b) && str_cut(buf_str(&b), ' ', &length, &message));
	CHECK(str_to_u64(length, b.len, &number) && number == message.len);
	CHECK(str_is_utf8(message) && !str_has_byte(message, '\n') && !str_has_byte(message, 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	str rest = { (const char *)bytes, MIN(len, KIB(64)) };
	struct audit_event event = { .time_us = 1 };
	str *texts[] = { &event.resource, &event.actor,	 &event.user_agent, &event.reason,
			 &event.address,  &event.digest, &event.before,	    &event.after };
	if (rest.len) {
		event.type = (enum audit_type)((unsigned char)rest.ptr[0] % AUDIT_TYPE_COUNT);
		event.result = (enum audit_result)((unsigned char)rest.ptr[0] % AUDIT_RESULT_COUNT);
	}
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		(void)str_next(&rest, '|', texts[i]);
	CLEANUP(arena_done) struct arena arena;
	struct ctx ctx;
	arena_init(&arena, MIB(16));
	ctx_init(&ctx, &arena);
	struct audit_row row = audit_record_make(&ctx, &event, 0);
	check_json(&ctx, audit_format_cloudevent, &row);
	check_json(&ctx, audit_format_cadf, &row);
	check_syslog(&ctx, &row);
	return 0;
}
