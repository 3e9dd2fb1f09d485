/* SPDX-License-Identifier: Apache-2.0 */
/* encrypted.c - see encrypted.h: the store itself, its blobs, and its walk. */
#include "encrypted_internal.h"

#include "base/mem.h"
#include "store/store_remove.h"

#include <string.h>

#include "base/banned.h"

#define TAIL_MARK STR("--")

struct encrypted *encrypted_of(struct store *store)
{
	return CONTAINER_OF(store, struct encrypted, store);
}

err_t encrypted_check(struct ctx *ctx, const struct encrypted *all)
{
	if (atomic_load(&all->forgotten))
		return fail(ctx, ERR_STORAGE_ERASED, "the storage's key is gone");
	return ctx_check(ctx);
}

struct store *encrypted_store_new(struct store *inner, const struct aead_key *key)
{
	struct encrypted *all = NEW(struct encrypted);
	all->store.driver = &store_encrypted;
	all->inner = inner;
	all->key = *key;
	return &all->store;
}

void encrypted_store_forget(struct store *store)
{
	atomic_store(&encrypted_of(store)->forgotten, true);
}

static void close_store(struct store *store)
{
	struct encrypted *all = encrypted_of(store);
	all->inner->driver->close(all->inner);
	aead_key_done(&all->key);
	free(all);
}

static err_t cannot_open(struct ctx *ctx, const struct store_place *place, struct store **ret)
{
	return fail(ctx, ERR_STORAGE, "an encrypted store lies in another one");
}

/* --- blobs ---------------------------------------------------------------------------------- */

struct encrypted_blob {
	struct store_blob inner;
	struct encrypted_reader reader;
};

static void free_blob(struct encrypted_blob **pointer)
{
	struct encrypted_blob *blob = *pointer;
	if (!blob)
		return;
	encrypted_reader_done(&blob->reader);
	store_blob_done(&blob->inner);
	free(blob);
}

static err_t read_inner(struct ctx *ctx, void *file, uint64_t offset, void *into, size_t len,
			size_t *ret_len)
{
	struct store_blob *inner = file;
	return inner->store->driver->blob_read(ctx, inner, offset, into, len, ret_len);
}

/* The end says how long the file is and which blob: whatever is cut off, put on or renamed shows
 * here, before the first byte is given out. */
static err_t begin_blob(struct ctx *ctx, struct encrypted *all, digest d,
			struct encrypted_blob *blob)
{
	struct encrypted_reader *reader = &blob->reader;
	uint64_t stored_bytes = blob->inner.size_bytes;
	unsigned char end[ENCRYPTED_END_BYTES];
	reader->read = read_inner;
	reader->file = &blob->inner;
	if (!encrypted_plain_bytes(stored_bytes, &reader->size_bytes))
		return fail(ctx, ERR_CORRUPT, "no encrypted file has %llu bytes",
			    (unsigned long long)stored_bytes);
	TRY(encrypted_reader_begin(ctx, reader, &all->key));
	TRY(encrypted_reader_raw(ctx, reader, stored_bytes - sizeof end, end, sizeof end));
	if (!encrypted_end_is(&reader->aead, reader->size_bytes, d,
			      (str){ (const char *)end, sizeof end }))
		return fail(ctx, ERR_CORRUPT, "the end of the encrypted file is another one's");
	return OK;
}

static err_t blob_open(struct ctx *ctx, struct store *store, blob_name name, struct store_blob *ret)
{
	struct encrypted *all = encrypted_of(store);
	CLEANUP(free_blob) struct encrypted_blob *blob = NEW(struct encrypted_blob);
	blob->inner = (struct store_blob)STORE_BLOB_INIT;
	TRY(encrypted_check(ctx, all));
	TRY(all->inner->driver->blob_open(ctx, all->inner, name, &blob->inner));
	TRY_CTX(ctx, begin_blob(ctx, all, name.digest, blob), "blob " DIGEST_FMT,
		DIGEST_ARG(name.digest));
	*ret = (struct store_blob){ .store = store,
				    .fd = -1,
				    .size_bytes = blob->reader.size_bytes };
	ret->handle = take(blob);
	return OK;
}

static err_t blob_read(struct ctx *ctx, struct store_blob *blob, uint64_t offset, void *into,
		       size_t len, size_t *ret_len)
{
	struct encrypted_blob *handle = blob->handle;
	TRY(encrypted_check(ctx, encrypted_of(blob->store)));
	TRY(encrypted_reader_read(ctx, &handle->reader, offset, into, len, ret_len));
	ctx_progress(ctx);
	return OK;
}

static void blob_close(struct store_blob *blob)
{
	struct encrypted_blob *handle = take(blob->handle);
	free_blob(&handle);
}

static err_t blob_size(struct ctx *ctx, struct store *store, blob_name name,
		       uint64_t *ret_size_bytes)
{
	struct encrypted *all = encrypted_of(store);
	uint64_t stored_bytes;
	TRY(encrypted_check(ctx, all));
	TRY(all->inner->driver->blob_size(ctx, all->inner, name, &stored_bytes));
	if (!encrypted_plain_bytes(stored_bytes, ret_size_bytes))
		return fail(ctx, ERR_CORRUPT, "no encrypted file has %llu bytes",
			    (unsigned long long)stored_bytes);
	return OK;
}

