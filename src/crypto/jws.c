/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jws.c - see jws.h. cjose does the cryptography; everything a stranger's token could choose
 * (algorithm, key, critical extensions, spelling of the base64) is checked here first.
 */
#include "crypto/jws.h"
#include "crypto/hash.h"

#include "base/buf.h"
#include "base/mem.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "codec/json_writer.h"

#include <cjose/cjose.h>
#include <string.h>

#include "base/banned.h"

#define JWK_BYTES_MAX	 KIB(2)
#define KEY_ID_MAX	 127
#define PAYLOAD_MAX	 (JWS_TOKEN_MAX / 4 * 3 - KIB(1))
#define COORDINATE_BYTES 32
#define SIGNATURE_BYTES	 64

struct ring_key {
	char *id;
	cjose_jwk_t *jwk;
	char *x, *y; /* the public point, base64url */
};

struct jws_ring {
	size_t count;
	struct ring_key keys[JWS_KEYS_MAX];
};

static void jwk_done(cjose_jwk_t **jwk)
{
	cjose_jwk_release(*jwk);
}

static void jws_done(cjose_jws_t **jws)
{
	cjose_jws_release(*jws);
}

static void header_done(cjose_header_t **header)
{
	cjose_header_release(*header);
}

/* A JWK in JSON, allocated by cjose and holding a private key: wiped before it is given back. */
static void jwk_text_done(char **text)
{
	if (*text) {
		explicit_bzero(*text, strlen(*text));
		cjose_get_dealloc()(*text);
	}
}

/* RFC 7638: SHA-256 over the required members in this order, without blanks. */
static str thumbprint(struct arena *arena, str x, str y)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(JWK_BYTES_MAX);
	struct json_writer w = JSON_WRITER(&text);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "crv", STR("P-256"));
	json_write_str(&w, "kty", STR("EC"));
	json_write_str(&w, "x", x);
	json_write_str(&w, "y", y);
	json_write_object_end(&w);
	digest d = hash_bytes(DIGEST_SHA256, buf_str(&text));

	buf_clear(&text);
	base64_encode(&text, BASE64_URL, (str){ (const char *)d.bytes, digest_size(d.algorithm) });
	CHECK(!buf_overrun(&text));
	return arena_copy(arena, buf_str(&text));
}

static bool is_coordinate(struct arena *arena, str text)
{
	str bytes;
	return base64_decode(arena, BASE64_URL, text, &bytes) && bytes.len == COORDINATE_BYTES;
}

/* Checks that `jwk` is a P-256 key with its private part; sets views of its public point. */
static bool read_jwk(struct arena *arena, const struct json_value *jwk, str *ret_x, str *ret_y)
{
	str type, curve, x, y, d;
	if (json_get_str(jwk, "kty", &type) != JSON_FOUND || !str_eq(type, STR("EC")) ||
	    json_get_str(jwk, "crv", &curve) != JSON_FOUND || !str_eq(curve, STR("P-256")))
		return false;
	if (json_get_str(jwk, "x", &x) != JSON_FOUND || !is_coordinate(arena, x) ||
	    json_get_str(jwk, "y", &y) != JSON_FOUND || !is_coordinate(arena, y) ||
	    json_get_str(jwk, "d", &d) != JSON_FOUND || !is_coordinate(arena, d))
		return false;
	*ret_x = x;
	*ret_y = y;
	return true;
}

err_t jws_key_generate(struct ctx *ctx, struct jws_key *ret)
{
	CLEANUP(jwk_done) cjose_jwk_t *jwk = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, NULL);
	CLEANUP(jwk_text_done) char *text = jwk ? cjose_jwk_to_json(jwk, true, NULL) : NULL;
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	str x, y;

	if (!text)
		return fail(ctx, ERR_INTERNAL, "could not make a P-256 key");
	if (!json_parse(str_from(text), JSON_LIMITS_SMALL, &doc, &problem) ||
	    !read_jwk(ctx->arena, doc.root, &x, &y))
		return fail(ctx, ERR_INTERNAL, "cannot read the P-256 key just made");
	ret->id = thumbprint(ctx->arena, x, y);
	ret->private_jwk = arena_copy(ctx->arena, str_from(text));
	return OK;
}

