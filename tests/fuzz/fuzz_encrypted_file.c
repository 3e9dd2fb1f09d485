/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an encrypted file: its sizes agree in both directions, and nothing of it opens
 * unless it was sealed. Then the input is sealed, opened, and damaged at a place that it chooses
 * itself.
 */
#include "base/error.h"
#include "base/mem.h"
#include "store/encrypted_format.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct aead_key data_key = { "the key of a storage for fuzzing" };

static void check_sizes(uint64_t size)
{
	uint64_t plain, stored = encrypted_stored_bytes(size);
	CHECK(encrypted_plain_bytes(stored, &plain) && plain == size);
	if (encrypted_plain_bytes(size, &plain))
		CHECK(encrypted_stored_bytes(plain) == size);
}

/* What a stranger wrote has no tag of ours. */
static void check_stranger(str file, digest d)
{
	uint64_t plain;
	CLEANUP(aead_done) struct aead aead = AEAD_INIT;
	str header = str_take(file, ENCRYPTED_HEADER_BYTES);
	if (!encrypted_header_is(header) || !encrypted_plain_bytes(file.len, &plain))
		return;
	encrypted_key(&data_key, header, &aead);
	CHECK(!encrypted_end_is(&aead, plain, d, str_skip(file, file.len - ENCRYPTED_END_BYTES)));
	str record = str_take(str_skip(file, ENCRYPTED_HEADER_BYTES), ENCRYPTED_RECORD_BYTES);
	CLEANUP(mem_done) unsigned char *into = mem_new(ENCRYPTED_RECORD_BYTES);
	CHECK(!encrypted_open(&aead, ENCRYPTED_CHUNK, 0, record, into));
}

static void check_sealed(str plain, size_t at, digest d)
{
	unsigned char header[ENCRYPTED_HEADER_BYTES], end[ENCRYPTED_END_BYTES];
	CLEANUP(aead_done) struct aead aead = AEAD_INIT;
	CLEANUP(mem_done) unsigned char *record = mem_new(plain.len + ENCRYPTED_EXTRA_BYTES);
	CLEANUP(mem_done) unsigned char *back = mem_new(plain.len + 1);
	str sealed = { (char *)record, plain.len + ENCRYPTED_EXTRA_BYTES };
	encrypted_header_make(header);
	CHECK(encrypted_header_is((str){ (char *)header, sizeof header }));
	encrypted_key(&data_key, (str){ (char *)header, sizeof header }, &aead);
	encrypted_seal(&aead, ENCRYPTED_CHUNK, at, plain, record);
	CHECK(encrypted_open(&aead, ENCRYPTED_CHUNK, at, sealed, back));
	CHECK(plain.len == 0 || memcmp(back, plain.ptr, plain.len) == 0);
	CHECK(!encrypted_open(&aead, ENCRYPTED_TAIL, at, sealed, back));
	CHECK(!encrypted_open(&aead, ENCRYPTED_CHUNK, at + 1, sealed, back));
	record[at % sealed.len] ^= 1;
	CHECK(!encrypted_open(&aead, ENCRYPTED_CHUNK, at, sealed, back));

	encrypted_end_seal(&aead, plain.len, d, end);
	str last = { (char *)end, sizeof end };
	CHECK(encrypted_end_is(&aead, plain.len, d, last));
	CHECK(!encrypted_end_is(&aead, plain.len + 1, d, last));
	d.bytes[0] ^= 1;
	CHECK(!encrypted_end_is(&aead, plain.len, d, last));
	d.bytes[0] ^= 1;
	end[at % sizeof end] ^= 1;
	CHECK(!encrypted_end_is(&aead, plain.len, d, last));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	digest d = { .algorithm = DIGEST_SHA256 };
	uint64_t number = 0;
	str file = { (const char *)bytes, len };
	if (len >= 8) {
		number = encrypted_get_number(bytes);
		unsigned char again[8];
		encrypted_put_number(number, again);
		CHECK(memcmp(again, bytes, 8) == 0);
	}
	if (len)
		memcpy(d.bytes, bytes, MIN(len, (size_t)32));
	check_sizes(len);
	check_sizes(number >> 8);
	check_stranger(file, d);
	check_sealed(str_take(file, ENCRYPTED_CHUNK_BYTES), (size_t)number, d);
	return 0;
}
