/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes go in as uploads and come out as blobs, whatever the disk and the names do meanwhile. Over
 * the filesystem, by test_store_encrypted.c once more over an encrypted store in it, and by
 * test_store_s3.c and test_store_swift.c over servers, and those encrypted. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob_names.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "os/fault.h"
#include "store/encrypted.h"
#include "store/store.h"
#include "store/store_remove.h"
#ifdef S3
#include "s3_fixture.h"
#define REMOTE	      1
#define FIXTURE(verb) s3_fixture_##verb
#define FAULT_PUT     "s3.copy:1=errno:5"
#endif
#ifdef SWIFT
#include "swift_fixture.h"
#define REMOTE	      1
#define FIXTURE(verb) swift_fixture_##verb
#define FAULT_PUT     "swift.copy:1=errno:5"
#endif

#if !defined ENCRYPTED && !defined REMOTE
#define IN_FILES 1
#endif

static char root[] = "/tmp/berth-store-XXXXXX";
static struct arena arena;
static struct ctx ctx;
static struct store *store;
static const struct store_driver *driver;

#ifdef ENCRYPTED
#define ID_MAX	  61
#define RAW_BYTES "0" /* what a walk says of a file that is none of ours */
static const struct aead_key data_key = { "the key of the storage for tests" };
#else
#define ID_MAX	  64
#define RAW_BYTES "5"
#endif

static err_t open_store(const char *path, struct store **ret)
{
#ifdef REMOTE
	TRY(FIXTURE(open)(&ctx, ret));
#else
	const struct store_place place = { .location = path };
	TRY(store_driver_find(STR("filesystem"))->open(&ctx, &place, ret));
#endif
#ifdef ENCRYPTED
	*ret = encrypted_store_new(*ret, &data_key);
#endif
	return OK;
}

static void set_up(void)
{
	cr_assert_not_null(mkdtemp(root));
	umask(0);
	arena_init(&arena, MIB(8));
	ctx_init(&ctx, &arena);
#ifdef REMOTE
	FIXTURE(start)(&ctx);
#endif
	cr_assert_eq(open_store(arena_printf(&arena, "%s/a/b", root).ptr, &store), OK, "%s",
		     ctx.failure.detail);
	driver = store->driver;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
	return remove(path);
}

static void tear_down(void)
{
	driver->close(store);
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
#ifdef REMOTE
	FIXTURE(stop)(&ctx);
#endif
	arena_done(&arena);
}

TestSuite(store, .init = set_up, .fini = tear_down);

static char *path_of(const char *below)
{
#ifdef REMOTE
	return arena_cstr(&arena, str_from(below)); /* the key, but for its prefix */
#endif
	return arena_cstr(&arena, arena_printf(&arena, "%s/a/b/%s", root, below));
}

static char *path_of_blob(digest d)
{
	str hex = str_skip(str_from(arena_cstr(&arena, str_from(digest_format(d).text))), 7);
	return path_of(arena_printf(&arena, "blobs/%s/" STR_FMT "/" STR_FMT,
				    digest_algorithm_name(d.algorithm), STR_ARG(str_take(hex, 2)),
				    STR_ARG(hex))
			       .ptr);
}

static bool exists(const char *path)
{
#ifdef REMOTE
	return FIXTURE(exists)(&ctx, path);
#endif
	struct stat info;
	return lstat(path, &info) == 0;
}

static void write_file(const char *path, const char *text)
{
#ifdef REMOTE
	FIXTURE(put)(&ctx, path, text);
	return;
#endif
	FILE *file = fopen(path, "w");
	cr_assert_not_null(file, "%s", path);
	fputs(text, file);
	fclose(file);
}

static void open_with(str id, str bytes, struct store_upload *ret)
{
	cr_assert_eq(driver->upload_open(&ctx, store, id, true, ret), OK);
	if (bytes.len)
		cr_assert_eq(driver->upload_append(&ctx, ret, bytes), OK);
	cr_assert_eq(driver->upload_flush(&ctx, ret), OK);
}

static digest put(str id, str bytes)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	digest d = hash_bytes(DIGEST_SHA256, bytes);
	open_with(id, bytes, &upload);
	cr_assert_eq(driver->publish(&ctx, store, &upload, id, FIRST(d)), OK, "%s",
		     ctx.failure.detail);
	return d;
}

static void assert_blob(digest d, str want)
{
	CLEANUP(store_blob_done) struct store_blob blob = STORE_BLOB_INIT;
	uint64_t size;
	size_t len;
	char *bytes = arena_alloc(&arena, want.len + 1);
	cr_assert_eq(driver->blob_open(&ctx, store, FIRST(d), &blob), OK);
	cr_assert_eq(blob.size_bytes, want.len);
	cr_assert_eq(driver->blob_size(&ctx, store, FIRST(d), &size), OK);
	cr_assert_eq(size, want.len);
	cr_assert_eq(driver->blob_read(&ctx, &blob, 0, bytes, want.len + 1, &len), OK);
	cr_assert(str_eq((str){ bytes, len }, want));
#if defined ENCRYPTED || defined REMOTE
	cr_assert_eq(blob.fd, -1);
#else
	cr_assert_geq(blob.fd, 0);
#endif
}

