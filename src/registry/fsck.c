/* SPDX-License-Identifier: Apache-2.0 */
/* fsck.c - see fsck.h. Each page and each item is looked at in its own small arena. */
#include "registry/fsck.h"
#include "base/mem.h"
#include "codec/manifest.h"
#include "crypto/hash.h"
#include "db/alias.h"
#include "db/artifact.h"
#include "db/blob.h"
#include "db/manifest.h"
#include "db/project_content.h"
#include "db/quota.h"
#include "db/trash.h"
#include "db/upload.h"
#include "internal.h"
#include "registry/quota.h"
#include "registry/storage.h"
#include "registry/upload_sweep.h"

#include <string.h>

#include "base/banned.h"

#define PAGE	      256
#define MANIFEST_PAGE 16   /* each may be megabytes */
#define NAMES_MAX     1000 /* told of at a time */
#define BLOCK	      KIB(256)
#define ITEM_ARENA    MIB(256)

struct fsck {
	struct registry *registry;
	const struct fsck_options *options;
	struct fsck_result result;
	char *block;
	struct ctx *ctx;	 /* its arena is emptied while items are looked at */
	struct storage *storage; /* the one being looked at */
	str name;		 /* its own; empty for the default's */
};

static const char *const kind_texts[FSCK_KIND_COUNT] = {
	[FSCK_BLOB_MISSING] = "blob has a row but no bytes",
	[FSCK_BLOB_SIZE] = "blob has another size than its row",
	[FSCK_BLOB_CORRUPT] = "blob does not match its digest",
	[FSCK_BLOB_ORPHAN] = "blob has bytes but no row",
	[FSCK_UPLOAD_ORPHAN] = "upload has bytes but no session",
	[FSCK_STRAY] = "unknown name in the storage",
	[FSCK_MANIFEST_CORRUPT] = "manifest does not match its digest",
	[FSCK_LISTING] = "lists count it wrong",
	[FSCK_QUOTA] = "quota counts it wrong",
	[FSCK_TRASH] = "deleted, and cannot be restored as it was",
	[FSCK_NAME] = "name does not fit its project, or means two things",
};

const char *fsck_kind_text(enum fsck_kind kind)
{
	return kind_texts[kind];
}

static void report(struct fsck *fsck, enum fsck_kind kind, str what)
{
	fsck->result.differences[kind]++;
	fsck->result.total++;
	if (fsck->options->report)
		fsck->options->report(fsck->options->arg, kind, what);
}

/* Of what lies in a storage: which one, unless it is the default. */
static void report_stored(struct ctx *ctx, struct fsck *fsck, enum fsck_kind kind, str what)
{
	if (fsck->name.len)
		what = arena_printf(ctx->arena, STR_FMT " (storage " STR_FMT ")", STR_ARG(what),
				    STR_ARG(fsck->name));
	report(fsck, kind, what);
}

static err_t hash_blob(struct ctx *ctx, struct fsck *fsck, struct store_blob *blob, digest want,
		       bool *ret_matches)
{
	CLEANUP(hash_done) struct hash hash;
	hash_init(&hash, want.algorithm);
	for (uint64_t at = 0; at < blob->size_bytes;) {
		size_t len;
		TRY(ctx_check(ctx));
		err_t err = blob->store->driver->blob_read(ctx, blob, at, fsck->block, BLOCK, &len);
		if (err != ERR_CORRUPT) /* the store itself may tell */
			TRY(err);
		else
			ctx_forgive(ctx);
		if (err != OK || len == 0)
			break;
		hash_update(&hash, fsck->block, len);
		at += len;
	}
	*ret_matches = digest_equal(hash_final(&hash), want);
	return OK;
}

/* A blob that is moved or removed loses its bytes here before or after its row was read. */
static err_t report_missing(struct ctx *ctx, struct fsck *fsck, const struct blob_row *row,
			    digest d)
{
	struct blob now;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, fsck->registry, &tx));
	err_t err = db_blob_find(ctx, &tx, fsck->storage->id, d, &now);
	if (err == ERR_ABSENT ||
	    (err == OK && (now.storage_id != fsck->storage->id || now.edition != row->edition)))
		return OK;
	TRY(err);
	report_stored(ctx, fsck, FSCK_BLOB_MISSING, row->digest_text);
	return OK;
}

