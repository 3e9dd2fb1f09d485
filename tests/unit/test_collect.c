/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_collect.c - garbage collection against a model: random pushes, mounts, deletions, looks and
 * collections on both engines, in a time that the test makes pass, with crashes between the steps
 * that a transaction cannot hold together. A collector that was given up may only have stood still:
 * what he condemned he removes at any later time, as often as it comes to him, and the database's
 * clock jumps.
 *
 * The model knows which manifests were acknowledged, and until when whom a blob was promised to.
 * After each step: what a manifest that is there refers to is there, byte for byte, and fsck
 * agrees; whoever pushes a manifest on what he was promised is not told that a blob is unknown. In
 * the end, when all was deleted and the window is over, there is neither a row nor a byte.
 */
#include "sql_fixture.h"

#include <ftw.h>
#include <poll.h>

#include "codec/manifest.h"
#include "crypto/hash.h"
#include "db/db.h"
#include "db/upload.h"
#include "os/fault.h"
#include "registry/collect.h"
#include "registry/delete.h"
#include "registry/fsck.h"
#include "registry/manifest_push.h"
#include "registry/mount.h"
#include "registry/pull.h"
#include "registry/upload.h"

#define OWN_STATEMENTS 6000 /* those of the test begin at 5990 */
#define WINDOW_S       1000
#define SECOND	       INT64_C(1000000)
#define DAY_S	       86400
#define HELD_UP_MS     400
#define REPOSITORIES   3
#define BLOBS	       6
#define MANIFESTS      8
#define PARTS	       3 /* blobs of a manifest */
#define STEPS	       250
#define STEPS_SLOW     120 /* where each costs a server's answers */
#define LATE	       64  /* blobs that somebody may still remove */

FIXTURE_STATEMENT(PASS_GARBAGE, 5990, SQL_STATEMENT_EXEC, 1,
		  "UPDATE garbage SET due_at_us = due_at_us - ?1",
		  "UPDATE garbage SET due_at_us = due_at_us - $1");
FIXTURE_STATEMENT(PASS_CONDEMNED, 5991, SQL_STATEMENT_EXEC, 1,
		  "UPDATE blob SET condemned_at_us = condemned_at_us - ?1",
		  "UPDATE blob SET condemned_at_us = condemned_at_us - $1");
FIXTURE_STATEMENT(COUNT_BLOBS, 5992, SQL_STATEMENT_ONE, 0, "SELECT COUNT(*) FROM blob",
		  "SELECT COUNT(*) FROM blob");
FIXTURE_STATEMENT(COUNT_CONDEMNED, 5993, SQL_STATEMENT_ONE, 1,
		  "SELECT COUNT(*) FROM blob WHERE condemned_at_us IS NOT NULL AND digest = ?1",
		  "SELECT COUNT(*) FROM blob WHERE condemned_at_us IS NOT NULL AND digest = $1");

FIXTURE_STATEMENT(EDITION_CONDEMNED, 5995, SQL_STATEMENT_ONE, 1,
		  "SELECT edition FROM blob WHERE condemned_at_us IS NOT NULL AND digest = ?1",
		  "SELECT edition FROM blob WHERE condemned_at_us IS NOT NULL AND digest = $1");
FIXTURE_STATEMENT(PASS_UPLOADS, 5994, SQL_STATEMENT_EXEC, 1,
		  "UPDATE upload SET touched_at_us = touched_at_us - ?1",
		  "UPDATE upload SET touched_at_us = touched_at_us - $1");

FIXTURE_STATEMENT(COUNT_WAITING, 5996, SQL_STATEMENT_ONE, 0, "SELECT 0",
		  "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND "
		  "wait_event_type = 'Lock'");
FIXTURE_STATEMENT(LEAST_LEFT, 5997, SQL_STATEMENT_ONE, 0, "SELECT MIN(due_at_us) FROM garbage",
		  "SELECT MIN(due_at_us) - CAST(EXTRACT(EPOCH FROM now()) * 1000000 AS BIGINT) "
		  "FROM garbage");

static struct world {
	struct sql_fixture f;
	char root[64];
	struct store *store;
	struct registry *registry;
	uint64_t dice;
	int64_t now_s; /* the virtual clock */
	unsigned files;

	str blobs[BLOBS];
	digest digests[BLOBS];
	str manifests[MANIFESTS];
	size_t parts[MANIFESTS][PARTS];

