/* SPDX-License-Identifier: Apache-2.0 */
/* large_fixture.h - uploads of several parts, for the stories that follow those of test_store.c. */
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
	cr_assert_eq(driver->blob_open(&ctx, store, d, &blob), OK);
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
