/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_registry.c - the heart without HTTP: a registry on SQLite and a directory in a temporary
 * place.
 */
#include "blob_names.h"
#include "base/mem.h"
#include "codec/manifest.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "db/blob.h"
#include "db/db.h"
#include "db/upload.h"
#include "os/fault.h"
#include "os/ring.h"
#include "registry/delete.h"
#include "registry/fsck.h"
#include "registry/list.h"
#include "registry/manifest_push.h"
#include "registry/mount.h"
#include "registry/project.h"
#include "registry/pull.h"
#include "registry/referrers.h"
#include "registry/upload.h"
#include "registry/upload_sweep.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "registry_fixture.h"

static struct project_maker maker; /* who may make the projects that are pushed to */

TestSuite(registry, .init = open_house, .fini = close_house);

static digest sha256(str bytes)
{
	return hash_bytes(DIGEST_SHA256, bytes);
}

static str begin(str repository)
{
	char id[UPLOAD_ID_MAX + 1];
	must(upload_begin(CTX, house.registry, repository, &maker, DIGEST_SHA256, id));
	return arena_copy(&house.arena, str_from(id));
}

static err_t append(str repository, str id, str bytes)
{
	CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
	TRY(upload_open(CTX, house.registry, repository, id, &up));
	return upload_append(CTX, &up, bytes);
}

static err_t finish(str repository, str id, digest d)
{
	CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
	TRY(upload_open(CTX, house.registry, repository, id, &up));
	return upload_finish(CTX, &up, d);
}

static digest push_blob(str repository, str bytes)
{
	str id = begin(repository);
	must(append(repository, id, bytes));
	must(finish(repository, id, sha256(bytes)));
	return sha256(bytes);
}

static str blob_text(str repository, digest d)
{
	CLEANUP(blob_view_done) struct blob_view blob = BLOB_VIEW_INIT;
	must(blob_open(CTX, house.registry, repository, d, &blob));
	char *bytes = arena_alloc(&house.arena, blob.size_bytes + 1);
	size_t len;
	must(blob_read(CTX, &blob, 0, bytes, blob.size_bytes, &len));
	return (str){ bytes, len };
}

static err_t try_blob(str repository, digest d)
{
	CLEANUP(blob_view_done) struct blob_view blob = BLOB_VIEW_INIT;
	err_t err = blob_open(CTX, house.registry, repository, d, &blob);
	ctx_forgive(CTX);
	return err;
}

static err_t push_manifest(str repository, str tag, str bytes, digest *ret)
{
	const struct manifest_push push = { .repository = repository,
					    .maker = &maker,
					    .reference = { .tag = tag },
					    .bytes = bytes };
	struct manifest_pushed pushed;
	err_t err = manifest_push(CTX, house.registry, &push, &pushed);
	if (err == OK && ret)
		*ret = pushed.digest;
	return err;
}

static str image_of(digest config, const char *rest)
{
	return arena_printf(
		&house.arena,
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST
		"\",\"config\":{\"mediaType\":\"application/x-config\",\"digest\":\"" DIGEST_FMT
		"\",\"size\":2},\"layers\":[]%s}",
		DIGEST_ARG(config), rest);
}

static uint64_t differences(void)
{
	const struct fsck_options options = { 0 };
	struct fsck_result result;
	must(registry_fsck(CTX, house.registry, &options, &result));
	return result.total;
}

static err_t get_manifest(str repository, str tag, digest *ret)
{
	CLEANUP(manifest_view_done) struct manifest_view view = MANIFEST_VIEW_INIT;
	const struct reference reference = { .tag = tag };
	err_t err = manifest_get(CTX, house.registry, repository, &reference, &view);
	ctx_forgive(CTX);
	if (err == OK && ret)
		*ret = view.digest;
	return err;
}

Test(registry, a_blob_comes_back_as_it_went_in)
{
	digest d = push_blob(STR("p/app"), STR("hello"));
	cr_assert(str_eq(blob_text(STR("p/app"), d), STR("hello")));
	cr_assert_eq(differences(), 0);
}

Test(registry, a_blob_is_served_only_by_its_repository)
{
	digest d = push_blob(STR("p/app"), STR("hello"));
	push_blob(STR("p/other"), STR("something"));
	cr_assert_eq(try_blob(STR("p/other"), d), ERR_BLOB_UNKNOWN);
	cr_assert_eq(try_blob(STR("p/nowhere"), d), ERR_NAME_UNKNOWN);
}

