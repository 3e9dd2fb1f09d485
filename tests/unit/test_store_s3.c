/* SPDX-License-Identifier: Apache-2.0 */
/* The stories of test_store.c over an S3 server, and what only that one has: parts, tails, states,
 * and other nodes. */
#define S3 1
#include "test_store.c"

#include "large_fixture.h"

static err_t count_upload(struct ctx *c, void *arg, str key, str id)
{
	++*(int *)arg;
	return OK;
}

static int multiparts_of(str prefix)
{
	int count = 0;
	const struct s3_visitor visitor = { .upload = count_upload, .arg = &count };
	cr_assert_eq(s3_multipart_list(&ctx, s3_fixture.client, prefix, &visitor), OK);
	return count;
}

/* MinIO lists multipart uploads by whole names only. */
static bool lists_by_prefix(void)
{
	char id[S3_UPLOAD_ID_MAX + 1];
	str key = s3_fixture_key(&ctx, "uploads/feed.data");
	cr_assert_eq(s3_multipart_begin(&ctx, s3_fixture.client, key, id, NULL), OK);
	bool lists = multiparts_of(str_from(s3_fixture.prefix)) > 0;
	cr_assert_eq(s3_multipart_abort(&ctx, s3_fixture.client, key, str_from(id)), OK);
	return lists;
}

/* Of all uploads of these tests, whose ids are one digit. */
static int multiparts(void)
{
	int count = 0;
	if (lists_by_prefix())
		return multiparts_of(str_from(s3_fixture.prefix));
	for (const char *digit = "0123456789abcdef"; *digit; digit++)
		count += multiparts_of(
			arena_printf(&arena, "%suploads/%c.data", s3_fixture.prefix, *digit));
	return count;
}

TestSuite(store_s3, .init = set_up_large, .fini = tear_down);

Test(store_s3, parts_are_sent_while_bytes_come_and_the_rest_is_kept_by_the_flush)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	str all = { pattern(LARGE), LARGE };
	open_with(STR("1"), STR(""), &upload);
	append_all(&upload, str_take(all, MIB(19)));
	cr_assert_eq(multiparts(), 1);
	cr_assert_eq(driver->upload_flush(&ctx, &upload), OK);
	reopen(&upload, STR("1")); /* as another node does */
	cr_assert_eq(upload.size_bytes, MIB(19));
	append_all(&upload, str_skip(all, MIB(19)));
	digest d = hash_bytes(DIGEST_SHA256, all);
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("1"), FIRST(d)), OK, "%s",
		     ctx.failure.detail);
	assert_large_blob(d, all);
	cr_assert_eq(multiparts(), 0);
	cr_assert_not(exists("uploads/1"));
	cr_assert_not(exists("uploads/1.data"));
}

Test(store_s3, another_node_reads_what_was_sent_and_goes_on)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	str all = { pattern(LARGE), LARGE };
	open_with(STR("2"), STR(""), &upload);
	append_all(&upload, str_take(all, MIB(17) + 5));
	cr_assert_eq(driver->upload_flush(&ctx, &upload), OK);
	reopen(&upload, STR("2"));
	assert_upload(&upload, str_take(all, MIB(17) + 5));
	cr_assert_eq(multiparts(), 0, "what is read is no part any more");
	append_all(&upload, str_skip(all, MIB(17) + 5));
	reopen(&upload, STR("2"));
	cr_assert_eq(upload.size_bytes, MIB(17) + 5, "what was not flushed was not promised");
	append_all(&upload, str_skip(all, MIB(17) + 5));
	assert_upload(&upload, all);
	digest d = hash_bytes(DIGEST_SHA256, all);
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("2"), FIRST(d)), OK, "%s",
		     ctx.failure.detail);
	assert_large_blob(d, all);
	cr_assert_eq(multiparts(), 0);
}

Test(store_s3, the_first_and_the_last_bytes_are_read_without_ending_the_parts)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	str all = { pattern(LARGE), LARGE };
	char bytes[48];
	size_t len;
	open_with(STR("3"), STR(""), &upload);
	append_all(&upload, all);
	cr_assert_eq(driver->upload_flush(&ctx, &upload), OK);
	reopen(&upload, STR("3"));
	cr_assert_eq(driver->upload_read(&ctx, &upload, 0, bytes, sizeof bytes, &len), OK);
	cr_assert(len == sizeof bytes && memcmp(bytes, all.ptr, len) == 0);
	cr_assert_eq(
		driver->upload_read(&ctx, &upload, LARGE - KIB(128), bytes, sizeof bytes, &len),
		OK);
	cr_assert(len == sizeof bytes && memcmp(bytes, all.ptr + LARGE - KIB(128), len) == 0);
	cr_assert_eq(multiparts(), 1);
	cr_assert_eq(driver->upload_remove(&ctx, store, STR("3")), OK);
	cr_assert_eq(multiparts(), 0);
}