static err_t check_blob(struct ctx *ctx, struct fsck *fsck, const struct blob_row *row)
{
	struct store *store = fsck->storage->store;
	digest d;
	if (!digest_parse(row->digest_text, &d)) {
		report_stored(ctx, fsck, FSCK_BLOB_CORRUPT, row->digest_text);
		return OK;
	}
	CLEANUP(store_blob_done) struct store_blob blob = STORE_BLOB_INIT;
	err_t err = store->driver->blob_open(ctx, store, (blob_name){ d, row->edition }, &blob);
	if (err == ERR_BLOB_UNKNOWN || err == ERR_CORRUPT)
		ctx_forgive(ctx);
	if (err == ERR_BLOB_UNKNOWN)
		return report_missing(ctx, fsck, row, d);
	if (err == ERR_CORRUPT) {
		report_stored(ctx, fsck, FSCK_BLOB_CORRUPT, row->digest_text);
		return OK;
	}
	TRY(err);
	if (blob.size_bytes != row->size_bytes) {
		report_stored(ctx, fsck, FSCK_BLOB_SIZE, row->digest_text);
		return OK;
	}
	bool matches = true;
	if (!fsck->options->quick)
		TRY(hash_blob(ctx, fsck, &blob, d, &matches));
	if (!matches)
		report_stored(ctx, fsck, FSCK_BLOB_CORRUPT, row->digest_text);
	return OK;
}

static void check_manifest(struct ctx *ctx, struct fsck *fsck, enum fsck_kind kind,
			   const struct manifest_of_repository *row)
{
	digest d;
	struct manifest parsed;
	bool good = digest_parse(row->digest_text, &d) &&
		    digest_equal(hash_bytes(d.algorithm, row->content), d) &&
		    manifest_parse(ctx, STR_NONE, row->content, &parsed) == OK;
	ctx_forgive(ctx);
	if (!good)
		report(fsck, kind,
		       arena_printf(ctx->arena, STR_FMT "@" STR_FMT, STR_ARG(row->repository),
				    STR_ARG(row->digest_text)));
}

static err_t check_blob_page(struct ctx *ctx, struct fsck *fsck, digest *last, bool *ret_more)
{
	struct blob_row *rows;
	size_t count;
	{
		str after = digest_is_none(*last)
				    ? STR_NONE
				    : arena_copy(ctx->arena, str_from(digest_format(*last).text));
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		TRY(registry_read(ctx, fsck->registry, &tx));
		TRY(db_blob_page(ctx, &tx, fsck->storage->id, after, PAGE, &rows, &count));
	}
	for (size_t i = 0; i < count; i++)
		TRY(check_blob(ctx, fsck, &rows[i]));
	fsck->result.blobs += count;
	*ret_more = count == PAGE && digest_parse(rows[count - 1].digest_text, last);
	return OK;
}

static err_t check_manifest_page(struct ctx *ctx, struct fsck *fsck, int64_t *last, bool *ret_more)
{
	struct manifest_of_repository *rows;
	size_t count;
	{
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		TRY(registry_read(ctx, fsck->registry, &tx));
		TRY(db_manifest_page(ctx, &tx, *last, MANIFEST_PAGE, &rows, &count));
	}
	for (size_t i = 0; i < count; i++)
		check_manifest(ctx, fsck, FSCK_MANIFEST_CORRUPT, &rows[i]);
	fsck->result.manifests += count;
	*ret_more = count == MANIFEST_PAGE;
	if (count)
		*last = rows[count - 1].id;
	return OK;
}

typedef err_t (*wrong_page)(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
			    struct artifact_wrong **ret, size_t *ret_count);

/* Each page is one statement, so what a server changes meanwhile is seen whole or not at all. */
static err_t check_counts(struct ctx *ctx, struct fsck *fsck, enum fsck_kind kind, wrong_page next)
{
	int64_t last_id = 0;
	for (size_t count = PAGE; count == PAGE;) {
		struct artifact_wrong *rows;
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		arena_reset(ctx->arena);
		TRY(registry_read(ctx, fsck->registry, &tx));
		TRY(next(ctx, &tx, last_id, PAGE, &rows, &count));
		for (size_t i = 0; i < count; i++) {
			last_id = rows[i].id;
			report(fsck, kind,
			       arena_printf(ctx->arena, STR_FMT "%s" STR_FMT,
					    STR_ARG(rows[i].repository),
					    rows[i].digest_text.len ? "@" : "",
					    STR_ARG(rows[i].digest_text)));
		}
	}
	return OK;
}

static str quota_difference(struct ctx *ctx, const struct quota_wrong *wrong)
{
	const struct quota *actual = &wrong->actual, *said = &wrong->said;
	const char *scope = wrong->scope == QUOTA_PROJECT ? "project" : "tenant";
	for (enum quota_resource i = 0; i < QUOTA_RESOURCE_COUNT; i++)
		if (actual->used[i] != said->used[i])
			return arena_printf(ctx->arena, "%s " STR_FMT ": %s is %lld, not %lld",
					    scope, STR_ARG(wrong->name), quota_resource_text(i),
					    (long long)actual->used[i], (long long)said->used[i]);
	return arena_printf(ctx->arena,
			    "%s " STR_FMT ": %lld bytes are reserved (%lld) or its room is wrong",
			    scope, STR_ARG(wrong->name), (long long)actual->reserved_bytes,
			    (long long)said->reserved_bytes);
}

