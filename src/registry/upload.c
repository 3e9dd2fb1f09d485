/* SPDX-License-Identifier: Apache-2.0 */
/* upload.c - see upload.h. */
#include "registry/upload.h"
#include "base/clock.h"
#include "base/mem.h"
#include "crypto/random.h"
#include "db/blob.h"
#include "db/db.h"
#include "db/project_content.h"
#include "db/repository.h"
#include "db/upload.h"
#include "internal.h"
#include "os/fault.h"
#include "os/ring.h"
#include "registry/collect.h"
#include "registry/quota.h"
#include "registry/repository.h"
#include "registry/storage.h"
#include "upload_quota.h"

#include <poll.h>

#include "base/banned.h"

#define REHASH_BLOCK	  KIB(256)
#define CONDEMNED_WAIT_NS (5 * CLOCK_S)
#define CONDEMNED_LOOK_MS 20

struct session_work {
	struct registry *registry;
	const struct upload *up;
	bool limited; /* by a quota */
	bool condemned;
	str id;
	int64_t repository_id;
	enum digest_algorithm algorithm;
	struct blob_bytes as; /* what it becomes */
};

static err_t insert_session(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct session_work *work = arg;
	err_t err = db_repository_hold(ctx, tx, work->repository_id);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NAME_UNKNOWN, "the repository was deleted just now");
	TRY(err);
	err = db_upload_insert(ctx, tx, work->id, work->repository_id, work->algorithm);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_STORAGE_ERASED, "there is no storage to upload to");
	return err;
}

err_t upload_begin(struct ctx *ctx, struct registry *registry, str repository,
		   struct project_maker *maker, enum digest_algorithm algorithm,
		   char id[UPLOAD_ID_MAX + 1])
{
	int64_t repository_id;
	TRY(repository_ensure(ctx, registry, repository, maker, &repository_id));
	random_uuid(id);
	struct session_work work = { .id = str_from(id),
				     .repository_id = repository_id,
				     .algorithm = algorithm };
	return db_run(ctx, registry->db, SQL_WRITE_AHEAD, insert_session, &work);
}

static err_t read_session(struct ctx *ctx, struct registry *registry, str repository, str id,
			  struct upload_row *ret)
{
	int64_t repository_id;
	TRY(repository_find(ctx, registry, repository, &repository_id));
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return db_upload_find(ctx, &tx, id, repository_id, ret);
}

static err_t find_session(struct ctx *ctx, struct registry *registry, str repository, str id,
			  struct upload_row *ret)
{
	err_t err = read_session(ctx, registry, repository, id, ret);
	if (err == ERR_NAME_UNKNOWN) { /* an upload that is nowhere, and says so */
		ctx_forgive(ctx);
		err = ERR_ABSENT;
	}
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "no upload " STR_FMT, STR_ARG(id));
	return err;
}

err_t upload_size(struct ctx *ctx, struct registry *registry, str repository, str id,
		  uint64_t *ret_size_bytes)
{
	struct upload_row row;
	TRY(find_session(ctx, registry, repository, id, &row));
	CLEANUP(storage_put) struct storage *storage = NULL;
	CLEANUP(store_upload_done) struct store_upload file = STORE_UPLOAD_INIT;
	TRY(storage_get(ctx, registry, row.storage_id, &storage));
	err_t err = store_upload_open(ctx, storage->store, id, false, &file);
	if (err == ERR_UPLOAD_UNKNOWN) { /* the file is made with the first byte */
		ctx_forgive(ctx);
		*ret_size_bytes = 0;
		return OK;
	}
	TRY(err);
	*ret_size_bytes = file.size_bytes;
	return OK;
}

static err_t end_ring(struct ctx *ctx, struct upload *up)
{
	if (!up->ring)
		return OK;
	err_t err = ring_end(ctx, take(up->ring));
	atomic_fetch_sub(&up->registry->rings, 1);
	if (up->live->hashed_bytes > up->file.size_bytes) /* of what could not be stored */
		live_upload_restart(up->live, up->algorithm);
	return err;
}

void upload_done(struct upload *up)
{
	/* Who tells the client that all is there has flushed before. */
	struct ctx ctx;
	ctx_init(&ctx, NULL);
	(void)(up->ended ? end_ring(&ctx, up) : upload_flush(&ctx, up));
	store_upload_done(&up->file);
	storage_put(&up->storage);
	if (up->live)
		live_uploads_release(up->registry->uploads, take(up->live), up->ended);
}

/* What was found out stays what is told; ends it otherwise. */
static err_t cancel_after(struct ctx *ctx, struct upload *up, err_t err)
{
	struct failure found = ctx->failure;
	ctx_forgive(ctx);
	TRY(upload_cancel(ctx, up));
	ctx->failure = found;
	return err;
}

