/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote_reader.h - an object at another server, read in order by as few requests as that takes,
 * and always the same one: one that was replaced meanwhile fails. Private to store.
 *
 * Its first bytes come with its size. Reading on is one request for all of the rest; elsewhere, a
 * new one. A body that breaks off is asked for again from where it broke, up to REMOTE_TRIES_MAX
 * times without a byte between.
 *
 * A driver says how it asks (struct remote_source); what is asked, what an answer must be, and
 * what a blob is that is opened here, is the same for all.
 */
#pragma once

#include "remote.h"

#define REMOTE_FIRST_BYTES KIB(64)

struct remote_ask {
	str key;
	str range;   /* "bytes=5-9"; empty: all */
	str etag;    /* that the object should have, in the words of the source; empty: any */
	bool newest; /* as it is now, and not as some replica remembers it */
};

struct remote_source {
	const struct remote_source_ops *ops;
	void *client;
};

struct remote_source_ops {
	/* `*ret_etag` lives as long as ctx->arena. */
	err_t (*pull)(struct ctx *ctx, void *client, const struct remote_ask *ask,
		      struct client_response *ret, str *ret_etag, struct client_pull **ret_pull);
	err_t (*size)(struct ctx *ctx, void *client, str key, uint64_t *ret_size_bytes);
};

struct remote_reader {
	struct remote_source source; /* without a client: nothing is open */
	char *key;
	uint64_t size_bytes;
	char etag[REMOTE_ETAG_MAX + 1];
	char *first; /* its first bytes, as far as they are there */
	size_t first_len;
	uint64_t offset; /* where `pull` stands */
	struct client_pull *pull;
};

/* ERR_ABSENT, ERR_STORAGE, and what the source says. */
err_t remote_reader_open(struct ctx *ctx, struct remote_source source, str key,
			 struct remote_reader *ret);
/* As it is now, with so many of its first bytes (or all) in `first`. */
err_t remote_reader_open_newest(struct ctx *ctx, struct remote_source source, str key,
				size_t first_bytes, struct remote_reader *ret);

/* At most `len` bytes, at least one unless the object ends. */
err_t remote_reader_read(struct ctx *ctx, struct remote_reader *reader, uint64_t offset, void *into,
			 size_t len, size_t *ret_len);
/* So many, all of which the object has. */
err_t remote_reader_read_all(struct ctx *ctx, struct remote_reader *reader, uint64_t offset,
			     void *into, size_t len);
err_t remote_reader_hash(struct ctx *ctx, struct remote_reader *reader,
			 enum digest_algorithm algorithm, digest *ret);
void remote_reader_done(struct remote_reader *reader); /* CLEANUP; also of a zeroed one */

/* --- a blob that is an object: what a driver's slots of these names do ---------------------- */

err_t remote_blob_open(struct ctx *ctx, struct store *store, struct remote_source source, str key,
		       struct store_blob *ret);
err_t remote_blob_read(struct ctx *ctx, struct store_blob *blob, uint64_t offset, void *into,
		       size_t len, size_t *ret_len);
void remote_blob_close(struct store_blob *blob);
err_t remote_blob_size(struct ctx *ctx, struct remote_source source, str key,
		       uint64_t *ret_size_bytes);
