/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: ours verify, everything a stranger could make of one does not. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "base/buf.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "crypto/jws.h"

#define CLAIMS STR("{\"sub\":\"admin\",\"exp\":4102444800}")

static struct arena arena;
static struct ctx ctx;
static struct jws_key keys[3];
static struct jws_ring *ring;

static void start(void)
{
	arena_init(&arena, MIB(16));
	ctx_init(&ctx, &arena);
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		cr_assert_eq(jws_key_generate(&ctx, &keys[i]), OK);
	cr_assert_eq(jws_ring_new(&ctx, keys, 2, &ring), OK);
}

static void stop(void)
{
	jws_ring_free(ring);
	arena_done(&arena);
}

TestSuite(jws, .init = start, .fini = stop);

static str sign(str payload)
{
	str token;
	cr_assert_eq(jws_sign(&ctx, ring, payload, &token), OK);
	return token;
}

Test(jws, verifies_what_it_signed)
{
	static const str payloads[] = { STR_INIT("{}"), STR_INIT("{\"sub\":\"a\"}"),
					STR_INIT("x") };
	for (size_t i = 0; i < COUNT_OF(payloads); i++) {
		str payload;
		cr_assert_eq(jws_verify(&ctx, ring, sign(payloads[i]), &payload), OK, "%s",
			     ctx.failure.detail);
		cr_assert(str_eq(payload, payloads[i]));
	}
}

Test(jws, older_keys_verify_and_unknown_ones_do_not)
{
	struct jws_key rotated[2] = { keys[2], keys[0] };
	struct jws_ring *next, *foreign;
	str payload, token = sign(CLAIMS);
	cr_assert_eq(jws_ring_new(&ctx, rotated, 2, &next), OK);
	cr_assert_eq(jws_ring_new(&ctx, &keys[2], 1, &foreign), OK);
	cr_assert_eq(jws_verify(&ctx, next, token, &payload), OK);
	cr_assert(!jws_key_is_unknown(&ctx, next, token));
	cr_assert_eq(jws_verify(&ctx, foreign, token, &payload), ERR_UNAUTHORIZED);
	cr_assert(jws_key_is_unknown(&ctx, foreign, token));
	cr_assert(!jws_key_is_unknown(&ctx, foreign, STR("a.b.c")));
	jws_ring_free(next);
	jws_ring_free(foreign);
}

Test(jws, a_key_under_anothers_id_does_not_verify)
{
	struct jws_key swapped = { keys[0].id, keys[1].private_jwk };
	struct jws_ring *wrong;
	str payload;
	cr_assert_eq(jws_ring_new(&ctx, &swapped, 1, &wrong), OK);
	cr_assert_eq(jws_verify(&ctx, wrong, sign(CLAIMS), &payload), ERR_UNAUTHORIZED);
	jws_ring_free(wrong);
}

Test(jws, any_changed_byte_and_any_cut_is_refused)
{
	str token = sign(CLAIMS), payload = STR("kept");
	for (size_t i = 0; i < token.len; i++) {
		char *changed = arena_cstr(&arena, token);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		cr_expect_eq(jws_verify(&ctx, ring, (str){ changed, token.len }, &payload),
			     ERR_UNAUTHORIZED, "byte %zu", i);
		cr_expect_eq(jws_verify(&ctx, ring, str_take(token, i), &payload), ERR_UNAUTHORIZED,
			     "first %zu", i);
	}
	cr_assert(str_eq(payload, STR("kept")));
}

static str base64url(str bytes)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
	base64_encode(&b, BASE64_URL, bytes);
	return arena_copy(&arena, buf_str(&b));
}

/* Our token under another header, with our signature and with none. */
static void refuse_header(const char *header)
{
	str token = sign(CLAIMS), first, rest, body, signature, payload;
	cr_assert(str_cut(token, '.', &first, &rest) && str_cut(rest, '.', &body, &signature));
	str forged = base64url(str_from(header));
	str with = arena_printf(&arena, STR_FMT "." STR_FMT, STR_ARG(forged), STR_ARG(rest));
	str without = arena_printf(&arena, STR_FMT "." STR_FMT ".", STR_ARG(forged), STR_ARG(body));
	cr_expect_eq(jws_verify(&ctx, ring, with, &payload), ERR_UNAUTHORIZED, "%s", header);
	cr_expect_eq(jws_verify(&ctx, ring, without, &payload), ERR_UNAUTHORIZED, "%s", header);
}

