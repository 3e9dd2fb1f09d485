/* SPDX-License-Identifier: Apache-2.0 */
/* Digests: one spelling each, and the wider grammar that descriptors may use. */
#include <criterion/criterion.h>
#include <string.h>

#include "codec/digest.h"
#include "codec/hex.h"

#define HEX32	    "0123456789abcdef0123456789abcdef"
#define HEX64	    HEX32 HEX32
#define SHA256_TEXT "sha256:" HEX64
#define SHA512_TEXT "sha512:" HEX64 HEX64

Test(digest, parses_and_formats_the_same_text)
{
	static const str good[] = { STR_INIT(SHA256_TEXT), STR_INIT(SHA512_TEXT) };
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		digest d;
		cr_assert(digest_parse(good[i], &d));
		cr_assert_str_eq(digest_format(d).text, good[i].ptr);
		cr_assert(digest_equal(d, d) && !digest_is_none(d));
		cr_assert(digest_is_grammatical(good[i]));
	}
}

Test(digest, refuses_other_spellings_and_sets_nothing)
{
	static const str bad[] = {
		STR_INIT(""),
		STR_INIT(":"),
		STR_INIT("sha256"),
		STR_INIT("sha256:"),
		STR_INIT("sha256:baddigeststring"),
		STR_INIT("sha256:totallywrong"),
		STR_INIT("sha256:" HEX32),
		STR_INIT("sha256:" HEX64 "0"),
		STR_INIT("sha256:" HEX64 HEX64),
		STR_INIT("sha512:" HEX64),
		STR_INIT("sha256:0123456789ABCDEF" HEX32 "0123456789abcdef"),
		STR_INIT("SHA256:" HEX64),
		STR_INIT(" sha256:" HEX64),
		STR_INIT("sha256:" HEX64 " "),
		STR_INIT("sha256:" HEX32 HEX32 "\0"),
		STR_INIT("sha256::" HEX64),
		STR_INIT("sha384:" HEX64),
		STR_INIT("blake3:" HEX64),
		STR_INIT("sha256:g123456789abcdef" HEX32 "0123456789abcdef"),
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		digest d = { .algorithm = 99 };
		cr_expect(!digest_parse(bad[i], &d), "row %zu", i);
		cr_expect_eq(d.algorithm, 99, "row %zu", i);
	}
}

Test(digest, general_grammar)
{
	static const str good[] = {
		STR_INIT("blake3:abc"),
		STR_INIT("sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564"),
		STR_INIT("multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8"),
		STR_INIT("a.b_c-d+e:x="),
		STR_INIT("sha256:short"),
	};
	static const str bad[] = {
		STR_INIT(""),	   STR_INIT("abc"),    STR_INIT(":abc"),  STR_INIT("a:"),
		STR_INIT("A:b"),   STR_INIT("a++b:c"), STR_INIT("+a:b"),  STR_INIT("a+:b"),
		STR_INIT("a:b:c"), STR_INIT("a:b/c"),  STR_INIT("a:b c"), STR_INIT("a\0:b"),
		STR_INIT("a:b\0"),
	};
	for (size_t i = 0; i < COUNT_OF(good); i++)
		cr_expect(digest_is_grammatical(good[i]), "good row %zu", i);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect(!digest_is_grammatical(bad[i]), "bad row %zu", i);
}

Test(digest, none_is_no_digest)
{
	digest none = { 0 }, some;
	cr_assert(digest_is_none(none) && digest_equal(none, none));
	cr_assert_str_eq(digest_format(none).text, "");
	cr_assert(digest_parse(STR(SHA256_TEXT), &some));
	cr_assert(!digest_equal(none, some));
}

Test(digest, equality_looks_at_algorithm_and_every_byte)
{
	digest a, b;
	cr_assert(digest_parse(STR(SHA512_TEXT), &a));
	for (size_t i = 0; i < digest_size(DIGEST_SHA512); i++) {
		b = a;
		b.bytes[i] ^= 1;
		cr_assert(!digest_equal(a, b));
	}
	b = a;
	b.algorithm = DIGEST_SHA256;
	cr_assert(!digest_equal(a, b));
}

Test(digest, algorithms_by_name)
{
	enum digest_algorithm algorithm;
	cr_assert(digest_algorithm_parse(STR("sha256"), &algorithm) && algorithm == DIGEST_SHA256);
	cr_assert(digest_algorithm_parse(STR("sha512"), &algorithm) && algorithm == DIGEST_SHA512);
	cr_assert(!digest_algorithm_parse(STR("md5"), &algorithm));
	cr_assert(!digest_algorithm_parse(STR(""), &algorithm));
	cr_assert_str_eq(digest_algorithm_name(DIGEST_SHA512), "sha512");
	cr_assert(digest_size(DIGEST_NONE) == 0 && digest_size(DIGEST_SHA256) == 32);
}

Test(hex, both_ways)
{
	char text[6];
	unsigned char bytes[3];
	hex_encode(STR("\x00\xab\xff"), text);
	cr_assert(str_eq((str){ text, 6 }, STR("00abff")));
	cr_assert(hex_decode(STR("00abff"), bytes) && memcmp(bytes, "\x00\xab\xff", 3) == 0);
	cr_assert(hex_decode(STR(""), bytes));
	cr_assert(!hex_decode(STR("0"), bytes) && !hex_decode(STR("0A"), bytes) &&
		  !hex_decode(STR("0g"), bytes) && !hex_decode(STR(" 0"), bytes));
}
