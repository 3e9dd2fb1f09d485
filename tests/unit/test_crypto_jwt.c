/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign tokens: an issuer's own verify, and nothing a stranger could make of them does. */
#include "jwt_fixture.h"

#include <openssl/hmac.h>
#include <openssl/pem.h>

#define CLAIMS STR("{\"iss\":\"https://issuer.example\",\"sub\":\"anna\"}")

static struct arena arena;
static struct ctx ctx;
static struct issuer issuer;
static struct jwk_set *set;

static void start(void)
{
	arena_init(&arena, MIB(32));
	ctx_init(&ctx, &arena);
	issuer_start(&issuer, &arena, "k-");
	cr_assert_eq(jwk_set_parse(&ctx, issuer_set(&issuer), &set), OK, "%s", ctx.failure.detail);
}

static void stop(void)
{
	jwk_set_put(&set);
	issuer_stop(&issuer);
	arena_done(&arena);
}

TestSuite(jwt, .init = start, .fini = stop);

static err_t verify_in(struct jwk_set *keys, str token)
{
	struct jwt jwt;
	ctx_forgive(&ctx);
	TRY(jwt_read(&ctx, token, &jwt));
	return jwt_verify(&ctx, keys, &jwt);
}

static err_t verify(str token)
{
	return verify_in(set, token);
}

Test(jwt, every_algorithm_of_the_table_verifies)
{
	cr_assert_eq(jwk_set_count(set), 4);
	cr_assert_eq(COUNT_OF(issuer_algorithms), JWT_ALGORITHM_COUNT);
	for (size_t i = 0; i < COUNT_OF(issuer_algorithms); i++) {
		struct jwt jwt;
		str token = issuer_token(&issuer, i, CLAIMS);
		cr_assert(jwt_looks_like_one(token));
		cr_assert_eq(jwt_read(&ctx, token, &jwt), OK, "%s", ctx.failure.detail);
		cr_expect_eq(jwt_verify(&ctx, set, &jwt), OK, "%s: %s", issuer_algorithms[i].name,
			     ctx.failure.detail);
		cr_expect(str_eq(jwt.payload, CLAIMS));
		cr_expect(str_eq(jwt.type, STR("JWT")));
		cr_expect_eq(jwt.algorithm, i);
	}
}

Test(jwt, any_changed_byte_and_any_cut_is_refused)
{
	static const size_t which[] = { 0, 4, 6 };
	for (size_t n = 0; n < COUNT_OF(which); n++) {
		str token = issuer_token(&issuer, which[n], CLAIMS);
		for (size_t i = 0; i < token.len; i++) {
			char *changed = arena_cstr(&arena, token);
			changed[i] = changed[i] == 'A' ? 'B' : 'A';
			err_t err = verify((str){ changed, token.len });
			cr_expect(err == ERR_UNAUTHORIZED || err == ERR_ABSENT, "byte %zu", i);
			cr_expect_eq(verify(str_take(token, i)), ERR_UNAUTHORIZED, "first %zu", i);
			arena_reset(&arena);
			token = issuer_token(&issuer, which[n], CLAIMS);
		}
	}
}

static str header(const char *format, const char *algorithm, const char *id)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
	for (; *format; format++)
		if (*format == '@')
			buf_add(&b, str_from(algorithm));
		else if (*format == '#')
			buf_add(&b, str_from(id));
		else
			buf_add_byte(&b, *format);
	return arena_copy(&arena, buf_str(&b));
}

