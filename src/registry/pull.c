/* SPDX-License-Identifier: Apache-2.0 */
/* pull.c - see pull.h. */
#include "registry/pull.h"
#include "base/clock.h"
#include "crypto/hash.h"
#include "db/blob.h"
#include "db/db.h"
#include "db/manifest.h"
#include "db/tag.h"
#include "internal.h"
#include "registry/collect.h"
#include "registry/repository.h"

#include <string.h>

#include "base/banned.h"

/* How a manifest lies in the cache; media type and bytes follow. */
struct manifest_image {
	int64_t id, repository_id;
	digest digest;
	uint32_t media_type_len;
};

void manifest_view_done(struct manifest_view *view)
{
	cache_put(take(view->pin));
}

static void view_of(struct cache_value *value, struct manifest_view *ret)
{
	const struct manifest_image *image = (const void *)value->bytes.ptr;
	str rest = str_skip(value->bytes, sizeof *image);
	*ret = (struct manifest_view){
		.pin = value,
		.id = image->id,
		.repository_id = image->repository_id,
		.digest = image->digest,
		.media_type = str_take(rest, image->media_type_len),
		.bytes = str_skip(rest, image->media_type_len),
	};
}

static err_t read_manifest(struct ctx *ctx, struct registry *registry, int64_t repository_id,
			   digest d, struct manifest_row *ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	err_t err = db_manifest_find(ctx, &tx, repository_id, d, ret);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_MANIFEST_UNKNOWN, "no manifest " DIGEST_FMT, DIGEST_ARG(d));
	return err;
}

/* Whatever the row says of itself is proved before anybody sees it. */
static err_t keep_manifest(struct ctx *ctx, struct registry *registry, int64_t repository_id,
			   const struct manifest_row *row, const struct cache_tickets *tickets,
			   struct cache_value **ret)
{
	digest d = row->digest;
	if (!digest_equal(hash_bytes(d.algorithm, row->content), d))
		return fail(ctx, ERR_CORRUPT, "manifest row " DIGEST_FMT, DIGEST_ARG(d));

	struct manifest_image image = { row->id, repository_id, d, (uint32_t)row->media_type.len };
	size_t len = sizeof image + row->media_type.len + row->content.len;
	char *bytes = arena_try(ctx->arena, len);
	if (!bytes)
		return fail(ctx, ERR_LIMIT, "manifest of %zu bytes", row->content.len);
	memcpy(bytes, &image, sizeof image);
	memcpy(bytes + sizeof image, row->media_type.ptr, row->media_type.len);
	memcpy(bytes + sizeof image + row->media_type.len, row->content.ptr, row->content.len);
	struct cache_key key = key_of_digest('m', repository_id, d);
	*ret = cache_fill(registry->cache, key_str(&key), cache_ticket_for(tickets, key_str(&key)),
			  (str){ bytes, len }, 0);
	return OK;
}

void manifest_pulled(struct registry *registry, const struct manifest_view *view, str tag)
{
	pull_counts_add(registry->pulls, view->repository_id, view->id, tag);
}

static void keep_tag(struct registry *registry, int64_t repository_id, str tag, digest d,
		     const struct cache_tickets *tickets)
{
	struct cache_key key = key_in_repository('t', repository_id, tag);
	cache_put(cache_fill(registry->cache, key_str(&key),
			     cache_ticket_for(tickets, key_str(&key)),
			     (str){ (const char *)&d, sizeof d }, 0));
}

void manifest_remember(struct ctx *ctx, struct registry *registry, int64_t repository_id, str tag,
		       const struct manifest_row *row, const struct cache_tickets *tickets)
{
	CLEANUP(cache_value_done) struct cache_value *kept = NULL;
	if (keep_manifest(ctx, registry, repository_id, row, tickets, &kept) != OK)
		ctx_forgive(ctx);
	else if (tag.len)
		keep_tag(registry, repository_id, tag, row->digest, tickets);
}

static err_t get_by_digest(struct ctx *ctx, struct registry *registry, int64_t repository_id,
			   digest d, struct cache_value **ret)
{
	struct cache_key key = key_of_digest('m', repository_id, d);
	struct cache_tickets tickets;
	struct manifest_row row;
	*ret = cache_get(registry->cache, key_str(&key));
	if (*ret)
		return OK;
	cache_take_tickets(registry->cache, &tickets);
	TRY(read_manifest(ctx, registry, repository_id, d, &row));
	return keep_manifest(ctx, registry, repository_id, &row, &tickets, ret);
}

