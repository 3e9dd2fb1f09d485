/* SPDX-License-Identifier: Apache-2.0 */
/* The stories of test_store.c over an encrypted store, and what only that one promises: not a plain
 * byte on the disk, and not a wrong byte from it. */
#define ENCRYPTED 1
#include "blob_names.h"
#include "test_store.c"

#define CHUNK  65536
#define RECORD (CHUNK + 28)
#define HEADER 48
#define END    36

/* Sizes around the ends of chunks. */
static const size_t sizes[] = { 0,	   1,	      CHUNK - 1,      CHUNK,
				CHUNK + 1, 2 * CHUNK, 3 * CHUNK - 36, 3 * CHUNK + 77 };

static str pattern(size_t len)
{
	char *bytes = arena_alloc(&arena, len + 1);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 2654435761u >> 11);
	return (str){ bytes, len };
}

static str read_file(const char *path)
{
	struct stat info;
	FILE *file = fopen(path, "r");
	cr_assert_not_null(file, "%s", path);
	cr_assert_eq(fstat(fileno(file), &info), 0);
	char *bytes = arena_alloc(&arena, (size_t)info.st_size + 1);
	cr_assert_eq(fread(bytes, 1, (size_t)info.st_size, file), (size_t)info.st_size);
	fclose(file);
	return (str){ bytes, (size_t)info.st_size };
}

static void write_bytes(const char *path, str bytes)
{
	FILE *file = fopen(path, "w");
	cr_assert_not_null(file, "%s", path);
	cr_assert_eq(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
	fclose(file);
}

static void reopen(void)
{
	driver->close(store);
	cr_assert_eq(open_store(path_of("."), &store), OK);
}

/* Reads all of it in pieces of `step`; what comes before an error must be right. */
static err_t read_in_steps(digest d, str want, size_t step)
{
	CLEANUP(store_blob_done) struct store_blob blob = STORE_BLOB_INIT;
	CLEANUP(mem_done) char *into = mem_new(step);
	err_t err = driver->blob_open(&ctx, store, FIRST(d), &blob);
	for (uint64_t at = 0; err == OK && at < want.len;) {
		size_t len;
		err = driver->blob_read(&ctx, &blob, at, into, step, &len);
		if (err != OK)
			break;
		cr_assert_gt(len, 0);
		cr_assert_eq(memcmp(into, want.ptr + at, len), 0, "at %llu",
			     (unsigned long long)at);
		at += len;
	}
	ctx_forgive(&ctx);
	return err;
}

Test(store, every_size_comes_back_in_every_step)
{
	static const size_t steps[] = { 1000, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK };
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		str bytes = pattern(sizes[i]);
		digest d = put(STR("a"), bytes);
		cr_assert_eq(read_file(path_of_blob(d)).len,
			     HEADER + bytes.len + (bytes.len + CHUNK - 1) / CHUNK * 28 + END);
		for (size_t k = 0; k < COUNT_OF(steps); k++)
			cr_assert_eq(read_in_steps(d, bytes, steps[k]), OK);
		assert_blob(d, bytes);
	}
}

Test(store, ranges_are_right_at_the_ends_of_chunks)
{
	CLEANUP(store_blob_done) struct store_blob blob = STORE_BLOB_INIT;
	str bytes = pattern(3 * CHUNK + 77);
	static const size_t offsets[] = { 0,
					  1,
					  CHUNK - 1,
					  CHUNK,
					  CHUNK + 1,
					  2 * CHUNK - 1,
					  3 * CHUNK - 1,
					  3 * CHUNK,
					  3 * CHUNK + 76,
					  3 * CHUNK + 77,
					  3 * CHUNK + 1000 };
	static const size_t lens[] = { 1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 4 * CHUNK };
	char *into = arena_alloc(&arena, 4 * CHUNK);
	cr_assert_eq(driver->blob_open(&ctx, store, FIRST(put(STR("a"), bytes)), &blob), OK);
	for (size_t i = 0; i < COUNT_OF(offsets); i++)
		for (size_t k = 0; k < COUNT_OF(lens); k++) {
			size_t len;
			str want = str_take(str_skip(bytes, offsets[i]), lens[k]);
			cr_assert_eq(
				driver->blob_read(&ctx, &blob, offsets[i], into, lens[k], &len),
				OK);
			cr_assert(str_eq((str){ into, len }, want), "%zu from %zu", lens[k],
				  offsets[i]);
		}
}

