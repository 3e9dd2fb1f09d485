/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storage_move.c - see storage_move.h. Fault points: move.begun, move.copied (bytes are in the new
 * storage, and no row says so), move.moved, move.swept (the old bytes are gone).
 */
#include "registry/storage_move.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "db/blob.h"
#include "db/db.h"
#include "db/garbage.h"
#include "db/storage_move.h"
#include "db/tenant.h"
#include "internal.h"
#include "os/fault.h"
#include "registry/collect.h"
#include "registry/storage.h"
#include "registry/tenant.h"

#include <time.h>

#include "base/banned.h"

#define PAGE	    256
#define BLOCK	    MIB(1)
#define WAIT_MS_MIN 50 /* doubled each time nothing has changed */
#define WAIT_MS_MAX 2000
#define SWEEP	    1024
#define MOVE_ARENA  MIB(64)

struct move {
	struct registry *registry;
	const struct storage_move_options *options;
	struct storage_move_progress progress;
	struct storage_move_result result;
	char mover[UUID_TEXT_LEN + 1]; /* the id of this process's uploads, too */
	str before;		       /* the one that began, if it is another */
	struct storage *from, *to;
	int64_t from_id, to_id;
	char *block;
};

static void tell(struct move *move, enum storage_move_phase phase)
{
	move->progress.phase = phase;
	if (move->options->progress)
		move->options->progress(move->options->arg, &move->progress);
}

/* --- begin ---------------------------------------------------------------------------------- */

/* What is erased cannot be read, and a new storage would make it look as if it could. */
static err_t check_readable(struct ctx *ctx, struct sql_tx *tx, int64_t storage_id)
{
	struct storage_binding storage;
	TRY(storage_binding_get(ctx, tx, storage_id, &storage));
	return storage.erased_at_us
		       ? fail(ctx, ERR_STORAGE_ERASED,
			      "the tenant's storage is erased: nothing is left to move")
		       : OK;
}

static err_t make_target(struct ctx *ctx, struct sql_tx *tx, struct move *move)
{
	struct storage_spec spec = *move->options->to;
	struct storage_binding made;
	if (!spec.name.len)
		spec.name = tenant_storage_name(ctx, move->options->tenant_name);
	TRY(storage_binding_insert(ctx, move->registry, tx, &spec, &made));
	err_t err = db_storage_move_begin(ctx, tx, move->options->tenant_id, made.id);
	if (err == ERR_ABSENT)
		return fail(
			ctx, ERR_EXISTS,
			"the tenant is being moved already: leave out where to, and it goes on");
	return err;
}

static err_t begin_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct move *move = arg;
	struct storage_move_row row;
	int64_t id = move->options->tenant_id;
	err_t err = db_tenant_touch(ctx, tx, id);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NOT_FOUND, "the tenant is deleted");
	TRY(err);
	TRY(db_storage_move_get(ctx, tx, id, &row));
	TRY(check_readable(ctx, tx, row.to_id));
	if (move->options->to) {
		TRY(make_target(ctx, tx, move));
		TRY(db_storage_move_get(ctx, tx, id, &row));
	}
	if (!row.from_id)
		return fail(ctx, ERR_NOT_FOUND, "the tenant is not being moved: say where to");
	move->from_id = row.from_id;
	move->to_id = row.to_id;
	move->before = row.mover;
	return OK;
}

static err_t take_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct move *move = arg;
	err_t err = db_storage_move_take(ctx, tx, move->options->tenant_id, str_from(move->mover));
	return err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "the move has ended meanwhile") : err;
}

static err_t sum_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct move *move = arg;
	struct storage_move_sum left, there;
	TRY(db_storage_move_sum(ctx, tx, move->options->tenant_id, move->from_id, &left));
	TRY(db_storage_move_sum(ctx, tx, move->options->tenant_id, move->to_id, &there));
	move->progress.blobs = there.blobs;
	move->progress.bytes = there.bytes;
	move->progress.blobs_total = there.blobs + left.blobs;
	move->progress.bytes_total = there.bytes + left.bytes;
	return OK;
}