static err_t read_tagged(struct ctx *ctx, struct registry *registry, int64_t repository_id, str tag,
			 struct manifest_row *ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	err_t err = db_manifest_find_by_tag(ctx, &tx, repository_id, tag, ret);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_MANIFEST_UNKNOWN, "no tag " STR_FMT, STR_ARG(tag));
	return err;
}

/* Of a tag that is not in memory the manifest is asked for at once: the way to the database costs
 * more than bytes that may be in memory under their digest. */
static err_t get_by_tag(struct ctx *ctx, struct registry *registry, int64_t repository_id, str tag,
			struct cache_value **ret)
{
	struct cache_key key = key_in_repository('t', repository_id, tag);
	struct cache_tickets tickets;
	struct manifest_row row;
	CLEANUP(cache_value_done)
	struct cache_value *known = cache_get(registry->cache, key_str(&key));
	if (known) {
		digest d;
		memcpy(&d, known->bytes.ptr, sizeof d);
		return get_by_digest(ctx, registry, repository_id, d, ret);
	}
	cache_take_tickets(registry->cache, &tickets);
	TRY(read_tagged(ctx, registry, repository_id, tag, &row));
	TRY(keep_manifest(ctx, registry, repository_id, &row, &tickets, ret));
	keep_tag(registry, repository_id, tag, row.digest, &tickets);
	return OK;
}

err_t manifest_get(struct ctx *ctx, struct registry *registry, str repository,
		   const struct reference *reference, struct manifest_view *ret)
{
	int64_t repository_id;
	struct cache_value *value;
	TRY(repository_find(ctx, registry, repository, &repository_id));
	if (reference->tag.len)
		TRY(get_by_tag(ctx, registry, repository_id, reference->tag, &value));
	else
		TRY(get_by_digest(ctx, registry, repository_id, reference->digest, &value));
	view_of(value, ret);
	return OK;
}

/* A blob in a repository, for the loader. */
struct in_repository {
	int64_t repository_id;
	digest digest;
};

/* What is remembered of a blob that a repository has. */
struct stored_blob {
	int64_t storage_id;
	uint64_t size_bytes;
	int64_t edition;
};

static err_t load_link(struct ctx *ctx, struct sql_tx *tx, const void *arg, void *ret)
{
	const struct in_repository *what = arg;
	struct blob blob;
	TRY(db_blob_find_in_repository(ctx, tx, what->repository_id, what->digest, &blob));
	*(struct stored_blob *)ret =
		(struct stored_blob){ blob.storage_id, blob.size_bytes, blob.edition };
	return OK;
}

/* Whether the repository may serve `d`; remembered, dropped by delete. Where its bytes are may have
 * changed: open_where_it_is(). */
static err_t find_link(struct ctx *ctx, struct registry *registry, int64_t repository_id, digest d,
		       struct stored_blob *ret)
{
	static const struct cached_kind kind = { load_link, sizeof *ret };
	const struct in_repository what = { .repository_id = repository_id, .digest = d };
	struct cache_key key = key_of_digest('b', repository_id, d);
	err_t err = registry_cached(ctx, registry, &key, &kind, &what, ret);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_BLOB_UNKNOWN, "no blob " DIGEST_FMT, DIGEST_ARG(d));
	return err;
}

/* Past what is remembered. */
static err_t read_link(struct ctx *ctx, struct registry *registry, int64_t repository_id, digest d,
		       struct stored_blob *ret)
{
	const struct in_repository what = { .repository_id = repository_id, .digest = d };
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	return load_link(ctx, &tx, &what, ret);
}

/* --- relying on it ---------------------------------------------------------------------------- */

/* Who goes by a blob's being there. */
struct relying {
	struct registry *registry;
	struct in_repository what;
	bool let_go;
	int64_t left_us;
};

/* Whoever let go of it does so later, and it is there still. */
static err_t renew_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct relying *relying = arg;
	return db_garbage_put_off(ctx, tx, relying->what.repository_id, relying->what.digest,
				  registry_window_us(relying->registry));
}

static err_t look_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct relying *relying = arg;
	err_t err = db_garbage_find(ctx, tx, relying->what.repository_id, relying->what.digest,
				    &relying->left_us);
	relying->let_go = err == OK;
	return err == ERR_ABSENT ? OK : err;
}