Test(jws, other_headers_are_refused)
{
	str id = keys[0].id;
	refuse_header("");
	refuse_header("{}");
	refuse_header("[]");
	refuse_header("{\"alg\":\"ES256\"}");
	refuse_header("{\"alg\":\"ES256\",\"kid\":\"\"}");
	refuse_header("{\"alg\":\"ES256\",\"kid\":7}");
	static const char *const algorithms[] = {
		"none", "None", "HS256", "RS256", "ES384", "es256"
	};
	for (size_t i = 0; i < COUNT_OF(algorithms); i++)
		refuse_header(arena_printf(&arena, "{\"alg\":\"%s\",\"kid\":\"" STR_FMT "\"}",
					   algorithms[i], STR_ARG(id))
				      .ptr);
	refuse_header(arena_printf(&arena,
				   "{\"alg\":\"ES256\",\"kid\":\"" STR_FMT
				   "\",\"crit\":[\"b64\"],\"b64\":false}",
				   STR_ARG(id))
			      .ptr);
	refuse_header(arena_printf(&arena,
				   "{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"" STR_FMT "\"}",
				   STR_ARG(id))
			      .ptr);
}

Test(jws, malformed_tokens_are_refused)
{
	static const char *const bad[] = { "",	  ".",	   "..",      "...",  "a",
					   "a.b", "a.b.c", "a.b.c.d", "=.=.=" };
	str payload, token = sign(CLAIMS);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect_eq(jws_verify(&ctx, ring, str_from(bad[i]), &payload), ERR_UNAUTHORIZED);
	static const char *const wraps[] = { " %s", "%s ", "%s=", "%s.", ".%s", "%s\n", "%s.x" };
	for (size_t i = 0; i < COUNT_OF(wraps); i++) {
		CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
		size_t at;
		cr_assert(str_find(str_from(wraps[i]), STR("%s"), &at));
		buf_add(&b, str_take(str_from(wraps[i]), at));
		buf_add(&b, token);
		buf_add(&b, str_skip(str_from(wraps[i]), at + 2));
		cr_expect_eq(jws_verify(&ctx, ring, buf_str(&b), &payload), ERR_UNAUTHORIZED,
			     "row %zu", i);
	}
	char *large = arena_alloc(&arena, JWS_TOKEN_MAX + 1);
	memset(large, 'A', JWS_TOKEN_MAX + 1);
	cr_expect_eq(jws_verify(&ctx, ring, (str){ large, JWS_TOKEN_MAX + 1 }, &payload),
		     ERR_UNAUTHORIZED);
}

Test(jws, claims_are_bounded)
{
	char *large = arena_alloc(&arena, JWS_TOKEN_MAX);
	str token = STR("kept"), payload;
	memset(large, 'x', JWS_TOKEN_MAX);
	cr_assert_eq(jws_sign(&ctx, ring, (str){ large, JWS_TOKEN_MAX }, &token), ERR_LIMIT);
	cr_assert(str_eq(token, STR("kept")));
	cr_assert_eq(jws_sign(&ctx, ring, (str){ large, KIB(11) }, &token), OK);
	cr_assert_eq(jws_verify(&ctx, ring, token, &payload), OK);
	cr_assert_eq(payload.len, KIB(11));
}

Test(jws, rings_take_only_private_p256_keys)
{
	static const char *const bad[] = {
		"",
		"{}",
		"x",
		"{\"kty\":\"oct\",\"k\":\"AAAA\"}",
		/* The public half of RFC 7515's example key. */
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
		"\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
		"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
		/* Not a point of the curve. */
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
		"\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
		"\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
		"\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}",
	};
	struct jws_ring *none = NULL;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct jws_key two[2] = { keys[0], { STR("id"), str_from(bad[i]) } };
		cr_expect_eq(jws_ring_new(&ctx, two, 2, &none), ERR_CONFIG, "row %zu", i);
		cr_expect_null(none);
	}
	cr_expect_eq(jws_ring_new(&ctx, keys, 0, &none), ERR_CONFIG);
	struct jws_key many[JWS_KEYS_MAX + 1];
	for (size_t i = 0; i < COUNT_OF(many); i++)
		many[i] = keys[0];
	cr_expect_eq(jws_ring_new(&ctx, many, COUNT_OF(many), &none), ERR_CONFIG);
	jws_ring_free(none);
}