	/* The model. */
	bool there[REPOSITORIES][MANIFESTS];
	int64_t promised_s[REPOSITORIES][BLOBS]; /* until when; 0: not */

	blob_name late[LATE]; /* what collectors that stand still are about to remove */
	size_t late_count;
} world;

#define CTX (&world.f.ctx)

static struct project_maker maker;
static const char *const names[REPOSITORIES] = { "model/one", "model/two", "other/three" };

static size_t roll(size_t sides)
{
	world.dice = world.dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (size_t)(world.dice >> 33) % sides;
}

static str name_of(size_t repository)
{
	return str_from(names[repository]);
}

/* --- the world -------------------------------------------------------------------------------- */

static void open_registry(void)
{
	const struct registry_options options = { .db = world.f.db,
						  .store = world.store,
						  .require_blobs = true,
						  .require_children = true,
						  .window_ms = WINDOW_S * 1000 };
	world.registry = registry_new(&options);
	EXPECT_OK(CTX, registry_recover(CTX, world.registry));
}

static void make_contents(void)
{
	for (size_t i = 0; i < BLOBS; i++) {
		world.blobs[i] = arena_printf(CTX->arena, "{\"blob\":%zu}", i);
		world.digests[i] = hash_bytes(DIGEST_SHA256, world.blobs[i]);
	}
	for (size_t i = 0; i < MANIFESTS; i++) {
		size_t *parts = world.parts[i];
		for (size_t at = 0; at < PARTS; at++)
			parts[at] = (i + at * (1 + i / BLOBS)) % BLOBS;
		world.manifests[i] = arena_printf(
			CTX->arena,
			"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST
			"\",\"config\":{\"mediaType\":\"application/x-c\",\"digest\":\"" DIGEST_FMT
			"\",\"size\":10},\"layers\":[{\"mediaType\":\"application/"
			"x-l\",\"digest\":\"" DIGEST_FMT
			"\",\"size\":10},{\"mediaType\":\"application/"
			"x-l\",\"digest\":\"" DIGEST_FMT
			"\",\"size\":10}],\"annotations\":{\"number\":\"%zu\"}}",
			DIGEST_ARG(world.digests[parts[0]]), DIGEST_ARG(world.digests[parts[1]]),
			DIGEST_ARG(world.digests[parts[2]]), i);
	}
}

static void open_world(enum sql_engine engine, uint64_t seed)
{
	struct sql_fixture *f = &world.f;
	f->engine = engine;
	arena_init(&f->arena, MIB(64));
	ctx_init(&f->ctx, &f->arena);
	CTX->tenant_id = 1;
	fixture_locate(f);
	const struct sql_options options = { .engine = engine,
					     .location = f->location,
					     .connections_max = 4,
					     .statement_count = OWN_STATEMENTS };
	EXPECT_OK(CTX, sql_open(CTX, &options, &f->db));
	EXPECT_OK(CTX, db_migrate(CTX, f->db));
	snprintf(world.root, sizeof world.root, "/tmp/berth-collect-XXXXXX");
	cr_assert_not_null(mkdtemp(world.root));
	EXPECT_OK(CTX, store_driver_find(STR("filesystem"))
			       ->open(CTX, &(const struct store_place){ .location = world.root },
				      &world.store));
	world.dice = seed;
	world.now_s = 1;
	make_contents();
	open_registry();
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
	return remove(path);
}

static void close_world(void)
{
	registry_free(world.registry);
	world.store->driver->close(world.store);
	nftw(world.root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	fixture_clean(&world.f);
}

static err_t change(const struct sql_statement *statement, int64_t number)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(sql_begin(CTX, world.f.db, SQL_WRITE, &tx));
	TRY(sql_exec(CTX, &tx, statement, SQL_ARGS(SQL_I64(number)), NULL));
	return sql_commit(CTX, &tx);
}

static int64_t count(const struct sql_statement *statement, struct sql_args args)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	EXPECT_OK(CTX, sql_begin(CTX, world.f.db, SQL_READ, &tx));
	EXPECT_OK(CTX, sql_one(CTX, &tx, statement, args, &rows));
	int64_t found = sql_i64(&rows, 0);
	sql_rows_done(&rows);
	return found;
}

/* --- steps ------------------------------------------------------------------------------------ */

