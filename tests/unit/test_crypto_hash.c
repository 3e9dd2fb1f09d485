/* SPDX-License-Identifier: Apache-2.0 */
/* FIPS 180-4 and RFC 4231 vectors, in one piece and in many, and names made of random bytes. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "base/buf.h"
#include "codec/hex.h"
#include "crypto/hash.h"
#include "crypto/hmac.h"
#include "crypto/random.h"

#define TWO_BLOCKS_256 "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
#define TWO_BLOCKS_512                                                                             \
	"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"                                 \
	"hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"

static const struct {
	str bytes;
	const char *digests[2];
} vectors[] = {
	{ STR_INIT(""),
	  { "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	    "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	    "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" } },
	{ STR_INIT("abc"),
	  { "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	    "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" } },
	{ STR_INIT(TWO_BLOCKS_256),
	  { "sha256:248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
	    "sha512:204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335"
	    "96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445" } },
	{ STR_INIT(TWO_BLOCKS_512),
	  { "sha256:cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
	    "sha512:8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
	    "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909" } },
	/* The configuration of artifacts without one: image-spec, "Guidance for an Empty
	   Descriptor". */
	{ STR_INIT("{}"),
	  { "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
	    "sha512:27c74670adb75075fad058d5ceaf7b20c4e7786c83bae8a32f626f9782af34c9"
	    "a33c2046ef60fd2a7878d378e29fec851806bbd9a67878f3a9f1cda4830763fd" } },
};

static const enum digest_algorithm algorithms[] = { DIGEST_SHA256, DIGEST_SHA512 };

Test(hash, vectors_at_once_and_byte_by_byte)
{
	for (size_t i = 0; i < COUNT_OF(vectors); i++)
		for (size_t a = 0; a < COUNT_OF(algorithms); a++) {
			str bytes = vectors[i].bytes;
			digest at_once = hash_bytes(algorithms[a], bytes);
			cr_expect_str_eq(digest_format(at_once).text, vectors[i].digests[a]);

			CLEANUP(hash_done) struct hash h;
			hash_init(&h, algorithms[a]);
			for (size_t at = 0; at < bytes.len; at++)
				hash_update(&h, bytes.ptr + at, 1);
			cr_expect(digest_equal(hash_final(&h), at_once), "vector %zu", i);
		}
}

Test(hash, a_million_letters)
{
	char block[1000];
	memset(block, 'a', sizeof block);
	CLEANUP(hash_done) struct hash h;
	hash_init(&h, DIGEST_SHA256);
	for (int i = 0; i < 1000; i++)
		hash_update(&h, block, sizeof block);
	cr_assert_str_eq(digest_format(hash_final(&h)).text,
			 "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

Test(hash, done_without_final_leaks_nothing)
{
	struct hash h;
	hash_init(&h, DIGEST_SHA512);
	hash_update(&h, "x", 1);
	hash_done(&h);
	hash_done(&h);
}

static void *hash_often(void *wrong)
{
	for (int i = 0; i < 2000; i++) {
		digest d = hash_bytes(algorithms[i % 2], STR("abc"));
		if (strcmp(digest_format(d).text, vectors[1].digests[i % 2]) != 0)
			*(bool *)wrong = true;
	}
	return NULL;
}

Test(hash, threads_do_not_disturb_each_other)
{
	pthread_t threads[4];
	bool wrong[4] = { false };
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, hash_often, &wrong[i]), 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		pthread_join(threads[i], NULL);
		cr_expect(!wrong[i]);
	}
}

Test(hmac, rfc_4231)
{
	char long_key[131];
	memset(long_key, 0xaa, sizeof long_key);
	const struct {
		str key, bytes;
		const char *hex;
	} rows[] = {
		{ STR("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
		      "\x0b"),
		  STR("Hi There"),
		  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ STR("Jefe"), STR("what do ya want for nothing?"),
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ { long_key, sizeof long_key },
		  STR("Test Using Larger Than Block-Size Key - Hash Key First"),
		  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		unsigned char mac[HMAC_SHA256_BYTES];
		char hex[2 * HMAC_SHA256_BYTES];
		hmac_sha256(rows[i].key, rows[i].bytes, mac);
		hex_encode((str){ (char *)mac, sizeof mac }, hex);
		cr_expect(str_eq((str){ hex, sizeof hex }, str_from(rows[i].hex)), "row %zu", i);
	}
}

static bool is_uuid4(const char *s)
{
	if (strlen(s) != UUID_TEXT_LEN)
		return false;
	for (int i = 0; i < UUID_TEXT_LEN; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? s[i] != '-' : !strchr("0123456789abcdef", s[i]))
			return false;
	}
	return s[14] == '4' && strchr("89ab", s[19]);
}

Test(random, uuids_are_version_4_and_differ)
{
	char previous[UUID_TEXT_LEN + 1] = "", uuid[UUID_TEXT_LEN + 1];
	for (int i = 0; i < 1000; i++) {
		random_uuid(uuid);
		cr_assert(is_uuid4(uuid), "%s", uuid);
		cr_assert_str_neq(uuid, previous);
		memcpy(previous, uuid, sizeof uuid);
	}
}

Test(random, passwords_use_the_whole_alphabet)
{
	struct arena arena;
	bool seen[256] = { false };
	unsigned distinct = 0;
	arena_init(&arena, MIB(1));
	str password = random_password(&arena, 10000);
	cr_assert_eq(password.len, 10000);
	for (size_t i = 0; i < password.len; i++) {
		unsigned char c = (unsigned char)password.ptr[i];
		cr_assert((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			  (c >= 'a' && c <= 'z'));
		distinct += !seen[c];
		seen[c] = true;
	}
	cr_assert_eq(distinct, 62);
	cr_assert_eq(random_password(&arena, 0).len, 0);
	arena_done(&arena);
}
