/* SPDX-License-Identifier: Apache-2.0 */
/* What webhooks say, text by text, and what their filters let through. */
#include <criterion/criterion.h>

#include "codec/json.h"
#include "notify/webhook_format.h"

#define EXTRA                                                                                      \
	"{\"id\":\"4b2f89a6-548d-4c12-9993-a1f5790b97d2\",\"request_id\":\"r1\",\"host\":"         \
	"\"harbor.dev\",\"media_types\":[\"application/vnd.oci.image.manifest.v1+json\"]}"
#define DATA                                                                                       \
	"{\"resources\":[{\"digest\":\"sha256:dde8\",\"tag\":\"v1\",\"resource_url\":"             \
	"\"harbor.dev/library/busybox:v1\"}],\"repository\":{\"date_created\":1677053165,"         \
	"\"name\":\"busybox\",\"namespace\":\"library\",\"repo_full_name\":\"library/busybox\","   \
	"\"repo_type\":\"public\"}}"

static const struct webhook_resource pulled = { STR_INIT("sha256:dde8"), STR_INIT("v1"),
						STR_INIT("a/b") };

static const struct webhook_facts facts = {
	.event = WEBHOOK_EVENT_PULL,
	.at_us = INT64_C(1678082303000000),
	.operator_name = STR_INIT("admin"),
	.host = STR_INIT("harbor.dev"),
	.repository = STR_INIT("library/busybox"),
	.is_public = true,
	.repository_made_us = INT64_C(1677053165000000),
	.resources = &pulled,
	.resource_count = 1,
};

static void payload(const struct webhook_facts *of, struct buf *b)
{
	struct json_writer w = JSON_WRITER(b);
	webhook_payload_write(&w, of);
}

static void expect(enum webhook_kind kind, const char *format, const char *wanted)
{
	CLEANUP(buf_done) struct buf from = BUF_INIT(KIB(8));
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(8));
	CLEANUP(arena_done) struct arena arena;
	struct ctx ctx;
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
	payload(&facts, &from);
	const struct webhook_source source = { buf_str(&from), STR(EXTRA), WEBHOOK_EVENT_PULL, 3,
					       1 };
	const struct webhook_format *found = webhook_format_find(kind, str_from(format));
	cr_assert(found && found->write(&ctx, &source, &b) == OK);
	cr_assert(str_eq(buf_str(&b), str_from(wanted)), "is " STR_FMT, STR_ARG(buf_str(&b)));
}

Test(webhook, harbors_default)
{
	expect(WEBHOOK_HTTP, "Default",
	       "{\"type\":\"PULL_ARTIFACT\",\"occur_at\":1678082303,\"operator\":\"admin\","
	       "\"event_data\":" DATA "}");
}

Test(webhook, harbors_cloudevent)
{
	expect(WEBHOOK_HTTP, "CloudEvents",
	       "{\"specversion\":\"1.0\",\"requestid\":\"r1\",\"id\":\"4b2f89a6-548d-4c12-9993-"
	       "a1f5790b97d2\",\"source\":\"/projects/1/webhook/policies/3\",\"type\":"
	       "\"harbor.artifact.pulled\",\"datacontenttype\":\"application/json\",\"time\":"
	       "\"2023-03-06T05:58:23Z\",\"data\":" DATA ",\"operator\":\"admin\"}");
}

Test(webhook, distributions_envelope)
{
	expect(WEBHOOK_DISTRIBUTION, "",
	       "{\"events\":[{\"id\":\"4b2f89a6-548d-4c12-9993-a1f5790b97d2\",\"timestamp\":"
	       "\"2023-03-06T05:58:23Z\",\"action\":\"pull\",\"target\":{\"mediaType\":"
	       "\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:dde8\","
	       "\"repository\":\"library/busybox\",\"tag\":\"v1\"},\"request\":{\"id\":\"r1\","
	       "\"host\":\"harbor.dev\"},\"actor\":{\"name\":\"admin\"},\"source\":{\"addr\":"
	       "\"harbor.dev\"}}]}");
}

#define MAIL_HEAD                                                                                  \
	"Date: Mon, 06 Mar 2023 05:58:23 +0000\r\n"                                                \
	"From: berth@example.com\r\n"                                                              \
	"To: a@example.com,\r\n b@example.org\r\n"                                                 \
	"Subject: PULL_ARTIFACT library/busybox:v1\r\n"                                            \
	"Message-ID: <delivery-7.1678082303000000@example.com>\r\n"                                \
	"List-Id: <policy-3.webhooks.example.com>\r\n"                                             \
	"Berth-Delivery: 7\r\n"                                                                    \
	"Berth-Event: PULL_ARTIFACT\r\n"                                                           \
	"Berth-Policy: =?UTF-8?B?ZsO8ciBhbGxlICBCY2M6IGNAZA==?=\r\n"                               \
	"Auto-Submitted: auto-generated\r\n"                                                       \
	"MIME-Version: 1.0\r\n"                                                                    \
	"Content-Type: multipart/mixed; boundary=\"=_event\"\r\n\r\n"