static void assert_no_blob(digest d)
{
	struct store_blob blob = STORE_BLOB_INIT;
	uint64_t size = 77;
	cr_assert_eq(driver->blob_open(&ctx, store, FIRST(d), &blob), ERR_BLOB_UNKNOWN);
	cr_assert_eq(driver->blob_size(&ctx, store, FIRST(d), &size), ERR_BLOB_UNKNOWN);
	cr_assert_null(blob.store);
	cr_assert_eq(size, 77);
	ctx_forgive(&ctx);
}

Test(store, drivers_are_found_by_name)
{
	cr_assert_str_eq(store_driver_find(STR("filesystem"))->name, "filesystem");
	cr_assert_str_eq(store_driver_find(STR("s3"))->name, "s3");
	cr_assert_str_eq(store_driver_find(STR("swift"))->name, "swift");
	cr_assert_null(store_driver_find(STR("encrypted")), "it lies in another one");
	cr_assert_null(store_driver_find(STR("memory")));
	cr_assert_null(store_driver_find(STR("")));
}

Test(store, an_upload_becomes_a_blob_and_is_gone)
{
	digest d = put(STR("0a-1"), STR("hello"));
	assert_blob(d, STR("hello"));
	cr_assert(exists(path_of_blob(d)));
	cr_assert_not(exists(path_of("uploads/0a-1")));

	struct store_upload upload = STORE_UPLOAD_INIT;
	cr_assert_eq(driver->upload_open(&ctx, store, STR("0a-1"), false, &upload),
		     ERR_UPLOAD_UNKNOWN);
	cr_assert_eq(upload.fd, -1);
}

Test(store, an_empty_blob_is_a_blob)
{
	assert_blob(put(STR("e"), STR("")), STR(""));
}

Test(store, sha512_has_its_own_shelf)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	digest d = hash_bytes(DIGEST_SHA512, STR("long"));
	open_with(STR("5"), STR("long"), &upload);
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("5"), FIRST(d)), OK);
	assert_blob(d, STR("long"));
	cr_assert(exists(path_of_blob(d)));
}

Test(store, an_upload_goes_on_after_close_and_restart)
{
	struct store_upload upload = STORE_UPLOAD_INIT;
	open_with(STR("c0"), STR("one "), &upload);
	store_upload_done(&upload);
	driver->close(store);
	cr_assert_eq(open_store(path_of("."), &store), OK);

	char bytes[16];
	size_t len;
	open_with(STR("c0"), STR("two"), &upload);
	cr_assert_eq(upload.size_bytes, 7);
	cr_assert_eq(driver->upload_read(&ctx, &upload, 0, bytes, sizeof bytes, &len), OK);
	cr_assert(str_eq((str){ bytes, len }, STR("one two")));
	cr_assert_eq(driver->upload_read(&ctx, &upload, 4, bytes, 2, &len), OK);
	cr_assert(str_eq((str){ bytes, len }, STR("tw")));
	cr_assert_eq(driver->upload_read(&ctx, &upload, 7, bytes, sizeof bytes, &len), OK);
	cr_assert_eq(len, 0);
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("c0"),
				     FIRST(hash_bytes(DIGEST_SHA256, STR("one two")))),
		     OK);
	store_upload_done(&upload);
	assert_blob(hash_bytes(DIGEST_SHA256, STR("one two")), STR("one two"));
}

Test(store, a_large_upload_arrives_whole)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	CLEANUP(hash_done) struct hash hash;
	static char block[MIB(1) + 7];
	hash_init(&hash, DIGEST_SHA256);
	open_with(STR("b16"), STR(""), &upload);
	for (int i = 0; i < 20; i++) {
		memset(block, i, sizeof block);
		hash_update(&hash, block, sizeof block);
		cr_assert_eq(driver->upload_append(&ctx, &upload, (str){ block, sizeof block }),
			     OK);
	}
	digest d = hash_final(&hash);
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("b16"), FIRST(d)), OK);

	CLEANUP(store_blob_done) struct store_blob blob = STORE_BLOB_INIT;
	CLEANUP(hash_done) struct hash again;
	hash_init(&again, DIGEST_SHA256);
	cr_assert_eq(driver->blob_open(&ctx, store, FIRST(d), &blob), OK);
	cr_assert_eq(blob.size_bytes, 20 * sizeof block);
	for (uint64_t at = 0; at < blob.size_bytes;) {
		size_t len;
		cr_assert_eq(driver->blob_read(&ctx, &blob, at, block, sizeof block, &len), OK);
		hash_update(&again, block, len);
		at += len;
	}
	cr_assert(digest_equal(hash_final(&again), d));
}