/* NULL when cjose fails. */
static cjose_jws_t *sign_bytes(const struct ring_key *key, str payload)
{
	CLEANUP(header_done) cjose_header_t *header = cjose_header_new(NULL);
	if (!header || !cjose_header_set(header, CJOSE_HDR_ALG, CJOSE_HDR_ALG_ES256, NULL) ||
	    !cjose_header_set(header, CJOSE_HDR_KID, key->id, NULL) ||
	    !cjose_header_set(header, "typ", "JWT", NULL))
		return NULL;
	return cjose_jws_sign(key->jwk, header, (const uint8_t *)payload.ptr, payload.len, NULL);
}

/*
 * cjose takes a public point that is not that of the private part, or derives its own: a token
 * signed by such a key would verify nowhere, or not by the key set we publish.
 */
static bool halves_match(struct arena *arena, const struct ring_key *key)
{
	CLEANUP(jwk_text_done) char *text = cjose_jwk_to_json(key->jwk, true, NULL);
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	str x, y;
	if (!text || !json_parse(str_from(text), JSON_LIMITS_SMALL, &doc, &problem) ||
	    !read_jwk(arena, doc.root, &x, &y) || !str_eq(x, str_from(key->x)) ||
	    !str_eq(y, str_from(key->y)))
		return false;
	CLEANUP(jws_done) cjose_jws_t *probe = sign_bytes(key, STR("probe"));
	return probe && cjose_jws_verify(probe, key->jwk, NULL);
}

static void ring_key_done(struct ring_key *key)
{
	cjose_jwk_release(key->jwk);
	free(key->id);
	free(key->x);
	free(key->y);
}

static err_t load_key(struct ctx *ctx, const struct jws_key *key, struct ring_key *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	CLEANUP(ring_key_done) struct ring_key loaded = { 0 };
	struct json_problem problem;
	str x, y;

	if (key->id.len == 0 || key->id.len > KEY_ID_MAX || key->private_jwk.len > JWK_BYTES_MAX ||
	    !json_parse(key->private_jwk, JSON_LIMITS_SMALL, &doc, &problem) ||
	    !read_jwk(ctx->arena, doc.root, &x, &y))
		return fail(ctx, ERR_CONFIG, "signing key is not a private P-256 JWK");
	loaded = (struct ring_key){
		.id = mem_copy(key->id),
		.jwk = cjose_jwk_import(key->private_jwk.ptr, key->private_jwk.len, NULL),
		.x = mem_copy(x),
		.y = mem_copy(y),
	};
	if (!loaded.jwk || !halves_match(ctx->arena, &loaded))
		return fail(ctx, ERR_CONFIG, "signing key is damaged");
	*ret = loaded;
	loaded = (struct ring_key){ 0 };
	return OK;
}

static void ring_done(struct jws_ring **ring)
{
	jws_ring_free(*ring);
}

err_t jws_ring_new(struct ctx *ctx, const struct jws_key *keys, size_t count, struct jws_ring **ret)
{
	if (count == 0 || count > JWS_KEYS_MAX)
		return fail(ctx, ERR_CONFIG, "%zu signing keys, not 1 to %d", count, JWS_KEYS_MAX);
	CLEANUP(ring_done) struct jws_ring *ring = NEW(struct jws_ring);
	for (; ring->count < count; ring->count++)
		TRY(load_key(ctx, &keys[ring->count], &ring->keys[ring->count]));
	*ret = take(ring);
	return OK;
}

void jws_ring_free(struct jws_ring *ring)
{
	if (!ring)
		return;
	for (size_t i = 0; i < ring->count; i++)
		ring_key_done(&ring->keys[i]);
	free(ring);
}

err_t jws_sign(struct ctx *ctx, const struct jws_ring *ring, str payload, str *ret_token)
{
	const char *text;
	if (payload.len > PAYLOAD_MAX)
		return fail(ctx, ERR_LIMIT, "claims of %zu bytes", payload.len);
	CLEANUP(jws_done) cjose_jws_t *jws = sign_bytes(&ring->keys[0], payload);
	if (!jws || !cjose_jws_export(jws, &text, NULL))
		return fail(ctx, ERR_INTERNAL, "could not sign a token");
	str token = str_from(text);
	if (token.len > JWS_TOKEN_MAX)
		return fail(ctx, ERR_LIMIT, "token of %zu bytes", token.len);
	*ret_token = arena_copy(ctx->arena, token);
	return OK;
}