/* To places in the tail, in parts, in what was completed, and before the smallest part. */
Test(store_s3, an_upload_is_cut_back_anywhere)
{
	static const size_t sizes[] = { LARGE - 1, MIB(17), MIB(9), MIB(6) + 1, MIB(3), 5, 0 };
	tell_of_cuts(sizes, COUNT_OF(sizes));
}

Test(store_s3, an_upload_goes_on_behind_a_cut_in_what_was_completed)
{
	static const size_t sizes[] = { MIB(12), MIB(2) };
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
		str all = { pattern(LARGE), LARGE };
		open_with(STR("5"), STR(""), &upload);
		append_all(&upload, str_take(all, MIB(18)));
		cr_assert_eq(driver->upload_cut(&ctx, &upload, sizes[i]), OK);
		append_all(&upload, str_skip(all, sizes[i]));
		digest d = hash_bytes(DIGEST_SHA256, all);
		cr_assert_eq(driver->publish(&ctx, store, &upload, STR("5"), FIRST(d)), OK, "%s",
			     ctx.failure.detail);
		assert_large_blob(d, all);
		cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
	}
}

Test(store_s3, versions_tell_that_somebody_else_wrote)
{
	tell_of_versions();
}

/* Two nodes that write to one upload at once: whose parts are not those that are there publishes
 * nothing. */
Test(store_s3, parts_of_somebody_else_are_not_published)
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
	cr_assert_eq(driver->upload_flush(&ctx, &mine), OK); /* its parts are there, and then */
	append_all(&other, str_skip((str){ changed, LARGE }, MIB(9)));
	digest d = hash_bytes(DIGEST_SHA256, all);
	cr_assert_neq(driver->publish(&ctx, store, &mine, STR("7"), FIRST(d)), OK);
	assert_no_blob(d);
}

#ifdef BERTH_FAULTS
/* Whatever step fails, the upload is what it was, and what comes next succeeds. */
Test(store_s3, every_step_of_a_large_upload_may_fail_once)
{
	static const char *const faults[] = { "s3.part:1=errno:5",  "s3.part:2=errno:5",
					      "s3.state:1=errno:5", "s3.complete:1=errno:5",
					      "s3.copy:1=errno:5",  "s3.remove:1=errno:5" };
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
		str all = { pattern(LARGE), LARGE };
		digest d = hash_bytes(DIGEST_SHA256, all);
		cr_assert_eq(push_through(faults[i], &upload, STR("8"), all), 1, "%s", faults[i]);
		cr_assert_eq(multiparts(), 0, "%s", faults[i]);
		cr_assert_not(exists("uploads/8"));
		cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
	}
}

/* A process that died between completing the parts and saying so. */
Test(store_s3, parts_that_were_completed_before_are_found)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	str all = { pattern(LARGE), LARGE };
	digest d = hash_bytes(DIGEST_SHA256, all);
	open_with(STR("9"), STR(""), &upload);
	append_all(&upload, all);
	cr_assert_eq(driver->upload_flush(&ctx, &upload), OK);
	fault_setup("s3.copy:1=errno:5");
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("9"), FIRST(d)), ERR_STORAGE);
	fault_setup(NULL);
	ctx_forgive(&ctx);
	cr_assert_eq(multiparts(), 0);
	reopen(&upload, STR("9"));
	cr_assert_eq(upload.size_bytes, LARGE);
	assert_upload(&upload, all);
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("9"), FIRST(d)), OK, "%s",
		     ctx.failure.detail);
	assert_large_blob(d, all);
}
#endif

/* False where the server knows no such thing. */
static bool hold(digest d, const char *status)
{
	const struct aws_pair query[] = { { STR("legal-hold"), STR("") } };
	char key[REMOTE_KEY_MAX];
	struct s3_response answer;
	s3_fixture.names.prefix = s3_fixture.prefix;
	const struct s3_request rq = {
		.method = "PUT",
		.key = s3_blob_key(&s3_fixture.names, FIRST(d), key),
		.query = query,
		.query_count = 1,
		.body = arena_printf(&arena, "<LegalHold><Status>%s</Status></LegalHold>", status),
		.no_words = true,
	};
	cr_assert_eq(s3_send(&ctx, s3_fixture.client, &rq, &answer), OK, "%s", ctx.failure.detail);
	return answer.status == 200;
}