#ifdef IN_FILES
static char *page_aligned(size_t len)
{
	char *bytes = aligned_alloc(4096, len);
	cr_assert_not_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 2654435761u >> 13);
	return bytes;
}

/* How many pages of [from, from + len) of the file are in memory. */
static size_t cached_pages(int fd, uint64_t from, size_t len)
{
	unsigned char in_memory[STORE_DIRECT_BYTES / 4096];
	size_t count = 0;
	void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, (off_t)from);
	cr_assert_neq(map, MAP_FAILED);
	cr_assert_leq(len, STORE_DIRECT_BYTES);
	cr_assert_eq(mincore(map, len, in_memory), 0);
	for (size_t i = 0; i < len / 4096; i++)
		count += in_memory[i] & 1;
	munmap(map, len);
	return count;
}

static bool can_go_direct(int fd)
{
	int flags = fcntl(fd, F_GETFL) & ~O_DIRECT;
	bool can = fcntl(fd, F_SETFL, flags | O_DIRECT) == 0;
	cr_assert_eq(fcntl(fd, F_SETFL, flags), 0);
	return can;
}

Test(store, large_aligned_pieces_go_around_the_cache)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	CLEANUP(mem_done) char *bytes = page_aligned(2 * STORE_DIRECT_BYTES);
	open_with(STR("d1"), STR(""), &upload);
	if (!can_go_direct(upload.fd))
		cr_skip_test("no O_DIRECT below /tmp");
	cr_assert_eq(driver->upload_append(&ctx, &upload, (str){ bytes, STORE_DIRECT_BYTES }), OK);
	cr_assert_eq(driver->upload_append(&ctx, &upload, (str){ bytes + 4096, 4096 }), OK);
	cr_assert_eq(cached_pages(upload.fd, 0, STORE_DIRECT_BYTES), 0);
	cr_assert_eq(cached_pages(upload.fd, STORE_DIRECT_BYTES, 4096), 1,
		     "a small piece does not");
}

/* Lengths that make pieces aligned, too short, or unaligned in the upload or in memory. */
Test(store, direct_and_ordinary_pieces_make_one_upload)
{
	static const struct {
		size_t from, len;
	} pieces[] = {
		{ 0, STORE_DIRECT_BYTES },
		{ 0, 4096 },
		{ 1, STORE_DIRECT_BYTES },
		{ 0, STORE_DIRECT_BYTES },
		{ 0, 1 },
		{ 0, STORE_DIRECT_BYTES },
		{ 0, 4095 },
		{ 4096, STORE_DIRECT_BYTES },
		{ 5, 4097 },
	};
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	CLEANUP(mem_done) char *bytes = page_aligned(2 * STORE_DIRECT_BYTES);
	CLEANUP(buf_done) struct buf want = BUF_INIT(MIB(16));
	open_with(STR("d2"), STR(""), &upload);
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		str piece = { bytes + pieces[i].from, pieces[i].len };
		char back[8];
		size_t len;
		buf_add(&want, piece);
		cr_assert_eq(driver->upload_append(&ctx, &upload, piece), OK, "piece %zu", i);
		cr_assert_eq(upload.size_bytes, want.len);
		cr_assert_eq(driver->upload_read(&ctx, &upload, want.len - 7, back, 7, &len), OK,
			     "unaligned reading works whatever was written last");
		cr_assert_eq(memcmp(back, want.ptr + want.len - 7, 7), 0);
	}
	digest d = hash_bytes(DIGEST_SHA256, buf_str(&want));
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("d2"), FIRST(d)), OK);
	assert_blob(d, buf_str(&want));
}

#ifdef BERTH_FAULTS
Test(store, what_the_file_system_cannot_write_directly_goes_through_the_cache)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	CLEANUP(mem_done) char *bytes = page_aligned(STORE_DIRECT_BYTES);
	str piece = { bytes, STORE_DIRECT_BYTES };
	open_with(STR("d3"), STR(""), &upload);
	if (!can_go_direct(upload.fd))
		cr_skip_test("no O_DIRECT below /tmp");
	fault_setup("file.write:1=errno:22");
	cr_assert_eq(driver->upload_append(&ctx, &upload, piece), OK);
	fault_setup(NULL);
	cr_assert_eq(ctx.failure.code, OK);
	cr_assert_gt(cached_pages(upload.fd, 0, STORE_DIRECT_BYTES), 0);
	digest d = hash_bytes(DIGEST_SHA256, piece);
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("d3"), FIRST(d)), OK);
	assert_blob(d, piece);
}