/* What a process left that died is removed by its name, while its name still stands there. */
static err_t begin(struct ctx *ctx, struct move *move)
{
	random_uuid(move->mover);
	ctx->rider = move->options->to ? move->options->begins : NULL;
	err_t err = db_run(ctx, move->registry->db, SQL_WRITE, begin_body, move);
	ctx->rider = NULL;
	TRY(err);
	if (FAULT("move.begun"))
		return fail_errno(ctx, ERR_STORAGE, "the move stops here");
	TRY_CTX(ctx, storage_get(ctx, move->registry, move->from_id, &move->from),
		"the storage to leave");
	TRY_CTX(ctx, storage_get(ctx, move->registry, move->to_id, &move->to), "the new storage");
	if (move->before.len)
		TRY(store_upload_remove(ctx, move->to->store, move->before));
	TRY(db_run(ctx, move->registry->db, SQL_WRITE, take_body, move));
	return db_run(ctx, move->registry->db, SQL_READ, sum_body, move);
}

/* --- one blob ------------------------------------------------------------------------------- */

/* A blob that cannot be moved: `why` is for people. */
static err_t leave(struct ctx *ctx, struct move *move, str digest_text, const char *why)
{
	ctx_forgive(ctx);
	move->result.problems++;
	if (move->options->problem)
		move->options->problem(move->options->arg, digest_text, why);
	return OK;
}

/* Whether the new storage gives back what the digest says. `*ret` false also when it has no such
 * blob. */
static err_t is_there(struct ctx *ctx, struct move *move, blob_name name, uint64_t size_bytes,
		      bool *ret)
{
	CLEANUP(store_blob_done) struct store_blob blob = STORE_BLOB_INIT;
	CLEANUP(hash_done) struct hash hash;
	hash_init(&hash, name.digest.algorithm);
	*ret = false;
	err_t err = store_blob_open(ctx, move->to->store, name, &blob);
	for (uint64_t at = 0; err == OK && at < blob.size_bytes;) {
		size_t len;
		TRY(ctx_check(ctx));
		err = store_blob_read(ctx, &blob, at, move->block, BLOCK, &len);
		if (err != OK || len == 0)
			break;
		hash_update(&hash, move->block, len);
		at += len;
	}
	digest have = hash_final(&hash);
	if (err == ERR_BLOB_UNKNOWN || err == ERR_CORRUPT) {
		ctx_forgive(ctx);
		return OK;
	}
	TRY(err);
	*ret = blob.size_bytes == size_bytes && digest_equal(have, name.digest);
	return OK;
}

/* ERR_CORRUPT when the source is not what it should be. */
static err_t copy_bytes(struct ctx *ctx, struct move *move, struct store_blob *source, digest d,
			struct store_upload *upload)
{
	CLEANUP(hash_done) struct hash hash;
	hash_init(&hash, d.algorithm);
	uint64_t before = move->progress.bytes;
	for (uint64_t at = 0; at < source->size_bytes;) {
		size_t len;
		TRY(ctx_check(ctx));
		TRY(store_blob_read(ctx, source, at, move->block, BLOCK, &len));
		if (len == 0)
			break;
		hash_update(&hash, move->block, len);
		TRY(store_upload_append(ctx, upload, (str){ move->block, len }));
		at += len;
		move->progress.bytes = before + at;
		tell(move, STORAGE_MOVE_COPIES);
	}
	move->progress.bytes = before;
	digest have = hash_final(&hash);
	return digest_equal(have, d) ? OK : fail(ctx, ERR_CORRUPT, "other bytes than its digest");
}