/* The file is made with the first byte; but one that was being published and is gone has become the
 * blob. */
static err_t open_file(struct ctx *ctx, struct upload *up, const struct upload_row *row)
{
	struct store *store = up->storage->store;
	bool was_publishing = !digest_is_none(row->publishing);
	err_t err = store_upload_open(ctx, store, up->id, !was_publishing, &up->file);
	return err == ERR_UPLOAD_UNKNOWN && was_publishing ? cancel_after(ctx, up, err) : err;
}

err_t upload_open(struct ctx *ctx, struct registry *registry, str repository, str id,
		  struct upload *ret)
{
	CLEANUP(upload_done) struct upload up = UPLOAD_INIT;
	up.registry = registry;
	up.id = id;
	TRY(live_uploads_take(ctx, registry->uploads, id, &up.live));

	struct upload_row row;
	err_t err = find_session(ctx, registry, repository, id, &row);
	up.ended = err == ERR_UPLOAD_UNKNOWN;
	TRY(err);
	up.repository_id = row.repository_id;
	up.algorithm = up.live->hashing ? up.live->hash.algorithm : row.algorithm;
	TRY(storage_get(ctx, registry, row.storage_id, &up.storage));
	TRY(open_file(ctx, &up, &row));
	up.total_bytes = up.file.size_bytes;
	up.reserved_bytes = row.reserved_bytes;
	up.granted_bytes = (uint64_t)row.reserved_bytes;
	if (!up.live->hashing || up.live->hashed_bytes > up.file.size_bytes ||
	    up.live->version != up.file.version)
		live_upload_restart(up.live, up.algorithm);

	*ret = up;
	up = (struct upload)UPLOAD_INIT;
	return OK;
}

void upload_expect(struct upload *up, enum digest_algorithm algorithm)
{
	if (up->file.size_bytes == 0 && up->algorithm != algorithm) {
		up->algorithm = algorithm;
		live_upload_restart(up->live, algorithm);
	}
}

static err_t store_arrived(struct ctx *ctx, void *arg, str bytes)
{
	struct upload *up = arg;
	return store_upload_append(ctx, &up->file, bytes);
}

static err_t hash_arrived(struct ctx *ctx, void *arg, str bytes)
{
	struct live_upload *live = arg;
	hash_update(&live->hash, bytes.ptr, bytes.len);
	live->hashed_bytes += bytes.len;
	return OK;
}

/* Where it cannot be, nothing is lost but time. */
static void start_ring(struct ctx *ctx, struct upload *up)
{
	const struct ring_reader readers[] = {
		{ "upload store", store_arrived, up },
		{ "upload hash", hash_arrived, up->live },
	};
	bool hashes = up->live->hashed_bytes == up->file.size_bytes;
	if (atomic_fetch_add(&up->registry->rings, 1) < UPLOAD_RINGS_MAX &&
	    ring_start(ctx, up->file.size_bytes, readers, hashes ? 2 : 1, &up->ring) == OK)
		return;
	ctx_forgive(ctx);
	atomic_fetch_sub(&up->registry->rings, 1);
}

err_t upload_announce(struct ctx *ctx, struct upload *up, uint64_t bytes, const digest *want)
{
	uint64_t total_bytes;
	if (__builtin_add_overflow(up->total_bytes, bytes, &total_bytes) || total_bytes > INT64_MAX)
		return fail(ctx, ERR_REQUEST_TOO_LARGE, "more bytes than can be counted");
	return upload_quota_announce(ctx, up, total_bytes, want);
}

err_t upload_append(struct ctx *ctx, struct upload *up, str bytes)
{
	TRY(upload_quota_grant(ctx, up, up->total_bytes + bytes.len));
	if (!up->ring && up->received_bytes >= UPLOAD_RING_BYTES)
		start_ring(ctx, up);
	up->received_bytes += bytes.len;
	up->total_bytes += bytes.len;
	if (up->ring) {
		TRY(ring_append(ctx, up->ring, bytes));
		ctx_progress(ctx);
		return OK;
	}
	bool hashes = up->live->hashed_bytes == up->file.size_bytes;
	TRY(store_arrived(ctx, up, bytes));
	return hashes ? hash_arrived(ctx, up->live, bytes) : OK;
}

char *upload_room(struct upload *up, size_t *ret_len)
{
	return up->ring ? ring_room(up->ring, ret_len) : NULL;
}

err_t upload_flush(struct ctx *ctx, struct upload *up)
{
	TRY(end_ring(ctx, up));
	if (!up->file.store)
		return OK;
	TRY(store_upload_flush(ctx, &up->file));
	up->live->version = up->file.version;
	return OK;
}