Test(store, a_failed_direct_append_is_cut_back)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	CLEANUP(mem_done) char *bytes = page_aligned(STORE_DIRECT_BYTES);
	str piece = { bytes, STORE_DIRECT_BYTES };
	open_with(STR("d4"), STR(""), &upload);
	cr_assert_eq(driver->upload_append(&ctx, &upload, piece), OK);
	fault_setup("file.write:1=errno:28");
	cr_assert_eq(driver->upload_append(&ctx, &upload, piece), ERR_STORAGE_FULL);
	fault_setup(NULL);
	ctx_forgive(&ctx);
	cr_assert_eq(upload.size_bytes, STORE_DIRECT_BYTES);
	digest d = hash_bytes(DIGEST_SHA256, piece);
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("d4"), FIRST(d)), OK);
	assert_blob(d, piece);
}
#endif
#endif

Test(store, publishing_twice_keeps_the_first)
{
	digest d = put(STR("a1"), STR("same"));
#ifndef REMOTE
	struct stat first, second;
	cr_assert_eq(stat(path_of_blob(d), &first), 0);
#endif
	put(STR("a2"), STR("same"));
#ifndef REMOTE
	cr_assert_eq(stat(path_of_blob(d), &second), 0);
	cr_assert_eq(first.st_ino, second.st_ino);
#endif
	cr_assert_not(exists(path_of("uploads/a2")));
	assert_blob(d, STR("same"));
}

Test(store, publishing_replaces_a_blob_of_another_size)
{
	digest d = put(STR("a1"), STR("whole"));
	write_file(path_of_blob(d), "whol");
	put(STR("a2"), STR("whole"));
	assert_blob(d, STR("whole"));
}

static void *put_from_thread(void *id)
{
	struct arena own_arena;
	struct ctx own;
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	arena_init(&own_arena, MIB(1));
	ctx_init(&own, &own_arena);
	err_t err = driver->upload_open(&own, store, str_from(id), true, &upload);
	if (err == OK)
		err = driver->upload_append(&own, &upload, STR("shared"));
	if (err == OK)
		err = driver->publish(&own, store, &upload, str_from(id),
				      FIRST(hash_bytes(DIGEST_SHA256, STR("shared"))));
	arena_done(&own_arena);
	return (void *)(uintptr_t)err;
}

Test(store, many_threads_publish_one_blob)
{
	pthread_t threads[8];
	char ids[8][2];
	for (int i = 0; i < 8; i++) {
		snprintf(ids[i], sizeof ids[i], "%d", i);
		cr_assert_eq(pthread_create(&threads[i], NULL, put_from_thread, ids[i]), 0);
	}
	for (int i = 0; i < 8; i++) {
		void *err;
		pthread_join(threads[i], &err);
		cr_assert_null(err);
		cr_assert_not(exists(path_of(arena_printf(&arena, "uploads/%d", i).ptr)));
	}
	assert_blob(hash_bytes(DIGEST_SHA256, STR("shared")), STR("shared"));
}

#ifdef IN_FILES
Test(store, a_failed_append_is_cut_back_and_the_upload_goes_on)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	static char block[8000];
	struct rlimit old, small = { 4096, RLIM_INFINITY };
	struct stat info;
	open_with(STR("f"), STR("start "), &upload);
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	err_t err = driver->upload_append(&ctx, &upload, (str){ block, sizeof block });
	setrlimit(RLIMIT_FSIZE, &old);

	cr_assert_eq(err, ERR_STORAGE_FULL);
	cr_assert_eq(upload.size_bytes, 6);
	cr_assert_eq(stat(path_of("uploads/f"), &info), 0);
	cr_assert_eq(info.st_size, 6);
	ctx_forgive(&ctx);
	cr_assert_eq(driver->upload_append(&ctx, &upload, STR("end")), OK);
	digest d = hash_bytes(DIGEST_SHA256, STR("start end"));
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("f"), FIRST(d)), OK);
	assert_blob(d, STR("start end"));
}

Test(store, an_upload_longer_than_it_should_be_is_not_published)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	digest d = hash_bytes(DIGEST_SHA256, STR("mine"));
	open_with(STR("d"), STR("mine"), &upload);
	write_file(path_of("uploads/d"), "mine and more");
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("d"), FIRST(d)), ERR_STORAGE);
	assert_no_blob(d);
}
#endif

Test(store, removing_twice_is_fine)
{
	struct store_upload upload = STORE_UPLOAD_INIT;
	digest d = put(STR("1"), STR("x"));
	open_with(STR("2"), STR("y"), &upload);
	store_upload_done(&upload);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
		cr_assert_eq(driver->upload_remove(&ctx, store, STR("2")), OK);
		assert_no_blob(d);
		cr_assert_not(exists(path_of("uploads/2")));
	}
}

