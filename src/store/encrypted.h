/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encrypted.h - a store whose bytes lie encrypted in another one.
 *
 * All of store.h holds: sizes and offsets are of the plain bytes, `fd` is always -1. A file whose
 * bytes are not what was stored, whole and under this name, is ERR_CORRUPT, and no byte of a chunk
 * is given out before its tag is proved. encrypted_format.h says how a file lies; beside an upload
 * may be one or two more, under its id and `--0` or `--1`, with the bytes that fill no chunk yet.
 *
 *	TRY(driver->open(ctx, &place, &inner));
 *	struct store *store = encrypted_store_new(inner, &key);
 */
#pragma once

#include "crypto/aead.h"
#include "store/store.h"

/* Closes `inner` when it is closed. The key is copied, and wiped then. */
struct store *encrypted_store_new(struct store *inner, const struct aead_key *key);

/* Whatever is asked of it from here on, of what is open too, is ERR_STORAGE_ERASED. Any thread. */
void encrypted_store_forget(struct store *store);
