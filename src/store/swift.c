/* SPDX-License-Identifier: Apache-2.0 */
/* swift.c - see swift.h: the store itself, its options, and its blobs. */
#include "swift.h"
#include "base/mem.h"
#include "codec/hex.h"
#include "remote_upload.h"
#include "swift_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define MARKER "of-"

struct swift_store *swift_of(struct store *store)
{
	return CONTAINER_OF(store, struct swift_store, store);
}

/* --- keys ----------------------------------------------------------------------------------- */

str swift_blob_key(const struct swift_store *swift, blob_name name, char into[REMOTE_KEY_MAX])
{
	return remote_blob_name(swift->prefix, name, into);
}

str swift_state_key(const struct swift_store *swift, str id, char into[REMOTE_KEY_MAX])
{
	return remote_upload_name(swift->prefix, id, into);
}

str swift_segment_key(const struct swift_store *swift, str id, const char *name,
		      char into[REMOTE_KEY_MAX])
{
	int len = snprintf(into, REMOTE_KEY_MAX, "%ssegments/" STR_FMT "/%s", swift->prefix,
			   STR_ARG(id), name);
	return (str){ into, (size_t)len };
}

str swift_folder_key(const struct swift_store *swift, str id, char into[REMOTE_KEY_MAX])
{
	return swift_segment_key(swift, id, "", into);
}

str swift_marker_key(const struct swift_store *swift, str id, blob_name blob,
		     char into[REMOTE_KEY_MAX])
{
	char name[sizeof MARKER + 16 + BLOB_NAME_TEXT_MAX], text[BLOB_NAME_TEXT_MAX];
	blob_name_text(blob, text);
	snprintf(name, sizeof name, MARKER "%s-%s", digest_algorithm_name(blob.digest.algorithm),
		 text);
	return swift_segment_key(swift, id, name, into);
}

bool swift_marker_parse(str name, blob_name *ret)
{
	enum digest_algorithm algorithm;
	str shelf, text;
	return str_has_prefix(name, STR(MARKER)) &&
	       str_cut(str_skip(name, strlen(MARKER)), '-', &shelf, &text) &&
	       digest_algorithm_parse(shelf, &algorithm) && blob_name_parse(algorithm, text, ret);
}

/* --- options -------------------------------------------------------------------------------- */

static const char *const settings[] = {
	"auth_url", "region", "interface", "container", "verify", NULL,
};
static const char *const secrets[] = {
	"application_credential_id", "application_credential_secret", "user", "key", NULL,
};

static err_t read_options(struct ctx *ctx, const struct store_place *place,
			  struct swift_options *ret)
{
	static const char *const interfaces[] = { "public", "internal", "admin", NULL };
	static const char *const verifies[] = { "etag", "content", NULL };
	int interface, verify;
	TRY(remote_choose(ctx, place, "interface", interfaces, &interface));
	TRY(remote_choose(ctx, place, "verify", verifies, &verify));
	*ret = (struct swift_options){
		.container = remote_setting(place, "container"),
		.verify = (enum swift_verify)verify,
		.ca_file = remote_setting(place, "ca_certificate"),
	};
	ret->auth = (struct swift_auth_options){
		.url = remote_setting(place, "auth_url"),
		.region = remote_setting(place, "region"),
		.interface = str_from(interfaces[interface]),
		.credential_id = remote_setting(place, "application_credential_id"),
		.credential_secret = remote_setting(place, "application_credential_secret"),
		.user = remote_setting(place, "user"),
		.key = remote_setting(place, "key"),
	};
	return OK;
}

/* Wrong credentials and wrong containers are told when the store is opened. A server that does not
 * answer now may do so later. */
static err_t ask_container(struct ctx *ctx, struct swift_store *swift)
{
	REMOTE_CALL(call, ctx);
	const struct swift_request rq = { .method = "HEAD", .once = true };
	struct client_response answer;
	err_t err = swift_send(&call.ctx, swift->client, &rq, &answer);
	if (err == ERR_UPSTREAM_UNREACHABLE || err == ERR_UPSTREAM_INVALID || err == ERR_BUSY) {
		ctx_forgive(&call.ctx);
		return OK;
	}
	return err;
}

static void close_store(struct store *store)
{
	struct swift_store *swift = swift_of(store);
	swift_client_free(swift->client);
	for (size_t i = 0; i < SWIFT_TURNS; i++)
		pthread_mutex_destroy(&swift->turns[i]);
	free(swift->prefix);
	free(swift);
}

static void store_done(struct swift_store **swift)
{
	if (*swift)
		close_store(&(*swift)->store);
}

err_t swift_store_new(struct ctx *ctx, const struct store_place *place, struct swift_store **ret)
{
	struct swift_options options;
	CLEANUP(store_done) struct swift_store *swift = NEW(struct swift_store);
	swift->store.driver = &store_swift;
	for (size_t i = 0; i < SWIFT_TURNS; i++)
		pthread_mutex_init(&swift->turns[i], NULL);
	TRY(remote_prefix(ctx, place->location, &swift->prefix));
	TRY(read_options(ctx, place, &options));
	TRY(swift_client_new(ctx, &options, &swift->client));
	*ret = take(swift);
	return OK;
}