static void count_told(struct ctx *c, void *arg, const blob_name *name, err_t err)
{
	cr_assert_eq(err, OK, "%s", c->failure.detail);
	++*(size_t *)arg;
}

/* How many were told of; all of them are gone. */
static size_t remove_together(const blob_name *names, size_t count, int64_t until_ns)
{
	size_t told = 0;
	const struct store_removal removal = { names, count, until_ns, count_told, &told };
	cr_assert_eq(store_blobs_remove(&ctx, store, &removal), OK, "%s", ctx.failure.detail);
	cr_assert_eq(ctx.failure.code, OK);
	return told;
}

Test(store, blobs_that_go_together_are_told_of_one_by_one)
{
	const blob_name names[] = { FIRST(put(STR("1"), STR("one"))),
				    FIRST(hash_bytes(DIGEST_SHA512, STR("never there"))),
				    FIRST(put(STR("2"), STR("two"))),
				    { put(STR("3"), STR("three")), 1 } };
	digest kept = put(STR("4"), STR("four"));
	cr_assert_eq(remove_together(names, COUNT_OF(names), 1), 0, "the time is over");
	assert_blob(names[0].digest, STR("one"));
	cr_assert_eq(remove_together(names, COUNT_OF(names), INT64_MAX), COUNT_OF(names));
	assert_no_blob(names[0].digest);
	assert_no_blob(names[2].digest);
	assert_blob(names[3].digest, STR("three")); /* another edition was */
	assert_blob(kept, STR("four"));
	cr_assert_eq(remove_together(names, COUNT_OF(names), INT64_MAX), COUNT_OF(names));
	cr_assert_eq(remove_together(names, 0, INT64_MAX), 0);
	cr_assert_eq(remove_together(&names[3], 1, INT64_MAX), 1);
}

#if !defined REMOTE || !defined ENCRYPTED /* bytes that were not asked for yet are gone */
Test(store, an_open_blob_outlives_its_removal)
{
	CLEANUP(store_blob_done) struct store_blob blob = STORE_BLOB_INIT;
	char bytes[8];
	size_t len;
	digest d = put(STR("1"), STR("still"));
	cr_assert_eq(driver->blob_open(&ctx, store, FIRST(d), &blob), OK);
	cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
	cr_assert_eq(driver->blob_read(&ctx, &blob, 0, bytes, sizeof bytes, &len), OK);
	cr_assert(str_eq((str){ bytes, len }, STR("still")));
}
#endif

Test(store, ids_that_are_no_plain_names_are_refused)
{
	static const str ids[] = {
		STR_INIT(""),	    STR_INIT("."),	     STR_INIT(".."),	   STR_INIT("../a"),
		STR_INIT("a/b"),    STR_INIT("/etc/passwd"), STR_INIT("a\0b"),	   STR_INIT("a\0"),
		STR_INIT("A"),	    STR_INIT("g"),	     STR_INIT("a b"),	   STR_INIT("a\n"),
		STR_INIT("%2e%2e"), STR_INIT("a.b"),	     STR_INIT("\xc3\xa9"),
	};
	struct store_upload upload = STORE_UPLOAD_INIT;
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		cr_assert_eq(driver->upload_open(&ctx, store, ids[i], true, &upload),
			     ERR_UPLOAD_UNKNOWN, "id %zu", i);
		cr_assert_eq(driver->upload_remove(&ctx, store, ids[i]), ERR_UPLOAD_UNKNOWN);
		cr_assert_eq(upload.fd, -1);
	}
	char longest[ID_MAX + 1];
	memset(longest, 'a', sizeof longest);
	cr_assert_eq(driver->upload_open(&ctx, store, (str){ longest, ID_MAX + 1 }, true, &upload),
		     ERR_UPLOAD_UNKNOWN);
	open_with((str){ longest, ID_MAX }, STR(""), &upload);
	store_upload_done(&upload);
}

Test(store, publishing_under_a_bad_id_moves_nothing)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	digest d = hash_bytes(DIGEST_SHA256, STR("x"));
	open_with(STR("a"), STR("x"), &upload);
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("../uploads/a"), FIRST(d)),
		     ERR_UPLOAD_UNKNOWN);
	cr_assert(exists(path_of("uploads/a")));
	assert_no_blob(d);
}