/* Signed rightly, but under a header that is not to be believed. */
Test(jwt, headers_that_bring_their_own_key_or_rules)
{
	static const char *const bad[] = {
		"{\"alg\":\"@\",\"kid\":\"#\",\"jku\":\"https://evil.example/keys\"}",
		"{\"alg\":\"@\",\"kid\":\"#\",\"jwk\":{\"kty\":\"RSA\"}}",
		"{\"alg\":\"@\",\"kid\":\"#\",\"x5u\":\"https://evil.example/c.pem\"}",
		"{\"alg\":\"@\",\"kid\":\"#\",\"x5c\":[\"MIIB\"]}",
		"{\"alg\":\"@\",\"kid\":\"#\",\"crit\":[\"exp\"]}",
		"{\"alg\":\"@\",\"kid\":\"#\",\"b64\":false}",
		"{\"alg\":\"@\",\"kid\":\"#\",\"enc\":\"A128GCM\"}",
		"{\"alg\":\"none\",\"kid\":\"#\"}",
		"{\"alg\":\"None\",\"kid\":\"#\"}",
		"{\"alg\":\"\",\"kid\":\"#\"}",
		"{\"alg\":null,\"kid\":\"#\"}",
		"{\"alg\":[\"@\"],\"kid\":\"#\"}",
		"{\"alg\":\"@\",\"alg\":\"none\",\"kid\":\"#\"}",
		"{\"alg\":\"@\",\"kid\":7}",
		"{\"kid\":\"#\"}",
		"{\"alg\":\"rs256\",\"kid\":\"#\"}",
		"{\"alg\":\"HS256\",\"kid\":\"#\"}",
		"{\"alg\":\"HS512\",\"kid\":\"#\"}",
		"{\"alg\":\"RS1\",\"kid\":\"#\"}",
		"{}",
		"[]",
		"\"@\"",
		"",
		"{\"alg\":\"@\",\"kid\":\"#\"",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		str head = header(bad[i], "RS256", issuer.ids[KEY_RSA]);
		str token = issuer_sign(&issuer, 0, head.ptr, CLAIMS);
		cr_expect_eq(verify(token), ERR_UNAUTHORIZED, "%s", bad[i]);
	}
}

Test(jwt, no_signature_at_all)
{
	str token = issuer_token(&issuer, 0, CLAIMS), head, rest, body, signature;
	cr_assert(str_cut(token, '.', &head, &rest) && str_cut(rest, '.', &body, &signature));
	cr_expect_eq(
		verify(arena_printf(&arena, STR_FMT "." STR_FMT ".", STR_ARG(head), STR_ARG(body))),
		ERR_UNAUTHORIZED);
	cr_expect_eq(
		verify(arena_printf(&arena, STR_FMT "." STR_FMT, STR_ARG(head), STR_ARG(body))),
		ERR_UNAUTHORIZED);
	str none = issuer_base64(&issuer, "{\"alg\":\"none\"}", 14);
	cr_expect_eq(
		verify(arena_printf(&arena, STR_FMT "." STR_FMT ".", STR_ARG(none), STR_ARG(body))),
		ERR_UNAUTHORIZED);
	cr_expect_eq(verify(arena_printf(&arena, STR_FMT ".x", STR_ARG(token))), ERR_UNAUTHORIZED);
}

/* CVE-2016-5431 and its kin: the public key, which everybody has, as the secret of an HMAC. */
Test(jwt, the_public_key_is_no_secret)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_len;
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;
	cr_assert(PEM_write_bio_PUBKEY(bio, issuer.keys[KEY_RSA]));
	int pem_len = (int)BIO_get_mem_data(bio, &pem);
	str head = header("{\"alg\":\"HS256\",\"kid\":\"#\"}", "", issuer.ids[KEY_RSA]);
	str text = arena_printf(&arena, STR_FMT "." STR_FMT,
				STR_ARG(issuer_base64(&issuer, head.ptr, head.len)),
				STR_ARG(issuer_base64(&issuer, CLAIMS.ptr, CLAIMS.len)));
	HMAC(EVP_sha256(), pem, pem_len, (const unsigned char *)text.ptr, text.len, mac, &mac_len);
	BIO_free(bio);
	cr_expect_eq(verify(arena_printf(&arena, STR_FMT "." STR_FMT, STR_ARG(text),
					 STR_ARG(issuer_base64(&issuer, mac, mac_len)))),
		     ERR_UNAUTHORIZED);
	/* And a secret in the set is no key. */
	struct jwk_set *secret = NULL;
	cr_expect_eq(
		jwk_set_parse(&ctx,
			      STR("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"a\"}]}"),
			      &secret),
		ERR_UPSTREAM_INVALID);
}