/* All in one statement: see check_counts(). */
static err_t check_quotas(struct ctx *ctx, struct fsck *fsck)
{
	struct quota_wrong *rows;
	size_t count;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	arena_reset(ctx->arena);
	TRY(registry_read(ctx, fsck->registry, &tx));
	TRY(db_quota_wrong(ctx, &tx, PAGE, &rows, &count));
	for (size_t i = 0; i < count; i++)
		report(fsck, FSCK_QUOTA, quota_difference(ctx, &rows[i]));
	return OK;
}

static err_t check_names(struct ctx *ctx, struct fsck *fsck)
{
	str *names;
	size_t count;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	arena_reset(ctx->arena);
	TRY(registry_read(ctx, fsck->registry, &tx));
	TRY(db_alias_wrong(ctx, &tx, NAMES_MAX, &names, &count));
	for (size_t i = 0; i < count; i++)
		report(fsck, FSCK_NAME, names[i]);
	return OK;
}

static err_t check_blobs(struct ctx *ctx, struct fsck *fsck)
{
	digest last = { 0 };
	for (bool more = true; more;) {
		TRY(check_blob_page(ctx, fsck, &last, &more));
		arena_reset(ctx->arena);
	}
	return OK;
}

static err_t check_trash_page(struct ctx *ctx, struct fsck *fsck, int64_t *last_id,
			      char last[DIGEST_TEXT_MAX], size_t *ret_count)
{
	struct manifest_of_repository *rows;
	size_t count;
	{
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		TRY(registry_read(ctx, fsck->registry, &tx));
		TRY(db_trash_manifests(ctx, &tx, *last_id, str_from(last), MANIFEST_PAGE, &rows,
				       &count));
	}
	for (size_t i = 0; i < count; i++)
		check_manifest(ctx, fsck, FSCK_TRASH, &rows[i]);
	if (count) {
		str text = rows[count - 1].digest_text;
		*last_id = rows[count - 1].id;
		size_t len = MIN(text.len, (size_t)DIGEST_TEXT_MAX - 1);
		memcpy(last, text.ptr, len);
		last[len] = '\0';
	}
	*ret_count = count;
	return OK;
}

/* What was deleted can come back as it was. Its blobs are among those that were looked at: they
 * have rows as long as the trash names them. */
static err_t check_trash(struct ctx *ctx, struct fsck *fsck)
{
	char last[DIGEST_TEXT_MAX] = "";
	int64_t last_id = 0;
	for (size_t count = MANIFEST_PAGE; count == MANIFEST_PAGE;) {
		arena_reset(ctx->arena);
		TRY(check_trash_page(ctx, fsck, &last_id, last, &count));
	}
	return check_counts(ctx, fsck, FSCK_TRASH, db_trash_wrong);
}

static err_t check_manifests(struct ctx *ctx, struct fsck *fsck)
{
	int64_t last = 0;
	for (bool more = true; more;) {
		TRY(check_manifest_page(ctx, fsck, &last, &more));
		arena_reset(ctx->arena);
	}
	TRY(check_counts(ctx, fsck, FSCK_LISTING, db_artifact_wrong));
	TRY(check_counts(ctx, fsck, FSCK_LISTING, db_artifact_wrong_counts));
	TRY(check_counts(ctx, fsck, FSCK_QUOTA, db_content_wrong_blobs));
	TRY(check_counts(ctx, fsck, FSCK_QUOTA, db_content_wrong_manifests));
	TRY(check_counts(ctx, fsck, FSCK_QUOTA, db_content_wrong_projects));
	TRY(check_quotas(ctx, fsck));
	TRY(check_trash(ctx, fsck));
	return check_names(ctx, fsck);
}

static err_t blob_is_meant(struct ctx *ctx, struct fsck *fsck, blob_name name)
{
	const struct blob_bytes bytes = { .storage_id = fsck->storage->id,
					  .digest = name.digest,
					  .edition = name.edition };
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, fsck->registry, &tx));
	err_t err = db_blob_is_at(ctx, &tx, &bytes);
	if (err == ERR_ABSENT)
		err = db_upload_is_publishing(ctx, &tx, fsck->storage->id, name.digest);
	/* An upload may have become the blob between these two, which need not see the same. */
	return err == ERR_ABSENT ? db_blob_is_at(ctx, &tx, &bytes) : err;
}

