/* SPDX-License-Identifier: Apache-2.0 */
/* encrypted_reader.c - see encrypted_reader.h. */
#include "encrypted_reader.h"
#include "base/mem.h"

#include <string.h>

#include "base/banned.h"

void encrypted_reader_done(struct encrypted_reader *reader)
{
	if (reader->plain)
		explicit_bzero(reader->plain, ENCRYPTED_CHUNK_BYTES);
	free(reader->plain);
	free(reader->record);
	aead_done(&reader->aead);
}

err_t encrypted_reader_raw(struct ctx *ctx, struct encrypted_reader *reader, uint64_t offset,
			   void *into, size_t len)
{
	for (size_t done = 0; done < len;) {
		size_t got;
		TRY(reader->read(ctx, reader->file, offset + done, (char *)into + done, len - done,
				 &got));
		if (got == 0)
			return fail(ctx, ERR_CORRUPT, "encrypted file ends at %llu",
				    (unsigned long long)(offset + done));
		done += got;
	}
	return OK;
}

err_t encrypted_reader_begin(struct ctx *ctx, struct encrypted_reader *reader,
			     const struct aead_key *data_key)
{
	unsigned char bytes[ENCRYPTED_HEADER_BYTES];
	str header = { (const char *)bytes, sizeof bytes };
	TRY(encrypted_reader_raw(ctx, reader, 0, bytes, sizeof bytes));
	if (!encrypted_header_is(header))
		return fail(ctx, ERR_CORRUPT, "no header of an encrypted file");
	encrypted_key(data_key, header, &reader->aead);
	return OK;
}

err_t encrypted_reader_chunk(struct ctx *ctx, struct encrypted_reader *reader, uint64_t number,
			     size_t len, unsigned char *into)
{
	if (!reader->record)
		reader->record = mem_resize(NULL, ENCRYPTED_RECORD_BYTES);
	str record = { (const char *)reader->record, len + ENCRYPTED_EXTRA_BYTES };
	TRY(encrypted_reader_raw(ctx, reader,
				 ENCRYPTED_HEADER_BYTES + number * ENCRYPTED_RECORD_BYTES,
				 reader->record, record.len));
	if (!encrypted_open(&reader->aead, ENCRYPTED_CHUNK, number, record, into))
		return fail(ctx, ERR_CORRUPT, "chunk %llu is not what was stored",
			    (unsigned long long)number);
	return OK;
}

static err_t hold(struct ctx *ctx, struct encrypted_reader *reader, uint64_t number, size_t len)
{
	if (reader->held == number + 1)
		return OK;
	if (!reader->plain)
		reader->plain = mem_resize(NULL, ENCRYPTED_CHUNK_BYTES);
	reader->held = 0;
	TRY(encrypted_reader_chunk(ctx, reader, number, len, reader->plain));
	reader->held = number + 1;
	return OK;
}

/* Some bytes at `offset`, at least one, of one chunk. */
static err_t read_some(struct ctx *ctx, struct encrypted_reader *reader, uint64_t offset,
		       unsigned char *into, size_t len, size_t *ret_len)
{
	uint64_t number = offset / ENCRYPTED_CHUNK_BYTES, start = number * ENCRYPTED_CHUNK_BYTES;
	size_t skip = offset - start;
	size_t chunk_len = MIN(reader->size_bytes - start, (uint64_t)ENCRYPTED_CHUNK_BYTES);
	size_t take_len = MIN(chunk_len - skip, len);
	*ret_len = take_len;
	if (take_len == chunk_len)
		return encrypted_reader_chunk(ctx, reader, number, chunk_len, into);
	TRY(hold(ctx, reader, number, chunk_len));
	memcpy(into, reader->plain + skip, take_len);
	return OK;
}

err_t encrypted_reader_read(struct ctx *ctx, struct encrypted_reader *reader, uint64_t offset,
			    void *into, size_t len, size_t *ret_len)
{
	uint64_t left = reader->size_bytes - MIN(offset, reader->size_bytes);
	len = MIN(left, (uint64_t)len);
	for (size_t done = 0; done < len;) {
		size_t got;
		TRY(read_some(ctx, reader, offset + done, (unsigned char *)into + done, len - done,
			      &got));
		done += got;
	}
	*ret_len = len;
	return OK;
}