/* The bytes are in the new storage afterwards. Its errors are its own, and not ERR_CORRUPT. */
static err_t copy(struct ctx *ctx, struct move *move, struct store_blob *source, blob_name name,
		  bool *ret_good)
{
	str id = str_from(move->mover);
	struct store *to = move->to->store;
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	TRY(store_upload_remove(ctx, to, id));
	TRY(store_upload_open(ctx, to, id, true, &upload));
	err_t err = copy_bytes(ctx, move, source, name.digest, &upload);
	*ret_good = err == OK;
	if (err == OK)
		err = store_publish(ctx, &upload, id, name);
	if (err == OK)
		return OK;
	struct failure why = ctx->failure;
	store_upload_done(&upload);
	ctx_forgive(ctx);
	(void)!store_upload_remove(ctx, to, id);
	ctx_forgive(ctx);
	if (err == ERR_CORRUPT && !*ret_good)
		return OK;
	ctx->failure = why;
	return err;
}

struct row_work {
	struct move *move;
	digest d;
	int64_t is_at; /* of read_row(): 0 for no row */
	uint32_t edition;
};

static err_t check_ours(struct ctx *ctx, struct sql_tx *tx, const struct move *move)
{
	struct storage_move_row row;
	TRY(db_storage_move_get(ctx, tx, move->options->tenant_id, &row));
	return str_eq(row.mover, str_from(move->mover))
		       ? OK
		       : fail(ctx, ERR_IN_USE, "another process moves this tenant now");
}

/* No row: it went meanwhile, or another process moves. */
static err_t row_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct row_work *work = arg;
	const struct move *move = work->move;
	err_t err = db_storage_move_blob(ctx, tx, move->options->tenant_id, str_from(move->mover),
					 work->d);
	return err == ERR_ABSENT ? check_ours(ctx, tx, move) : err;
}

static err_t say_it_moved(struct ctx *ctx, struct move *move, digest d, uint64_t size_bytes)
{
	struct row_work work = { .move = move, .d = d };
	if (FAULT("move.copied"))
		return fail_errno(ctx, ERR_STORAGE, "the move stops here");
	TRY(db_run(ctx, move->registry->db, SQL_WRITE, row_body, &work));
	move->result.blobs++;
	move->result.bytes += size_bytes;
	move->progress.blobs++;
	move->progress.bytes += size_bytes;
	tell(move, STORAGE_MOVE_COPIES);
	return FAULT("move.moved") ? fail_errno(ctx, ERR_STORAGE, "the move stops here") : OK;
}

/* What the new storage made of good bytes is no good: it goes, or the next try would find a blob of
 * the right size. No row means it. */
static err_t give_up(struct ctx *ctx, struct move *move, const struct blob_row *row, blob_name name)
{
	struct store *to = move->to->store;
	TRY(to->driver->blob_remove(ctx, to, name));
	return leave(ctx, move, row->digest_text, "the new storage gave other bytes back");
}

static err_t copy_and_prove(struct ctx *ctx, struct move *move, const struct blob_row *row,
			    blob_name name, struct store_blob *source)
{
	bool good;
	if (source->size_bytes != row->size_bytes)
		return leave(ctx, move, row->digest_text, "it has another size than its row");
	TRY(copy(ctx, move, source, name, &good));
	if (!good)
		return leave(ctx, move, row->digest_text, "it does not match its digest");
	TRY(is_there(ctx, move, name, row->size_bytes, &good));
	return good ? say_it_moved(ctx, move, name.digest, row->size_bytes)
		    : give_up(ctx, move, row, name);
}

static err_t read_row(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct row_work *work = arg;
	struct blob blob;
	err_t err = db_blob_find(ctx, tx, work->move->from_id, work->d, &blob);
	work->is_at = err == OK ? blob.storage_id : 0;
	work->edition = err == OK ? blob.edition : 0;
	return err == ERR_ABSENT ? OK : err;
}

/* Somebody who removes a blob removes its bytes first: so its row is looked at again. */
static err_t leave_missing(struct ctx *ctx, struct move *move, str digest_text, digest d)
{
	struct row_work work = { .move = move, .d = d };
	ctx_forgive(ctx);
	TRY(db_run(ctx, move->registry->db, SQL_READ, read_row, &work));
	return work.is_at == move->from_id
		       ? leave(ctx, move, digest_text, "it has a row but no bytes")
		       : OK;
}

