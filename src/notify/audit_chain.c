/* SPDX-License-Identifier: Apache-2.0 */
/* audit_chain.c - see audit_chain.h. */
#include "audit_chain.h"

#include "base/buf.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/json_writer.h"
#include "crypto/hash.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/banned.h"

#define CHECKPOINT_TYPE	 "berth-audit-checkpoint"
#define CHECKPOINT_BYTES 512

static const char zeros[AUDIT_HASH_BYTES];
const str audit_hash_none = { zeros, AUDIT_HASH_BYTES };

static void add_str(struct hash *h, str field)
{
	size_t len = field.len;
	unsigned char head[4] = { (unsigned char)(len >> 24), (unsigned char)(len >> 16),
				  (unsigned char)(len >> 8), (unsigned char)len };
	hash_update(h, head, sizeof head);
	hash_update(h, field.ptr, field.len);
}

static void add_number(struct hash *h, int64_t number)
{
	char text[24];
	int len = snprintf(text, sizeof text, "%" PRId64, number);
	add_str(h, (str){ text, (size_t)len });
}

static void begin(struct hash *h, str tag, str key)
{
	hash_init(h, DIGEST_SHA256);
	hash_update(h, tag.ptr, tag.len);
	hash_update(h, key.ptr, key.len);
}

static str finish(struct arena *arena, struct hash *h)
{
	digest d = hash_final(h);
	return arena_copy(arena, (str){ (const char *)d.bytes, AUDIT_HASH_BYTES });
}

str audit_hash_personal(struct arena *arena, str salt, const struct audit_row *row)
{
	CLEANUP(hash_done) struct hash h;
	begin(&h, STR("berth-audit-personal-1"), salt);
	add_number(&h, row->actor_id);
	add_str(&h, row->actor);
	add_str(&h, row->resource);
	add_str(&h, row->address);
	add_str(&h, row->detail);
	return finish(arena, &h);
}

str audit_hash_chain(struct arena *arena, str before, int64_t seq, const struct audit_row *row,
		     str personal)
{
	CLEANUP(hash_done) struct hash h;
	begin(&h, STR("berth-audit-1"), before);
	add_number(&h, seq);
	add_number(&h, row->id);
	add_number(&h, row->time_us);
	add_number(&h, row->tenant_id);
	add_number(&h, row->project_id);
	add_str(&h, row->project);
	add_str(&h, row->actor_type);
	add_str(&h, row->operation);
	add_str(&h, row->resource_type);
	add_str(&h, row->digest);
	add_str(&h, row->request_id);
	add_number(&h, (int64_t)row->result);
	add_str(&h, personal);
	return finish(arena, &h);
}

str audit_checkpoint_write(struct arena *arena, const struct audit_checkpoint_claims *claims)
{
	char hex[2 * AUDIT_HASH_BYTES];
	CHECK(claims->hash.len == AUDIT_HASH_BYTES);
	hex_encode(claims->hash, hex);
	CLEANUP(buf_done) struct buf b = BUF_INIT(CHECKPOINT_BYTES);
	struct json_writer w = JSON_WRITER(&b);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "type", STR(CHECKPOINT_TYPE));
	json_write_i64(&w, "seq", claims->seq);
	json_write_str(&w, "hash", (str){ hex, sizeof hex });
	json_write_i64(&w, "time_us", claims->time_us);
	json_write_object_end(&w);
	return arena_copy(arena, buf_str(&b));
}

bool audit_checkpoint_read(struct arena *arena, str payload, struct audit_checkpoint_claims *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	struct audit_checkpoint_claims claims;
	char bytes[AUDIT_HASH_BYTES];
	str type, hex;
	if (!json_parse(payload, JSON_LIMITS_SMALL, &doc, &problem) ||
	    json_get_str(doc.root, "type", &type) != JSON_FOUND ||
	    !str_eq(type, STR(CHECKPOINT_TYPE)) ||
	    json_get_i64(doc.root, "seq", &claims.seq) != JSON_FOUND ||
	    json_get_str(doc.root, "hash", &hex) != JSON_FOUND ||
	    json_get_i64(doc.root, "time_us", &claims.time_us) != JSON_FOUND)
		return false;
	if (hex.len != 2 * AUDIT_HASH_BYTES || !hex_decode(hex, (unsigned char *)bytes))
		return false;
	claims.hash = arena_copy(arena, (str){ bytes, sizeof bytes });
	*ret = claims;
	return true;
}
