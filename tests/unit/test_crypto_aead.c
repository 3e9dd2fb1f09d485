/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of the standards, and each way to damage what is sealed. */
#include <criterion/criterion.h>
#include <string.h>

#include "codec/hex.h"
#include "crypto/aead.h"

static size_t bytes_of(const char *hex, void *into)
{
	str text = str_from(hex);
	cr_assert(hex_decode(text, into));
	return text.len / 2;
}

/* Test case 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega). */
Test(crypto_aead, the_published_vector)
{
	struct aead_key key;
	unsigned char nonce[12], bound[20], plain[60], want[76], have[76], back[60];
	bytes_of("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", key.bytes);
	bytes_of("cafebabefacedbaddecaf888", nonce);
	bytes_of("feedfacedeadbeeffeedfacedeadbeefabaddad2", bound);
	bytes_of("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
		 "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
		 plain);
	bytes_of("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
		 "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
		 "76fc6ece0f4e1768cddf8853bb2d551b",
		 want);
	CLEANUP(aead_done) struct aead aead;
	str aad = { (char *)bound, sizeof bound };
	aead_init(&aead, &key);
	for (int i = 0; i < 2; i++) { /* one state seals and opens in turn */
		aead_seal(&aead, nonce, aad, (str){ (char *)plain, sizeof plain }, have);
		cr_assert_eq(memcmp(have, want, sizeof want), 0);
		cr_assert(aead_open(&aead, nonce, aad, (str){ (char *)have, sizeof have }, back));
		cr_assert_eq(memcmp(back, plain, sizeof plain), 0);
	}
}

Test(crypto_aead, nothing_can_be_sealed_too)
{
	static const struct aead_key key = { "thirty-two bytes that are a key." };
	unsigned char nonce[12] = { 1 }, tag[16], nothing[1];
	CLEANUP(aead_done) struct aead aead;
	aead_init(&aead, &key);
	aead_seal(&aead, nonce, STR("bound"), STR_NONE, tag);
	cr_assert(aead_open(&aead, nonce, STR("bound"), (str){ (char *)tag, 16 }, nothing));
	cr_assert_not(aead_open(&aead, nonce, STR("Bound"), (str){ (char *)tag, 16 }, nothing));
	cr_assert_not(aead_open(&aead, nonce, STR("bound"), (str){ (char *)tag, 15 }, nothing));
	cr_assert_not(aead_open(&aead, nonce, STR("bound"), STR_NONE, nothing));
}

Test(crypto_aead, what_was_changed_does_not_open_and_leaves_zeros)
{
	static const struct aead_key key = { "thirty-two bytes that are a key." };
	unsigned char nonce[12] = { 1 }, sealed[100 + 16], into[100], zeros[100] = { 0 };
	char plain[100];
	CLEANUP(aead_done) struct aead aead;
	memset(plain, 'p', sizeof plain);
	aead_init(&aead, &key);
	aead_seal(&aead, nonce, STR("b"), (str){ plain, sizeof plain }, sealed);
	str text = { (char *)sealed, sizeof sealed };
	for (size_t bit = 0; bit < 8 * sizeof sealed; bit += 3) {
		sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
		memset(into, 'x', sizeof into);
		cr_assert_not(aead_open(&aead, nonce, STR("b"), text, into));
		cr_assert_eq(memcmp(into, zeros, sizeof into), 0);
		sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	cr_assert_not(aead_open(&aead, nonce, STR("c"), text, into));
	nonce[11]++;
	cr_assert_not(aead_open(&aead, nonce, STR("b"), text, into));
	nonce[11]--;
	cr_assert(aead_open(&aead, nonce, STR("b"), text, into));
}

/* RFC 5869. */
Test(crypto_aead, keys_differ_by_salt_and_info)
{
	static const struct aead_key from = { "thirty-two bytes that are a key." };
	struct aead_key a, b, c, again;
	aead_key_derive(&from, STR("salt"), STR("info"), &a);
	aead_key_derive(&from, STR("salt"), STR("info"), &again);
	aead_key_derive(&from, STR("salu"), STR("info"), &b);
	aead_key_derive(&from, STR("salt"), STR("infp"), &c);
	cr_assert_eq(memcmp(&a, &again, sizeof a), 0);
	cr_assert(memcmp(&a, &b, sizeof a) && memcmp(&a, &c, sizeof a) && memcmp(&b, &c, sizeof a));
	/* by another program: HKDF(SHA-256, key, "salt", "info", 32) */
	unsigned char want[32];
	bytes_of("d3dcd4c4491729b8c7886e4ba9c7ae856754ad7a4f34dd21d32c11b450448775", want);
	cr_assert_eq(memcmp(&a, want, sizeof want), 0);
}