static err_t move_blob(struct ctx *ctx, struct move *move, const struct blob_row *row)
{
	CLEANUP(store_blob_done) struct store_blob source = STORE_BLOB_INIT;
	blob_name name = { .edition = row->edition };
	bool good;
	if (!digest_parse(row->digest_text, &name.digest))
		return leave(ctx, move, row->digest_text, "this is no digest");
	TRY(is_there(ctx, move, name, row->size_bytes, &good));
	if (good) /* copied by a process that died, or pushed meanwhile */
		return say_it_moved(ctx, move, name.digest, row->size_bytes);
	err_t err = store_blob_open(ctx, move->from->store, name, &source);
	if (err == ERR_BLOB_UNKNOWN)
		return leave_missing(ctx, move, row->digest_text, name.digest);
	if (err == ERR_CORRUPT)
		return leave(ctx, move, row->digest_text, "it does not match its digest");
	TRY(err);
	return copy_and_prove(ctx, move, row, name, &source);
}

/* --- all blobs ------------------------------------------------------------------------------ */

static err_t read_page(struct ctx *ctx, struct move *move, digest last, struct blob_row **ret,
		       size_t *ret_count)
{
	str after = digest_is_none(last)
			    ? STR_NONE
			    : arena_copy(ctx->arena, str_from(digest_format(last).text));
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, move->registry, &tx));
	return db_blob_page(ctx, &tx, move->from_id, after, PAGE, ret, ret_count);
}

/* Once over all that is in the old storage. */
static err_t copy_blobs(struct ctx *ctx, struct move *move, bool *ret_any)
{
	digest last = { 0 };
	*ret_any = false;
	for (size_t count = PAGE; count == PAGE;) {
		struct blob_row *rows;
		arena_reset(ctx->arena);
		TRY(read_page(ctx, move, last, &rows, &count));
		for (size_t i = 0; i < count; i++)
			TRY(move_blob(ctx, move, &rows[i]));
		*ret_any |= count > 0;
		if (count && !digest_parse(rows[count - 1].digest_text, &last))
			break;
	}
	return OK;
}

static err_t count_uploads(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct move *move = arg;
	int64_t uploads;
	TRY(check_ours(ctx, tx, move));
	TRY(db_storage_move_uploads(ctx, tx, move->from_id, &uploads));
	move->progress.uploads = (uint64_t)uploads;
	return OK;
}

static void wait_a_moment(struct ctx *ctx, int ms)
{
	struct timespec left = { ms / 1000, (ms % 1000) * 1000000L };
	ctx_waits(ctx);
	nanosleep(&left, NULL);
}

/* Until no row means the old storage, and no upload goes on there that could become one. Looks for
 * uploads first: what they became is seen by the pass after. */
static err_t copy_all(struct ctx *ctx, struct move *move)
{
	for (int wait_ms = WAIT_MS_MIN;; wait_ms = MIN(2 * wait_ms, WAIT_MS_MAX)) {
		bool any;
		TRY(ctx_check(ctx));
		TRY(db_run(ctx, move->registry->db, SQL_READ, count_uploads, move));
		TRY(copy_blobs(ctx, move, &any));
		if (move->result.problems || (!any && move->progress.uploads == 0))
			return OK;
		if (any) {
			wait_ms = WAIT_MS_MIN / 2;
			continue;
		}
		tell(move, STORAGE_MOVE_WAITS);
		wait_a_moment(ctx, wait_ms);
	}
}

/* --- what nobody means ------------------------------------------------------------------------ */

static err_t pass_over_blob(struct ctx *ctx, void *arg, blob_name name, uint64_t size_bytes)
{
	return OK;
}

static err_t pass_over(struct ctx *ctx, void *arg, str name)
{
	return OK;
}

static err_t pass_over_upload(struct ctx *ctx, void *arg, str id, uint64_t size_bytes)
{
	return OK;
}