Test(registry, an_upload_survives_a_restart_of_the_program)
{
	str id = begin(STR("p/app"));
	must(append(STR("p/app"), id, STR("hel")));
	const struct registry_options options = *registry_options(house.registry);
	registry_free(house.registry);
	house.registry = registry_new(&options);
	must(append(STR("p/app"), id, STR("lo")));
	must(finish(STR("p/app"), id, sha256(STR("hello"))));
}

Test(registry, a_second_writer_is_refused)
{
	str id = begin(STR("p/app"));
	CLEANUP(upload_done) struct upload first = UPLOAD_INIT;
	must(upload_open(CTX, house.registry, STR("p/app"), id, &first));
	struct upload second = UPLOAD_INIT;
	cr_assert_eq(upload_open(CTX, house.registry, STR("p/app"), id, &second), ERR_UPLOAD_BUSY);
}

Test(registry, a_wrong_digest_ends_the_upload_and_leaves_nothing)
{
	str id = begin(STR("p/app"));
	must(append(STR("p/app"), id, STR("hello")));
	cr_assert_eq(finish(STR("p/app"), id, sha256(STR("other"))), ERR_DIGEST_INVALID);
	ctx_forgive(CTX);
	cr_assert_eq(append(STR("p/app"), id, STR("x")), ERR_UPLOAD_UNKNOWN);
	ctx_forgive(CTX);
	cr_assert_eq(try_blob(STR("p/app"), sha256(STR("other"))), ERR_BLOB_UNKNOWN);
	cr_assert_eq(differences(), 0);
}

static err_t end_row(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const str *id = arg;
	int64_t reserved_bytes;
	return db_upload_delete(ctx, tx, *id, &reserved_bytes);
}

Test(registry, who_finishes_what_another_node_has_ended_leaves_nothing)
{
	str id = begin(STR("p/app"));
	{
		CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
		must(upload_open(CTX, house.registry, STR("p/app"), id, &up));
		must(upload_append(CTX, &up, STR("hello")));
		must(db_run(CTX, house.db, SQL_WRITE, end_row, &id));
		cr_assert_eq(upload_finish(CTX, &up, sha256(STR("hello"))), ERR_UPLOAD_UNKNOWN);
		cr_assert_not_null(strstr(CTX->failure.detail, "meanwhile"));
		ctx_forgive(CTX);
	}
	cr_assert_eq(differences(), 0);
}

static err_t note_id(struct ctx *ctx, str id, uint64_t size_bytes, void *arg)
{
	(void)ctx;
	cr_assert_eq(size_bytes, strlen("hello"));
	*(str *)arg = arena_copy(&house.arena, id);
	return OK;
}

Test(registry, a_sweep_takes_what_no_session_has_and_nothing_else)
{
	str over = begin(STR("p/app")), under_way = begin(STR("p/app")), told = STR_NONE;
	int64_t count;
	must(append(STR("p/app"), over, STR("hello")));
	must(append(STR("p/app"), under_way, STR("hel")));
	must(db_run(CTX, house.db, SQL_WRITE, end_row, &over));
	struct upload_sweep sweep = { .dry_run = true, .gone = note_id, .arg = &told };
	for (size_t left = 2; left-- > 0; sweep.dry_run = false) {
		must(registry_sweep_uploads(CTX, house.registry, &sweep, &count));
		cr_assert_eq(count, 1);
		cr_assert(str_eq(told, over));
		cr_assert_eq(differences(), left);
	}
	must(registry_sweep_uploads(CTX, house.registry, &sweep, &count));
	cr_assert_eq(count, 0);
	must(append(STR("p/app"), under_way, STR("lo")));
	must(finish(STR("p/app"), under_way, sha256(STR("hello"))));
}

Test(registry, the_digest_at_the_end_may_name_another_algorithm)
{
	str id = begin(STR("p/app"));
	must(append(STR("p/app"), id, STR("hello")));
	digest d = hash_bytes(DIGEST_SHA512, STR("hello"));
	must(finish(STR("p/app"), id, d));
	cr_assert(str_eq(blob_text(STR("p/app"), d), STR("hello")));
}