/* So long is sure of what was let go or relied on at this moment. */
static void promise(size_t repository, size_t blob)
{
	world.promised_s[repository][blob] = world.now_s + WINDOW_S / 4 * 3;
}

/* Time passes, and another node answers. */
static void step_wait(void)
{
	int64_t s = (int64_t)roll(WINDOW_S / 2);
	world.now_s += s;
	EXPECT_OK(CTX, change(&PASS_GARBAGE, s * SECOND));
	EXPECT_OK(CTX, change(&PASS_CONDEMNED, s * SECOND));
	registry_free(world.registry);
	open_registry();
}

static err_t upload(str repository, str bytes, digest d)
{
	char id[UPLOAD_ID_MAX + 1];
	TRY(upload_begin(CTX, world.registry, repository, &maker, DIGEST_SHA256, id));
	CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
	TRY(upload_open(CTX, world.registry, repository, str_from(id), &up));
	TRY(upload_append(CTX, &up, bytes));
	return upload_finish(CTX, &up, d);
}

static str text_of(size_t blob)
{
	return arena_copy(CTX->arena, str_from(digest_format(world.digests[blob]).text));
}

static bool is_condemned(size_t blob)
{
	return count(&COUNT_CONDEMNED, SQL_ARGS(SQL_TEXT(text_of(blob)))) > 0;
}

/* What a crash left condemned is waited for, and the client told to come back. */
static bool put_blob(size_t repository, size_t blob, const char *fault)
{
	bool condemned = is_condemned(blob);
	if (condemned)
		CTX->deadline_ns = clock_now_ns() + CLOCK_S / 20;
	fault_setup(fault);
	err_t err = upload(name_of(repository), world.blobs[blob], world.digests[blob]);
	fault_setup(NULL);
	CTX->deadline_ns = 0;
	cr_assert(err == OK || condemned || fault, "upload: %s", CTX->failure.detail);
	cr_assert(err != OK || !condemned, "somebody published what is being removed");
	ctx_forgive(CTX);
	if (err == OK)
		promise(repository, blob);
	return err == OK;
}

static void step_upload(void)
{
	static const char *const faults[] = { NULL, NULL, NULL, "upload.intent:1=errno:5",
					      "upload.published:1=errno:5" };
	size_t repository = roll(REPOSITORIES), blob = roll(BLOBS);
	put_blob(repository, blob, faults[roll(COUNT_OF(faults))]);
}

static void step_mount(void)
{
	size_t from = roll(REPOSITORIES), to = roll(REPOSITORIES), blob = roll(BLOBS);
	err_t err = blob_mount(CTX, world.registry, name_of(from), world.digests[blob], name_of(to),
			       &maker);
	cr_assert(err == OK || err == ERR_BLOB_UNKNOWN, "mount: %s", CTX->failure.detail);
	cr_assert(err == OK || world.promised_s[from][blob] < world.now_s,
		  "what was promised could not be mounted");
	ctx_forgive(CTX);
	if (err == OK)
		promise(to, blob);
}

static bool nowhere_else(const void *arg, ip *ret)
{
	return false;
}

/* A HEAD; what it is told is there has the right length. */
static err_t head(struct ctx *ctx, size_t repository, size_t blob)
{
	static const struct blob_reader reader = { .address = nowhere_else, .relies = true };
	CLEANUP(blob_view_done) struct blob_view view = BLOB_VIEW_INIT;
	TRY(blob_open_for(ctx, world.registry, name_of(repository), world.digests[blob], &reader,
			  &view));
	cr_assert_eq(view.size_bytes, world.blobs[blob].len);
	return OK;
}

static void step_head(void)
{
	size_t repository = roll(REPOSITORIES), blob = roll(BLOBS);
	err_t err = head(CTX, repository, blob);
	cr_assert(err == OK || err == ERR_BLOB_UNKNOWN || err == ERR_NAME_UNKNOWN, "head: %s",
		  CTX->failure.detail);
	cr_assert(err == OK || world.promised_s[repository][blob] < world.now_s,
		  "what was promised is not there");
	ctx_forgive(CTX);
	if (err == OK)
		promise(repository, blob);
}

static bool all_promised(size_t repository, size_t manifest)
{
	for (size_t i = 0; i < PARTS; i++)
		if (world.promised_s[repository][world.parts[manifest][i]] < world.now_s)
			return false;
	return true;
}