static err_t look_again(struct ctx *ctx, struct relying *relying, struct stored_blob *link)
{
	struct registry *registry = relying->registry;
	const struct in_repository *what = &relying->what;
	TRY(db_run(ctx, registry->db, SQL_READ, look_body, relying));
	if (relying->let_go && relying->left_us < registry_window_us(registry) / 4 * 3)
		TRY(db_run(ctx, registry->db, SQL_WRITE, renew_body, relying));
	err_t err = read_link(ctx, registry, what->repository_id, what->digest, link);
	if (err != ERR_ABSENT)
		return err;
	struct cache_key key = key_of_digest('b', what->repository_id, what->digest);
	cache_drop(registry->cache, key_str(&key));
	return fail(ctx, ERR_BLOB_UNKNOWN, "it was collected just now");
}

/* The link, for who will refer to it. */
static err_t rely(struct ctx *ctx, struct registry *registry, const struct in_repository *what,
		  struct stored_blob *link)
{
	struct relying relying = { .registry = registry, .what = *what };
	int64_t now_ns = clock_now_ns(), looked_ns = 0;
	struct cache_key key = key_of_digest('v', what->repository_id, what->digest);
	CLEANUP(cache_value_done)
	struct cache_value *value = cache_get(registry->cache, key_str(&key));
	if (value)
		memcpy(&looked_ns, value->bytes.ptr, sizeof looked_ns);
	if (value && now_ns - looked_ns < registry_window_us(registry) * CLOCK_US / 4)
		return OK;
	cache_drop(registry->cache, key_str(&key));
	uint64_t ticket = cache_ticket(registry->cache, key_str(&key));
	TRY(look_again(ctx, &relying, link));
	cache_put(cache_fill(registry->cache, key_str(&key), ticket,
			     (str){ (const char *)&now_ns, sizeof now_ns }, 0));
	return OK;
}

/* --- bytes ------------------------------------------------------------------------------------ */

void blob_view_done(struct blob_view *view)
{
	cache_put(take(view->pin));
	store_blob_done(&view->stored);
	storage_put(&view->storage);
}

static err_t read_stored(struct ctx *ctx, struct store_blob *stored, uint64_t offset, void *into,
			 size_t len, size_t *ret_len)
{
	return store_blob_read(ctx, stored, offset, into, len, ret_len);
}

err_t blob_read(struct ctx *ctx, struct blob_view *view, uint64_t offset, void *into, size_t len,
		size_t *ret_len)
{
	if (!view->pin)
		return read_stored(ctx, &view->stored, offset, into, len, ret_len);
	str rest = str_take(str_skip(view->bytes, MIN(offset, view->size_bytes)), len);
	if (rest.len)
		memcpy(into, rest.ptr, rest.len);
	*ret_len = rest.len;
	return OK;
}

static err_t read_whole(struct ctx *ctx, struct store_blob *stored, char *into)
{
	for (uint64_t at = 0; at < stored->size_bytes;) {
		size_t len;
		TRY(read_stored(ctx, stored, at, into + at, stored->size_bytes - at, &len));
		if (len == 0)
			return fail(ctx, ERR_STORAGE, "blob is shorter than its size");
		at += len;
	}
	return OK;
}

/* Takes a small blob into memory, where the next pulls find it. */
static err_t load_blob(struct ctx *ctx, struct registry *registry, str key, digest d,
		       struct blob_view *view, struct cache_value **ret)
{
	uint64_t ticket = cache_ticket(registry->cache, key);
	struct store_blob *stored = &view->stored;
	char *bytes = arena_try(ctx->arena, stored->size_bytes);
	if (!bytes)
		return fail(ctx, ERR_LIMIT, "blob of %llu bytes",
			    (unsigned long long)stored->size_bytes);
	str all = { bytes, stored->size_bytes };
	TRY(read_whole(ctx, stored, bytes));
	if (!digest_equal(hash_bytes(d.algorithm, all), d))
		return fail(ctx, ERR_CORRUPT, "blob " DIGEST_FMT, DIGEST_ARG(d));
	*ret = cache_fill(registry->cache, key, ticket, all, storage_trusted_until(view->storage));
	return OK;
}

/* Where the reader is sent, if anywhere; nobody looks whether the blob is there. */
static err_t find_url(struct ctx *ctx, struct store *store, blob_name name,
		      const struct blob_reader *reader, str *ret)
{
	ip address;
	*ret = STR_NONE;
	if (!reader || !store->driver->blob_url || !reader->address(reader->arg, &address))
		return OK;
	return store->driver->blob_url(ctx, store, name, address, ret);
}

/* What is asked for: a blob that a repository has, by somebody (NULL: us). */
struct wanted_blob {
	digest digest;
	struct stored_blob link;
	const struct blob_reader *reader;
};