#define MAIL_BODY                                                                                  \
	"--=_event\r\n"                                                                            \
	"Content-Type: text/plain; charset=utf-8\r\n"                                              \
	"Content-Transfer-Encoding: quoted-printable\r\n\r\n"                                      \
	"Event:      PULL_ARTIFACT\r\n"                                                            \
	"Repository: library/busybox\r\n"                                                          \
	"Artifact:   harbor.dev/library/busybox:v1\r\n"                                            \
	"Digest:     sha256:dde8\r\n"                                                              \
	"By:         J=C3=B6rg\r\n"                                                                \
	"At:         2023-03-06T05:58:23Z\r\n"                                                     \
	"Details:    a =3D b\r\n"                                                                  \
	"--=_event\r\n"                                                                            \
	"Content-Type: application/json\r\n"                                                       \
	"Content-Disposition: attachment; filename=\"event.json\"\r\n"                             \
	"Content-Transfer-Encoding: base64\r\n\r\n"                                                \
	"eyJ0eXBlIjoiUFVMTF9BUlRJRkFDVCIsIm9jY3VyX2F0IjoxNjc4MDgyMzAzLCJvcGVyYXRvciI6\r\n"

Test(webhook, an_email_has_text_and_the_payload_and_no_line_of_somebody_elses)
{
	CLEANUP(buf_done) struct buf from = BUF_INIT(KIB(8));
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(16));
	CLEANUP(arena_done) struct arena arena;
	struct webhook_facts told = facts;
	struct mail_list to;
	struct ctx ctx;
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
	told.operator_name = STR("J\xc3\xb6rg");
	told.details = STR("{\"Details\":\"a = b\",\"Number\":1}");
	payload(&told, &from);
	cr_assert(mail_list_parse(STR("mailto:a@example.com,b@example.org"), &to));
	const struct webhook_message message = {
		.from = STR("berth@example.com"),
		.to = &to,
		.policy_name = STR("f\xc3\xbcr alle\r\nBcc: c@d"),
		.delivery_id = 7,
		.at_us = INT64_C(1678082303000000),
		.source = { buf_str(&from), STR(EXTRA), WEBHOOK_EVENT_PULL, 3, 1 },
	};
	cr_assert(webhook_message_write(&ctx, &message, &b) == OK);
	cr_assert(str_has_prefix(buf_str(&b), STR(MAIL_HEAD MAIL_BODY)), "is " STR_FMT,
		  STR_ARG(buf_str(&b)));
	cr_assert(str_has_suffix(buf_str(&b), STR("--=_event--\r\n")));
}

Test(webhook, an_email_names_each_artifact_and_what_retention_kept)
{
	CLEANUP(buf_done) struct buf from = BUF_INIT(KIB(8));
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(16));
	CLEANUP(arena_done) struct arena arena;
	const struct webhook_resource two[] = { { STR("sha256:1"), STR("v1"), STR_NONE },
						{ STR("sha256:2"), STR_NONE, STR_NONE } };
	struct webhook_facts told = facts;
	struct ctx ctx;
	size_t at;
	str subject;
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
	told.resources = two;
	told.resource_count = 2;
	told.retention = STR("{\"total\":10,\"retained\":8}");
	payload(&told, &from);
	const struct webhook_source source = { buf_str(&from), STR(EXTRA), WEBHOOK_EVENT_PULL, 3,
					       1 };
	cr_assert(webhook_subject(&ctx, &source, &subject) == OK);
	cr_assert(str_eq(subject, STR("PULL_ARTIFACT library/busybox:v1 and 1 more")));
	cr_assert(webhook_format_find(WEBHOOK_EMAIL, STR_NONE)->write(&ctx, &source, &b) == OK);
	cr_assert(str_find(buf_str(&b),
			   STR("Artifact:   harbor.dev/library/busybox:v1\n"
			       "Digest:     sha256:1\n"
			       "Artifact:   harbor.dev/library/busybox@sha256:2\n"
			       "Digest:     sha256:2\n"),
			   &at));
	cr_assert(str_find(buf_str(&b), STR("\nRetained:   8 of 10\n"), &at));
}

Test(webhook, without_a_tag_the_digest_is_the_reference)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(8));
	const struct webhook_resource untagged = { pulled.digest, STR_NONE, STR_NONE };
	struct webhook_facts bare = facts;
	size_t at;
	bare.resources = &untagged;
	bare.repository_made_us = 0;
	payload(&bare, &b);
	cr_assert(str_find(buf_str(&b),
			   STR("\"tag\":\"sha256:dde8\",\"resource_url\":"
			       "\"harbor.dev/library/busybox@sha256:dde8\""),
			   &at));
	cr_assert(!str_find(buf_str(&b), STR("date_created"), &at));
}