struct adopted {
	const struct move *move;
	struct blob_bytes bytes;
	bool may_come; /* an upload may publish the same name */
};

/* Of an edition that is over there is nothing to come. */
static err_t adopt_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct adopted *adopted = arg;
	struct blob blob;
	err_t err = db_blob_ensure(ctx, tx, &adopted->bytes, &blob);
	adopted->may_come = err == OK && blob.edition == adopted->bytes.edition;
	if (err == ERR_ABSENT || (err == OK && !adopted->may_come))
		return OK;
	TRY(err);
	return db_garbage_add_link(ctx, tx, 0, blob.id,
				   registry_window_us(adopted->move->registry));
}

/* Asks for the bytes once more: who removes a blob has removed its row last. */
static err_t adopt_blob(struct ctx *ctx, void *arg, blob_name name, uint64_t size_bytes)
{
	struct move *move = arg;
	struct store *to = move->to->store;
	struct row_work work = { .move = move, .d = name.digest };
	struct adopted adopted = { .move = move,
				   .bytes = { .storage_id = move->to_id,
					      .digest = name.digest,
					      .edition = name.edition } };
	arena_reset(ctx->arena);
	TRY(ctx_check(ctx));
	TRY(db_run(ctx, move->registry->db, SQL_READ, read_row, &work));
	if (work.is_at && work.edition == name.edition)
		return OK;
	err_t err = store_blob_size(ctx, to, name, &adopted.bytes.size_bytes);
	if (err == ERR_BLOB_UNKNOWN) {
		ctx_forgive(ctx);
		return OK;
	}
	TRY(err);
	TRY(db_run(ctx, move->registry->db, SQL_WRITE, adopt_body, &adopted));
	return adopted.may_come ? OK : store_blob_remove(ctx, to, name);
}

/* A blob that was removed when it had been copied, and its row did not say so yet, has bytes in the
 * new storage that no row means. It gets one that is linked nowhere, and is garbage like any
 * other. */
static err_t adopt_all(struct ctx *ctx, struct move *move)
{
	const struct store_walk visitor = { adopt_blob, pass_over_upload, pass_over, move };
	struct store *to = move->to->store;
	return to->driver->walk(ctx, to, &visitor);
}

/* --- what is left --------------------------------------------------------------------------- */

struct sweep {
	struct ctx *ctx; /* in whose arena the ids are */
	blob_name found[SWEEP];
	size_t count;
	str uploads[SWEEP];
	size_t upload_count;
};

static err_t sweep_blob(struct ctx *ctx, void *arg, blob_name name, uint64_t size_bytes)
{
	struct sweep *sweep = arg;
	if (sweep->count == SWEEP)
		return fail(ctx, ERR_CANCELLED, "enough for once");
	sweep->found[sweep->count++] = name;
	return OK;
}

static err_t sweep_upload(struct ctx *ctx, void *arg, str id, uint64_t size_bytes)
{
	struct sweep *sweep = arg;
	if (sweep->upload_count < SWEEP)
		sweep->uploads[sweep->upload_count++] = arena_copy(sweep->ctx->arena, id);
	return OK;
}

/* What a crash left of uploads that no row knows any more. In the server's own storage there is
 * always something: that is tried by uploading. */
static err_t sweep_uploads(struct ctx *ctx, struct move *move, struct sweep *sweep)
{
	const struct store_walk visitor = { pass_over_blob, sweep_upload, pass_over, sweep };
	struct store *from = move->from->store;
	if (move->from_id == STORAGE_DEFAULT)
		return OK;
	arena_reset(ctx->arena);
	sweep->ctx = ctx;
	TRY(from->driver->walk(ctx, from, &visitor));
	for (size_t i = 0; i < sweep->upload_count; i++)
		TRY(store_upload_remove(ctx, from, sweep->uploads[i]));
	return OK;
}

/* Who stood still while another process ended the move removes nothing more: the tenant may have
 * come back to where it was. */
static err_t read_row_of_ours(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct row_work *work = arg;
	TRY(check_ours(ctx, tx, work->move));
	return read_row(ctx, tx, arg);
}