Test(jwt, a_key_does_only_what_it_says)
{
	/* The id of one key under the algorithm of another, and a key bound to another algorithm.
	 */
	str crossed = header("{\"alg\":\"@\",\"kid\":\"#\"}", "RS256", issuer.ids[KEY_P256]);
	cr_expect_eq(verify(issuer_sign(&issuer, 0, crossed.ptr, CLAIMS)), ERR_ABSENT);
	str swapped = header("{\"alg\":\"@\",\"kid\":\"#\"}", "ES256", issuer.ids[KEY_P384]);
	cr_expect_eq(verify(issuer_sign(&issuer, 4, swapped.ptr, CLAIMS)), ERR_ABSENT);
	struct jwk_set *bound = NULL;
	str json = arena_printf(&arena, "{\"keys\":[" STR_FMT "]}",
				STR_ARG(issuer_jwk(&issuer, KEY_RSA, ",\"alg\":\"PS256\"")));
	cr_assert_eq(jwk_set_parse(&ctx, json, &bound), OK);
	cr_expect_eq(verify_in(bound, issuer_token(&issuer, 0, CLAIMS)), ERR_ABSENT);
	cr_expect_eq(verify_in(bound, issuer_token(&issuer, 3, CLAIMS)), OK);
	jwk_set_put(&bound);
	/* One padding is not the other. */
	str padding = header("{\"alg\":\"@\",\"kid\":\"#\"}", "PS256", issuer.ids[KEY_RSA]);
	cr_expect_eq(verify(issuer_sign(&issuer, 0, padding.ptr, CLAIMS)), ERR_UNAUTHORIZED);
}

Test(jwt, keys_of_another_issuer)
{
	struct issuer other;
	issuer_start(&other, &arena, "k-"); /* the same ids */
	for (size_t i = 0; i < COUNT_OF(issuer_algorithms); i++)
		cr_expect_eq(verify(issuer_token(&other, i, CLAIMS)), ERR_UNAUTHORIZED);
	issuer_stop(&other);
	struct issuer unknown;
	issuer_start(&unknown, &arena, "u-");
	cr_expect_eq(verify(issuer_token(&unknown, 0, CLAIMS)), ERR_ABSENT);
	issuer_stop(&unknown);
}

Test(jwt, a_token_without_an_id_needs_the_only_key)
{
	struct jwk_set *two = NULL;
	cr_expect_eq(verify(issuer_sign(&issuer, 0, "{\"alg\":\"RS256\"}", CLAIMS)), OK);
	str json = arena_printf(&arena, "{\"keys\":[" STR_FMT "," STR_FMT "]}",
				STR_ARG(issuer_jwk(&issuer, KEY_RSA, "")),
				STR_ARG(issuer_jwk(&issuer, KEY_RSA, "")));
	cr_assert_eq(jwk_set_parse(&ctx, json, &two), OK);
	cr_expect_eq(verify_in(two, issuer_sign(&issuer, 0, "{\"alg\":\"RS256\"}", CLAIMS)),
		     ERR_UNAUTHORIZED);
	cr_expect_eq(verify_in(two, issuer_token(&issuer, 0, CLAIMS)), OK);
	jwk_set_put(&two);
}

Test(jwt, too_long_a_token)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(JWT_BYTES_MAX);
	while (!buf_overrun(&b))
		buf_add_byte(&b, 'x');
	cr_expect_eq(verify(issuer_token(&issuer, 0, buf_str(&b))), ERR_UNAUTHORIZED);
	cr_expect(!jwt_looks_like_one(buf_str(&b)));
}

/* --- vectors of the standards --------------------------------------------------------------- */

static const struct {
	const char *from, *set, *token;
} vectors[] = {
	{ "RFC 7515 A.2",
	  "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_"
	  "wWJcyQoTbji9k0l8W26mPddx"
	  "HmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_"
	  "YpRPEwOWvG6b32690r2jZ47soMZo9wGzj"
	  "b_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-"
	  "UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qC"
	  "o5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_"
	  "h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\""
	  ",\"e\":\"AQAB\"}]}",
	  "eyJhbGciOiJSUzI1NiJ9."
	  "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS"
	  "9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__"
	  "dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-"
	  "0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"
	  "nZLgrnbyTyWzO75vRK5h6xBArL"
	  "IARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"
	  "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCn"
	  "vWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw" },
	{ "RFC 7515 A.3",
	  "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
	  "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVE"
	  "U\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}",
	  "eyJhbGciOiJFUzI1NiJ9."
	  "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS"
	  "9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-"
	  "F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJ"
	  "qPP3-Kg6NU1Q" },
	{ "RFC 8037 A.4",
	  "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"
	  "7TyWQHOg7hcvPapiMlrwIaaPcH"
	  "URo\"}]}",
	  "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"
	  "09PGcvMg3A"
	  "IbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg" },
};