struct refused {
	size_t gone, refused;
	blob_name name;
};

static void note_refused(struct ctx *c, void *arg, const blob_name *name, err_t err)
{
	struct refused *seen = arg;
	size_t at;
	seen->gone += err == OK;
	if (err == OK)
		return;
	seen->refused++;
	seen->name = *name;
	cr_assert_eq(err, ERR_STORAGE);
	cr_assert(str_find(str_from(c->failure.detail), STR("AccessDenied"), &at), "%s",
		  c->failure.detail);
}

/* More than one request takes; and one of them is refused, in an answer of 200. */
Test(store_s3, one_that_is_refused_keeps_no_other_of_many_from_going)
{
	static blob_name names[2 * S3_REMOVE_MAX + 1];
	struct refused seen = { 0 };
	for (size_t i = 0; i < COUNT_OF(names); i++)
		names[i] = FIRST(hash_bytes(DIGEST_SHA256, arena_printf(&arena, "absent %zu", i)));
	names[0] = FIRST(put(STR("1"), STR("first")));
	names[500] = FIRST(put(STR("2"), STR("held")));
	names[S3_REMOVE_MAX] = FIRST(put(STR("3"), STR("of the second request")));
	names[2 * S3_REMOVE_MAX] = FIRST(put(STR("4"), STR("last")));
	bool is_held = hold(names[500].digest, "ON");
	const struct store_removal removal = { names, COUNT_OF(names), INT64_MAX, note_refused,
					       &seen };
	cr_assert_eq(store_blobs_remove(&ctx, store, &removal), OK, "%s", ctx.failure.detail);
	cr_assert_eq(seen.refused, is_held);
	cr_assert_eq(seen.gone + seen.refused, COUNT_OF(names));
	assert_no_blob(names[0].digest);
	assert_no_blob(names[S3_REMOVE_MAX].digest);
	assert_no_blob(names[2 * S3_REMOVE_MAX].digest);
	if (!is_held)
		cr_skip_test("the server has no legal holds: nothing was refused");
	cr_assert(blob_name_equal(seen.name, names[500]));
	assert_blob(names[500].digest, STR("held"));
	cr_assert(hold(names[500].digest, "OFF"));
	cr_assert_eq(remove_together(names, COUNT_OF(names), INT64_MAX), COUNT_OF(names));
	assert_no_blob(names[500].digest);
}

Test(store_s3, a_walk_reports_what_is_neither)
{
	CLEANUP(buf_done) struct buf seen = BUF_INIT(KIB(64));
	const struct store_walk visitor = { see_blob, see_upload, see_stray, &seen };
	static const char *const names[] = {
		"blobs/md5/x",
		"blobs/sha256/AB/x",
		"blobs/sha256/ab/short",
		"blobs/sha256/ab/cd00" X60,
		"blobs/sha256/cd",
		"uploads/notes.txt",
		"uploads/ab/c",
		"uploads/a b&c<\xc3\xa9>+%41",
		"uploads/dead",
		"uploads/beef.data",
		"elsewhere",
		"blobs/sha256/ab/ab01" X60,
	};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		write_file(names[i], "right");
	assert_walk(&visitor, OK,
		    "stray blobs/md5/x\n"
		    "stray blobs/sha256/AB/x\n"
		    "blob sha256:ab0100 5\n"
		    "stray blobs/sha256/ab/cd00" X60 "\n"
		    "stray blobs/sha256/ab/short\n"
		    "stray blobs/sha256/cd\n"
		    "stray uploads/a b&c<\xc3\xa9>+%41\n"
		    "stray uploads/ab/c\n"
		    "upload beef 0\n"
		    "stray uploads/dead\n"
		    "stray uploads/notes.txt\n");
}

Test(store_s3, a_walk_sees_uploads_that_have_nothing_but_parts)
{
	CLEANUP(buf_done) struct buf seen = BUF_INIT(KIB(64));
	const struct store_walk visitor = { see_blob, see_upload, see_stray, &seen };
	char id[S3_UPLOAD_ID_MAX + 1];
	if (!lists_by_prefix())
		cr_skip_test("the server does not list them");
	cr_assert_eq(s3_multipart_begin(&ctx, s3_fixture.client,
					s3_fixture_key(&ctx, "uploads/abc.data"), id, NULL),
		     OK);
	assert_walk(&visitor, OK, "upload abc 0\n");
	cr_assert_eq(driver->upload_remove(&ctx, store, STR("abc")), OK);
	cr_assert_eq(multiparts(), 0);
}

