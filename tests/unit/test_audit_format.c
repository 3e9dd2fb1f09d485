/* SPDX-License-Identifier: Apache-2.0 */
/* Every type of event, and hostile records, as other systems read them. */
#include <criterion/criterion.h>
#include <string.h>

#include "codec/json.h"
#include "notify/audit_format.h"
#include "notify/audit_record.h"

static struct arena arena;
static struct ctx ctx;
static const struct audit_sender SENDER = {
	.source = STR_INIT("https://registry.example.com"),
	.host = STR_INIT("node-1"),
	.process = STR_INIT("42"),
	.facility = 13,
};
static const struct json_limits limits = { .depth_max = 32, .values_max = 32768 };

static void setup(void)
{
	arena_init(&arena, MIB(64));
	ctx_init(&ctx, &arena);
}

static void teardown(void)
{
	arena_done(&arena);
}

TestSuite(audit_format, .init = setup, .fini = teardown);

static struct audit_event event_of(enum audit_type type)
{
	return (struct audit_event){
		.type = type,
		.time_us = INT64_C(1767225845678901),
		.project = STR("library"),
		.resource = STR("library/app:v1"),
		.digest = STR("sha256:abc"),
		.actor_type = STR("robot"),
		.actor_id = 7,
		.actor = STR("robot$ci"),
		.address = STR("192.0.2.1"),
		.user_agent = STR("curl/8"),
	};
}

static str text_of(str member, const struct json_value *object)
{
	str text = STR_NONE;
	cr_assert_eq(json_get_str(object, arena_cstr(&arena, member), &text), JSON_FOUND,
		     "no " STR_FMT, STR_ARG(member));
	return text;
}

/* The event as `format` writes it, parsed. */
static void read(audit_format *format, const struct audit_event *event, struct json_document *ret)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(AUDIT_FORMAT_BYTES_MAX);
	struct json_problem problem;
	struct audit_row row = audit_record_make(&ctx, event, 0);
	format(&ctx, &b, &SENDER, &row, STR("17"));
	cr_assert(!buf_overrun(&b));
	cr_assert(json_parse(buf_str(&b), limits, ret, &problem), STR_FMT, STR_ARG(buf_str(&b)));
}

Test(audit_format, every_type_is_a_cloudevent)
{
	for (unsigned type = 0; type < AUDIT_TYPE_COUNT; type++) {
		CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
		struct audit_event event = event_of((enum audit_type)type);
		read(audit_format_cloudevent, &event, &doc);
		str name = audit_type_info((enum audit_type)type)->name;
		cr_assert(str_eq(text_of(STR("type"), doc.root),
				 arena_printf(&arena, "berth.audit." STR_FMT, STR_ARG(name))));
		cr_assert(str_eq(text_of(STR("id"), doc.root), STR("17")));
		cr_assert(str_eq(text_of(STR("specversion"), doc.root), STR("1.0")));
		cr_assert(str_eq(text_of(STR("source"), doc.root), SENDER.source));
		cr_assert(
			str_eq(text_of(STR("time"), doc.root), STR("2026-01-01T00:04:05.678901Z")));
		cr_assert(str_eq(text_of(STR("type"), json_member(doc.root, "data")), name));
	}
}

static const struct {
	enum audit_type type;
	enum audit_result result;
	const char *action, *outcome, *target;
} cadf[] = {
	{ AUDIT_CREATE_ARTIFACT, AUDIT_ALLOWED, "create", "success", "storage/object/artifact" },
	{ AUDIT_PULL_ARTIFACT, AUDIT_ALLOWED, "read/pull", "success", "storage/object/artifact" },
	{ AUDIT_DELETE_PROJECT, AUDIT_FAILED, "delete", "failure", "data/security/project" },
	{ AUDIT_LOGIN_USER, AUDIT_ALLOWED, "authenticate/login", "success",
	  "data/security/account/user" },
	{ AUDIT_DENY_LOGIN, AUDIT_DENIED, "authenticate/login", "failure",
	  "data/security/account/user" },
	{ AUDIT_DENY_ACCESS, AUDIT_DENIED, "deny", "failure", "service/storage/registry" },
	{ AUDIT_ROTATE_KEY, AUDIT_ALLOWED, "renew", "success", "data/security/key" },
	{ AUDIT_DROP_AUDIT, AUDIT_FAILED, "unknown/drop", "failure", "data/log" },
	{ AUDIT_UPDATE_QUOTA, AUDIT_ALLOWED, "update", "success", "data/quota" },
};

Test(audit_format, cadf_words)
{
	for (size_t i = 0; i < COUNT_OF(cadf); i++) {
		CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
		struct audit_event event = event_of(cadf[i].type);
		event.result = cadf[i].result;
		read(audit_format_cadf, &event, &doc);
		cr_assert(str_eq(text_of(STR("action"), doc.root), str_from(cadf[i].action)));
		cr_assert(str_eq(text_of(STR("outcome"), doc.root), str_from(cadf[i].outcome)));
		cr_assert(str_eq(text_of(STR("typeURI"), json_member(doc.root, "target")),
				 str_from(cadf[i].target)));
		cr_assert(str_eq(text_of(STR("id"), json_member(doc.root, "initiator")),
				 STR("robot:7")));
	}
}

/* The largest record there can be, of bytes that grow when they are escaped. */
Test(audit_format, the_largest_record_fits)
{
	static char worst[2 * AUDIT_TEXT_MAX], change[AUDIT_CHANGE_MAX - 16];
	memset(worst, 1, sizeof worst);
	memset(change, 'x', sizeof change);
	str text = { worst, sizeof worst };
	struct audit_event event = event_of(AUDIT_UPDATE_PROJECT);
	str *texts[] = { &event.project, &event.resource,     &event.digest,	&event.actor,
			 &event.issuer,	 &event.on_behalf_of, &event.address,	&event.user_agent,
			 &event.reason,	 &event.token_id,     &event.request_id };
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		*texts[i] = text;
	event.before = arena_printf(&arena, "{\"a\":\"%.*s\"}", (int)sizeof change, change);
	event.after = arena_printf(&arena, "{\"b\":\"%.*s\"}", (int)sizeof change, change);
	audit_format *const formats[] = { audit_format_syslog, audit_format_cloudevent,
					  audit_format_cadf };
	struct audit_row row = audit_record_make(&ctx, &event, 0);
	for (size_t i = 0; i < COUNT_OF(formats); i++) {
		CLEANUP(buf_done) struct buf b = BUF_INIT(AUDIT_FORMAT_BYTES_MAX);
		formats[i](&ctx, &b, &SENDER, &row, STR("1"));
		cr_assert(!buf_overrun(&b), "format %zu", i);
		cr_assert_gt(b.len, 2 * AUDIT_CHANGE_MAX - 64);
	}
}