/* As clients do: what is not there is uploaded, then the manifest. Or he tries without. */
static void step_manifest(void)
{
	size_t repository = roll(REPOSITORIES), manifest = roll(MANIFESTS);
	for (size_t i = 0; i < PARTS && roll(4); i++)
		put_blob(repository, world.parts[manifest][i], NULL);
	struct manifest_pushed pushed;
	const struct manifest_push push = {
		.repository = name_of(repository),
		.maker = &maker,
		.reference = { .tag = arena_printf(CTX->arena, "m%zu", manifest) },
		.bytes = world.manifests[manifest],
	};
	bool sure = all_promised(repository, manifest);
	err_t err = manifest_push(CTX, world.registry, &push, &pushed);
	cr_assert(err == OK || err == ERR_MANIFEST_BLOB_UNKNOWN, "push: %s", CTX->failure.detail);
	cr_assert(err == OK || !sure, "what was promised is unknown: %s", CTX->failure.detail);
	ctx_forgive(CTX);
	if (err == OK)
		world.there[repository][manifest] = true;
}

/* What a manifest referred to is not removed before the window is over. */
static void let_go(size_t repository, size_t manifest)
{
	world.there[repository][manifest] = false;
	for (size_t i = 0; i < PARTS; i++)
		promise(repository, world.parts[manifest][i]);
}

static void delete_manifest(size_t repository, size_t manifest)
{
	digest d = hash_bytes(DIGEST_SHA256, world.manifests[manifest]);
	EXPECT_OK(CTX, manifest_delete(CTX, world.registry, name_of(repository), d, false));
	let_go(repository, manifest);
}

static void step_delete(void)
{
	size_t repository = roll(REPOSITORIES), manifest = roll(MANIFESTS);
	if (world.there[repository][manifest])
		delete_manifest(repository, manifest);
}

static void step_delete_repository(void)
{
	size_t repository = roll(REPOSITORIES);
	err_t err = repository_delete(CTX, world.registry, name_of(repository));
	cr_assert(err == OK || err == ERR_NAME_UNKNOWN, "%s", CTX->failure.detail);
	ctx_forgive(CTX);
	memset(world.there[repository], 0, sizeof world.there[repository]);
	memset(world.promised_s[repository], 0, sizeof world.promised_s[repository]);
}

static void collect(const char *fault)
{
	struct collected done;
	fault_setup(fault);
	err_t err = registry_collect(CTX, world.registry, &(const struct collecting){ 0 }, &done);
	fault_setup(NULL);
	cr_assert(err == OK || fault, "collect: %s", CTX->failure.detail);
	ctx_forgive(CTX);
}

static void add_late(blob_name name)
{
	for (size_t i = 0; i < world.late_count; i++)
		if (blob_name_equal(world.late[i], name))
			return;
	cr_assert(world.late_count < LATE);
	world.late[world.late_count++] = name;
}

/* Whoever condemned them knows these names. */
static void remember_late(void)
{
	for (size_t i = 0; i < BLOBS; i++)
		if (is_condemned(i))
			add_late((blob_name){
				world.digests[i],
				(uint32_t)count(&EDITION_CONDEMNED, SQL_ARGS(SQL_TEXT(text_of(i)))),
			});
}

/* One that stood still goes on: he has looked at the row long ago. */
static void step_late(void)
{
	if (world.late_count)
		EXPECT_OK(CTX,
			  store_blob_remove(CTX, world.store, world.late[roll(world.late_count)]));
}

/* What another collector condemned seems older, or younger, than it is. */
static void step_clock_jumps(void)
{
	EXPECT_OK(CTX, change(&PASS_CONDEMNED, (roll(2) ? DAY_S : -DAY_S / 24) * SECOND));
}

static void step_collect(void)
{
	static const char *const faults[] = { NULL,
					      NULL,
					      NULL,
					      "collect.condemned:1=errno:5",
					      "collect.removed:1=errno:5",
					      "store.remove:1=errno:5" };
	const char *fault = faults[roll(COUNT_OF(faults))];
	collect(fault);
	if (fault)
		remember_late();
}

/* --- what must hold --------------------------------------------------------------------------- */