Test(store_s3, wrong_options_are_refused_in_words)
{
	static const struct {
		struct store_setting settings[5];
		err_t want;
		const char *words;
	} cases[] = {
		{ { { STR_INIT("bucket"), STR_INIT("a/b") } },
		  ERR_STORAGE,
		  "not the name of a bucket: 'a/b'" },
		{ { { STR_INIT("bucket"), STR_INIT("berth") } }, ERR_STORAGE, "no S3 credentials" },
		{ { { STR_INIT("bucket"), STR_INIT("berth") },
		    { STR_INIT("access_key"), STR_INIT("a") } },
		  ERR_STORAGE,
		  "both" },
		{ { { STR_INIT("bucket"), STR_INIT("berth") },
		    { STR_INIT("endpoint"), STR_INIT("ftp://x") } },
		  ERR_STORAGE,
		  "endpoint" },
		{ { { STR_INIT("bucket"), STR_INIT("berth") },
		    { STR_INIT("verify"), STR_INIT("no") } },
		  ERR_STORAGE,
		  "verify" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct store *other;
		struct store_place place = { .location = "", .settings = cases[i].settings };
		size_t at;
		while (place.setting_count < 5 && cases[i].settings[place.setting_count].name.len)
			place.setting_count++;
		ctx_forgive(&ctx);
		cr_assert_eq(store_driver_find(STR("s3"))->open(&ctx, &place, &other),
			     cases[i].want);
		cr_assert(str_find(str_from(ctx.failure.detail), str_from(cases[i].words), &at),
			  "%s", ctx.failure.detail);
	}
}

Test(store_s3, the_wrong_key_and_the_wrong_bucket_are_told_when_it_is_opened)
{
	static const struct {
		size_t which;
		const char *value, *words;
	} cases[] = {
		{ 1, "no-such-bucket", "there is no bucket of this name" },
		{ 2, "nobody", "the server does not know this access key" },
		{ 3, "wrong", "the secret key is wrong" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct store *other;
		struct store_setting settings[8];
		struct store_place place = { .location = "", .settings = settings };
		size_t at;
		memcpy(settings, s3_fixture_settings(&place.setting_count), sizeof settings);
		settings[cases[i].which].value = str_from(cases[i].value);
		ctx_forgive(&ctx);
		cr_assert_eq(store_driver_find(STR("s3"))->open(&ctx, &place, &other), ERR_STORAGE);
		cr_assert(str_find(str_from(ctx.failure.detail), str_from(cases[i].words), &at),
			  "%s", ctx.failure.detail);
	}
}

#ifdef BERTH_FAULTS
Test(store_s3, bytes_go_on_behind_parts_that_were_completed_before)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	str all = { pattern(LARGE), LARGE };
	digest d = hash_bytes(DIGEST_SHA256, all);
	open_with(STR("a"), STR(""), &upload);
	append_all(&upload, str_take(all, MIB(11)));
	cr_assert_eq(driver->upload_flush(&ctx, &upload), OK);
	fault_setup("s3.copy:1=errno:5");
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("a"),
				     FIRST(hash_bytes(DIGEST_SHA256, STR("half")))),
		     ERR_STORAGE);
	fault_setup(NULL);
	ctx_forgive(&ctx);
	reopen(&upload, STR("a"));
	cr_assert_eq(upload.size_bytes, MIB(11));
	append_all(&upload, str_skip(all, MIB(11)));
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("a"), FIRST(d)), OK, "%s",
		     ctx.failure.detail);
	assert_large_blob(d, all);
}

/* --- copies in parts ------------------------------------------------------------------------- */

/* Two parts of what has three as an upload. */
static void copy_in_parts(void)
{
	struct s3_copies *copies = &s3_of(store)->client->copies;
	copies->whole_bytes_max = MIB(20);
	copies->part_bytes = MIB(12);
}

static str key_of(digest d)
{
	char *key = arena_alloc(&arena, REMOTE_KEY_MAX);
	s3_fixture.names.prefix = s3_fixture.prefix;
	return s3_blob_key(&s3_fixture.names, FIRST(d), key);
}

static bool is_of_two_parts(digest d)
{
	struct s3_object object;
	cr_assert_eq(s3_head(&ctx, s3_fixture.client, key_of(d), &object), OK);
	return str_has_suffix(str_from(object.etag), STR("-2"));
}