/* --- large uploads, which go through a ring ------------------------------------------------- */

#define LARGE (UPLOAD_RING_BYTES + 3 * RING_BYTES + 12345)

static str large_bytes(unsigned seed)
{
	static char bytes[LARGE];
	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = (char)((i + seed) * 2654435761u >> 13);
	return (str){ bytes, LARGE };
}

/* Appends as a receiver does: into the upload's own room where it has one. */
static err_t feed(struct upload *up, str bytes, size_t piece_max)
{
	while (bytes.len) {
		size_t room_len = piece_max;
		char *room = upload_room(up, &room_len);
		str piece = str_take(bytes, MIN(room_len, piece_max));
		bytes = str_skip(bytes, piece.len);
		if (room)
			piece.ptr = memcpy(room, piece.ptr, piece.len);
		TRY(upload_append(CTX, up, piece));
	}
	return OK;
}

static void assert_stored(str repository, digest d, uint64_t size_bytes)
{
	CLEANUP(blob_view_done) struct blob_view blob = BLOB_VIEW_INIT;
	CLEANUP(mem_done) char *bytes = mem_new(LARGE);
	size_t len;
	must(blob_open(CTX, house.registry, repository, d, &blob));
	cr_assert_eq(blob.size_bytes, size_bytes);
	must(blob_read(CTX, &blob, 0, bytes, LARGE, &len));
	cr_assert(digest_equal(hash_bytes(d.algorithm, (str){ bytes, len }), d));
	cr_assert_eq(differences(), 0);
}

Test(registry, a_large_blob_goes_through_a_ring_and_comes_out_whole)
{
	str bytes = large_bytes(0);
	for (size_t piece = 70001; piece < MIB(4); piece *= 7) {
		CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
		str id = begin(STR("p/app"));
		must(upload_open(CTX, house.registry, STR("p/app"), id, &up));
		must(feed(&up, bytes, piece));
		cr_assert_not_null(up.ring);
		must(upload_finish(CTX, &up, sha256(bytes)));
		assert_stored(STR("p/app"), sha256(bytes), LARGE);
		must(blob_delete(CTX, house.registry, STR("p/app"), sha256(bytes)));
	}
}

Test(registry, the_parts_of_a_large_upload_need_not_be_aligned)
{
	str bytes = large_bytes(1), id = begin(STR("p/app"));
	str parts[] = { str_take(bytes, 5), str_skip(bytes, 5) };
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
		must(upload_open(CTX, house.registry, STR("p/app"), id, &up));
		must(feed(&up, parts[i], 100000));
		must(upload_flush(CTX, &up));
		cr_assert_eq(up.file.size_bytes, i == 0 ? 5 : LARGE);
		cr_assert_eq(up.live->hashed_bytes, up.file.size_bytes, "nothing is read again");
	}
	must(finish(STR("p/app"), id, sha256(bytes)));
	assert_stored(STR("p/app"), sha256(bytes), LARGE);
}

Test(registry, a_client_that_leaves_a_large_upload_finds_all_its_bytes)
{
	str bytes = large_bytes(2), id = begin(STR("p/app"));
	{
		CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
		must(upload_open(CTX, house.registry, STR("p/app"), id, &up));
		must(feed(&up, str_take(bytes, LARGE - 777), 100000));
	}
	uint64_t size_bytes;
	must(upload_size(CTX, house.registry, STR("p/app"), id, &size_bytes));
	cr_assert_eq(size_bytes, LARGE - 777);
	must(append(STR("p/app"), id, str_skip(bytes, LARGE - 777)));
	must(finish(STR("p/app"), id, sha256(bytes)));
	assert_stored(STR("p/app"), sha256(bytes), LARGE);
}

Test(registry, a_large_blob_of_another_algorithm_is_read_again)
{
	str bytes = large_bytes(3), id = begin(STR("p/app"));
	digest d = hash_bytes(DIGEST_SHA512, bytes);
	CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
	must(upload_open(CTX, house.registry, STR("p/app"), id, &up));
	must(feed(&up, bytes, 100000));
	must(upload_finish(CTX, &up, d));
	assert_stored(STR("p/app"), d, LARGE);
}