/* Whatever the pieces, with a flush and a restart between them or not. */
Test(store, an_upload_in_pieces_is_the_same_blob)
{
	static const size_t pieces[] = { 1, 7, 1000, CHUNK - 1, CHUNK, CHUNK + 1, 100000 };
	str bytes = pattern(3 * CHUNK + 77);
	for (size_t i = 0; i < COUNT_OF(pieces) * 2; i++) {
		struct store_upload upload = STORE_UPLOAD_INIT;
		size_t piece = pieces[i / 2];
		bool restarts = i % 2 && piece >= 1000;
		digest d = hash_bytes(DIGEST_SHA256, bytes);
		open_with(STR("a"), STR(""), &upload);
		for (str rest = bytes; rest.len; rest = str_skip(rest, piece)) {
			cr_assert_eq(driver->upload_append(&ctx, &upload, str_take(rest, piece)),
				     OK);
			if (!restarts)
				continue;
			cr_assert_eq(driver->upload_flush(&ctx, &upload), OK);
			store_upload_done(&upload);
			reopen();
			open_with(STR("a"), STR(""), &upload);
			cr_assert_eq(upload.size_bytes, bytes.len - str_skip(rest, piece).len);
		}
		cr_assert_eq(driver->publish(&ctx, store, &upload, STR("a"), FIRST(d)), OK);
		store_upload_done(&upload);
		assert_blob(d, bytes);
		cr_assert_not(exists(path_of("uploads/a")));
		cr_assert_not(exists(path_of("uploads/a--0")));
		cr_assert_not(exists(path_of("uploads/a--1")));
		cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
	}
}

Test(store, rehashing_reads_across_chunks_and_tail)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	str bytes = pattern(2 * CHUNK + 500);
	char *into = arena_alloc(&arena, bytes.len + 10);
	size_t len;
	open_with(STR("a"), bytes, &upload);
	cr_assert_eq(driver->upload_read(&ctx, &upload, 0, into, bytes.len + 10, &len), OK);
	cr_assert(str_eq((str){ into, len }, bytes));
	cr_assert_eq(driver->upload_read(&ctx, &upload, 2 * CHUNK - 7, into, 20, &len), OK);
	cr_assert(str_eq((str){ into, len }, str_take(str_skip(bytes, 2 * CHUNK - 7), 20)));
	cr_assert_eq(driver->upload_read(&ctx, &upload, bytes.len, into, 20, &len), OK);
	cr_assert_eq(len, 0);
}

static bool holds(str hay, str needle)
{
	size_t at;
	return str_find(hay, needle, &at);
}

Test(store, nothing_plain_is_on_the_disk)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	static const char word[] = "a word that must not be found. ";
	CLEANUP(buf_done) struct buf text = BUF_INIT(KIB(256));
	while (text.len < CHUNK + 5000)
		buf_add(&text, STR("a word that must not be found. "));
	open_with(STR("a"), buf_str(&text), &upload);
	str needle = str_take(str_from(word), 12);
	cr_assert(holds(buf_str(&text), needle));
	cr_assert_not(holds(read_file(path_of("uploads/a")), needle));
	cr_assert_not(holds(read_file(path_of("uploads/a--0")), needle));
	digest d = put(STR("b"), buf_str(&text));
	cr_assert_not(holds(read_file(path_of_blob(d)), needle));
}

Test(store, the_same_bytes_never_look_the_same)
{
	struct store_upload one = STORE_UPLOAD_INIT, two = STORE_UPLOAD_INIT;
	str bytes = pattern(CHUNK);
	open_with(STR("a"), bytes, &one);
	open_with(STR("b"), bytes, &two);
	str a = read_file(path_of("uploads/a")), b = read_file(path_of("uploads/b"));
	cr_assert_eq(a.len, HEADER + RECORD);
	cr_assert_eq(a.len, b.len);
	cr_assert(memcmp(a.ptr + HEADER, b.ptr + HEADER, RECORD) != 0);
	store_upload_done(&one);
	store_upload_done(&two);
}