Test(webhook, a_payload_that_is_none)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(8));
	CLEANUP(arena_done) struct arena arena;
	struct ctx ctx;
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
	const struct webhook_source source = { STR("{"), STR(EXTRA), WEBHOOK_EVENT_PULL, 3, 1 };
	cr_assert(webhook_format_find(WEBHOOK_SLACK, STR_NONE)->write(&ctx, &source, &b) ==
		  ERR_CORRUPT);
	cr_assert(webhook_format_find(WEBHOOK_SLACK, STR("CloudEvents")) == NULL);
}

Test(webhook, filters)
{
	const struct webhook_about about = { STR("p/app/web"), &pulled, 1 };
	struct webhook_resource chosen;
	size_t count;
	static const struct {
		const char *filter;
		bool of_project, fits;
	} cases[] = {
		{ "", true, true },
		{ "{}", true, true },
		{ "{\"repositories\":[]}", true, true },
		{ "{\"repositories\":[\"app/*\"]}", true, true },
		{ "{\"repositories\":[\"app/*\"]}", false, false },
		{ "{\"repositories\":[\"p/**\"]}", false, true },
		{ "{\"projects\":[\"p\"]}", false, true },
		{ "{\"projects\":[\"p\"]}", true, true },
		{ "{\"projects\":[\"q\",\"p/*\"]}", false, false },
		{ "{\"tags\":[\"w*\",\"v*\"]}", true, true },
		{ "{\"tags\":[\"w*\"],\"repositories\":[\"**\"]}", true, false },
		{ "{\"media_types\":[\"a/*\"]}", true, true },
		{ "{\"media_types\":[\"b/*\"]}", true, false },
		{ "not JSON", true, false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		cr_assert(webhook_filter_choose(str_from(cases[i].filter), cases[i].of_project,
						&about, &chosen, &count) == cases[i].fits,
			  "%s", cases[i].filter);
}

Test(webhook, what_is_about_a_project_alone_is_filtered_by_its_name)
{
	const struct webhook_about about = { STR("p"), NULL, 0 };
	struct webhook_resource chosen;
	size_t count;
	cr_assert(webhook_filter_choose(STR("{\"projects\":[\"p\"]}"), false, &about, &chosen,
					&count));
	cr_assert(!webhook_filter_choose(STR("{\"projects\":[\"q\"]}"), false, &about, &chosen,
					 &count));
}

Test(webhook, of_several_artifacts_those_that_fit_are_told)
{
	static const struct webhook_resource three[] = {
		{ STR_INIT("sha256:1"), STR_INIT("v1"), STR_INIT("a/b") },
		{ STR_INIT("sha256:2"), STR_INIT(""), STR_INIT("a/b") },
		{ STR_INIT("sha256:3"), STR_INIT("v3"), STR_INIT("a/c") },
	};
	const struct webhook_about about = { STR("p/app"), three, 3 }, none = { STR("p"), NULL, 0 };
	struct webhook_resource chosen[3];
	size_t count = 9;
	cr_assert(webhook_filter_choose(STR_NONE, true, &about, chosen, &count) && count == 3);
	cr_assert(webhook_filter_choose(STR("{\"tags\":[\"v*\"]}"), true, &about, chosen, &count));
	cr_assert(count == 2 && str_eq(chosen[1].digest, STR("sha256:3")));
	cr_assert(webhook_filter_choose(STR("{\"tags\":[\"v*\"],\"media_types\":[\"a/b\"]}"), true,
					&about, chosen, &count));
	cr_assert(count == 1 && str_eq(chosen[0].digest, STR("sha256:1")));
	cr_assert(!webhook_filter_choose(STR("{\"tags\":[\"w*\"]}"), true, &about, chosen, &count));
	cr_assert(webhook_filter_choose(STR("{\"tags\":[\"**\"]}"), true, &none, chosen, &count) &&
		  count == 0);
	cr_assert(!webhook_filter_choose(STR("{\"tags\":[\"v*\"]}"), true, &none, chosen, &count));
}

Test(webhook, every_event_is_found_by_its_name)
{
	enum webhook_event found;
	for (unsigned i = 0; i < WEBHOOK_EVENT_COUNT; i++) {
		const struct webhook_event_info *info = webhook_event_info((enum webhook_event)i);
		cr_assert(webhook_event_find(info->name, &found) && found == i);
		cr_assert(str_has_prefix(
			info->cloud, i == WEBHOOK_EVENT_MOVE_TAG ? STR("berth.") : STR("harbor.")));
	}
	cr_assert(!webhook_event_find(STR("PUSH"), &found));
}