Test(registry, uploads_beyond_the_last_ring_do_without)
{
	enum { COUNT = UPLOAD_RINGS_MAX + 2 };
	str bytes = large_bytes(4), ids[COUNT];
	struct upload ups[COUNT];
	for (size_t i = 0; i < COUNT; i++) {
		ups[i] = (struct upload)UPLOAD_INIT;
		ids[i] = begin(STR("p/app"));
		must(upload_open(CTX, house.registry, STR("p/app"), ids[i], &ups[i]));
		must(feed(&ups[i], bytes, 100000));
		cr_assert_eq(ups[i].ring != NULL, i < UPLOAD_RINGS_MAX);
	}
	for (size_t i = 0; i < COUNT; i++) {
		must(upload_finish(CTX, &ups[i], sha256(bytes)));
		upload_done(&ups[i]);
	}
	assert_stored(STR("p/app"), sha256(bytes), LARGE);
	str id = begin(STR("p/app"));
	CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
	must(upload_open(CTX, house.registry, STR("p/app"), id, &up));
	must(feed(&up, bytes, 100000));
	cr_assert_not_null(up.ring, "rings that ended are there for others");
}

#ifdef BERTH_FAULTS
Test(registry, a_large_upload_goes_on_after_the_disk_was_full)
{
	str bytes = large_bytes(5);
	unsigned inline_appends = UPLOAD_RING_BYTES / KIB(128);
	for (unsigned hit = 1; hit <= 12; hit += 3) {
		str id = begin(STR("p/app"));
		str fault = arena_printf(&house.arena, "store.append:%u=errno:28",
					 inline_appends + hit);
		{
			CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
			must(upload_open(CTX, house.registry, STR("p/app"), id, &up));
			fault_setup(fault.ptr);
			err_t err = feed(&up, bytes, KIB(128));
			if (err == OK)
				err = upload_flush(CTX, &up);
			fault_setup(NULL);
			cr_assert_eq(err, ERR_STORAGE_FULL, "%s", fault.ptr);
			ctx_forgive(CTX);
		}
		uint64_t size_bytes;
		must(upload_size(CTX, house.registry, STR("p/app"), id, &size_bytes));
		cr_assert_eq(size_bytes, UPLOAD_RING_BYTES + (hit - 1) * RING_BLOCK_BYTES);
		must(append(STR("p/app"), id, str_skip(bytes, size_bytes)));
		must(finish(STR("p/app"), id, sha256(bytes)));
		assert_stored(STR("p/app"), sha256(bytes), LARGE);
		must(blob_delete(CTX, house.registry, STR("p/app"), sha256(bytes)));
	}
}

Test(registry, a_large_upload_does_without_a_ring_that_cannot_start)
{
	str bytes = large_bytes(6), id = begin(STR("p/app"));
	CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
	must(upload_open(CTX, house.registry, STR("p/app"), id, &up));
	fault_setup("thread.start:*=errno:11");
	err_t err = feed(&up, bytes, KIB(128));
	fault_setup(NULL);
	cr_assert_eq(err, OK);
	cr_assert_null(up.ring);
	must(upload_finish(CTX, &up, sha256(bytes)));
	assert_stored(STR("p/app"), sha256(bytes), LARGE);
}
#endif

static err_t set_intent(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	return db_upload_set_publishing(ctx, tx, *(str *)arg, sha256(STR("hello")));
}

/* What a kill between the file's new name and its row leaves behind. */
static str publish_without_row(void)
{
	str id = begin(STR("p/app"));
	must(append(STR("p/app"), id, STR("hello")));
	must(db_run(CTX, house.db, SQL_WRITE, set_intent, &id));
	CLEANUP(store_upload_done) struct store_upload file = STORE_UPLOAD_INIT;
	must(house.store->driver->upload_open(CTX, house.store, id, false, &file));
	must(house.store->driver->publish(CTX, house.store, &file, id,
					  FIRST(sha256(STR("hello")))));
	return id;
}

Test(registry, a_crash_while_publishing_is_settled_at_the_next_start)
{
	str id = publish_without_row();
	cr_assert_eq(differences(), 0, "bytes being published are no difference");

	must(registry_recover(CTX, house.registry));
	cr_assert_eq(differences(), 0);
	cr_assert_eq(try_blob(STR("p/app"), sha256(STR("hello"))), ERR_BLOB_UNKNOWN,
		     "nobody was told that it is there");
	cr_assert_eq(append(STR("p/app"), id, STR("x")), ERR_UPLOAD_UNKNOWN);
	push_blob(STR("p/app"), STR("hello"));
}