/* A tail that grows is sealed under another nonce each time. */
Test(store, no_nonce_is_used_twice_for_a_tail)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	open_with(STR("a"), STR("some "), &upload);
	str first = read_file(path_of("uploads/a--0"));
	cr_assert_eq(driver->upload_append(&ctx, &upload, STR("more")), OK);
	cr_assert_eq(driver->upload_flush(&ctx, &upload), OK);
	str second = read_file(path_of("uploads/a--1"));
	cr_assert_eq(first.len + 4, second.len);
	cr_assert(memcmp(first.ptr + 8, second.ptr + 8, 12) != 0);
	cr_assert(memcmp(first.ptr + 20, second.ptr + 20, 5) != 0, "nor is the key stream");
	cr_assert_eq(driver->upload_flush(&ctx, &upload), OK);
	cr_assert(str_eq(read_file(path_of("uploads/a--0")), first),
		  "nothing new, nothing written");
}

/* One bit anywhere: an error, or right bytes before it, and never a wrong one. */
Test(store, a_changed_byte_is_found)
{
	str bytes = pattern(2 * CHUNK + 500);
	digest d = put(STR("a"), bytes);
	char *path = path_of_blob(d);
	str good = read_file(path);
	for (size_t at = 0; at < good.len; at += at < 64 || good.len - at < 70 ? 1 : 997) {
		char *changed = (char *)(uintptr_t)arena_copy(&arena, good).ptr;
		changed[at] ^= 0x10;
		write_bytes(path, (str){ changed, good.len });
		cr_assert_eq(read_in_steps(d, bytes, 3 * CHUNK), ERR_CORRUPT, "byte %zu", at);
		cr_assert_eq(read_in_steps(d, bytes, 5000), ERR_CORRUPT, "byte %zu", at);
		arena_reset(&arena);
		path = path_of_blob(d);
		bytes = pattern(2 * CHUNK + 500);
		write_bytes(path, (str){ changed, 0 });
		digest again = put(STR("b"), bytes);
		cr_assert(digest_equal(again, d));
		good = read_file(path);
	}
}

Test(store, a_file_that_is_cut_or_longer_is_refused_when_it_is_opened)
{
	struct store_blob blob = STORE_BLOB_INIT;
	uint64_t size;
	static const long cuts[] = { -1,	  -END,	      -END - 1, -500, -END - 528, -RECORD,
				     -RECORD - 1, -2 * CHUNK, 1,	END,  RECORD };
	str bytes = pattern(2 * CHUNK + 500);
	digest d = put(STR("a"), bytes);
	char *path = path_of_blob(d);
	str good = read_file(path);
	for (size_t i = 0; i < COUNT_OF(cuts); i++) {
		write_bytes(path, good);
		cr_assert_eq(truncate(path, (off_t)good.len + cuts[i]), 0);
		cr_assert_eq(driver->blob_open(&ctx, store, FIRST(d), &blob), ERR_CORRUPT, "%ld",
			     cuts[i]);
		ctx_forgive(&ctx);
	}
	write_bytes(path, STR(""));
	cr_assert_eq(driver->blob_open(&ctx, store, FIRST(d), &blob), ERR_CORRUPT);
	cr_assert_eq(driver->blob_size(&ctx, store, FIRST(d), &size), ERR_CORRUPT);
}

static void swap(char *a, char *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char byte = a[i];
		a[i] = b[i];
		b[i] = byte;
	}
}