static digest publish_in_parts(const char *id, const char *fault, err_t want)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	str all = { pattern(LARGE), LARGE };
	digest d = hash_bytes(DIGEST_SHA256, all);
	open_with(str_from(id), STR(""), &upload);
	if (upload.size_bytes == 0)
		append_all(&upload, all);
	fault_setup(fault);
	cr_assert_eq(driver->publish(&ctx, store, &upload, str_from(id), FIRST(d)), want, "%s",
		     ctx.failure.detail);
	fault_setup(NULL);
	ctx_forgive(&ctx);
	return d;
}

Test(store_s3, what_is_larger_than_one_copy_may_be_is_copied_in_parts)
{
	copy_in_parts();
	digest d = publish_in_parts("c1", NULL, OK);
	cr_assert(is_of_two_parts(d));
	cr_assert_eq(multiparts_of(key_of(d)), 0);
	cr_assert_not(exists(path_of("uploads/c1")));
	cr_assert_not(exists(path_of("uploads/c1.data")));
	assert_large_blob(d, (str){ pattern(LARGE), LARGE });
}

/* Where copies in one were slow it is better to have several that are answered. */
Test(store_s3, parts_are_copied_where_one_copy_would_take_long)
{
	struct s3_copies *copies = &s3_of(store)->client->copies;
	static const struct {
		uint64_t bytes_per_s;
		bool in_parts;
	} cases[] = { { 0, true }, { MIB(1), true }, { MIB(100), false } };
	copies->part_bytes = MIB(12);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		atomic_store(&copies->bytes_per_s, cases[i].bytes_per_s);
		digest d = publish_in_parts("c2", NULL, OK);
		cr_assert_eq(is_of_two_parts(d), cases[i].in_parts, "%zu", i);
		cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
	}
	cr_assert_neq(atomic_load(&copies->bytes_per_s), MIB(100), "it is measured");
}

Test(store_s3, parts_of_a_copy_are_copied_at_a_time)
{
	copy_in_parts();
	s3_of(store)->client->copies.part_bytes = MIB(10);
	int64_t began_ns = clock_now_ns();
	digest d = publish_in_parts("c3", "s3.copy_part:*=wait:2000", OK);
	cr_assert_lt(clock_now_ns() - began_ns, 5 * CLOCK_S);
	assert_large_blob(d, (str){ pattern(LARGE), LARGE });
}

/* Nothing half-made is there, and the upload goes on. */
Test(store_s3, every_step_of_a_copy_in_parts_may_fail_once)
{
	static const char *const faults[] = {
		"s3.copy_part:1=errno:5", "s3.copy_part:2=errno:5",
		"s3.state:2=errno:5", /* the one that tells of the copy */
	};
	copy_in_parts();
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		digest d = publish_in_parts("c4", faults[i], ERR_STORAGE);
		assert_no_blob(d);
		cr_assert_eq(multiparts_of(key_of(d)), 0, "%s", faults[i]);
		cr_assert(exists(path_of("uploads/c4")));
		publish_in_parts("c4", NULL, OK);
		cr_assert_eq(multiparts_of(key_of(d)), 0);
		assert_large_blob(d, (str){ pattern(LARGE), LARGE });
		cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
	}
}

/* A process that died in the middle: who goes on ends it, and so does who removes the upload. */
Test(store_s3, a_copy_in_parts_that_nobody_ended_is_found_by_its_state)
{
	copy_in_parts();
	for (int removed = 0; removed < 2; removed++) {
		digest d = publish_in_parts("c5",
					    "s3.copy_part:2=errno:5,"
					    "s3.copy_end:1=errno:5",
					    ERR_STORAGE);
		assert_no_blob(d);
		cr_assert_eq(multiparts_of(key_of(d)), 1);
		if (removed)
			cr_assert_eq(driver->upload_remove(&ctx, store, STR("c5")), OK);
		else
			publish_in_parts("c5", NULL, OK);
		cr_assert_eq(multiparts_of(key_of(d)), 0);
		cr_assert_not(exists(path_of("uploads/c5")));
		cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
	}
}

Test(store_s3, an_upload_goes_on_behind_a_base_that_was_copied_in_parts)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	str all = { pattern(2 * LARGE), 2 * LARGE };
	copy_in_parts();
	open_with(STR("c6"), STR(""), &upload);
	append_all(&upload, str_take(all, LARGE));
	assert_upload(&upload, str_take(all, LARGE)); /* completes the parts */
	append_all(&upload, str_skip(all, LARGE));
	publish_large(&upload, STR("c6"), all);
	cr_assert_eq(multiparts(), 0);
}
#endif