static str name_of(struct ctx *ctx, blob_name name)
{
	return name.edition ? arena_printf(ctx->arena, DIGEST_FMT ".%u", DIGEST_ARG(name.digest),
					   name.edition)
			    : arena_copy(ctx->arena, str_from(digest_format(name.digest).text));
}

/* What a list named may have gone before its row was looked for: so it is looked for again. */
static err_t visit_blob(struct ctx *ctx, void *arg, blob_name name, uint64_t size_bytes)
{
	struct fsck *fsck = arg;
	arena_reset(ctx->arena);
	err_t err = blob_is_meant(ctx, fsck, name);
	if (err != ERR_ABSENT)
		return err;
	err = store_blob_size(ctx, fsck->storage->store, name, &size_bytes);
	if (err == ERR_BLOB_UNKNOWN) {
		ctx_forgive(ctx);
		return OK;
	}
	TRY(err);
	report_stored(ctx, fsck, FSCK_BLOB_ORPHAN, name_of(ctx, name));
	return OK;
}

static err_t is_there_still(struct ctx *ctx, struct fsck *fsck, str id, bool *ret)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	err_t err = store_upload_open(ctx, fsck->storage->store, id, false, &upload);
	*ret = err != ERR_UPLOAD_UNKNOWN;
	if (err == ERR_UPLOAD_UNKNOWN || err == ERR_CORRUPT) /* of these it is a difference, too */
		ctx_forgive(ctx);
	return err == ERR_UPLOAD_UNKNOWN || err == ERR_CORRUPT ? OK : err;
}

static err_t visit_upload(struct ctx *ctx, void *arg, str id, uint64_t size_bytes)
{
	struct fsck *fsck = arg;
	arena_reset(ctx->arena);
	fsck->result.uploads++;
	bool has_session;
	TRY(upload_has_session(ctx, fsck->registry, fsck->storage->id, id, &has_session));
	bool orphan = !has_session;
	if (orphan && size_bytes > 0) /* it may have ended since the list was made */
		TRY(is_there_still(ctx, fsck, id, &orphan));
	if (orphan)
		report_stored(ctx, fsck, FSCK_UPLOAD_ORPHAN, id);
	return OK;
}

static err_t visit_stray(struct ctx *ctx, void *arg, str name)
{
	report_stored(ctx, arg, FSCK_STRAY, name);
	return OK;
}

/* Of one that a tenant's bytes were moved out of: no row may mean it. */
static err_t check_left(struct ctx *ctx, struct fsck *fsck, const struct storage_row *row)
{
	str last = STR_NONE;
	struct blob_row *rows;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, fsck->registry, &tx));
	for (size_t count = PAGE; count == PAGE;) {
		TRY(db_blob_page(ctx, &tx, row->id, last, PAGE, &rows, &count));
		for (size_t i = 0; i < count; i++) {
			last = rows[i].digest_text;
			report_stored(ctx, fsck, FSCK_BLOB_MISSING, last);
		}
	}
	return OK;
}

static err_t check_storage(void *arg, const struct storage_row *row)
{
	struct fsck *fsck = arg;
	struct ctx *ctx = fsck->ctx;
	const struct store_walk visitor = { visit_blob, visit_upload, visit_stray, fsck };
	CLEANUP(storage_put) struct storage *storage = NULL;
	if (row->left) {
		fsck->name = row->name;
		arena_reset(ctx->arena);
		return check_left(ctx, fsck, row);
	}
	if (row->erased_at_us) {
		fsck->result.erased++;
		if (fsck->options->erased)
			fsck->options->erased(fsck->options->arg, row->name);
		return OK;
	}
	TRY_CTX(ctx, storage_get(ctx, fsck->registry, row->id, &storage), "storage " STR_FMT,
		STR_ARG(row->name));
	fsck->storage = storage;
	fsck->name = row->id == STORAGE_DEFAULT ? STR_NONE : row->name;
	TRY(check_blobs(ctx, fsck));
	return storage->store->driver->walk(ctx, storage->store, &visitor);
}

err_t registry_fsck(struct ctx *ctx, struct registry *registry, const struct fsck_options *options,
		    struct fsck_result *ret)
{
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, ITEM_ARENA);
	struct ctx inner = *ctx;
	inner.arena = &arena;

	CLEANUP(mem_done) char *block = mem_new(BLOCK);
	struct fsck fsck = {
		.registry = registry, .options = options, .block = block, .ctx = &inner
	};
	err_t err = storage_each(ctx, registry, check_storage, &fsck);
	if (err == OK)
		err = check_manifests(&inner, &fsck);
	if (inner.failure.code != OK)
		ctx->failure = inner.failure;
	TRY(err);
	*ret = fsck.result;
	return OK;
}