Test(store, chunks_and_files_in_each_others_place_are_refused)
{
	str one = pattern(2 * CHUNK), two = arena_copy(&arena, one);
	memset((char *)(uintptr_t)two.ptr, 'x', 100);
	digest a = put(STR("a"), one), b = put(STR("b"), two);
	char *path_a = path_of_blob(a), *path_b = path_of_blob(b);
	str good_a = read_file(path_a), good_b = read_file(path_b);

	str reordered = arena_copy(&arena, good_a);
	char *first = (char *)(uintptr_t)reordered.ptr + HEADER;
	swap(first, first + RECORD, RECORD);
	write_bytes(path_a, reordered);
	cr_assert_eq(read_in_steps(a, one, CHUNK), ERR_CORRUPT, "chunks of one file");

	str mixed = arena_copy(&arena, good_a);
	memcpy((char *)(uintptr_t)mixed.ptr + HEADER + RECORD, good_b.ptr + HEADER + RECORD,
	       RECORD);
	write_bytes(path_a, mixed);
	cr_assert_eq(read_in_steps(a, one, CHUNK), ERR_CORRUPT, "chunks of two files");

	write_bytes(path_a, good_b);
	cr_assert_eq(read_in_steps(a, one, CHUNK), ERR_CORRUPT, "two files");
	write_bytes(path_a, good_a);
	cr_assert_eq(read_in_steps(a, one, CHUNK), OK);
}

Test(store, another_key_opens_nothing)
{
	static const struct aead_key other_key = { "the key of another storage, this" };
	struct store_upload upload = STORE_UPLOAD_INIT;
	struct store_blob blob = STORE_BLOB_INIT;
	struct store *other;
	const struct store_place place = { .location = path_of(".") };
	digest d = put(STR("a"), STR("bytes"));
	open_with(STR("b"), pattern(2 * CHUNK + 5), &upload);
	store_upload_done(&upload);
	cr_assert_eq(store_driver_find(STR("filesystem"))->open(&ctx, &place, &other), OK);
	other = encrypted_store_new(other, &other_key);
	cr_assert_eq(driver->blob_open(&ctx, other, FIRST(d), &blob), ERR_CORRUPT);
	ctx_forgive(&ctx);
	cr_assert_eq(driver->upload_open(&ctx, other, STR("b"), true, &upload), OK);
	cr_assert_eq(upload.size_bytes, CHUNK, "neither its last chunk nor its tail");
	char byte;
	size_t len;
	cr_assert_eq(driver->upload_read(&ctx, &upload, 0, &byte, 1, &len), ERR_CORRUPT);
	store_upload_done(&upload);
	driver->close(other);
}

Test(store, what_is_open_ends_when_the_key_is_forgotten)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	CLEANUP(store_blob_done) struct store_blob blob = STORE_BLOB_INIT;
	struct store_blob again = STORE_BLOB_INIT;
	char byte;
	size_t len;
	digest d = put(STR("a"), pattern(CHUNK + 5));
	open_with(STR("b"), STR("bytes"), &upload);
	cr_assert_eq(driver->blob_open(&ctx, store, FIRST(d), &blob), OK);
	driver->forget(store);
	cr_assert_eq(driver->blob_read(&ctx, &blob, 0, &byte, 1, &len), ERR_STORAGE_ERASED);
	cr_assert_eq(driver->blob_open(&ctx, store, FIRST(d), &again), ERR_STORAGE_ERASED);
	cr_assert_eq(driver->upload_append(&ctx, &upload, STR("x")), ERR_STORAGE_ERASED);
	cr_assert_eq(driver->upload_read(&ctx, &upload, 0, &byte, 1, &len), ERR_STORAGE_ERASED);
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("b"), FIRST(d)), ERR_STORAGE_ERASED);
	cr_assert_eq(driver->upload_remove(&ctx, store, STR("b")), OK, "its files may go");
	cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
}

Test(store, names_beside_an_upload_are_no_uploads)
{
	struct store_upload upload = STORE_UPLOAD_INIT;
	cr_assert_eq(driver->upload_open(&ctx, store, STR("a--0"), true, &upload),
		     ERR_UPLOAD_UNKNOWN);
	cr_assert_eq(driver->upload_remove(&ctx, store, STR("a--1")), ERR_UPLOAD_UNKNOWN);
}

Test(store, a_walk_counts_tails_to_their_uploads)
{
	CLEANUP(buf_done) struct buf seen = BUF_INIT(KIB(64));
	const struct store_walk visitor = { see_blob, see_upload, see_stray, &seen };
	struct store_upload upload = STORE_UPLOAD_INIT;
	open_with(STR("a"), pattern(CHUNK + 5), &upload);
	cr_assert_eq(driver->upload_append(&ctx, &upload, STR("x")), OK);
	cr_assert_eq(driver->upload_flush(&ctx, &upload), OK);
	store_upload_done(&upload);
	write_file(path_of("uploads/b--0"), "of one that has become a blob");
	write_file(path_of("uploads/b--1"), "of one that has become a blob");
	assert_walk(&visitor, OK, "upload a 65542\nupload b 0\n");
}