/* Hashes what is stored but not hashed yet: after a restart, or for another algorithm. */
static err_t catch_up(struct ctx *ctx, struct upload *up)
{
	if (up->live->hashed_bytes == up->file.size_bytes)
		return OK;
	CLEANUP(mem_done) char *block = mem_new(REHASH_BLOCK);
	while (up->live->hashed_bytes < up->file.size_bytes) {
		size_t len;
		TRY(ctx_check(ctx));
		TRY(store_upload_read(ctx, &up->file, up->live->hashed_bytes, block, REHASH_BLOCK,
				      &len));
		if (len == 0)
			return fail(ctx, ERR_STORAGE, "upload " STR_FMT " got shorter",
				    STR_ARG(up->id));
		hash_update(&up->live->hash, block, len);
		up->live->hashed_bytes += len;
	}
	return OK;
}

static err_t record_intent(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct session_work *work = arg;
	err_t err = db_upload_set_publishing(ctx, tx, work->id, work->as.digest);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "upload ended meanwhile");
	TRY(err);
	TRY(db_garbage_is_condemned(ctx, tx, work->as.storage_id, work->as.digest, &work->condemned,
				    &work->as.edition));
	if (work->condemned)
		return fail(ctx, ERR_BUSY, "the same content is being removed at this moment");
	return work->limited ? upload_quota_settle(ctx, tx, work->up, work->as.digest) : OK;
}

/* From here on nobody removes bytes of that digest. Who is just doing it is waited for. */
static err_t intend(struct ctx *ctx, struct session_work *work)
{
	int64_t until_ns = clock_now_ns() + CONDEMNED_WAIT_NS;
	err_t err;
	while ((err = db_run(ctx, work->registry->db, SQL_WRITE_AHEAD, record_intent, work)) ==
		       ERR_BUSY &&
	       work->condemned && clock_now_ns() < until_ns) {
		ctx_forgive(ctx);
		TRY(ctx_check(ctx));
		(void)poll(NULL, 0, CONDEMNED_LOOK_MS);
	}
	return err;
}

/* The session must be there still: with it goes the word that nobody may remove what was published.
 */
static err_t link_blob(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct session_work *work = arg;
	struct blob blob;
	struct quota_charge charge = { .repository_id = work->repository_id };
	int64_t reserved_bytes = 0;
	err_t err = db_upload_delete(ctx, tx, work->id, &reserved_bytes);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "upload ended meanwhile");
	TRY(err);
	err = db_blob_ensure(ctx, tx, &work->as, &blob);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_BUSY, "the same content was removed at this moment");
	TRY(err);
	TRY(db_blob_link(ctx, tx, work->repository_id, blob.id));
	TRY(db_garbage_add_link(ctx, tx, work->repository_id, blob.id,
				registry_window_us(work->registry)));
	TRY(db_content_claim_link(ctx, tx, work->repository_id, blob.id,
				  &charge.more[QUOTA_STORAGE]));
	charge.more_reserved_bytes = -reserved_bytes;
	return quota_charge(ctx, tx, work->registry, &charge);
}

static err_t publish(struct ctx *ctx, struct upload *up, digest d)
{
	struct registry *registry = up->registry;
	struct session_work work = { .registry = registry,
				     .up = up,
				     .id = up->id,
				     .repository_id = up->repository_id,
				     .as = { .storage_id = up->storage->id,
					     .digest = d,
					     .size_bytes = up->file.size_bytes } };
	TRY(upload_quota_is_limited(ctx, up, &work.limited));
	TRY(intend(ctx, &work));
	if (FAULT("upload.intent"))
		return fail_errno(ctx, ERR_STORAGE, "before publishing");

	/* Bytes before row: a file without a row is work for GC, a row without a file is data loss.
	 */
	TRY(store_publish(ctx, &up->file, up->id, (blob_name){ d, work.as.edition }));
	store_upload_done(&up->file); /* what it was is not to be stored once more */
	if (FAULT("upload.published"))
		return fail_errno(ctx, ERR_STORAGE, "after publishing");
	TRY(db_run(ctx, registry->db, SQL_WRITE, link_blob, &work));
	up->ended = true;
	return FAULT("upload.linked") ? fail_errno(ctx, ERR_STORAGE, "after linking") : OK;
}