#ifndef REMOTE
Test(store, links_pipes_and_directories_are_not_followed)
{
	struct store_upload upload = STORE_UPLOAD_INIT;
	struct store_blob blob = STORE_BLOB_INIT;
	uint64_t size;
	digest d = put(STR("1"), STR("x"));
	write_file(path_of("secret"), "secret");
	cr_assert_eq(symlink("../secret", path_of("uploads/a")), 0);
	cr_assert_eq(mkfifo(path_of("uploads/b"), 0600), 0);
	cr_assert_eq(mkdir(path_of("uploads/c"), 0700), 0);
	cr_assert_eq(driver->upload_open(&ctx, store, STR("a"), true, &upload), ERR_STORAGE);
	cr_assert_eq(driver->upload_open(&ctx, store, STR("b"), false, &upload), ERR_STORAGE);
	cr_assert_eq(driver->upload_open(&ctx, store, STR("c"), false, &upload), ERR_STORAGE);

	cr_assert_eq(unlink(path_of_blob(d)), 0);
	cr_assert_eq(symlink(path_of("secret"), path_of_blob(d)), 0);
	cr_assert_eq(driver->blob_open(&ctx, store, FIRST(d), &blob), ERR_STORAGE);
	cr_assert_eq(driver->blob_size(&ctx, store, FIRST(d), &size), ERR_STORAGE);
}
#endif

#ifndef REMOTE
Test(store, files_and_directories_are_closed_to_others)
{
	struct store_upload upload = STORE_UPLOAD_INIT;
	struct stat info;
	char *path = path_of_blob(put(STR("1"), STR("x")));
	stat(path, &info);
	cr_assert_eq(info.st_mode & 07777, 0640);
	*strrchr(path, '/') = '\0';
	stat(path, &info);
	cr_assert_eq(info.st_mode & 07777, 0750);
	open_with(STR("2"), STR("x"), &upload);
#ifdef IN_FILES
	cr_assert(fcntl(upload.fd, F_GETFD) & FD_CLOEXEC);
#endif
	store_upload_done(&upload);
}
#endif

Test(store, a_passed_deadline_changes_nothing)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	digest d = hash_bytes(DIGEST_SHA256, STR("x"));
	open_with(STR("1"), STR("x"), &upload);
	ctx.deadline_ns = 1;
	cr_assert_eq(driver->upload_append(&ctx, &upload, STR("y")), ERR_DEADLINE);
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("1"), FIRST(d)), ERR_DEADLINE);
	ctx.deadline_ns = 0;
	cr_assert_eq(upload.size_bytes, 1);
	assert_no_blob(d);
}

static void assert_progress(const char *what)
{
	cr_assert_gt(ctx.deadline_ns, clock_now_ns() + 1000 * CLOCK_S, "%s", what);
	ctx.deadline_ns = clock_now_ns() + 1000 * CLOCK_S;
}

/* A large blob on a slow disk is no request that waits. */
Test(store, a_deadline_begins_anew_when_bytes_have_moved)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	CLEANUP(store_blob_done) struct store_blob blob = STORE_BLOB_INIT;
	digest d = hash_bytes(DIGEST_SHA256, STR("xy"));
	char byte;
	size_t len;
	open_with(STR("1"), STR("x"), &upload);
	ctx.deadline_ns = clock_now_ns() + 1000 * CLOCK_S;
	ctx.allowance_ns = 2000 * CLOCK_S;
	cr_assert_eq(driver->upload_append(&ctx, &upload, STR("y")), OK);
	assert_progress("append");
	cr_assert_eq(driver->upload_read(&ctx, &upload, 0, &byte, 1, &len), OK);
	assert_progress("read an upload");
	cr_assert_eq(driver->publish(&ctx, store, &upload, STR("1"), FIRST(d)), OK);
	assert_progress("publish");
	cr_assert_eq(driver->blob_open(&ctx, store, FIRST(d), &blob), OK);
	cr_assert_eq(driver->blob_read(&ctx, &blob, 0, &byte, 1, &len), OK);
	assert_progress("read a blob");
}

#ifndef REMOTE
static int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

Test(store, no_descriptor_is_left)
{
	struct store *other;
	struct store_walk nothing = { 0 };
	int before = count_descriptors();
	cr_assert_eq(open_store(path_of("other"), &other), OK);
	cr_assert_eq(driver->walk(&ctx, other, &nothing), OK);
	driver->close(other);
	assert_blob(put(STR("1"), STR("x")), STR("x"));
	put(STR("2"), STR("x"));
	assert_no_blob(hash_bytes(DIGEST_SHA256, STR("none")));
	write_file(path_of("file"), "");
	cr_assert_eq(open_store(path_of("file"), &other), ERR_STORAGE);
	cr_assert_eq(open_store(path_of("file/x"), &other), ERR_STORAGE);
	cr_assert_eq(count_descriptors(), before);
}
#endif

/* --- walk ----------------------------------------------------------------------------------- */

static err_t see_blob(struct ctx *c, void *arg, blob_name name, uint64_t size)
{
	char edition[16] = "";
	if (name.edition)
		snprintf(edition, sizeof edition, ".%u", name.edition);
	buf_printf(arg, "blob %.13s%s %llu\n", DIGEST_ARG(name.digest), edition,
		   (unsigned long long)size);
	return OK;
}