/* --- crashes: what a process that died leaves --------------------------------------------------
 */

/* The upload `a` as it is opened next, and finished there. */
static void assert_goes_on(str bytes, size_t size)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	digest d = hash_bytes(DIGEST_SHA256, bytes);
	reopen();
	open_with(STR("a"), STR(""), &upload);
	cr_assert_eq(upload.size_bytes, size);
	cr_assert_eq(driver->upload_append(&ctx, &upload, str_skip(bytes, size)), OK);
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("a"), FIRST(d)), OK);
	store_upload_done(&upload);
	assert_blob(d, bytes);
}

static void keep(str bytes)
{
	struct store_upload upload = STORE_UPLOAD_INIT;
	open_with(STR("a"), bytes, &upload);
	store_upload_done(&upload);
}

Test(store, a_torn_chunk_is_cut_off)
{
	str bytes = pattern(3 * CHUNK);
	keep(str_take(bytes, CHUNK + 10));
	cr_assert_eq(truncate(path_of("uploads/a"), HEADER + RECORD + 5000), 0);
	assert_goes_on(bytes, CHUNK + 10);
}

Test(store, a_torn_header_is_begun_anew)
{
	write_file(path_of("uploads/a"), "BERTHENC");
	assert_goes_on(pattern(CHUNK + 1), 0);
}

Test(store, a_torn_tail_leaves_the_one_before)
{
	str bytes = pattern(2000);
	struct store_upload upload = STORE_UPLOAD_INIT;
	open_with(STR("a"), str_take(bytes, 1000), &upload);
	cr_assert_eq(driver->upload_append(&ctx, &upload, str_take(str_skip(bytes, 1000), 500)),
		     OK);
	cr_assert_eq(driver->upload_flush(&ctx, &upload), OK);
	store_upload_done(&upload);
	cr_assert_eq(truncate(path_of("uploads/a--1"), 700), 0);
	assert_goes_on(bytes, 1000);
}

Test(store, an_old_tail_counts_for_nothing)
{
	str bytes = pattern(2 * CHUNK);
	struct store_upload upload = STORE_UPLOAD_INIT;
	open_with(STR("a"), str_take(bytes, 1000), &upload);
	cr_assert_eq(
		driver->upload_append(&ctx, &upload, str_take(str_skip(bytes, 1000), CHUNK - 1000)),
		OK);
	store_upload_done(&upload);
	assert_goes_on(bytes, CHUNK);
}

/* A process that dies between the end and its rename leaves a file with both: with lengths for
 * which the last chunk and the end together are as long as a chunk, too. */
Test(store, an_end_without_its_rename_is_cut_off)
{
	static const size_t lens[] = { 0,	   10,	      CHUNK - 100, CHUNK - 37, CHUNK - 36,
				       CHUNK - 35, CHUNK - 1, CHUNK,	   CHUNK + 10 };
	for (size_t i = 0; i < COUNT_OF(lens); i++) {
		str bytes = pattern(lens[i]);
		digest d = put(STR("a"), bytes);
		str finished = read_file(path_of_blob(d));
		cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
		keep(bytes);
		write_bytes(path_of("uploads/a"), finished);
		/* The tail beside is of another header, as if nothing had been flushed. */
		size_t whole = lens[i] / CHUNK * CHUNK;
		assert_goes_on(bytes, whole);
		cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
	}
}

