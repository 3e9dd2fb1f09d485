/* SPDX-License-Identifier: Apache-2.0 */
/* aws_signature.c - see aws_signature.h. */
#include "crypto/aws_signature.h"
#include "base/error.h"
#include "codec/hex.h"
#include "codec/url.h"
#include "crypto/hash.h"
#include "crypto/hmac.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/banned.h"

#define ALGORITHM   "AWS4-HMAC-SHA256"
#define TEXT_MAX    KIB(64)
#define PRESIGN_OWN 6 /* parameters that presigning adds at most */

str aws_hash(struct arena *arena, str bytes)
{
	digest d = hash_bytes(DIGEST_SHA256, bytes);
	char *hex = arena_alloc(arena, AWS_HASH_LEN + 1);
	hex_encode((str){ (const char *)d.bytes, digest_size(DIGEST_SHA256) }, hex);
	return (str){ hex, AWS_HASH_LEN };
}

str aws_date(struct arena *arena, int64_t time_s)
{
	time_t seconds = (time_t)time_s;
	struct tm at;
	gmtime_r(&seconds, &at);
	return arena_printf(arena, "%04d%02d%02dT%02d%02d%02dZ", at.tm_year + 1900, at.tm_mon + 1,
			    at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec);
}

/* --- the canonical request ------------------------------------------------------------------ */

static void add_path(struct buf *b, str path)
{
	for (str segment, rest; str_cut(path, '/', &segment, &rest); path = rest) {
		url_encode(b, segment);
		buf_add_byte(b, '/');
	}
	url_encode(b, path);
}

static int by_name_and_value(const void *a, const void *b)
{
	const struct aws_pair *left = a, *right = b;
	int order = str_cmp(left->name, right->name);
	return order ? order : str_cmp(left->value, right->value);
}

static str encoded(struct arena *arena, str text)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
	url_encode(&b, text);
	CHECK(!buf_overrun(&b));
	return arena_copy(arena, buf_str(&b));
}

/* Sorted by what is written, as RFC 3986 escapes it. */
static void add_query(struct buf *b, struct arena *arena, const struct aws_pair *query,
		      size_t count)
{
	struct aws_pair pairs[AWS_PAIRS_MAX];
	CHECK(count <= COUNT_OF(pairs));
	for (size_t i = 0; i < count; i++)
		pairs[i] = (struct aws_pair){ encoded(arena, query[i].name),
					      encoded(arena, query[i].value) };
	qsort(pairs, count, sizeof pairs[0], by_name_and_value);
	for (size_t i = 0; i < count; i++)
		buf_printf(b, "%s" STR_FMT "=" STR_FMT, i ? "&" : "", STR_ARG(pairs[i].name),
			   STR_ARG(pairs[i].value));
}

void aws_target(struct buf *b, const struct aws_request *rq)
{
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, KIB(256));
	add_path(b, rq->path);
	if (rq->query_count)
		buf_add_byte(b, '?');
	add_query(b, &arena, rq->query, rq->query_count);
}

/* Without blanks at the ends, and one where there are several. */
static void add_field_value(struct buf *b, str value)
{
	bool blank = false;
	for (size_t i = 0; i < value.len; i++) {
		bool is_blank = value.ptr[i] == ' ' || value.ptr[i] == '\t';
		if (!is_blank && blank)
			buf_add_byte(b, ' ');
		if (!is_blank)
			buf_add_byte(b, value.ptr[i]);
		blank = is_blank;
	}
}

static str lower(struct arena *arena, str text)
{
	char *copy = arena_cstr(arena, text);
	for (char *c = copy; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return (str){ copy, text.len };
}

struct fields {
	struct aws_pair list[AWS_PAIRS_MAX + 1];
	size_t count;
};

/* By name, each place kept among those of one name; `host` with them. */
static void sort_fields(struct arena *arena, const struct aws_request *rq, struct fields *ret)
{
	CHECK(rq->field_count <= AWS_PAIRS_MAX);
	ret->count = 0;
	for (size_t i = 0; i <= rq->field_count; i++) {
		struct aws_pair field = i < rq->field_count
						? rq->fields[i]
						: (struct aws_pair){ STR("host"), rq->host };
		field.name = lower(arena, field.name);
		size_t at = ret->count++;
		for (; at > 0 && str_cmp(ret->list[at - 1].name, field.name) > 0; at--)
			ret->list[at] = ret->list[at - 1];
		ret->list[at] = field;
	}
}

static bool is_next_of(const struct fields *fields, size_t i)
{
	return i > 0 && str_eq(fields->list[i].name, fields->list[i - 1].name);
}

static void add_fields(struct buf *b, const struct fields *fields)
{
	for (size_t i = 0; i < fields->count; i++) {
		if (is_next_of(fields, i))
			buf_add_byte(b, ',');
		else
			buf_printf(b, "%s" STR_FMT ":", i ? "\n" : "",
				   STR_ARG(fields->list[i].name));
		add_field_value(b, str_trim(fields->list[i].value));
	}
	buf_add_byte(b, '\n');
}

static void add_field_names(struct buf *b, const struct fields *fields)
{
	for (size_t i = 0; i < fields->count; i++)
		if (!is_next_of(fields, i))
			buf_printf(b, "%s" STR_FMT, i ? ";" : "", STR_ARG(fields->list[i].name));
}

str aws_canonical_request(struct arena *arena, const struct aws_request *rq)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
	struct fields fields;
	sort_fields(arena, rq, &fields);
	buf_printf(&b, STR_FMT "\n", STR_ARG(rq->method));
	add_path(&b, rq->path);
	buf_add_byte(&b, '\n');
	add_query(&b, arena, rq->query, rq->query_count);
	buf_add_byte(&b, '\n');
	add_fields(&b, &fields);
	buf_add_byte(&b, '\n');
	add_field_names(&b, &fields);
	buf_printf(&b, "\n" STR_FMT, STR_ARG(rq->payload_hash));
	CHECK(!buf_overrun(&b));
	return arena_copy(arena, buf_str(&b));
}

