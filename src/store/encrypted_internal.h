/* SPDX-License-Identifier: Apache-2.0 */
/* encrypted_internal.h - what the two files of the encrypted store share; private to store. */
#pragma once

#include "encrypted_reader.h"
#include "store/encrypted.h"

#include <stdatomic.h>

#define ENCRYPTED_ID_MAX   61 /* and "--0" */
#define ENCRYPTED_NAME_MAX 65

struct encrypted {
	struct store store;
	struct store *inner;
	struct aead_key key;
	_Atomic(bool) forgotten;
};

extern const struct store_driver store_encrypted;

struct encrypted *encrypted_of(struct store *store);

/* ERR_STORAGE_ERASED, and what ctx_check() says. */
err_t encrypted_check(struct ctx *ctx, const struct encrypted *all);

/* The upload's tail in `place` (0 or 1) of the inner store. */
str encrypted_tail_name(str id, unsigned place, char into[ENCRYPTED_NAME_MAX]);

/* Whether an id names an upload here, and not what lies beside one. */
bool encrypted_id_is(str id);

/* The upload's verbs of `store_encrypted`, see encrypted_upload.c. */
err_t encrypted_upload_open(struct ctx *ctx, struct store *store, str id, bool create,
			    struct store_upload *ret);
err_t encrypted_upload_append(struct ctx *ctx, struct store_upload *upload, str bytes);
err_t encrypted_upload_flush(struct ctx *ctx, struct store_upload *upload);
err_t encrypted_upload_read(struct ctx *ctx, struct store_upload *upload, uint64_t offset,
			    void *into, size_t len, size_t *ret_len);
void encrypted_upload_close(struct store_upload *upload);
err_t encrypted_upload_remove(struct ctx *ctx, struct store *store, str id);
err_t encrypted_publish(struct ctx *ctx, struct store *store, struct store_upload *upload, str id,
			blob_name name);