static err_t see_upload(struct ctx *c, void *arg, str id, uint64_t size)
{
	buf_printf(arg, "upload " STR_FMT " %llu\n", STR_ARG(id), (unsigned long long)size);
	return OK;
}

static err_t see_stray(struct ctx *c, void *arg, str name)
{
	buf_printf(arg, "stray " STR_FMT "\n", STR_ARG(name));
	return OK;
}

static err_t stop_at_stray(struct ctx *c, void *arg, str name)
{
	see_stray(c, arg, name);
	return fail(c, ERR_CORRUPT, "stop");
}

static void assert_walk(const struct store_walk *visitor, err_t want, const char *text)
{
	struct buf *seen = visitor->arg;
	cr_assert_eq(driver->walk(&ctx, store, visitor), want);
	buf_add_byte(seen, '\0');
	cr_assert_str_eq(seen->ptr, text);
}

#define X60 "000000000000000000000000000000000000000000000000000000000000"

Test(store, a_walk_sees_everything_in_order)
{
	CLEANUP(buf_done) struct buf seen = BUF_INIT(KIB(64));
	const struct store_walk visitor = { see_blob, see_upload, see_stray, &seen };
	struct store_upload upload = STORE_UPLOAD_INIT;
	put(STR("1"), STR("hello")); /* 2cf24d… */
	put(STR("2"), STR(""));	     /* e3b0c4… */
	open_with(STR("b"), STR("123"), &upload);
	store_upload_done(&upload);
	open_with(STR("a-0"), STR(""), &upload);
	store_upload_done(&upload);
	assert_walk(&visitor, OK,
		    "blob sha256:2cf24d 5\nblob sha256:e3b0c4 0\nupload a-0 0\nupload b 3\n");
}

static void publish_edition(str id, str bytes, uint32_t edition)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	open_with(id, bytes, &upload);
	cr_assert_eq(driver->publish(&ctx, store, &upload, id,
				     (blob_name){ hash_bytes(DIGEST_SHA256, bytes), edition }),
		     OK, "%s", ctx.failure.detail);
}

/* Whoever removes one that was given up, however late, does not remove the next. */
Test(store, editions_of_a_blob_are_apart)
{
	CLEANUP(buf_done) struct buf seen = BUF_INIT(KIB(64));
	CLEANUP(store_blob_done) struct store_blob blob = STORE_BLOB_INIT;
	const struct store_walk visitor = { see_blob, see_upload, see_stray, &seen };
	digest d = put(STR("1"), STR("hello"));
	publish_edition(STR("2"), STR("hello"), 1);
	publish_edition(STR("3"), STR("hello"), 4294967295);
	assert_walk(&visitor, OK,
		    "blob sha256:2cf24d 5\nblob sha256:2cf24d.1 5\n"
		    "blob sha256:2cf24d.4294967295 5\n");
	cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
	cr_assert_eq(driver->blob_remove(&ctx, store, FIRST(d)), OK);
	assert_no_blob(d);
	cr_assert_eq(driver->blob_open(&ctx, store, (blob_name){ d, 1 }, &blob), OK);
	cr_assert_eq(blob.size_bytes, 5);
	cr_assert_eq(driver->blob_remove(&ctx, store, (blob_name){ d, 1 }), OK);
	seen.len = 0;
	assert_walk(&visitor, OK, "blob sha256:2cf24d.4294967295 5\n");
}

Test(store, a_name_is_written_in_one_way)
{
	static const char *const wrong[] = { "",    ".0",  ".01",	  ".", ".x",
					     ".-1", ".1 ", ".4294967296", "1", ".1.1" };
	blob_name name = FIRST(hash_bytes(DIGEST_SHA256, STR("hello"))), again;
	char text[BLOB_NAME_TEXT_MAX + 16];
	name.edition = 12;
	blob_name_text(name, text);
	cr_assert(blob_name_parse(DIGEST_SHA256, str_from(text), &again));
	cr_assert(blob_name_equal(name, again));
	cr_assert_not(blob_name_parse(DIGEST_SHA512, str_from(text), &again));
	cr_assert_not(blob_name_parse(DIGEST_NONE, str_from(text), &again));
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		strcpy(text + 64, wrong[i]);
		cr_assert_eq(blob_name_parse(DIGEST_SHA256, str_from(text), &again), i == 0, "%s",
			     text);
	}
	text[0] = 'A';
	text[64] = '\0';
	cr_assert_not(blob_name_parse(DIGEST_SHA256, str_from(text), &again));
}

