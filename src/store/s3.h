/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3.h - the driver "s3": a bucket, or a part of one, of an S3 server; private to store.
 *
 *	<prefix>blobs/<algorithm>/<first 2 hex digits>/<hex>	a blob
 *	<prefix>uploads/<id>					how far an upload has come, and its
 * last bytes: s3_state.h
 *	<prefix>uploads/<id>.data				its other bytes, once they are an
 * object
 *
 * S3 can neither append nor rename. So an upload is parts of a multipart upload of <id>.data, and
 * the bytes that fill no part yet, the tail, are in memory and from the flush on in the state's
 * object. Parts cannot be read: who wants to (to hash again what another node received) completes
 * them first, and going on then begins a new multipart upload with a copy made by the server.
 * Publishing a small upload puts its bytes under the blob's name at once; a large one is completed
 * and copied by the server, so no byte passes here twice.
 *
 * Durable is what the server has acknowledged. What it acknowledged is compared, as `verify` says:
 * by etag (the MD5 of what was sent), by size, or by reading it back.
 */
#pragma once

#include "codec/cidr.h"
#include "s3_object.h"
#include "store/store.h"

#define S3_DATA_SUFFIX ".data"

/* Who may read blobs in the bucket itself, and where he finds it. */
struct s3_redirect {
	struct cidr_list networks; /* none: nobody */
	unsigned expires_s;
	struct s3_site site;
};

struct s3_store {
	struct store store;
	struct s3_client *client;
	char *prefix; /* empty, or with a slash at its end */
	struct s3_redirect redirect;
};

extern const struct store_driver store_s3;

struct s3_store *s3_of(struct store *store);

/* Keys, NUL-terminated in the caller's array. */
str s3_blob_key(const struct s3_store *s3, blob_name name, char into[REMOTE_KEY_MAX]);
str s3_state_key(const struct s3_store *s3, str id, char into[REMOTE_KEY_MAX]);
str s3_data_key(const struct s3_store *s3, str id, char into[REMOTE_KEY_MAX]);

/* The client and the prefix that a place names. Asks nobody. */
err_t s3_store_new(struct ctx *ctx, const struct store_place *place, struct s3_store **ret);

/* That a blob is stored as it was meant: its size, the etag that the server gave for it (if any),
 * and its bytes where options.verify says so. */
err_t s3_verify_blob(struct ctx *ctx, struct s3_store *s3, blob_name blob, uint64_t size_bytes,
		     const char *etag);

/* s3_redirect.c: the settings `redirect_…`, in the client's memory; a URL by which an object is
 * read as a blob, at the redirect's endpoint; and the driver's slot. */
err_t s3_redirect_read(struct ctx *ctx, const struct store_place *place, struct s3_store *s3);
err_t s3_redirect_sign(struct ctx *ctx, const struct s3_store *s3, str key, str *ret_url);
err_t s3_blob_url(struct ctx *ctx, struct store *store, blob_name name, ip reader, str *ret_url);

/* s3_upload.c */
err_t s3_upload_open(struct ctx *ctx, struct store *store, str id, bool create,
		     struct store_upload *ret);
void s3_upload_close(struct store_upload *upload);
err_t s3_upload_remove(struct ctx *ctx, struct store *store, str id);
err_t s3_publish(struct ctx *ctx, struct store *store, struct store_upload *upload, str id,
		 blob_name name);
/* How many bytes an upload has, by its state; ERR_ABSENT when there is none. */
err_t s3_upload_bytes(struct ctx *ctx, struct s3_store *s3, str id, uint64_t *ret_bytes);

/* s3_walk.c */
err_t s3_walk(struct ctx *ctx, struct store *store, const struct store_walk *visitor);