static void check_blob(size_t repository, size_t blob)
{
	CLEANUP(blob_view_done) struct blob_view view = BLOB_VIEW_INIT;
	char bytes[64];
	size_t len = 0;
	err_t err = blob_open(CTX, world.registry, name_of(repository), world.digests[blob], &view);
	cr_assert_eq(err, OK, "blob %zu of repository %zu: %s", blob, repository,
		     CTX->failure.detail);
	EXPECT_OK(CTX, blob_read(CTX, &view, 0, bytes, sizeof bytes, &len));
	cr_assert(str_eq((str){ bytes, len }, world.blobs[blob]));
}

static void say(void *arg, enum fsck_kind kind, str what)
{
	cr_log_error("fsck: %s: " STR_FMT, fsck_kind_text(kind), STR_ARG(what));
}

static void check(void)
{
	struct fsck_result found;
	const struct fsck_options options = { .report = say };
	for (size_t r = 0; r < REPOSITORIES; r++)
		for (size_t m = 0; m < MANIFESTS; m++)
			for (size_t i = 0; world.there[r][m] && i < PARTS; i++)
				check_blob(r, world.parts[m][i]);
	EXPECT_OK(CTX, registry_fsck(CTX, world.registry, &options, &found));
	cr_assert_eq(found.total, 0);
}

static err_t count_file(struct ctx *ctx, void *arg, blob_name name, uint64_t size_bytes)
{
	world.files++;
	return OK;
}

static err_t pass_upload(struct ctx *ctx, void *arg, str id, uint64_t size_bytes)
{
	return OK;
}

static err_t pass_stray(struct ctx *ctx, void *arg, str name)
{
	return OK;
}

static void end_all(void)
{
	const struct store_walk walk = { count_file, pass_upload, pass_stray, NULL };
	for (size_t r = 0; r < REPOSITORIES; r++)
		for (size_t m = 0; m < MANIFESTS; m++)
			if (world.there[r][m])
				delete_manifest(r, m);
	/* Once for what was let go, once for what was put off or left condemned. */
	size_t ended;
	EXPECT_OK(CTX, change(&PASS_UPLOADS, 2 * DAY_S * SECOND));
	EXPECT_OK(CTX, registry_expire_uploads(CTX, world.registry, 1000, &ended));
	for (size_t i = 0; i < 3; i++) {
		EXPECT_OK(CTX, change(&PASS_GARBAGE, 2 * WINDOW_S * SECOND));
		EXPECT_OK(CTX, change(&PASS_CONDEMNED, 2 * WINDOW_S * SECOND));
		registry_free(world.registry);
		open_registry();
		collect(NULL);
	}
	cr_assert_eq(count(&COUNT_BLOBS, SQL_NO_ARGS), 0, "something is kept that nobody has");
	EXPECT_OK(CTX, world.store->driver->walk(CTX, world.store, &walk));
	cr_assert_eq(world.files, 0, "%u files are left", world.files);
}

/* --- side by side ----------------------------------------------------------------------------- */

struct beside {
	pthread_t thread;
	err_t (*what)(struct ctx *ctx);
	err_t err;
};

static err_t upload_it(struct ctx *ctx)
{
	char id[UPLOAD_ID_MAX + 1];
	TRY(upload_begin(ctx, world.registry, name_of(0), &maker, DIGEST_SHA256, id));
	CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
	TRY(upload_open(ctx, world.registry, name_of(0), str_from(id), &up));
	TRY(upload_append(ctx, &up, world.blobs[0]));
	return upload_finish(ctx, &up, world.digests[0]);
}

static err_t collect_it(struct ctx *ctx)
{
	struct collected done;
	return registry_collect(ctx, world.registry, &(const struct collecting){ 0 }, &done);
}

static void *run_beside(void *arg)
{
	struct beside *beside = arg;
	struct arena arena;
	struct ctx ctx;
	arena_init(&arena, MIB(8));
	ctx_init(&ctx, &arena);
	ctx.tenant_id = 1;
	beside->err = beside->what(&ctx);
	arena_done(&arena);
	return NULL;
}

/* A blob that nobody has any more: `first` is held up at `fault` while `second` happens, one of
 * which uploads it and the other collects. */
