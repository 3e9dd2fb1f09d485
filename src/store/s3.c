/* SPDX-License-Identifier: Apache-2.0 */
/* s3.c - see s3.h: the store itself, its options, and its blobs. */
#include "s3.h"
#include "base/clock.h"
#include "base/mem.h"
#include "remote_upload.h"
#include "s3_check.h"
#include "store/store_remove.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

struct s3_store *s3_of(struct store *store)
{
	return CONTAINER_OF(store, struct s3_store, store);
}

/* --- keys ----------------------------------------------------------------------------------- */

str s3_blob_key(const struct s3_store *s3, blob_name name, char into[REMOTE_KEY_MAX])
{
	return remote_blob_name(s3->prefix, name, into);
}

str s3_state_key(const struct s3_store *s3, str id, char into[REMOTE_KEY_MAX])
{
	return remote_upload_name(s3->prefix, id, into);
}

str s3_data_key(const struct s3_store *s3, str id, char into[REMOTE_KEY_MAX])
{
	int len = snprintf(into, REMOTE_KEY_MAX, "%suploads/" STR_FMT S3_DATA_SUFFIX, s3->prefix,
			   STR_ARG(id));
	return (str){ into, (size_t)len };
}

/* --- options -------------------------------------------------------------------------------- */

static const char *const settings[] = {
	"endpoint",
	"region",
	"bucket",
	"addressing",
	"verify",
	"redirect_networks",
	"redirect_expiry_s",
	"redirect_endpoint",
	NULL,
};
static const char *const secrets[] = { "access_key", "secret_key", "session_token", NULL };

static err_t read_options(struct ctx *ctx, const struct store_place *place, struct s3_options *ret)
{
	static const char *const addressings[] = { "auto", "path", "virtual", NULL };
	static const char *const verifies[] = { "etag", "size", "content", NULL };
	int addressing, verify;
	TRY(remote_choose(ctx, place, "addressing", addressings, &addressing));
	TRY(remote_choose(ctx, place, "verify", verifies, &verify));
	*ret = (struct s3_options){
		.endpoint = remote_setting(place, "endpoint"),
		.region = remote_setting(place, "region"),
		.bucket = remote_setting(place, "bucket"),
		.verify = (enum s3_verify)verify,
		.ca_file = remote_setting(place, "ca_certificate"),
		.credentials = {
			.key = { remote_setting(place, "access_key"), remote_setting(place, "secret_key"), remote_setting(place, "session_token") },
			.file = remote_setting(place, "credentials_file"),
			.profile = remote_setting(place, "profile"),
			.metadata = remote_setting(place, "metadata_endpoint"),
			.environment = remote_setting(place, "environment").len > 0,
		},
	};
	/* AWS wants the bucket in the host's name; everybody else's servers know both ways, and few
	 * have the names. */
	ret->path_style = addressing == 1 || (addressing == 0 && ret->endpoint.len);
	return OK;
}

/* Wrong keys and wrong buckets are told when the store is opened. A server that does not answer now
 * may do so later. */
static err_t ask_bucket(struct ctx *ctx, struct s3_store *s3)
{
	REMOTE_CALL(call, ctx);
	const struct aws_pair query[] = { { STR("list-type"), STR("2") },
					  { STR("max-keys"), STR("1") },
					  { STR("prefix"), str_from(s3->prefix) } };
	const struct s3_request rq = {
		.method = "GET", .query = query, .query_count = COUNT_OF(query), .once = true
	};
	struct s3_response answer;
	err_t err = s3_send(&call.ctx, s3->client, &rq, &answer);
	if (err == ERR_UPSTREAM_UNREACHABLE || err == ERR_UPSTREAM_INVALID || err == ERR_BUSY) {
		ctx_forgive(&call.ctx);
		return OK;
	}
	return err;
}

static void close_store(struct store *store)
{
	struct s3_store *s3 = s3_of(store);
	s3_client_free(s3->client);
	free(s3->prefix);
	free(s3);
}

static void store_done(struct s3_store **s3)
{
	if (*s3)
		close_store(&(*s3)->store);
}

err_t s3_store_new(struct ctx *ctx, const struct store_place *place, struct s3_store **ret)
{
	struct s3_options options;
	CLEANUP(store_done) struct s3_store *s3 = NEW(struct s3_store);
	s3->store.driver = &store_s3;
	TRY(remote_prefix(ctx, place->location, &s3->prefix));
	TRY(read_options(ctx, place, &options));
	TRY(s3_client_new(ctx, &options, &s3->client));
	TRY(s3_redirect_read(ctx, place, s3));
	*ret = take(s3);
	return OK;
}

static err_t open_store(struct ctx *ctx, const struct store_place *place, struct store **ret)
{
	CLEANUP(store_done) struct s3_store *s3 = NULL;
	err_t err = s3_store_new(ctx, place, &s3);
	if (err == OK)
		err = ask_bucket(ctx, s3);
	if (err != OK)
		return remote_error(err);
	*ret = &s3->store;
	s3 = NULL;
	return OK;
}

/* Nothing at all is a part of the server's own bucket. Otherwise it is a bucket with a key of its
 * own. */
static err_t check_place(struct ctx *ctx, const struct store_place *place)
{
	CLEANUP(store_done) struct s3_store *s3 = NULL;
	return place->setting_count ? s3_store_new(ctx, place, &s3) : OK;
}