Test(registry, a_failed_publish_is_settled_when_the_client_comes_back)
{
	str id = publish_without_row();
	cr_assert_eq(finish(STR("p/app"), id, sha256(STR("hello"))), ERR_UPLOAD_UNKNOWN);
	ctx_forgive(CTX);
	cr_assert_eq(differences(), 0);
}

Test(registry, recovery_keeps_a_blob_that_another_upload_has_brought)
{
	digest d = push_blob(STR("p/app"), STR("hello"));
	str id = begin(STR("p/app"));
	must(append(STR("p/app"), id, STR("hello")));
	must(db_run(CTX, house.db, SQL_WRITE, set_intent, &id));
	must(registry_recover(CTX, house.registry));
	cr_assert(str_eq(blob_text(STR("p/app"), d), STR("hello")));
	cr_assert_eq(differences(), 0);
}

Test(registry, fsck_tells_a_lost_blob_an_orphan_and_rot)
{
	digest d = push_blob(STR("p/app"), STR("hello"));
	push_blob(STR("p/app"), STR("world"));
	must(house.store->driver->blob_remove(CTX, house.store, FIRST(d)));
	cr_assert_eq(differences(), 1);

	struct digest_text text = digest_format(sha256(STR("world")));
	str path = arena_printf(&house.arena, "%s/blobs/sha256/%.2s/%s", house.dir, text.text + 7,
				text.text + 7);
	FILE *file = fopen(path.ptr, "r+");
	cr_assert_not_null(file);
	fputc('W', file);
	fclose(file);
	str stray = arena_printf(&house.arena, "%s/blobs/sha256/stray", house.dir);
	fclose(fopen(stray.ptr, "w"));
	cr_assert_eq(differences(), 3);
}

Test(registry, a_mount_lends_a_blob_without_moving_it)
{
	digest d = push_blob(STR("p/app"), STR("hello"));
	must(blob_mount(CTX, house.registry, STR("p/app"), d, STR("q/copy"), &maker));
	cr_assert(str_eq(blob_text(STR("q/copy"), d), STR("hello")));
	cr_assert_eq(blob_mount(CTX, house.registry, STR("q/copy"), sha256(STR("no")), STR("r/x"),
				&maker),
		     ERR_BLOB_UNKNOWN);
}

Test(registry, a_manifest_needs_its_blobs)
{
	cr_assert_eq(push_manifest(STR("p/app"), STR("v1"), image_of(sha256(STR("{}")), ""), NULL),
		     ERR_MANIFEST_BLOB_UNKNOWN);
	ctx_forgive(CTX);
	cr_assert_eq(get_manifest(STR("p/app"), STR("v1"), NULL), ERR_MANIFEST_UNKNOWN);
}

Test(registry, a_tag_moves_and_the_cache_follows)
{
	digest config = push_blob(STR("p/app"), STR("{}")), first, second, have;
	must(push_manifest(STR("p/app"), STR("v1"), image_of(config, ""), &first));
	must(get_manifest(STR("p/app"), STR("v1"), &have));
	cr_assert(digest_equal(have, first));
	must(push_manifest(STR("p/app"), STR("v1"), image_of(config, ",\"x\":1"), &second));
	must(get_manifest(STR("p/app"), STR("v1"), &have));
	cr_assert(digest_equal(have, second));
}

/* distribution#3828: a delete by digest takes the tags with it. */
Test(registry, deleting_a_manifest_deletes_its_tags)
{
	digest config = push_blob(STR("p/app"), STR("{}")), d;
	must(push_manifest(STR("p/app"), STR("v1"), image_of(config, ""), &d));
	must(push_manifest(STR("p/app"), STR("v2"), image_of(config, ""), &d));
	must(get_manifest(STR("p/app"), STR("v1"), NULL));
	must(manifest_delete(CTX, house.registry, STR("p/app"), d, true));
	cr_assert_eq(get_manifest(STR("p/app"), STR("v1"), NULL), ERR_MANIFEST_UNKNOWN);
	struct name_page page;
	must(tag_list(CTX, house.registry, STR("p/app"), STR_NONE, 10, &page));
	cr_assert_eq(page.count, 0);
	cr_assert_eq(manifest_delete(CTX, house.registry, STR("p/app"), d, true),
		     ERR_MANIFEST_UNKNOWN);
}

