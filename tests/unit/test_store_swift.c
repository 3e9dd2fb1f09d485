/* SPDX-License-Identifier: Apache-2.0 */
/* The stories of test_store.c over a Swift server, and what only that one has: segments, manifests,
 * states, and other nodes. */
#define SWIFT 1
#include "test_store.c"

#include "large_fixture.h"

static err_t count_one(struct ctx *c, void *arg, const struct swift_item *item)
{
	++*(int *)arg;
	return OK;
}

/* How many objects there are below a name. */
static int count_below(const char *name)
{
	int count = 0;
	const struct swift_visitor visitor = { count_one, &count };
	cr_assert_eq(
		swift_list(&ctx, swift_fixture.client, swift_fixture_key(&ctx, name), &visitor), OK,
		"%s", ctx.failure.detail);
	return count;
}

TestSuite(store_swift, .init = set_up_large, .fini = tear_down);

Test(store_swift, segments_are_sent_while_bytes_come_and_a_manifest_makes_them_the_blob)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	str all = { pattern(LARGE), LARGE };
	open_with(STR("1"), STR(""), &upload);
	append_all(&upload, str_take(all, MIB(19)));
	cr_assert_eq(count_below("segments/1/"), 2);
	cr_assert_eq(driver->upload_flush(&ctx, &upload), OK);
	reopen(&upload, STR("1")); /* as another node does */
	cr_assert_eq(upload.size_bytes, MIB(19));
	append_all(&upload, str_skip(all, MIB(19)));
	digest d = hash_bytes(DIGEST_SHA256, all);
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("1"), FIRST(d)), OK, "%s",
		     ctx.failure.detail);
	assert_large_blob(d, all);
	cr_assert_eq(count_below("uploads/"), 0);
	cr_assert_geq(count_below("segments/1/"), 3);
	cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
	cr_assert_eq(count_below(""), 0, "a blob goes with its segments");
}

Test(store_swift, another_node_reads_what_was_sent_and_goes_on)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	str all = { pattern(LARGE), LARGE };
	open_with(STR("2"), STR(""), &upload);
	append_all(&upload, str_take(all, MIB(17) + 5));
	cr_assert_eq(driver->upload_flush(&ctx, &upload), OK);
	reopen(&upload, STR("2"));
	assert_upload(&upload, str_take(all, MIB(17) + 5));
	append_all(&upload, str_skip(all, MIB(17) + 5));
	reopen(&upload, STR("2"));
	cr_assert_eq(upload.size_bytes, MIB(17) + 5, "what was not flushed was not promised");
	append_all(&upload, str_skip(all, MIB(17) + 5));
	assert_upload(&upload, all);
	digest d = hash_bytes(DIGEST_SHA256, all);
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("2"), FIRST(d)), OK, "%s",
		     ctx.failure.detail);
	assert_large_blob(d, all);
	cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
	cr_assert_eq(count_below(""), 0, "segments that were sent twice are there once");
}

/* To places in the tail, in segments, and to their edges. */
Test(store_swift, an_upload_is_cut_back_anywhere)
{
	static const size_t sizes[] = { LARGE - 1, MIB(17), MIB(16), MIB(9), MIB(8) + 1, 5, 0 };
	tell_of_cuts(sizes, COUNT_OF(sizes));
}

Test(store_swift, versions_tell_that_somebody_else_wrote)
{
	tell_of_versions();
}

/* Two nodes that write to one upload at once: each one's segments have names of their own. */
Test(store_swift, segments_of_somebody_else_are_not_published)
{
	CLEANUP(store_upload_done)
	struct store_upload mine = STORE_UPLOAD_INIT, other = STORE_UPLOAD_INIT;
	str all = { pattern(LARGE), LARGE };
	char *changed = arena_cstr(&arena, all);
	memset(changed + MIB(10), 'x', 100);
	open_with(STR("7"), STR(""), &mine);
	append_all(&mine, str_take(all, MIB(9)));
	cr_assert_eq(driver->upload_flush(&ctx, &mine), OK);
	cr_assert_eq(driver->upload_open(&ctx, store, STR("7"), false, &other), OK);
	append_all(&mine, str_skip(all, MIB(9)));
	append_all(&other, str_skip((str){ changed, LARGE }, MIB(9)));
	digest d = hash_bytes(DIGEST_SHA256, all);
	cr_assert_eq(driver->publish(&ctx, store, &mine, STR("7"), FIRST(d)), OK);
	assert_large_blob(d, all);
}

