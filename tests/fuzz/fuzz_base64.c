/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes have one text and a text has one meaning, in both alphabets; hex likewise. */
#include "base/error.h"
#include "base/mem.h"
#include "codec/base64.h"
#include "codec/hex.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_alphabet(enum base64_alphabet alphabet, str bytes)
{
	CLEANUP(arena_done) struct arena arena;
	CLEANUP(buf_done) struct buf b = BUF_INIT(MIB(1));
	str decoded;
	arena_init(&arena, MIB(4));
	base64_encode(&b, alphabet, bytes);
	CHECK(!buf_overrun(&b));
	CHECK(base64_decode(&arena, alphabet, buf_str(&b), &decoded) && str_eq(decoded, bytes));
	if (base64_decode(&arena, alphabet, bytes, &decoded)) {
		buf_clear(&b);
		base64_encode(&b, alphabet, decoded);
		CHECK(str_eq(buf_str(&b), bytes));
	}
}

static void check_hex(str bytes)
{
	CLEANUP(mem_done) char *text = mem_new(2 * bytes.len), *decoded = mem_new(bytes.len);
	hex_encode(bytes, text);
	CHECK(hex_decode((str){ text, 2 * bytes.len }, decoded));
	CHECK(str_eq((str){ decoded, bytes.len }, bytes));
	if (hex_decode(bytes, decoded)) {
		hex_encode((str){ decoded, bytes.len / 2 }, text);
		CHECK(str_eq((str){ text, bytes.len }, bytes));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	str text = { (const char *)bytes, MIN(len, KIB(256)) };
	check_alphabet(BASE64_STANDARD, text);
	check_alphabet(BASE64_URL, text);
	check_hex(text);
	return 0;
}