Test(registry, tags_come_in_pages)
{
	digest config = push_blob(STR("p/app"), STR("{}"));
	const str tags[] = { STR_INIT("c"), STR_INIT("a"), STR_INIT("B"), STR_INIT("a-1") };
	for (size_t i = 0; i < COUNT_OF(tags); i++)
		must(push_manifest(STR("p/app"), tags[i], image_of(config, ""), NULL));
	struct name_page page;
	must(tag_list(CTX, house.registry, STR("p/app"), STR("B"), 2, &page));
	cr_assert_eq(page.count, 2);
	cr_assert(str_eq(page.names[0], STR("a")) && str_eq(page.names[1], STR("a-1")));
	cr_assert(page.more);
	must(tag_list(CTX, house.registry, STR("p/app"), STR("aa"), 2, &page));
	cr_assert(page.count == 1 && !page.more);
}

static struct referrers_page referrers(digest subject, str type)
{
	const struct referrer_query query = { .subject = subject,
					      .artifact_type = type,
					      .max = 100 };
	struct referrers_page page;
	must(referrers_list(CTX, house.registry, STR("p/app"), &query, &page));
	return page;
}

/* zot#2506: once, also when an older client keeps the same referrer in its fallback tag. */
Test(registry, referrers_fold_the_fallback_tag_in_without_duplicates)
{
	digest config = push_blob(STR("p/app"), STR("{}")), subject, signature, old;
	must(push_manifest(STR("p/app"), STR("v1"), image_of(config, ""), &subject));
	str rest = arena_printf(&house.arena,
				",\"subject\":{\"mediaType\":\"" MEDIA_OCI_MANIFEST
				"\",\"digest\":\"" DIGEST_FMT
				"\",\"size\":1},\"annotations\":{\"a\":\"b\"}",
				DIGEST_ARG(subject));
	must(push_manifest(STR("p/app"), STR("signature"), image_of(config, rest.ptr), &signature));
	must(push_manifest(STR("p/app"), STR("old"), image_of(config, ",\"old\":1"), &old));
	str index = arena_printf(&house.arena,
				 "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX
				 "\",\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_MANIFEST
				 "\",\"digest\":\"" DIGEST_FMT
				 "\",\"size\":1},{\"mediaType\":\"" MEDIA_OCI_MANIFEST
				 "\",\"digest\":\"" DIGEST_FMT "\",\"size\":1}]}",
				 DIGEST_ARG(signature), DIGEST_ARG(old));
	struct digest_text text = digest_format(subject);
	str tag = arena_printf(&house.arena, "sha256-%s", text.text + 7);
	must(push_manifest(STR("p/app"), tag, index, NULL));

	struct referrers_page page = referrers(subject, STR_NONE);
	cr_assert_eq(page.count, 2);
	cr_assert(str_eq(page.items[0].annotations_json, STR("{\"a\":\"b\"}")));
	cr_assert(str_eq(page.items[0].artifact_type, STR("application/x-config")));
	cr_assert_eq(referrers(subject, STR("application/none")).count, 0);
	cr_assert_eq(referrers(sha256(STR("nobody")), STR_NONE).count, 0);
}

Test(registry, abandoned_uploads_end_but_not_under_a_writer)
{
	str id = begin(STR("p/app"));
	must(append(STR("p/app"), id, STR("hel")));
	struct registry_options options = *registry_options(house.registry);
	options.upload_expiry_s = -60; /* everything is old */
	registry_free(house.registry);
	house.registry = registry_new(&options);
	size_t count;
	{
		CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
		must(upload_open(CTX, house.registry, STR("p/app"), id, &up));
		must(registry_expire_uploads(CTX, house.registry, 10, &count));
		must(upload_append(CTX, &up, STR("lo")));
	}
	must(registry_expire_uploads(CTX, house.registry, 10, &count));
	cr_assert_eq(append(STR("p/app"), id, STR("x")), ERR_UPLOAD_UNKNOWN);
	cr_assert_eq(differences(), 0);
}