/* Of one content by two uploads at once: each leaves the blob, and nothing of the other is left. */
Test(store_swift, a_second_upload_of_the_same_content_leaves_nothing)
{
	str all = { pattern(LARGE), LARGE };
	digest d = hash_bytes(DIGEST_SHA256, all);
	CLEANUP(store_upload_done)
	struct store_upload first = STORE_UPLOAD_INIT, second = STORE_UPLOAD_INIT;
	open_with(STR("a"), STR(""), &first);
	open_with(STR("b"), STR(""), &second);
	append_all(&first, all);
	append_all(&second, all);
	cr_assert_eq(driver->publish(&ctx, store, &first, STR("a"), FIRST(d)), OK);
	cr_assert_eq(driver->publish(&ctx, store, &second, STR("b"), FIRST(d)), OK);
	assert_large_blob(d, all);
	cr_assert_eq(count_below("segments/b/"), 0);
	cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
	cr_assert_eq(count_below(""), 0);
}

Test(store_swift, a_blob_of_another_size_is_replaced_with_its_segments)
{
	CLEANUP(store_upload_done)
	struct store_upload wrong = STORE_UPLOAD_INIT, right = STORE_UPLOAD_INIT;
	str all = { pattern(LARGE), LARGE };
	digest d = hash_bytes(DIGEST_SHA256, all);
	open_with(STR("a"), STR(""), &wrong);
	append_all(&wrong, str_take(all, MIB(9)));
	cr_assert_eq(driver->publish(&ctx, store, &wrong, STR("a"), FIRST(d)), OK);
	open_with(STR("b"), STR(""), &right);
	append_all(&right, all);
	cr_assert_eq(driver->publish(&ctx, store, &right, STR("b"), FIRST(d)), OK);
	assert_large_blob(d, all);
	cr_assert_eq(count_below("segments/a/"), 0);
}

#ifdef BERTH_FAULTS
/* Whatever step fails, the upload is what it was, and what comes next succeeds. */
Test(store_swift, every_step_of_a_large_upload_may_fail_once)
{
	static const char *const faults[] = { "swift.segment:1=errno:5", "swift.segment:2=errno:5",
					      "swift.state:1=errno:5",	 "swift.state:2=errno:5",
					      "swift.copy:1=errno:5",	 "swift.clean:1=errno:5" };
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
		str all = { pattern(LARGE), LARGE };
		digest d = hash_bytes(DIGEST_SHA256, all);
		cr_assert_eq(push_through(faults[i], &upload, STR("8"), all), 1, "%s", faults[i]);
		cr_assert_eq(count_below("uploads/"), 0);
		cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
		cr_assert_eq(count_below(""), 0, "%s", faults[i]);
	}
}

/* A process that died when the manifest was written and the state was not removed: whoever ends the
 * upload leaves the blob its segments. */
Test(store_swift, an_upload_that_became_a_blob_is_removed_without_it)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	str all = { pattern(LARGE), LARGE };
	digest d = hash_bytes(DIGEST_SHA256, all);
	open_with(STR("9"), STR(""), &upload);
	append_all(&upload, all);
	fault_setup("swift.clean:1=errno:5");
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("9"), FIRST(d)), ERR_STORAGE);
	fault_setup(NULL);
	ctx_forgive(&ctx);
	store_upload_done(&upload);
	cr_assert_eq(driver->upload_remove(&ctx, store, STR("9")), OK);
	cr_assert_eq(count_below("uploads/"), 0);
	assert_large_blob(d, all);
	cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
	cr_assert_eq(count_below(""), 0);
}

/* The same, and the client sends the end once more. */
Test(store_swift, an_upload_that_became_a_blob_is_published_again)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	str all = { pattern(LARGE), LARGE };
	digest d = hash_bytes(DIGEST_SHA256, all);
	open_with(STR("9"), STR(""), &upload);
	append_all(&upload, all);
	fault_setup("swift.clean:1=errno:5");
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("9"), FIRST(d)), ERR_STORAGE);
	fault_setup(NULL);
	ctx_forgive(&ctx);
	reopen(&upload, STR("9"));
	cr_assert_eq(upload.size_bytes, LARGE);
	assert_upload(&upload, all);
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("9"), FIRST(d)), OK, "%s",
		     ctx.failure.detail);
	assert_large_blob(d, all);
	cr_assert_eq(count_below("uploads/"), 0);
}
#endif

