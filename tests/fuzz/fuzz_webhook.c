/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever is given as a filter, one that was found good is read the same way again; and whatever a
 * payload says, each format makes JSON of it or refuses it. */
#include "codec/json.h"
#include "notify/webhook_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void try_filter(struct arena *arena, str text)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	static const struct webhook_resource resources[] = {
		{ STR_INIT("sha256:1"), STR_INIT("v1"), STR_INIT("a/b") },
		{ STR_INIT("sha256:2"), STR_INIT(""), STR_INIT("") },
	};
	const struct webhook_about about = { STR("project/app"), resources, COUNT_OF(resources) };
	struct webhook_resource chosen[COUNT_OF(resources)];
	size_t count = 0;
	struct json_problem problem;
	str wrong = STR_NONE;
	if (!json_parse(text, JSON_LIMITS_SMALL, &doc, &problem)) {
		CHECK(!text.len || !webhook_filter_choose(text, true, &about, chosen, &count));
		return;
	}
	if (!webhook_filter_check(arena, doc.root, &wrong))
		CHECK(wrong.len);
	if (webhook_filter_choose(text, false, &about, chosen, &count))
		CHECK(count && count <= COUNT_OF(resources));
}

static void try_format(struct ctx *ctx, str text, enum webhook_kind kind, size_t at)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(WEBHOOK_BODY_MAX);
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	const struct webhook_source source = { text, text, WEBHOOK_EVENT_PUSH, 1, 1 };
	struct json_problem problem;
	bool is_json =
		kind != WEBHOOK_EMAIL && (kind != WEBHOOK_HTTP || at); /* as it was written */
	if (webhook_kind_info(kind)->formats[at].write(ctx, &source, &b) != OK || !is_json ||
	    buf_overrun(&b))
		return;
	CHECK(json_parse(buf_str(&b), (struct json_limits){ 32, 65536, true }, &doc, &problem));
}

/* The name of a policy may be anything, too: it is a field of the message and nothing more. */
static void try_message(struct ctx *ctx, str text)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(4 * WEBHOOK_BODY_MAX);
	struct mail_list to;
	str head, line;
	size_t at;
	CHECK(mail_list_parse(STR("a@example.com"), &to));
	const struct webhook_message message = {
		.from = STR("b@example.com"),
		.to = &to,
		.policy_name = text,
		.source = { text, text, WEBHOOK_EVENT_PUSH, 1, 1 },
	};
	if (webhook_message_write(ctx, &message, &b) != OK)
		return;
	CHECK(str_find(buf_str(&b), STR("\r\n\r\n"), &at));
	head = str_take(buf_str(&b), at);
	while (str_next(&head, '\n', &line))
		CHECK(line.len <= 78 && !str_has_prefix(line, STR("Bcc")));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(arena_done) struct arena arena;
	struct ctx ctx;
	str text = { (const char *)bytes, len };
	if (len > KIB(4))
		return 0;
	arena_init(&arena, MIB(2));
	ctx_init(&ctx, &arena);
	try_filter(&arena, text);
	for (unsigned kind = 0; kind < WEBHOOK_KIND_COUNT; kind++)
		for (size_t at = 0; at < webhook_kind_info((enum webhook_kind)kind)->format_count;
		     at++) {
			ctx_forgive(&ctx);
			try_format(&ctx, text, (enum webhook_kind)kind, at);
		}
	ctx_forgive(&ctx);
	try_message(&ctx, text);
	return 0;
}