static void side_by_side(enum sql_engine engine, err_t (*first)(struct ctx *ctx), const char *fault,
			 err_t (*second)(struct ctx *ctx))
{
	struct beside beside = { .what = first };
	if (!fixture_has_engine(engine))
		return;
	open_world(engine, 1);
	cr_assert(put_blob(1, 0, NULL));
	EXPECT_OK(CTX, repository_delete(CTX, world.registry, name_of(1)));
	EXPECT_OK(CTX, change(&PASS_GARBAGE, 2 * WINDOW_S * SECOND));
	fault_setup(fault);
	cr_assert_eq(pthread_create(&beside.thread, NULL, run_beside, &beside), 0);
	(void)poll(NULL, 0, HELD_UP_MS / 4);
	EXPECT_OK(CTX, second(CTX));
	pthread_join(beside.thread, NULL);
	fault_setup(NULL);
	cr_assert_eq(beside.err, OK);
	check_blob(0, 0);
	check();
	close_world();
}

static err_t head_it(struct ctx *ctx)
{
	return head(ctx, 1, 0);
}

/* A collector has taken the blob's link, finds that somebody pushes on it, and puts it off for a
 * moment: a HEAD that meets him must not go by that moment. */
Test(collect, a_head_that_met_a_collector_was_sure_of_it_for_a_minute_only_on_postgres)
{
	struct beside beside = { .what = head_it };
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	struct blob_link *taken;
	size_t taken_count;
	if (!fixture_has_engine(SQL_POSTGRES))
		return;
	open_world(SQL_POSTGRES, 1);
	cr_assert(put_blob(1, 0, NULL));
	EXPECT_OK(CTX, change(&PASS_GARBAGE, 2 * WINDOW_S * SECOND));
	EXPECT_OK(CTX, sql_begin(CTX, world.f.db, SQL_WRITE, &tx));
	EXPECT_OK(CTX, db_garbage_take(CTX, &tx, 10, &taken, &taken_count));
	cr_assert_eq(taken_count, 1);
	EXPECT_OK(CTX,
		  db_garbage_add_link(CTX, &tx, taken[0].of_id, taken[0].blob_id, 60 * SECOND));
	cr_assert_eq(pthread_create(&beside.thread, NULL, run_beside, &beside), 0);
	while (!count(&COUNT_WAITING, SQL_NO_ARGS))
		(void)poll(NULL, 0, 5);
	EXPECT_OK(CTX, sql_commit(CTX, &tx));
	pthread_join(beside.thread, NULL);
	cr_assert_eq(beside.err, OK);
	cr_assert_geq(count(&LEAST_LEFT, SQL_NO_ARGS), WINDOW_S / 4 * 3 * SECOND);
	check();
	close_world();
}

#define PUBLISHED "upload.published:1=wait:400"
#define CONDEMNED "collect.condemned:1=wait:400"

Test(collect, what_is_about_to_be_published_stays_on_sqlite)
{
	side_by_side(SQL_SQLITE, upload_it, PUBLISHED, collect_it);
}

Test(collect, what_is_about_to_be_published_stays_on_postgres)
{
	side_by_side(SQL_POSTGRES, upload_it, PUBLISHED, collect_it);
}

Test(collect, who_publishes_waits_until_it_is_gone_on_sqlite)
{
	side_by_side(SQL_SQLITE, collect_it, CONDEMNED, upload_it);
}

Test(collect, who_publishes_waits_until_it_is_gone_on_postgres)
{
	side_by_side(SQL_POSTGRES, collect_it, CONDEMNED, upload_it);
}

/* Each run adds what it did, also one that failed; a dry run adds nothing. */
Test(collect, what_was_removed_and_what_could_not_be_is_counted)
{
	struct collected_here here;
	struct collected done;
	open_world(SQL_SQLITE, 1);
	for (size_t i = 0; i < 3; i++)
		cr_assert(put_blob(1, i, NULL));
	EXPECT_OK(CTX, change(&PASS_GARBAGE, 2 * WINDOW_S * SECOND));
	EXPECT_OK(CTX, registry_collect(CTX, world.registry,
					&(const struct collecting){ .dry_run = true }, &done));
	registry_collected(world.registry, &here);
	cr_assert_eq(here.sum.blobs + here.sum.links + here.ended_us, 0);
	collect("store.remove:1=errno:5");
	registry_collected(world.registry, &here);
	cr_assert_eq(here.sum.failed, 1);
	cr_assert_eq(here.sum.blobs, 2);
	cr_assert_eq(here.sum.links, 3);
	cr_assert_eq(here.sum.bytes, (int64_t)(world.blobs[0].len * 2));
	cr_assert_gt(here.ended_us, 0);
	end_all();
	close_world();
}