static err_t blob_remove(struct ctx *ctx, struct store *store, blob_name name)
{
	struct encrypted *all = encrypted_of(store);
	return all->inner->driver->blob_remove(ctx, all->inner, name);
}

static err_t blobs_remove(struct ctx *ctx, struct store *store, const struct store_removal *removal)
{
	return store_remove_blobs(ctx, encrypted_of(store)->inner, removal);
}

/* --- walk ----------------------------------------------------------------------------------- */

str encrypted_tail_name(str id, unsigned place, char into[ENCRYPTED_NAME_MAX])
{
	CHECK(id.len <= ENCRYPTED_ID_MAX);
	memcpy(into, id.ptr, id.len);
	memcpy(into + id.len, place ? "--1" : "--0", 3);
	return (str){ into, id.len + 3 };
}

bool encrypted_id_is(str id)
{
	size_t at;
	return id.len > 0 && id.len <= ENCRYPTED_ID_MAX && !str_find(id, TAIL_MARK, &at);
}

struct walk {
	struct encrypted *all;
	const struct store_walk *visitor;
	char last[ENCRYPTED_NAME_MAX]; /* the last upload seen; its tails come right behind */
	size_t last_len;
};

static err_t visit_blob(struct ctx *ctx, void *arg, blob_name name, uint64_t stored_bytes)
{
	struct walk *walk = arg;
	uint64_t size_bytes = 0; /* of a file that cannot be one; opening it says so */
	(void)encrypted_plain_bytes(stored_bytes, &size_bytes);
	return walk->visitor->blob(ctx, walk->visitor->arg, name, size_bytes);
}

static err_t upload_size(struct ctx *ctx, struct walk *walk, str id, uint64_t *ret_size_bytes)
{
	CLEANUP(store_upload_done) struct store_upload upload = STORE_UPLOAD_INIT;
	err_t err = encrypted_upload_open(ctx, &walk->all->store, id, false, &upload);
	if (err != OK && err != ERR_UPLOAD_UNKNOWN && err != ERR_CORRUPT)
		return err;
	if (err != OK)
		ctx_forgive(ctx); /* gone meanwhile, or nothing that can be read */
	*ret_size_bytes = upload.size_bytes;
	return OK;
}

/* A tail is its upload's, and comes right behind it. One without is what a process left that died
 * when the upload had just become a blob, or was being removed. */
static err_t visit_upload(struct ctx *ctx, void *arg, str id, uint64_t stored_bytes)
{
	struct walk *walk = arg;
	uint64_t size_bytes = 0;
	size_t mark;
	str own = str_find(id, TAIL_MARK, &mark) && mark ? str_take(id, mark) : id;
	if (str_eq(own, (str){ walk->last, walk->last_len }))
		return OK;
	memcpy(walk->last, own.ptr, MIN(own.len, sizeof walk->last));
	walk->last_len = MIN(own.len, sizeof walk->last);
	if (own.len == id.len)
		TRY(upload_size(ctx, walk, id, &size_bytes));
	return walk->visitor->upload(ctx, walk->visitor->arg, own, size_bytes);
}

static err_t visit_stray(struct ctx *ctx, void *arg, str name)
{
	struct walk *walk = arg;
	return walk->visitor->stray(ctx, walk->visitor->arg, name);
}

static err_t walk_store(struct ctx *ctx, struct store *store, const struct store_walk *visitor)
{
	struct walk walk = { .all = encrypted_of(store), .visitor = visitor };
	const struct store_walk own = { visitor->blob ? visit_blob : NULL, visit_upload,
					visit_stray, &walk };
	TRY(encrypted_check(ctx, walk.all));
	return walk.all->inner->driver->walk(ctx, walk.all->inner, &own);
}

static err_t space(struct ctx *ctx, struct store *store, uint64_t *ret_total_bytes,
		   uint64_t *ret_free_bytes)
{
	struct encrypted *all = encrypted_of(store);
	return all->inner->driver->space(ctx, all->inner, ret_total_bytes, ret_free_bytes);
}

/* It is wrapped around a store, never named: settings and secrets are the other one's. */
static const char *const none[] = { NULL };

const struct store_driver store_encrypted = {
	.name = "encrypted",
	.settings = none,
	.secrets = none,
	.open = cannot_open,
	.close = close_store,
	.forget = encrypted_store_forget,
	.upload_open = encrypted_upload_open,
	.upload_append = encrypted_upload_append,
	.upload_flush = encrypted_upload_flush,
	.upload_cut = NULL,
	.upload_read = encrypted_upload_read,
	.upload_close = encrypted_upload_close,
	.upload_remove = encrypted_upload_remove,
	.publish = encrypted_publish,
	.blob_open = blob_open,
	.blob_read = blob_read,
	.blob_close = blob_close,
	.blob_size = blob_size,
	.blob_url = NULL, /* what lies there nobody else can read */
	.blob_remove = blob_remove,
	.blobs_remove = blobs_remove,
	.walk = walk_store,
	.space = space,
};