#ifndef REMOTE
Test(store, a_walk_reports_what_is_neither_and_leaves_it)
{
	CLEANUP(buf_done) struct buf seen = BUF_INIT(KIB(64));
	const struct store_walk visitor = { see_blob, see_upload, see_stray, &seen };
	cr_assert_eq(mkdir(path_of("blobs/md5"), 0700), 0);
	cr_assert_eq(mkdir(path_of("blobs/sha256/zz"), 0700), 0);
	cr_assert_eq(mkdir(path_of("blobs/sha256/AB"), 0700), 0);
	cr_assert_eq(mkdir(path_of("blobs/sha256/ab"), 0700), 0);
	write_file(path_of("blobs/sha256/cd"), "");
	write_file(path_of("blobs/sha256/ab/short"), "");
	write_file(path_of("blobs/sha256/ab/cd00" X60), "");
	write_file(path_of("blobs/sha256/ab/ab01" X60), "right");
	cr_assert_eq(mkdir(path_of("blobs/sha256/ab/ab02" X60), 0700), 0);
	cr_assert_eq(symlink("short", path_of("blobs/sha256/ab/ab03" X60)), 0);
	write_file(path_of("uploads/notes.txt"), "");
	cr_assert_eq(mkdir(path_of("uploads/ab"), 0700), 0);
	write_file(path_of("elsewhere"), "");
	assert_walk(&visitor, OK,
		    "stray blobs/md5\n"
		    "stray blobs/sha256/AB\n"
		    "blob sha256:ab0100 " RAW_BYTES "\n"
		    "stray blobs/sha256/ab/ab02" X60 "\n"
		    "stray blobs/sha256/ab/ab03" X60 "\n"
		    "stray blobs/sha256/ab/cd00" X60 "\n"
		    "stray blobs/sha256/ab/short\n"
		    "stray blobs/sha256/cd\n"
		    "stray blobs/sha256/zz\n"
		    "stray uploads/ab\n"
		    "stray uploads/notes.txt\n");
	cr_assert(exists(path_of("blobs/sha256/ab/short")));
}
#endif

Test(store, a_failing_visitor_ends_the_walk)
{
	CLEANUP(buf_done) struct buf seen = BUF_INIT(KIB(64));
	const struct store_walk visitor = { see_blob, see_upload, stop_at_stray, &seen };
	write_file(path_of("uploads/x"), "");
	write_file(path_of("uploads/y"), "");
	assert_walk(&visitor, ERR_CORRUPT, "stray uploads/x\n");
}

/* --- faults --------------------------------------------------------------------------------- */

#ifdef BERTH_FAULTS
/* Whatever step of a publish fails, there is no half blob, and a second try succeeds. */
Test(store, every_step_of_a_publish_may_fail_once)
{
	static const struct {
		const char *fault;
		err_t want;
	} steps[] = {
#ifdef REMOTE
		{ FAULT_PUT, ERR_STORAGE },
#else
		{ "store.sync:1=errno:5", ERR_STORAGE },
		{ "store.sync:1=errno:28", ERR_STORAGE_FULL },
		{ "store.rename:1=errno:28", ERR_STORAGE_FULL },
		{ "store.rename:1=errno:122", ERR_STORAGE_FULL },
		{ "store.syncdir:1=errno:5", ERR_STORAGE },
		{ "store.syncdir:2=errno:5", ERR_STORAGE },
#endif
	};
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
		str bytes = arena_printf(&arena, "bytes %zu", i);
		digest d = hash_bytes(DIGEST_SHA256, bytes);
		open_with(STR("a"), bytes, &upload);
		fault_setup(steps[i].fault);
		cr_assert_eq(driver->publish(&ctx, store, &upload, STR("a"), FIRST(d)),
			     steps[i].want, "%s", steps[i].fault);
		fault_setup(NULL);
		ctx_forgive(&ctx);
		cr_assert_eq(driver->publish(&ctx, store, &upload, STR("a"), FIRST(d)), OK);
		assert_blob(d, bytes);
		cr_assert_not(exists(path_of("uploads/a")));
	}
}

#ifdef IN_FILES
Test(store, a_failed_step_is_the_right_error)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	fault_setup("store.create:1=errno:28,store.append:1=errno:28,store.remove:1=errno:30");
	cr_assert_eq(driver->upload_open(&ctx, store, STR("a"), true, &upload), ERR_STORAGE_FULL);
	open_with(STR("a"), STR(""), &upload);
	cr_assert_eq(driver->upload_append(&ctx, &upload, STR("x")), ERR_STORAGE_FULL);
	cr_assert_eq(upload.size_bytes, 0);
	cr_assert_eq(driver->upload_remove(&ctx, store, STR("a")), ERR_STORAGE);
	cr_assert_eq(driver->upload_remove(&ctx, store, STR("a")), OK);
	fault_setup(NULL);
}
#endif
#endif
