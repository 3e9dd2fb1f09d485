/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aws_signature.h - requests signed as S3 wants them: AWS Signature Version 4 ("AWS4-HMAC-SHA256"),
 * in a header field or in the URL.
 *
 * The canonical form is that of the service s3: each byte of the path is escaped once, and neither
 * dots nor slashes are taken out of it. The request must be sent as aws_target() writes it, with
 * all signed fields; `host` is one of them without being named.
 *
 *	const struct aws_pair fields[] = {
 *		{ STR("x-amz-content-sha256"), hash },
 *		{ STR("x-amz-date"), date },
 *	};
 *	struct aws_request rq = {
 *		.method = STR("GET"),
 *		.host = STR("b.example.com"),
 *		.path = STR("/a b"),
 *		.fields = fields,
 *		.field_count = 2,
 *		.payload_hash = hash,
 *	};
 *	aws_target(&url, &rq);
 *	str value = aws_authorization(ctx->arena, &key, &rq);
 *
 * Source: Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)".
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

#define AWS_PAIRS_MAX	     32 /* parameters, and fields, of one request */
#define AWS_DATE_LEN	     16 /* 20150830T123600Z */
#define AWS_HASH_LEN	     64
#define AWS_UNSIGNED_PAYLOAD STR("UNSIGNED-PAYLOAD")
#define AWS_PRESIGNED_S_MAX  604800

struct aws_key {
	str access_key;
	str secret_key;
	str session_token; /* empty: a key that does not expire */
};

struct aws_pair {
	str name;
	str value;
};

struct aws_request {
	str method;
	str host;		      /* with its port, unless it is the scheme's own */
	str path;		      /* not escaped; begins with `/` */
	const struct aws_pair *query; /* not escaped */
	size_t query_count;
	const struct aws_pair *fields; /* that are signed, besides `host` */
	size_t field_count;
	str payload_hash; /* aws_hash() of the body, or AWS_UNSIGNED_PAYLOAD */
	str region;
	str service; /* "s3" */
	int64_t time_s;
};

/* SHA-256 as lower-case hexadecimal, in the arena. */
str aws_hash(struct arena *arena, str bytes);

/* The time as x-amz-date has it. */
str aws_date(struct arena *arena, int64_t time_s);

/* Appends path and query, escaped as they are signed. */
void aws_target(struct buf *b, const struct aws_request *rq);

/* What is signed: method, path, query, fields, payload, a line each; for tests and for who must
 * explain a refusal. */
str aws_canonical_request(struct arena *arena, const struct aws_request *rq);

/* The value of Authorization. */
str aws_authorization(struct arena *arena, const struct aws_key *key, const struct aws_request *rq);

/* The same in a query string, behind what `rq->query` has: whoever has this target may do this one
 * request for `expires_s` seconds, at most AWS_PRESIGNED_S_MAX. `payload_hash` is not looked at: it
 * is not signed. */
str aws_presigned_target(struct arena *arena, const struct aws_key *key,
			 const struct aws_request *rq, unsigned expires_s);