/* --- blobs ---------------------------------------------------------------------------------- */

static err_t blob_open(struct ctx *ctx, struct store *store, blob_name name, struct store_blob *ret)
{
	char key[REMOTE_KEY_MAX];
	struct s3_store *s3 = s3_of(store);
	return remote_blob_open(ctx, store, s3_source(s3->client), s3_blob_key(s3, name, key), ret);
}

static err_t blob_size(struct ctx *ctx, struct store *store, blob_name name,
		       uint64_t *ret_size_bytes)
{
	char key[REMOTE_KEY_MAX];
	struct s3_store *s3 = s3_of(store);
	return remote_blob_size(ctx, s3_source(s3->client), s3_blob_key(s3, name, key),
				ret_size_bytes);
}

static err_t blob_remove(struct ctx *ctx, struct store *store, blob_name name)
{
	char text[REMOTE_KEY_MAX];
	struct s3_store *s3 = s3_of(store);
	str key = s3_blob_key(s3, name, text);
	return remote_error(s3_remove_blob(ctx, s3->client, key));
}

/* What the server said of each, in the order of the names. */
struct removed {
	const struct store_removal *removal;
	size_t next;
};

static void tell_removed(struct ctx *ctx, void *arg, err_t err)
{
	struct removed *removed = arg;
	const struct store_removal *removal = removed->removal;
	removal->told(ctx, removal->arg, &removal->names[removed->next++], remote_error(err));
	ctx_forgive(ctx);
}

/* As many as one request takes. */
static err_t remove_some(struct ctx *ctx, struct store *store, const struct store_removal *some)
{
	struct s3_store *s3 = s3_of(store);
	struct removed removed = { .removal = some };
	CLEANUP(mem_done) char *texts = mem_new(some->count * REMOTE_KEY_MAX);
	CLEANUP(mem_done) str *keys = mem_new(some->count * sizeof *keys);
	for (size_t i = 0; i < some->count; i++)
		keys[i] = s3_blob_key(s3, some->names[i], texts + i * REMOTE_KEY_MAX);
	const struct s3_told told = { tell_removed, &removed };
	err_t err = s3_remove_blobs(ctx, s3->client, keys, some->count, &told);
	return err == ERR_UNSUPPORTED ? store_remove_each(ctx, store, some) : err;
}

static err_t blobs_remove(struct ctx *ctx, struct store *store, const struct store_removal *removal)
{
	if (removal->count == 1)
		return store_remove_each(ctx, store, removal);
	struct store_removal some = *removal;
	for (size_t left = removal->count; left; left -= some.count, some.names += some.count) {
		TRY(ctx_check(ctx));
		if (clock_now_ns() > removal->until_ns)
			return OK;
		some.count = MIN(left, (size_t)S3_REMOVE_MAX);
		TRY(remove_some(ctx, store, &some));
	}
	return OK;
}

/* --- proofs -------------------------------------------------------------------------------- */

err_t s3_verify_blob(struct ctx *ctx, struct s3_store *s3, blob_name blob, uint64_t size_bytes,
		     const char *etag)
{
	char key[REMOTE_KEY_MAX];
	struct s3_object object = { 0 };
	digest have = blob.digest;
	str name = s3_blob_key(s3, blob, key);
	if (s3->client->options.verify == S3_VERIFY_CONTENT) {
		CLEANUP(remote_reader_done) struct remote_reader reader = { 0 };
		TRY(remote_reader_open(ctx, s3_source(s3->client), name, &reader));
		TRY(remote_reader_hash(ctx, &reader, blob.digest.algorithm, &have));
		object.size_bytes = reader.size_bytes;
	} else {
		TRY(s3_head(ctx, s3->client, name, &object));
	}
	bool other_etag = s3->client->options.verify == S3_VERIFY_ETAG && etag[0] &&
			  strcmp(object.etag, etag) != 0;
	if (object.size_bytes != size_bytes || other_etag || !digest_equal(have, blob.digest))
		return fail(ctx, ERR_CORRUPT,
			    "the server stored something else as " STR_FMT
			    ": %llu bytes, not %llu, or others",
			    STR_ARG(name), (unsigned long long)object.size_bytes,
			    (unsigned long long)size_bytes);
	return OK;
}

/* A bucket has no bound that it tells. */
static err_t space(struct ctx *ctx, struct store *store, uint64_t *ret_total_bytes,
		   uint64_t *ret_free_bytes)
{
	*ret_total_bytes = *ret_free_bytes = 0;
	return OK;
}

const struct store_driver store_s3 = {
	.name = "s3",
	.settings = settings,
	.secrets = secrets,
	.check = check_place,
	.try_out = s3_check,
	.open = open_store,
	.close = close_store,
	.forget = NULL,
	.upload_open = s3_upload_open,
	.upload_append = remote_upload_append,
	.upload_flush = remote_upload_flush,
	.upload_cut = remote_upload_cut,
	.upload_read = remote_upload_read,
	.upload_close = s3_upload_close,
	.upload_remove = s3_upload_remove,
	.publish = s3_publish,
	.blob_open = blob_open,
	.blob_read = remote_blob_read,
	.blob_close = remote_blob_close,
	.blob_size = blob_size,
	.blob_url = s3_blob_url,
	.blob_remove = blob_remove,
	.blobs_remove = blobs_remove,
	.walk = s3_walk,
	.space = space,
};
