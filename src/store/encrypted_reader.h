/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encrypted_reader.h - plain bytes of an encrypted file at any offset; private to store.
 *
 * A chunk that is wanted whole is opened where it is wanted; of others the last one is kept, so
 * that reading on does not open it twice. Buffers are made with the first read.
 */
#pragma once

#include "encrypted_format.h"
#include "store/store.h"

/* Reads of the file below: as blob_read and upload_read. */
typedef err_t (*encrypted_read)(struct ctx *ctx, void *file, uint64_t offset, void *into,
				size_t len, size_t *ret_len);

struct encrypted_reader {
	encrypted_read read;
	void *file;
	struct aead aead;
	uint64_t size_bytes;   /* plain, of all chunks */
	unsigned char *record; /* a chunk as it is stored */
	unsigned char *plain;  /* the chunk `held` */
	uint64_t held;	       /* its number, plus one; 0 for none */
};

void encrypted_reader_done(struct encrypted_reader *reader);

/* All `len` bytes at `offset` of the file below; ERR_CORRUPT when they are not there. */
err_t encrypted_reader_raw(struct ctx *ctx, struct encrypted_reader *reader, uint64_t offset,
			   void *into, size_t len);

/* Reads and proves the header, and takes the file's key. */
err_t encrypted_reader_begin(struct ctx *ctx, struct encrypted_reader *reader,
			     const struct aead_key *data_key);

/* One chunk of `len` plain bytes into `into`. */
err_t encrypted_reader_chunk(struct ctx *ctx, struct encrypted_reader *reader, uint64_t number,
			     size_t len, unsigned char *into);

/* As blob_read. */
err_t encrypted_reader_read(struct ctx *ctx, struct encrypted_reader *reader, uint64_t offset,
			    void *into, size_t len, size_t *ret_len);