static str jwk_member(str jwk, const char *key)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	str value;
	cr_assert(json_parse(jwk, JSON_LIMITS_SMALL, &doc, &problem));
	cr_assert_eq(json_get_str(doc.root, key, &value), JSON_FOUND);
	return arena_copy(&arena, value);
}

Test(jws, rings_refuse_keys_whose_halves_do_not_match)
{
	str one = keys[0].private_jwk, two = keys[1].private_jwk;
	str mixed = arena_printf(&arena,
				 "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" STR_FMT
				 "\",\"y\":\"" STR_FMT "\",\"d\":\"" STR_FMT "\"}",
				 STR_ARG(jwk_member(one, "x")), STR_ARG(jwk_member(one, "y")),
				 STR_ARG(jwk_member(two, "d")));
	struct jws_key key = { STR("mixed"), mixed };
	struct jws_ring *none = NULL;
	cr_assert_eq(jws_ring_new(&ctx, &key, 1, &none), ERR_CONFIG);
	cr_assert_null(none);
}

/* RFC 7515, appendix A.3.1 */
Test(jws, rfc_7515_key_signs_and_its_public_half_is_published)
{
	struct jws_key key = {
		STR("example"),
		STR("{\"kty\":\"EC\",\"crv\":\"P-256\","
		    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
		    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\","
		    "\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}"),
	};
	struct jws_ring *one;
	str token, payload, jwks;
	cr_assert_eq(jws_ring_new(&ctx, &key, 1, &one), OK);
	cr_assert_eq(jws_sign(&ctx, one, CLAIMS, &token), OK);
	cr_assert_eq(jws_verify(&ctx, one, token, &payload), OK);
	cr_assert_eq(jws_public_jwks(&ctx, one, &jwks), OK);
	cr_assert(str_eq(jwks, STR("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"sig\","
				   "\"alg\":\"ES256\",\"kid\":\"example\","
				   "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
				   "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}")));
	jws_ring_free(one);
}

Test(jws, published_keys_hold_nothing_private)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	const struct json_value *list = NULL;
	str jwks, id, secret;
	cr_assert_eq(jws_public_jwks(&ctx, ring, &jwks), OK);
	cr_assert(json_parse(jwks, JSON_LIMITS_SMALL, &doc, &problem));
	cr_assert(json_get_array(doc.root, "keys", &list) == JSON_FOUND && json_count(list) == 2);
	for (size_t i = 0; i < 2; i++) {
		const struct json_value *key = json_element(list, i);
		cr_assert(json_get_str(key, "kid", &id) == JSON_FOUND && str_eq(id, keys[i].id));
		cr_assert_eq(json_get_str(key, "d", &secret), JSON_ABSENT);
		cr_assert_eq(id.len, 43, "a SHA-256 thumbprint");
	}
}

#define THREADS 4

static void *sign_and_verify(void *failures)
{
	struct arena own;
	struct ctx c;
	arena_init(&own, MIB(1));
	for (int i = 0; i < 200; i++) {
		str token, payload;
		arena_reset(&own);
		ctx_init(&c, &own);
		if (jws_sign(&c, ring, CLAIMS, &token) != OK ||
		    jws_verify(&c, ring, token, &payload) != OK || !str_eq(payload, CLAIMS))
			*(unsigned *)failures += 1;
	}
	arena_done(&own);
	return NULL;
}

Test(jws, threads_share_a_ring)
{
	pthread_t threads[THREADS];
	unsigned failures[THREADS] = { 0 };
	for (int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, sign_and_verify, &failures[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		cr_expect_eq(failures[i], 0);
	}
}
