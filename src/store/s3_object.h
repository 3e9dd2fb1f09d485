/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3_object.h - what can be done with the objects of a bucket, a function for each; private to
 * store.
 *
 * Errors are s3_client.h's. An etag is kept without its quotes. Where the server names what it
 * stored by MD5 (an etag of 32 digits, and no key management that hides it), and options.verify is
 * S3_VERIFY_ETAG, what was sent is compared with it: ERR_CORRUPT when they differ.
 */
#pragma once

#include "remote_reader.h"
#include "s3_client.h"

#define S3_PART_BYTES_MIN  MIB(5) /* of all parts but the last */
#define S3_PARTS_MAX	   10000
#define S3_REMOVE_MAX	   1000
#define S3_WHOLE_BYTES_MAX MIB(2)

struct s3_object {
	uint64_t size_bytes;
	bool etag_is_md5; /* where s3_head() says so */
	char etag[REMOTE_ETAG_MAX + 1];
};

struct s3_part {
	uint64_t size_bytes;
	char etag[REMOTE_ETAG_MAX + 1];
};

/* `*ret_proved` (NULL is fine): an etag says that what is stored is what was sent. */
err_t s3_put(struct ctx *ctx, struct s3_client *client, str key, str bytes, bool *ret_proved);
err_t s3_head(struct ctx *ctx, struct s3_client *client, str key, struct s3_object *ret);

/* One request of at most S3_COPY_BYTES_MAX; the copy's etag is compared where both are MD5. */
err_t s3_copy(struct ctx *ctx, struct s3_client *client, str from, const struct s3_object *what,
	      str to, char etag[REMOTE_ETAG_MAX + 1]);

/* Whether its etag says that it is not `bytes`. */
bool s3_object_differs(const struct s3_client *client, const struct s3_object *object, str bytes);

/* Removes what is no good, if it is still that: where the server knows conditions, nobody else's
 * object. */
err_t s3_remove_bad(struct ctx *ctx, struct s3_client *client, str key,
		    const struct s3_object *bad);

/* A blob, which may come back under the same name: so it is tried once, for a try that nobody heard
 * of might come after that. */
err_t s3_remove_blob(struct ctx *ctx, struct s3_client *client, str key);

/* Many of them, at most S3_REMOVE_MAX, by one request that is tried once for the same reason. What
 * came of each is told, in their order, with a failure to be forgiven where it is still there.
 * ERR_UNSUPPORTED, and nothing told: the server takes no lists, and did nothing. Otherwise not OK
 * only when ctx_check() is not. */
struct s3_told {
	void (*tell)(struct ctx *ctx, void *arg, err_t err);
	void *arg;
};
err_t s3_remove_blobs(struct ctx *ctx, struct s3_client *client, const str *keys, size_t count,
		      const struct s3_told *told);

/* Gone afterwards, and OK when they were not there. */
err_t s3_remove(struct ctx *ctx, struct s3_client *client, const str *keys, size_t count);

/* All objects whose key begins with `prefix`, in the order of their keys. */
struct s3_visitor {
	err_t (*object)(struct ctx *ctx, void *arg, str key, uint64_t size_bytes);
	err_t (*upload)(struct ctx *ctx, void *arg, str key, str id);
	void *arg;
};
err_t s3_list(struct ctx *ctx, struct s3_client *client, str prefix,
	      const struct s3_visitor *visitor);

/* --- multipart uploads: number from 1 on ---------------------------------------------------- */

/* `*ret_more` (NULL is fine): it took more than one try, and those before may have begun one each.
 */
err_t s3_multipart_begin(struct ctx *ctx, struct s3_client *client, str key,
			 char id[S3_UPLOAD_ID_MAX + 1], bool *ret_more);
/* With S3_VERIFY_ETAG the part's etag is compared, unless the server is known to compare the body
 * with its SHA-256: that proves more, and the MD5 of all costs more time than everything else. */
err_t s3_part_put(struct ctx *ctx, struct s3_client *client, str key, const char *id,
		  unsigned number, str bytes, struct s3_part *ret);
/* Finds out whether it does, once for each client: by a part S3_PARTS_MAX, which no upload has,
 * that is another one than its request says. */
void s3_parts_ask_payloads(struct ctx *ctx, struct s3_client *client, str key, const char *id);
/* A piece of another object, by the server. */
struct s3_piece {
	str from; /* its key */
	uint64_t first;
	uint64_t len;
};
err_t s3_part_copy(struct ctx *ctx, struct s3_client *client, str key, const char *id,
		   unsigned number, const struct s3_piece *piece, struct s3_part *ret);
/* It may have been completed before: the answer was lost, or the process that asked for it died.
 * Then the object is these very parts, as its etag proves; one that is merely as long may be an
 * older one. `etag` (NULL is fine): what the server says of the object, empty when nothing. */
err_t s3_multipart_complete(struct ctx *ctx, struct s3_client *client, str key, const char *id,
			    const struct s3_part *parts, size_t count,
			    char etag[REMOTE_ETAG_MAX + 1]);
/* The etag of a whole of parts: MD5 of their MD5s, and how many there are. False where etags are no
 * MD5. */
#define S3_WHOLE_ETAG_BYTES 48
bool s3_whole_etag(const struct s3_part *parts, size_t count, char into[S3_WHOLE_ETAG_BYTES]);
err_t s3_multipart_abort(struct ctx *ctx, struct s3_client *client, str key,
			 str id); /* OK when it is gone */

/* Those that were begun and not ended, of keys that begin with `prefix`. */
err_t s3_multipart_list(struct ctx *ctx, struct s3_client *client, str prefix,
			const struct s3_visitor *visitor);

/* The objects of the bucket, for remote_reader.h. */
struct remote_source s3_source(struct s3_client *client);