static void stand_still(enum sql_engine engine)
{
	if (!fixture_has_engine(engine))
		return;
	open_world(engine, 1);
	cr_assert(put_blob(1, 0, NULL));
	for (uint32_t edition = 0; edition < 3; edition++) {
		EXPECT_OK(CTX, repository_delete(CTX, world.registry, name_of(1)));
		EXPECT_OK(CTX, change(&PASS_GARBAGE, 2 * WINDOW_S * SECOND));
		collect("collect.condemned:1=errno:5");
		remember_late();
		cr_assert_eq(world.late_count, edition + 1);
		EXPECT_OK(CTX, change(&PASS_CONDEMNED, DAY_S * SECOND));
		collect(NULL);
		cr_assert(put_blob(1, 0, NULL));
		for (size_t i = 0; i < world.late_count; i++)
			EXPECT_OK(CTX, store_blob_remove(CTX, world.store, world.late[i]));
		check_blob(1, 0);
		check();
	}
	end_all();
	close_world();
}

Test(collect, who_stood_still_removes_nothing_that_came_back_on_sqlite)
{
	stand_still(SQL_SQLITE);
}

Test(collect, who_stood_still_removes_nothing_that_came_back_on_postgres)
{
	stand_still(SQL_POSTGRES);
}

/* Another node ends the session that says what is being published, and all of it is collected. */
static err_t end_it(struct ctx *ctx)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	str *ids;
	size_t found;
	TRY(sql_begin(ctx, world.f.db, SQL_READ, &tx));
	TRY(db_upload_publishing_page(ctx, &tx, STR_NONE, 2, &ids, &found));
	cr_assert_eq(found, 1);
	sql_tx_done(&tx);
	TRY(upload_end(ctx, world.registry, ids[0]));
	TRY(change(&PASS_GARBAGE, 2 * WINDOW_S * SECOND));
	return collect_it(ctx);
}

static void end_while_publishing(enum sql_engine engine)
{
	struct beside beside = { .what = upload_it };
	if (!fixture_has_engine(engine))
		return;
	open_world(engine, 1);
	cr_assert(put_blob(0, 1, NULL));
	fault_setup(PUBLISHED);
	cr_assert_eq(pthread_create(&beside.thread, NULL, run_beside, &beside), 0);
	(void)poll(NULL, 0, HELD_UP_MS / 4);
	EXPECT_OK(CTX, end_it(CTX));
	pthread_join(beside.thread, NULL);
	fault_setup(NULL);
	cr_assert_eq(beside.err, ERR_UPLOAD_UNKNOWN);
	check();
	close_world();
}

Test(collect, what_was_published_for_a_session_that_ended_is_not_acknowledged_on_sqlite)
{
	end_while_publishing(SQL_SQLITE);
}

Test(collect, what_was_published_for_a_session_that_ended_is_not_acknowledged_on_postgres)
{
	end_while_publishing(SQL_POSTGRES);
}

/* --- the model -------------------------------------------------------------------------------- */

static void run_model(enum sql_engine engine, uint64_t seed)
{
	static void (*const steps[])(void) = {
		step_wait,     step_wait,    step_upload,   step_upload,
		step_mount,    step_head,    step_manifest, step_manifest,
		step_manifest, step_delete,  step_delete,   step_delete,
		step_collect,  step_collect, step_collect,  step_delete_repository,
		step_late,     step_late,    step_late,	    step_clock_jumps,
	};
	if (!fixture_has_engine(engine))
		return;
	open_world(engine, seed);
	for (int i = 0; i < (engine == SQL_SQLITE ? STEPS : STEPS_SLOW); i++) {
		steps[roll(COUNT_OF(steps))]();
		check();
	}
	end_all();
	close_world();
}

Test(collect, model_with_seed_1_on_sqlite)
{
	run_model(SQL_SQLITE, 1);
}

Test(collect, model_with_seed_20261127_on_sqlite)
{
	run_model(SQL_SQLITE, 20261127);
}

Test(collect, model_with_seed_42_on_sqlite)
{
	run_model(SQL_SQLITE, 42);
}

Test(collect, model_with_seed_7_on_postgres)
{
	run_model(SQL_POSTGRES, 7);
}

Test(collect, model_with_seed_1_on_postgres)
{
	run_model(SQL_POSTGRES, 1);
}