static err_t open_store(struct ctx *ctx, const struct store_place *place, struct store **ret)
{
	CLEANUP(store_done) struct swift_store *swift = NULL;
	err_t err = swift_store_new(ctx, place, &swift);
	if (err == OK)
		err = ask_container(ctx, swift);
	if (err != OK)
		return remote_error(err);
	*ret = &swift->store;
	swift = NULL;
	return OK;
}

/* Nothing at all is a part of the server's own container. Otherwise it is a container with
 * credentials of its own. */
static err_t check_place(struct ctx *ctx, const struct store_place *place)
{
	CLEANUP(store_done) struct swift_store *swift = NULL;
	return place->setting_count ? swift_store_new(ctx, place, &swift) : OK;
}

/* --- blobs ---------------------------------------------------------------------------------- */

static err_t blob_open(struct ctx *ctx, struct store *store, blob_name name, struct store_blob *ret)
{
	char key[REMOTE_KEY_MAX];
	struct swift_store *swift = swift_of(store);
	return remote_blob_open(ctx, store, swift_source(swift->client),
				swift_blob_key(swift, name, key), ret);
}

static err_t blob_size(struct ctx *ctx, struct store *store, blob_name name,
		       uint64_t *ret_size_bytes)
{
	char key[REMOTE_KEY_MAX];
	struct swift_store *swift = swift_of(store);
	return remote_blob_size(ctx, swift_source(swift->client), swift_blob_key(swift, name, key),
				ret_size_bytes);
}

/* The manifest first: a blob is whole or not there. */
static err_t remove_blob(struct ctx *ctx, struct swift_store *swift, blob_name name)
{
	char text[REMOTE_KEY_MAX], folder[REMOTE_KEY_MAX];
	struct swift_object object;
	str key = swift_blob_key(swift, name, text);
	err_t err = swift_head(ctx, swift->client, key, false, &object);
	if (err == ERR_ABSENT) {
		ctx_forgive(ctx);
		return OK;
	}
	TRY(err);
	TRY(swift_remove(ctx, swift->client, &key, 1));
	if (!object.upload[0])
		return OK;
	return swift_remove_all(ctx, swift->client,
				swift_folder_key(swift, str_from(object.upload), folder), NULL,
				NULL);
}

static err_t blob_remove(struct ctx *ctx, struct store *store, blob_name name)
{
	return remote_error(remove_blob(ctx, swift_of(store), name));
}

err_t swift_blob_is_of(struct ctx *ctx, struct swift_store *swift, blob_name blob, str id,
		       bool *ret)
{
	char key[REMOTE_KEY_MAX];
	struct swift_object object;
	err_t err =
		swift_head(ctx, swift->client, swift_blob_key(swift, blob, key), false, &object);
	if (err == ERR_ABSENT) {
		ctx_forgive(ctx);
		*ret = false;
		return OK;
	}
	TRY(err);
	*ret = str_eq(str_from(object.upload), id);
	return OK;
}

/* --- proofs --------------------------------------------------------------------------------- */

err_t swift_verify_blob(struct ctx *ctx, struct swift_store *swift, blob_name blob,
			uint64_t size_bytes, const char *etag)
{
	char key[REMOTE_KEY_MAX];
	struct swift_object object;
	digest have = blob.digest;
	str name = swift_blob_key(swift, blob, key);
	TRY(swift_head(ctx, swift->client, name, true, &object));
	if (swift->client->verify == SWIFT_VERIFY_CONTENT) {
		CLEANUP(remote_reader_done) struct remote_reader reader = { 0 };
		TRY(remote_reader_open(ctx, swift_source(swift->client), name, &reader));
		TRY(remote_reader_hash(ctx, &reader, blob.digest.algorithm, &have));
	}
	bool other_etag = etag[0] && strcmp(object.etag, etag) != 0;
	if (object.size_bytes != size_bytes || other_etag || !digest_equal(have, blob.digest))
		return fail(ctx, ERR_CORRUPT,
			    "the server stored something else as " STR_FMT
			    ": %llu bytes, not %llu, or others",
			    STR_ARG(name), (unsigned long long)object.size_bytes,
			    (unsigned long long)size_bytes);
	return OK;
}

/* An account may have a quota, and says how much of it is left in nobody's words. */
static err_t space(struct ctx *ctx, struct store *store, uint64_t *ret_total_bytes,
		   uint64_t *ret_free_bytes)
{
	*ret_total_bytes = *ret_free_bytes = 0;
	return OK;
}

const struct store_driver store_swift = {
	.name = "swift",
	.settings = settings,
	.secrets = secrets,
	.check = check_place,
	.try_out = swift_check,
	.open = open_store,
	.close = close_store,
	.forget = NULL,
	.upload_open = swift_upload_open,
	.upload_append = remote_upload_append,
	.upload_flush = remote_upload_flush,
	.upload_cut = remote_upload_cut,
	.upload_read = remote_upload_read,
	.upload_close = swift_upload_close,
	.upload_remove = swift_upload_remove,
	.publish = swift_publish,
	.blob_open = blob_open,
	.blob_read = remote_blob_read,
	.blob_close = remote_blob_close,
	.blob_size = blob_size,
	.blob_remove = blob_remove,
	.blobs_remove = NULL, /* each is asked whose segments it has */
	.walk = swift_walk,
	.space = space,
};
