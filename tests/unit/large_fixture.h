/* SPDX-License-Identifier: Apache-2.0 */
/* large_fixture.h - uploads of several parts, and stories of them that are the same for every
 * driver that sends them. For what follows those of test_store.c. */
#pragma once

static const char *pattern(size_t len)
{
	char *bytes = arena_alloc(&arena, len + 1);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 2654435761u >> 13);
	return bytes;
}

static void append_all(struct store_upload *upload, str bytes)
{
	for (; bytes.len; bytes = str_skip(bytes, MIB(1)))
		cr_assert_eq(driver->upload_append(&ctx, upload, str_take(bytes, MIB(1))), OK, "%s",
			     ctx.failure.detail);
}

static void assert_upload(struct store_upload *upload, str want)
{
	CLEANUP(mem_done) char *bytes = mem_new(want.len + 1);
	size_t have = 0, len = 1;
	while (len) {
		cr_assert_eq(driver->upload_read(&ctx, upload, have, bytes + have,
						 want.len + 1 - have, &len),
			     OK, "%s", ctx.failure.detail);
		have += len;
	}
	cr_assert_eq(have, want.len);
	cr_assert(memcmp(bytes, want.ptr, want.len) == 0);
}

static void assert_large_blob(digest d, str want)
{
	CLEANUP(store_blob_done) struct store_blob blob = STORE_BLOB_INIT;
	CLEANUP(mem_done) char *bytes = mem_new(want.len + 1);
	cr_assert_eq(driver->blob_open(&ctx, store, FIRST(d), &blob), OK);
	cr_assert_eq(blob.size_bytes, want.len);
	for (size_t have = 0, len; have < want.len; have += len)
		cr_assert_eq(
			driver->blob_read(&ctx, &blob, have, bytes + have, want.len - have, &len),
			OK);
	cr_assert(memcmp(bytes, want.ptr, want.len) == 0);
}

static void reopen(struct store_upload *upload, str id)
{
	store_upload_done(upload);
	cr_assert_eq(driver->upload_open(&ctx, store, id, false, upload), OK, "%s",
		     ctx.failure.detail);
}

#define LARGE (MIB(21) + 12345)

static void set_up_large(void)
{
	set_up();
	arena_done(&arena);
	arena_init(&arena, MIB(256));
}

static void publish_large(struct store_upload *upload, str id, str all)
{
	digest d = hash_bytes(DIGEST_SHA256, all);
	cr_assert_eq(driver->publish(&ctx, store, upload, id, FIRST(d)), OK, "%s",
		     ctx.failure.detail);
	assert_large_blob(d, all);
}

static void tell_of_versions(void)
{
	CLEANUP(store_upload_done)
	struct store_upload mine = STORE_UPLOAD_INIT, other = STORE_UPLOAD_INIT;
	open_with(STR("6"), STR("one"), &mine);
	uint64_t version = mine.version;
	reopen(&mine, STR("6"));
	cr_assert_eq(mine.version, version);
	cr_assert_eq(driver->upload_open(&ctx, store, STR("6"), false, &other), OK);
	cr_assert_eq(driver->upload_append(&ctx, &other, STR("two")), OK);
	cr_assert_eq(driver->upload_flush(&ctx, &other), OK);
	reopen(&mine, STR("6"));
	cr_assert_neq(mine.version, version);
	cr_assert_eq(mine.size_bytes, 6);
}

static void tell_of_cuts(const size_t *sizes, size_t count)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	str all = { pattern(LARGE), LARGE };
	open_with(STR("4"), STR(""), &upload);
	append_all(&upload, all);
	for (size_t i = 0; i < count; i++) {
		cr_assert_eq(driver->upload_cut(&ctx, &upload, sizes[i]), OK, "%s",
			     ctx.failure.detail);
		cr_assert_eq(driver->upload_flush(&ctx, &upload), OK);
		reopen(&upload, STR("4"));
		cr_assert_eq(upload.size_bytes, sizes[i]);
		assert_upload(&upload, str_take(all, sizes[i]));
	}
	append_all(&upload, all);
	publish_large(&upload, STR("4"), all);
}

#ifdef BERTH_FAULTS
/* Appends and publishes under a fault, however often it takes; returns how often it failed. After a
 * failed append the upload is what it was. */
static unsigned push_through(const char *fault, struct store_upload *upload, str id, str all)
{
	digest d = hash_bytes(DIGEST_SHA256, all);
	unsigned failures = 0;
	cr_assert_eq(driver->upload_open(&ctx, store, id, true, upload), OK);
	fault_setup(fault);
	for (str rest = all; rest.len;) {
		uint64_t before = upload->size_bytes;
		err_t err = driver->upload_append(&ctx, upload, str_take(rest, MIB(1)));
		if (err == OK) {
			rest = str_skip(rest, MIB(1));
			continue;
		}
		failures++;
		cr_assert_eq(err, ERR_STORAGE);
		cr_assert_eq(upload->size_bytes, before);
		ctx_forgive(&ctx);
	}
	while (driver->publish(&ctx, store, upload, id, FIRST(d)) != OK) {
		failures++;
		ctx_forgive(&ctx);
	}
	fault_setup(NULL);
	assert_large_blob(d, all);
	return failures;
}
#endif
