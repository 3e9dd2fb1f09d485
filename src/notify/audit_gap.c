/* SPDX-License-Identifier: Apache-2.0 */
/* audit_gap.c - see audit_gap.h. */
#include "audit_gap.h"
#include "audit_chain.h"

#include "base/buf.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/json_writer.h"

#include "base/banned.h"

#define GAP_TYPE  "berth-audit-gap"
#define GAP_BYTES 512

static void write_hash(struct json_writer *w, const char *key, str hash)
{
	char hex[2 * AUDIT_HASH_BYTES];
	CHECK(hash.len == AUDIT_HASH_BYTES);
	hex_encode(hash, hex);
	json_write_str(w, key, (str){ hex, sizeof hex });
}

str audit_gap_write(struct arena *arena, const struct audit_gap_claims *claims)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(GAP_BYTES);
	struct json_writer w = JSON_WRITER(&b);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "type", STR(GAP_TYPE));
	json_write_i64(&w, "first", claims->first);
	json_write_i64(&w, "last", claims->last);
	write_hash(&w, "before", claims->before);
	write_hash(&w, "hash", claims->hash);
	json_write_i64(&w, "time_us", claims->time_us);
	json_write_object_end(&w);
	return arena_copy(arena, buf_str(&b));
}

static bool read_hash(struct arena *arena, const struct json_value *object, const char *key,
		      str *ret)
{
	char bytes[AUDIT_HASH_BYTES];
	str hex;
	if (json_get_str(object, key, &hex) != JSON_FOUND || hex.len != 2 * AUDIT_HASH_BYTES ||
	    !hex_decode(hex, (unsigned char *)bytes))
		return false;
	*ret = arena_copy(arena, (str){ bytes, sizeof bytes });
	return true;
}

bool audit_gap_read(struct arena *arena, str payload, struct audit_gap_claims *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	struct audit_gap_claims claims;
	str type;
	if (!json_parse(payload, JSON_LIMITS_SMALL, &doc, &problem) ||
	    json_get_str(doc.root, "type", &type) != JSON_FOUND || !str_eq(type, STR(GAP_TYPE)) ||
	    json_get_i64(doc.root, "first", &claims.first) != JSON_FOUND ||
	    json_get_i64(doc.root, "last", &claims.last) != JSON_FOUND ||
	    json_get_i64(doc.root, "time_us", &claims.time_us) != JSON_FOUND)
		return false;
	if (claims.first < 1 || claims.last < claims.first ||
	    !read_hash(arena, doc.root, "before", &claims.before) ||
	    !read_hash(arena, doc.root, "hash", &claims.hash))
		return false;
	*ret = claims;
	return true;
}

bool audit_gap_verify(struct ctx *ctx, const struct jws_ring *keys, const struct audit_gap *gap,
		      struct audit_gap_claims *ret)
{
	struct audit_gap_claims claims;
	str payload;
	if (!keys || jws_verify(ctx, keys, gap->token, &payload) != OK) {
		ctx_forgive(ctx);
		return false;
	}
	if (!audit_gap_read(ctx->arena, payload, &claims) || claims.first != gap->first ||
	    claims.last != gap->last)
		return false;
	*ret = claims;
	return true;
}