Test(store_swift, a_walk_reports_what_is_neither)
{
	CLEANUP(buf_done) struct buf seen = BUF_INIT(KIB(64));
	const struct store_walk visitor = { see_blob, see_upload, see_stray, &seen };
	static const char *const names[] = {
		"blobs/md5/x",
		"blobs/sha256/ab/short",
		"blobs/sha256/ab/cd00" X60,
		"uploads/notes.txt",
		"uploads/a b&c<\xc3\xa9>+%41",
		"uploads/dead",
		"segments/notes",
		"segments/XY/00001-0",
		"segments/beef/00001-0123456789abcdef",
		"segments/beef/of-sha256-ab01" X60,
		"elsewhere",
		"blobs/sha256/ab/ab01" X60,
	};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		write_file(names[i], "right");
	assert_walk(&visitor, OK,
		    "stray blobs/md5/x\n"
		    "blob sha256:ab0100 5\n"
		    "stray blobs/sha256/ab/cd00" X60 "\n"
		    "stray blobs/sha256/ab/short\n"
		    "stray uploads/a b&c<\xc3\xa9>+%41\n"
		    "stray uploads/dead\n"
		    "stray uploads/notes.txt\n"
		    "stray segments/XY/00001-0\n"
		    "upload beef 0\n"
		    "stray segments/notes\n");
	cr_assert_eq(driver->upload_remove(&ctx, store, STR("beef")), OK);
	cr_assert_eq(count_below("segments/beef/"), 0);
}

Test(store_swift, a_walk_says_how_long_a_large_blob_is_and_nothing_of_its_segments)
{
	CLEANUP(buf_done) struct buf seen = BUF_INIT(KIB(64));
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	const struct store_walk visitor = { see_blob, see_upload, see_stray, &seen };
	str all = { pattern(LARGE), LARGE };
	digest d = hash_bytes(DIGEST_SHA256, all);
	open_with(STR("1"), STR(""), &upload);
	append_all(&upload, all);
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("1"), FIRST(d)), OK);
	open_with(STR("2"), STR(""), &upload);
	append_all(&upload, all);
	cr_assert_eq(driver->upload_flush(&ctx, &upload), OK);
	assert_walk(&visitor, OK,
		    arena_printf(&arena, "blob %.13s %d\nupload 2 %d\n", DIGEST_ARG(d), (int)LARGE,
				 (int)LARGE)
			    .ptr);
}

static void assert_refused(struct store_place place, const char *words)
{
	struct store *other;
	size_t at;
	ctx_forgive(&ctx);
	cr_assert_eq(store_driver_find(STR("swift"))->open(&ctx, &place, &other), ERR_STORAGE);
	cr_assert(str_find(str_from(ctx.failure.detail), str_from(words), &at), "%s",
		  ctx.failure.detail);
}

Test(store_swift, wrong_options_are_refused_in_words)
{
#define URL                                                                                        \
	{                                                                                          \
		STR_INIT("auth_url"), STR_INIT("http://127.0.0.1:1/v3")                            \
	}
#define BOX                                                                                        \
	{                                                                                          \
		STR_INIT("container"), STR_INIT("berth")                                           \
	}
	static const struct {
		struct store_setting settings[6];
		const char *words;
	} cases[] = {
		{ { URL, { STR_INIT("container"), STR_INIT("a/b") } },
		  "not the name of a container: 'a/b'" },
		{ { URL }, "not the name of a container: ''" },
		{ { BOX }, "auth_url is no http" },
		{ { URL, BOX }, "credentials are application_credential_id" },
		{ { URL, BOX, { STR_INIT("user"), STR_INIT("a") } }, "v1 wants both" },
		{ { URL, BOX, { STR_INIT("application_credential_secret"), STR_INIT("a") } },
		  "an application credential is both" },
		{ { URL,
		    BOX,
		    { STR_INIT("user"), STR_INIT("a") },
		    { STR_INIT("application_credential_id"), STR_INIT("b") } },
		  "or user and key" },
		{ { URL, BOX, { STR_INIT("interface"), STR_INIT("private") } }, "interface" },
		{ { URL, BOX, { STR_INIT("verify"), STR_INIT("size") } }, "verify" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct store_place place = { .location = "", .settings = cases[i].settings };
		while (place.setting_count < 6 && cases[i].settings[place.setting_count].name.len)
			place.setting_count++;
		assert_refused(place, cases[i].words);
	}
}

Test(store_swift, wrong_credentials_and_the_wrong_container_are_told_when_it_is_opened)
{
	static const struct {
		size_t which;
		const char *value, *words;
	} cases[] = {
		{ 1, "no-such-container", "there is no container of this name" },
		{ 2, "nobody:else", "refuses the credentials" },
		{ 3, "wrong", "refuses the credentials" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct store_setting settings[8];
		struct store_place place = { .location = "", .settings = settings };
		memcpy(settings, swift_fixture_settings(&place.setting_count), sizeof settings);
		settings[cases[i].which].value = str_from(cases[i].value);
		assert_refused(place, cases[i].words);
	}
}