static err_t open_large(struct ctx *ctx, struct registry *registry, const struct wanted_blob *want,
			struct blob_view *ret)
{
	TRY(storage_get(ctx, registry, want->link.storage_id, &ret->storage));
	struct store *store = ret->storage->store;
	blob_name name = { want->digest, (uint32_t)want->link.edition };
	ret->size_bytes = want->link.size_bytes;
	if (ret->size_bytes > BLOB_CACHED_BYTES_MAX)
		TRY(find_url(ctx, store, name, want->reader, &ret->url));
	if (ret->url.len)
		return OK;
	TRY(store_blob_open(ctx, store, name, &ret->stored));
	ret->size_bytes = ret->stored.size_bytes;
	ret->fd = ret->stored.fd;
	return OK;
}

/* A small blob is in the cache, or gets there; a large one is opened in its store. */
static err_t open_stored(struct ctx *ctx, struct registry *registry, const struct wanted_blob *want,
			 struct blob_view *ret)
{
	struct cache_key key = key_of_digest('c', want->link.storage_id, want->digest);
	struct cache_value *value = cache_get(registry->cache, key_str(&key));
	if (!value) {
		CLEANUP(blob_view_done) struct blob_view large = BLOB_VIEW_INIT;
		TRY(open_large(ctx, registry, want, &large));
		if (large.size_bytes == 0 || large.size_bytes > BLOB_CACHED_BYTES_MAX) {
			*ret = large;
			large = (struct blob_view)BLOB_VIEW_INIT;
			return OK;
		}
		TRY(load_blob(ctx, registry, key_str(&key), want->digest, &large, &value));
	}
	*ret = (struct blob_view)BLOB_VIEW_INIT;
	ret->pin = value;
	ret->bytes = value->bytes;
	ret->size_bytes = value->bytes.len;
	return OK;
}

/* Before the first byte: its length is promised. */
static err_t open_of_size(struct ctx *ctx, struct registry *registry,
			  const struct wanted_blob *want, struct blob_view *ret)
{
	CLEANUP(blob_view_done) struct blob_view view = BLOB_VIEW_INIT;
	TRY(open_stored(ctx, registry, want, &view));
	if (view.size_bytes != want->link.size_bytes)
		return fail(ctx, ERR_CORRUPT, "blob " DIGEST_FMT " has %llu bytes, not %llu",
			    DIGEST_ARG(want->digest), (unsigned long long)view.size_bytes,
			    (unsigned long long)want->link.size_bytes);
	*ret = view;
	view = (struct blob_view)BLOB_VIEW_INIT;
	return OK;
}

/* Nobody tells when a blob moves to another storage, or comes back as another edition. Who could
 * not read it where it was remembered to be, or would be sent to a bucket for it, looks whether it
 * still is there; what the rows say when they cannot be read is what was remembered. */
static err_t open_where_it_is(struct ctx *ctx, struct registry *registry, int64_t repository_id,
			      struct wanted_blob *want, struct blob_view *ret)
{
	err_t err = open_of_size(ctx, registry, want, ret);
	if (err == OK && !ret->url.len)
		return OK;
	struct failure why = ctx->failure;
	struct stored_blob now;
	ctx_forgive(ctx);
	err_t found = read_link(ctx, registry, repository_id, want->digest, &now);
	ctx->failure = why;
	if (found != OK ||
	    (now.storage_id == want->link.storage_id && now.edition == want->link.edition))
		return err;
	struct cache_key key = key_of_digest('b', repository_id, want->digest);
	ctx_forgive(ctx);
	cache_drop(registry->cache, key_str(&key));
	blob_view_done(ret);
	*ret = (struct blob_view)BLOB_VIEW_INIT;
	want->link = now;
	return open_of_size(ctx, registry, want, ret);
}

err_t blob_open_for(struct ctx *ctx, struct registry *registry, str repository, digest d,
		    const struct blob_reader *reader, struct blob_view *ret)
{
	struct in_repository what = { .digest = d };
	struct wanted_blob want = { .digest = d, .reader = reader };
	TRY(repository_find(ctx, registry, repository, &what.repository_id));
	TRY(find_link(ctx, registry, what.repository_id, d, &want.link));
	if (reader && reader->relies)
		TRY(rely(ctx, registry, &what, &want.link));
	CLEANUP(blob_view_done) struct blob_view view = BLOB_VIEW_INIT;
	TRY(open_where_it_is(ctx, registry, what.repository_id, &want, &view));
	*ret = view;
	view = (struct blob_view)BLOB_VIEW_INIT;
	return OK;
}

err_t blob_open(struct ctx *ctx, struct registry *registry, str repository, digest d,
		struct blob_view *ret)
{
	return blob_open_for(ctx, registry, repository, d, NULL, ret);
}