err_t upload_finish(struct ctx *ctx, struct upload *up, digest want)
{
	TRY(end_ring(ctx, up));
	if (up->live->hash.algorithm != want.algorithm)
		live_upload_restart(up->live, want.algorithm);
	TRY(catch_up(ctx, up));

	digest have = hash_final(&up->live->hash);
	live_upload_forget_hash(up->live);
	if (!digest_equal(have, want)) {
		TRY(upload_cancel(ctx, up));
		return fail(ctx, ERR_DIGEST_INVALID, "upload " STR_FMT " is " DIGEST_FMT,
			    STR_ARG(up->id), DIGEST_ARG(have));
	}
	err_t err = publish(ctx, up, want);
	/* Ended by somebody else: closing it would store once more what he has removed. */
	return err == ERR_UPLOAD_UNKNOWN ? cancel_after(ctx, up, err) : err;
}

struct end_work {
	struct registry *registry;
	str id;
	bool published;		  /* what it was becoming is in the storage */
	struct blob_bytes became; /* that */
};

static err_t get_session(struct ctx *ctx, struct registry *registry, str id, struct upload_row *ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return db_upload_get(ctx, &tx, id, ret);
}

static err_t read_edition(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct blob_bytes *bytes = arg;
	return db_blob_edition(ctx, tx, bytes->storage_id, bytes->digest, &bytes->edition);
}

/* Asked before the transaction: a storage may be another server. */
static err_t find_published(struct ctx *ctx, const struct storage *storage, digest d,
			    struct end_work *work)
{
	struct blob_bytes *became = &work->became;
	if (digest_is_none(d))
		return OK;
	*became = (struct blob_bytes){ .storage_id = storage->id, .digest = d };
	TRY(db_run(ctx, work->registry->db, SQL_READ, read_edition, became));
	err_t err = store_blob_size(ctx, storage->store, (blob_name){ d, became->edition },
				    &became->size_bytes);
	work->published = err == OK;
	if (err == ERR_BLOB_UNKNOWN) {
		ctx_forgive(ctx);
		return OK;
	}
	return err;
}

static err_t end_session(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct end_work *work = arg;
	struct upload_row row;
	struct blob blob;
	err_t err = db_upload_get(ctx, tx, work->id, &row);
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	if (work->published) {
		TRY(db_blob_ensure(ctx, tx, &work->became, &blob));
		TRY(db_garbage_add_link(ctx, tx, 0, blob.id, registry_window_us(work->registry)));
	}
	struct quota_charge charge = { .repository_id = row.repository_id };
	TRY(db_upload_delete(ctx, tx, work->id, &row.reserved_bytes));
	charge.more_reserved_bytes = -row.reserved_bytes;
	return quota_charge(ctx, tx, work->registry, &charge);
}

static err_t end_in(struct ctx *ctx, struct registry *registry, struct storage *storage,
		    const struct upload_row *row, str id)
{
	struct end_work work = { .registry = registry, .id = id };
	TRY(store_upload_remove(ctx, storage->store, id));
	TRY(find_published(ctx, storage, row->publishing, &work));
	return db_run(ctx, registry->db, SQL_WRITE_RELAXED, end_session, &work);
}

err_t upload_end(struct ctx *ctx, struct registry *registry, str id)
{
	struct upload_row row;
	struct end_work erased = { .registry = registry, .id = id };
	err_t err = get_session(ctx, registry, id, &row);
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	CLEANUP(storage_put) struct storage *storage = NULL;
	err = storage_get(ctx, registry, row.storage_id, &storage);
	if (err != ERR_STORAGE_ERASED) {
		TRY(err);
		return end_in(ctx, registry, storage, &row, id);
	}
	ctx_forgive(ctx); /* there are no bytes to look at */
	return db_run(ctx, registry->db, SQL_WRITE_RELAXED, end_session, &erased);
}

err_t upload_abandon(struct ctx *ctx, struct registry *registry, str id)
{
	struct live_upload *live;
	TRY(live_uploads_take(ctx, registry->uploads, id, &live));
	err_t err = upload_end(ctx, registry, id);
	live_uploads_release(registry->uploads, live, true);
	return err;
}

/* Before its bytes are removed: what came after that would stay. */
static void end_writing(struct ctx *ctx, struct upload *up)
{
	if (end_ring(ctx, up) != OK)
		ctx_forgive(ctx);
	store_upload_done(&up->file);
}

err_t upload_cancel(struct ctx *ctx, struct upload *up)
{
	struct upload_row row;
	err_t err = get_session(ctx, up->registry, up->id, &row);
	if (err == ERR_ABSENT) { /* somebody else has ended it */
		ctx_forgive(ctx);
		up->ended = true;
		end_writing(ctx, up);
		return store_upload_remove(ctx, up->storage->store, up->id);
	}
	TRY(err);
	end_writing(ctx, up);
	TRY(end_in(ctx, up->registry, up->storage, &row, up->id));
	up->ended = true;
	return OK;
}