#ifdef BERTH_FAULTS
Test(store, a_failed_append_leaves_all_as_it_was)
{
	str bytes = pattern(4 * CHUNK);
	for (int hit = 1; hit <= 3; hit++) {
		CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
		digest d = hash_bytes(DIGEST_SHA256, bytes);
		open_with(STR("a"), str_take(bytes, 1000), &upload);
		fault_setup(arena_printf(&arena, "store.append:%d=errno:28", hit).ptr);
		cr_assert_eq(driver->upload_append(&ctx, &upload, str_skip(bytes, 1000)),
			     ERR_STORAGE_FULL);
		fault_setup(NULL);
		ctx_forgive(&ctx);
		cr_assert_eq(upload.size_bytes, 1000);
		cr_assert_eq(read_file(path_of("uploads/a")).len, HEADER);
		cr_assert_eq(driver->upload_append(&ctx, &upload, str_skip(bytes, 1000)), OK);
		cr_assert_eq(driver->publish(&ctx, store, &upload, STR("a"), FIRST(d)), OK);
		assert_blob(d, bytes);
		cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
	}
}

/* Should cutting back fail too, the rest is cut off by whoever comes next. */
Test(store, an_append_that_cannot_be_cut_back_is_cut_later)
{
	str bytes = pattern(4 * CHUNK);
	struct store_upload upload = STORE_UPLOAD_INIT;
	open_with(STR("a"), str_take(bytes, 1000), &upload);
	fault_setup("store.append:3=errno:5,store.cut:1=errno:5");
	cr_assert_eq(driver->upload_append(&ctx, &upload, str_skip(bytes, 1000)), ERR_STORAGE);
	fault_setup(NULL);
	ctx_forgive(&ctx);
	cr_assert_eq(upload.size_bytes, 1000);
	cr_assert_eq(driver->upload_append(&ctx, &upload, STR("")), OK);
	cr_assert_eq(driver->upload_append(&ctx, &upload, str_skip(bytes, 1000)), OK);
	store_upload_done(&upload);
	assert_goes_on(bytes, 4 * CHUNK);
}

Test(store, a_flush_that_fails_keeps_what_was_promised)
{
	static const char *const faults[] = { "store.create:1=errno:28", "store.append:1=errno:28",
					      "store.remove:1=errno:5" };
	str bytes = pattern(3000);
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		struct store_upload upload = STORE_UPLOAD_INIT;
		open_with(STR("a"), str_take(bytes, 1000), &upload);
		cr_assert_eq(driver->upload_append(&ctx, &upload, str_take(bytes, 500)), OK);
		fault_setup(faults[i]);
		cr_assert_neq(driver->upload_flush(&ctx, &upload), OK);
		fault_setup(NULL);
		ctx_forgive(&ctx);
		store_upload_done(&upload);
		assert_goes_on(bytes, 1000);
		cr_assert_eq(
			driver->blob_remove(&ctx, store, FIRST(hash_bytes(DIGEST_SHA256, bytes))),
			OK);
	}
}

/* After a publish that failed, the upload goes on where it was. */
Test(store, an_upload_goes_on_after_a_publish_that_failed)
{
	str bytes = pattern(CHUNK + 900);
	struct store_upload upload = STORE_UPLOAD_INIT;
	open_with(STR("a"), str_take(bytes, CHUNK + 400), &upload);
	fault_setup("store.rename:1=errno:5");
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("a"),
				     FIRST(hash_bytes(DIGEST_SHA256, STR("other")))),
		     ERR_STORAGE);
	fault_setup(NULL);
	ctx_forgive(&ctx);
	store_upload_done(&upload);
	assert_goes_on(bytes, CHUNK + 400);
}

Test(store, the_steps_of_an_encrypted_upload_have_the_right_errors)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	fault_setup("store.create:1=errno:28,store.append:1=errno:28,store.remove:1=errno:30");
	cr_assert_eq(driver->upload_open(&ctx, store, STR("a"), true, &upload), ERR_STORAGE_FULL);
	cr_assert_eq(driver->upload_open(&ctx, store, STR("a"), true, &upload), OK);
	cr_assert_eq(driver->upload_append(&ctx, &upload, STR("x")), OK);
	cr_assert_eq(driver->upload_flush(&ctx, &upload), ERR_STORAGE_FULL);
	cr_assert_eq(driver->upload_remove(&ctx, store, STR("a")), ERR_STORAGE);
	cr_assert_eq(driver->upload_remove(&ctx, store, STR("a")), OK);
	fault_setup(NULL);
}
#endif