Test(jwt, vectors_of_the_standards)
{
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		struct jwk_set *keys = NULL;
		cr_assert_eq(jwk_set_parse(&ctx, str_from(vectors[i].set), &keys), OK, "%s: %s",
			     vectors[i].from, ctx.failure.detail);
		cr_expect_eq(verify_in(keys, str_from(vectors[i].token)), OK, "%s: %s",
			     vectors[i].from, ctx.failure.detail);
		jwk_set_put(&keys);
	}
}

/* --- key sets ------------------------------------------------------------------------------- */

#define POINT_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define POINT_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

Test(jwt, sets_that_are_refused)
{
	static const char *const bad[] = {
		"",
		"null",
		"[]",
		"{}",
		"{\"keys\":{}}",
		"{\"keys\":[]}",
		"{\"keys\":[1]}",
		"{\"keys\":[null]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AA\",\"y\":\"AA\"}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" POINT_X "\"}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" POINT_X
		"\",\"y\":\"" POINT_X "\"}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" POINT_X
		"\",\"y\":\"" POINT_Y "\",\"use\":\"enc\"}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" POINT_X
		"\",\"y\":\"" POINT_Y "\",\"key_ops\":[\"sign\"]}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" POINT_X
		"\",\"y\":\"" POINT_Y "\",\"kid\":1}]}",
		"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}]}",
		"{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\"}]}",
		"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}]}",
		"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AAAA\"}]}",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct jwk_set *keys = NULL;
		cr_expect_eq(jwk_set_parse(&ctx, str_from(bad[i]), &keys), ERR_UPSTREAM_INVALID,
			     "%s", bad[i]);
		cr_expect_null(keys);
		ctx_forgive(&ctx);
	}
}

Test(jwt, what_is_not_for_us_is_skipped)
{
	struct jwk_set *keys = NULL;
	struct issuer small = { .arena = &arena, .ids = { "small" } };
	small.keys[KEY_RSA] = EVP_RSA_gen(1024);
	str json = arena_printf(
		&arena,
		"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"},{\"kty\":\"future\"}," STR_FMT
		"," STR_FMT "," STR_FMT "]}",
		STR_ARG(issuer_jwk(&issuer, KEY_P256, ",\"use\":\"enc\"")),
		STR_ARG(issuer_jwk(&small, KEY_RSA, "")),
		STR_ARG(issuer_jwk(&issuer, KEY_P384, ",\"key_ops\":[\"verify\"]")));
	cr_assert_eq(jwk_set_parse(&ctx, json, &keys), OK, "%s", ctx.failure.detail);
	cr_expect_eq(jwk_set_count(keys), 1);
	cr_expect_eq(verify_in(keys, issuer_token(&issuer, 5, CLAIMS)), OK);
	jwk_set_put(&keys);
	EVP_PKEY_free(small.keys[KEY_RSA]);
}

Test(jwt, sets_have_a_size)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(MIB(1));
	struct jwk_set *keys = NULL;
	str one = issuer_jwk(&issuer, KEY_P256, "");
	buf_add(&b, STR("{\"keys\":["));
	for (int i = 0; i <= JWK_SET_KEYS_MAX; i++) {
		buf_add(&b, i ? STR(",") : STR(""));
		buf_add(&b, one);
	}
	buf_add(&b, STR("]}"));
	cr_expect_eq(jwk_set_parse(&ctx, buf_str(&b), &keys), ERR_UPSTREAM_INVALID);
	buf_clear(&b);
	while (b.len <= JWK_SET_BYTES_MAX)
		buf_add(&b, STR("                "));
	cr_expect_eq(jwk_set_parse(&ctx, buf_str(&b), &keys), ERR_UPSTREAM_INVALID);
}