/* A page of names is removed, and then looked for anew. */
static err_t sweep_once(struct ctx *ctx, struct move *move, struct sweep *sweep)
{
	const struct store_walk visitor = { sweep_blob, pass_over_upload, pass_over, sweep };
	struct store *from = move->from->store;
	sweep->count = 0;
	err_t err = from->driver->walk(ctx, from, &visitor);
	if (err != ERR_CANCELLED || sweep->count < SWEEP)
		TRY(err);
	ctx_forgive(ctx);
	for (size_t i = 0; i < sweep->count; i++) {
		struct row_work work = { .move = move, .d = sweep->found[i].digest };
		arena_reset(ctx->arena);
		TRY(ctx_check(ctx));
		TRY(db_run(ctx, move->registry->db, SQL_READ, read_row_of_ours, &work));
		if (work.is_at == move->from_id)
			return fail(ctx, ERR_IN_USE, "blob " DIGEST_FMT " is still needed",
				    DIGEST_ARG(work.d));
		TRY(from->driver->blob_remove(ctx, from, sweep->found[i]));
		tell(move, STORAGE_MOVE_REMOVES);
	}
	return OK;
}

static err_t end_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct move *move = arg;
	const struct storage_move_end end = {
		.tenant_id = move->options->tenant_id,
		.from_id = move->from_id,
		.mover = str_from(move->mover),
		.keeps = move->options->keep,
	};
	err_t err = db_storage_move_end(ctx, tx, &end);
	return err == ERR_ABSENT ? fail(ctx, ERR_IN_USE, "another process moves this tenant now")
				 : err;
}

static err_t condemned_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct move *move = arg;
	return db_storage_move_condemned(ctx, tx, move->options->tenant_id, str_from(move->mover));
}

static err_t remove_old(struct ctx *ctx, struct move *move)
{
	CLEANUP(mem_done) struct sweep *sweep = NEW(struct sweep);
	tell(move, STORAGE_MOVE_REMOVES);
	TRY(sweep_uploads(ctx, move, sweep));
	do
		TRY(sweep_once(ctx, move, sweep));
	while (sweep->count);
	return FAULT("move.swept") ? fail_errno(ctx, ERR_STORAGE, "the move stops here") : OK;
}

static err_t finish(struct ctx *ctx, struct move *move)
{
	TRY(db_run(ctx, move->registry->db, SQL_WRITE, condemned_body, move));
	TRY_CTX(ctx, adopt_all(ctx, move), "looking for what no row means");
	if (!move->options->keep)
		TRY_CTX(ctx, remove_old(ctx, move), "removing the old bytes (--keep leaves them)");
	ctx->rider = move->options->ends;
	TRY(db_run(ctx, move->registry->db, SQL_WRITE, end_body, move));
	if (move->from_id != STORAGE_DEFAULT)
		storage_forget(move->registry, move->from_id);
	return OK;
}

/* --- all ------------------------------------------------------------------------------------ */

static err_t run(struct ctx *ctx, struct ctx *inner, struct move *move)
{
	TRY(begin(ctx, move));
	tell(move, STORAGE_MOVE_COPIES);
	TRY(copy_all(inner, move));
	return move->result.problems ? OK : finish(inner, move);
}

err_t storage_move(struct ctx *ctx, struct registry *registry,
		   const struct storage_move_options *options, struct storage_move_result *ret)
{
	CLEANUP(arena_done) struct arena arena;
	CLEANUP(mem_done) char *block = mem_new(BLOCK);
	struct move move = { .registry = registry, .options = options, .block = block };
	arena_init(&arena, MOVE_ARENA);
	struct ctx inner = *ctx;
	inner.arena = &arena;
	err_t err = run(ctx, &inner, &move);
	storage_put(&move.from);
	storage_put(&move.to);
	if (inner.failure.code != OK)
		ctx->failure = inner.failure;
	TRY(err);
	*ret = move.result;
	return OK;
}