struct token_parts {
	str payload;
	char key_id[KEY_ID_MAX + 1];
};

static bool decode_part(struct arena *arena, str text, str *ret)
{
	return base64_decode(arena, BASE64_URL, text, ret);
}

/* Exactly our header: ES256, a key id, no critical extensions, no unencoded payload. */
static bool read_header(str bytes, struct token_parts *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	str alg, kid;

	if (!json_parse(bytes, JSON_LIMITS_SMALL, &doc, &problem) ||
	    json_get_str(doc.root, "alg", &alg) != JSON_FOUND ||
	    json_get_str(doc.root, "kid", &kid) != JSON_FOUND)
		return false;
	if (!str_eq(alg, STR("ES256")) || json_member(doc.root, "crit") ||
	    json_member(doc.root, "b64") || kid.len >= sizeof ret->key_id)
		return false;
	memcpy(ret->key_id, kid.ptr, kid.len);
	ret->key_id[kid.len] = '\0';
	return true;
}

static bool read_token(struct arena *arena, str token, struct token_parts *ret)
{
	str header_text, payload_text, signature_text, header, signature;
	if (token.len > JWS_TOKEN_MAX || !str_cut(token, '.', &header_text, &token) ||
	    !str_cut(token, '.', &payload_text, &signature_text))
		return false;
	return decode_part(arena, header_text, &header) && read_header(header, ret) &&
	       decode_part(arena, payload_text, &ret->payload) &&
	       decode_part(arena, signature_text, &signature) && signature.len == SIGNATURE_BYTES;
}

static const struct ring_key *find_key(const struct jws_ring *ring, const char *id)
{
	for (size_t i = 0; i < ring->count; i++)
		if (strcmp(ring->keys[i].id, id) == 0)
			return &ring->keys[i];
	return NULL;
}

err_t jws_verify(struct ctx *ctx, const struct jws_ring *ring, str token, str *ret_payload)
{
	struct token_parts parts;
	if (!read_token(ctx->arena, token, &parts))
		return fail(ctx, ERR_UNAUTHORIZED, "token is malformed");
	const struct ring_key *key = find_key(ring, parts.key_id);
	if (!key)
		return fail(ctx, ERR_UNAUTHORIZED, "token is signed by an unknown key");
	CLEANUP(jws_done) cjose_jws_t *jws = cjose_jws_import(token.ptr, token.len, NULL);
	if (!jws || !cjose_jws_verify(jws, key->jwk, NULL))
		return fail(ctx, ERR_UNAUTHORIZED, "token signature is wrong");
	*ret_payload = parts.payload;
	return OK;
}

bool jws_key_is_unknown(struct ctx *ctx, const struct jws_ring *ring, str token)
{
	struct token_parts parts;
	return read_token(ctx->arena, token, &parts) && !find_key(ring, parts.key_id);
}

static void write_public_key(struct json_writer *w, const struct ring_key *key)
{
	json_write_object_begin(w, NULL);
	json_write_str(w, "kty", STR("EC"));
	json_write_str(w, "crv", STR("P-256"));
	json_write_str(w, "use", STR("sig"));
	json_write_str(w, "alg", STR("ES256"));
	json_write_str(w, "kid", str_from(key->id));
	json_write_str(w, "x", str_from(key->x));
	json_write_str(w, "y", str_from(key->y));
	json_write_object_end(w);
}

err_t jws_public_jwks(struct ctx *ctx, const struct jws_ring *ring, str *ret_json)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(JWS_KEYS_MAX * JWK_BYTES_MAX);
	struct json_writer w = JSON_WRITER(&text);
	json_write_object_begin(&w, NULL);
	json_write_array_begin(&w, "keys");
	for (size_t i = 0; i < ring->count; i++)
		write_public_key(&w, &ring->keys[i]);
	json_write_array_end(&w);
	json_write_object_end(&w);
	if (buf_overrun(&text))
		return fail(ctx, ERR_LIMIT, "key set too large");
	*ret_json = arena_copy(ctx->arena, buf_str(&text));
	return OK;
}