/* --- the signature -------------------------------------------------------------------------- */

static str scope_of(struct arena *arena, const struct aws_request *rq)
{
	str day = str_take(aws_date(arena, rq->time_s), 8);
	return arena_printf(arena, STR_FMT "/" STR_FMT "/" STR_FMT "/aws4_request", STR_ARG(day),
			    STR_ARG(rq->region), STR_ARG(rq->service));
}

/* Day, region, service and a constant, each keyed by the one before: what a key of one day and
 * place is. */
static str signature(struct arena *arena, const struct aws_key *key, const struct aws_request *rq)
{
	unsigned char step[HMAC_SHA256_BYTES];
	str date = aws_date(arena, rq->time_s), scope = scope_of(arena, rq);
	str request_hash = aws_hash(arena, aws_canonical_request(arena, rq));
	const str pieces[] = {
		str_take(date, 8),
		rq->region,
		rq->service,
		STR("aws4_request"),
		arena_printf(arena, ALGORITHM "\n" STR_FMT "\n" STR_FMT "\n" STR_FMT, STR_ARG(date),
			     STR_ARG(scope), STR_ARG(request_hash)),
	};
	str with = arena_printf(arena, "AWS4" STR_FMT, STR_ARG(key->secret_key));
	hmac_sha256(with, pieces[0], step);
	explicit_bzero((void *)(uintptr_t)with.ptr, with.len);
	for (size_t i = 1; i < COUNT_OF(pieces); i++)
		hmac_sha256((str){ (const char *)step, sizeof step }, pieces[i], step);
	char *hex = arena_alloc(arena, 2 * sizeof step + 1);
	hex_encode((str){ (const char *)step, sizeof step }, hex);
	explicit_bzero(step, sizeof step);
	return (str){ hex, 2 * HMAC_SHA256_BYTES };
}

static str field_names(struct arena *arena, const struct aws_request *rq)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
	struct fields fields;
	sort_fields(arena, rq, &fields);
	add_field_names(&b, &fields);
	return arena_copy(arena, buf_str(&b));
}

str aws_authorization(struct arena *arena, const struct aws_key *key, const struct aws_request *rq)
{
	return arena_printf(arena,
			    ALGORITHM " Credential=" STR_FMT "/" STR_FMT ", SignedHeaders=" STR_FMT
				      ", Signature=" STR_FMT,
			    STR_ARG(key->access_key), STR_ARG(scope_of(arena, rq)),
			    STR_ARG(field_names(arena, rq)), STR_ARG(signature(arena, key, rq)));
}

str aws_presigned_target(struct arena *arena, const struct aws_key *key,
			 const struct aws_request *rq, unsigned expires_s)
{
	struct aws_pair query[AWS_PAIRS_MAX];
	struct aws_request signed_rq = *rq;
	CHECK(rq->query_count + PRESIGN_OWN <= COUNT_OF(query) && expires_s <= AWS_PRESIGNED_S_MAX);
	if (rq->query_count)
		memcpy(query, rq->query, rq->query_count * sizeof query[0]);
	struct aws_pair *at = query + rq->query_count;
	*at++ = (struct aws_pair){ STR("X-Amz-Algorithm"), STR(ALGORITHM) };
	*at++ = (struct aws_pair){ STR("X-Amz-Credential"),
				   arena_printf(arena, STR_FMT "/" STR_FMT,
						STR_ARG(key->access_key),
						STR_ARG(scope_of(arena, rq))) };
	*at++ = (struct aws_pair){ STR("X-Amz-Date"), aws_date(arena, rq->time_s) };
	*at++ = (struct aws_pair){ STR("X-Amz-Expires"), arena_printf(arena, "%u", expires_s) };
	*at++ = (struct aws_pair){ STR("X-Amz-SignedHeaders"), field_names(arena, rq) };
	if (key->session_token.len)
		*at++ = (struct aws_pair){ STR("X-Amz-Security-Token"), key->session_token };
	signed_rq.query = query;
	signed_rq.query_count = (size_t)(at - query);
	signed_rq.payload_hash = AWS_UNSIGNED_PAYLOAD;

	CLEANUP(buf_done) struct buf target = BUF_INIT(TEXT_MAX);
	aws_target(&target, &signed_rq);
	buf_printf(&target, "&X-Amz-Signature=" STR_FMT,
		   STR_ARG(signature(arena, key, &signed_rq)));
	CHECK(!buf_overrun(&target));
	return arena_copy(arena, buf_str(&target));
}
