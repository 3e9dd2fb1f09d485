/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3_client.h - one bucket of an S3 server: signed requests, sent again when that may help; private
 * to store.
 *
 * A request is tried up to REMOTE_TRIES_MAX times while the server says that it is slow, busy or
 * broken (429, 500 to 504, SlowDown and the like), and while the network cuts it off: after 50 ms,
 * and about twice as long each time, with half of it left to chance, and not before a Retry-After.
 * All verbs used here may be repeated. Who has a deadline does not wait past it. A redirect is
 * never followed: the bucket is elsewhere, and the error says where.
 *
 * Memory: each call has an arena of its own, so a loop over a hundred thousand requests takes
 * nothing from `ctx->arena` but what a function promises to leave there.
 *
 * Errors: ERR_ABSENT (404: no such object or upload), ERR_BUSY (still slow after all tries),
 * ERR_UPSTREAM_UNREACHABLE and ERR_UPSTREAM_INVALID (no answer after all tries, or none that can be
 * read), ERR_STORAGE_FULL, ERR_DEADLINE, ERR_CANCELLED, ERR_CORRUPT (where said), ERR_STORAGE
 * (everything else), with a detail that names request and cause.
 */
#pragma once

#include "codec/s3_answer.h"
#include "remote.h"
#include "s3_credentials.h"

#include <stdatomic.h>

#define S3_UPLOAD_ID_MAX   1024
#define S3_COPY_BYTES_MAX  (5 * MIB(1024)) /* of one request */
#define S3_COPY_PART_BYTES MIB(512)	   /* takes its time, and that is less than a minute */

enum s3_verify { S3_VERIFY_ETAG, S3_VERIFY_SIZE, S3_VERIFY_CONTENT };

struct s3_options {
	str endpoint; /* "http://127.0.0.1:7480"; empty: AWS's for the region */
	str region;   /* empty: us-east-1 */
	str bucket;
	bool path_style; /* the bucket is the path's first segment, not the host's first label */
	enum s3_verify verify;
	str ca_file; /* PEM; empty: the system's */
	struct s3_credential_options credentials;
};

/* Under which name the bucket is reached. */
struct s3_site {
	str scheme; /* "https://" */
	str host;   /* with the port, and in front the bucket unless it is in the path */
};

/* Whether the server compares a body with the SHA-256 that its request is signed with. */
enum s3_payloads { S3_PAYLOADS_UNKNOWN, S3_PAYLOADS_CHECKED, S3_PAYLOADS_UNCHECKED };

/* When copies in the bucket go in parts: s3_copy.h. */
struct s3_copies {
	uint64_t whole_bytes_max;      /* of one request, at most S3_COPY_BYTES_MAX */
	uint64_t part_bytes;	       /* at least twice S3_PART_BYTES_MIN, for parts are even */
	_Atomic(uint64_t) bytes_per_s; /* of the last copy in one; 0: nobody knows */
};

struct s3_client {
	struct arena memory;
	struct s3_options options;
	struct s3_site site;
	str ca_pem;
	_Atomic(enum s3_payloads) payloads; /* s3_parts_ask_payloads() */
	struct s3_copies copies;
	struct client *http;
	struct s3_credentials *credentials;
};

/* ERR_CONFIG for options that make no sense. Asks nobody. */
err_t s3_client_new(struct ctx *ctx, const struct s3_options *options, struct s3_client **ret);
void s3_client_free(struct s3_client *client); /* NULL is fine */

struct s3_request {
	const char *method;
	str key; /* empty: the bucket itself */
	const struct aws_pair *query;
	size_t query_count;
	const struct aws_pair *fields;
	size_t field_count;
	str body;
	str payload_hash; /* empty: the body's; another one is a lie */
	bool once;	  /* not again, whatever comes of it */
	bool no_words; /* the caller expects refusals: the answer is given back as it is, and OK */
};

struct s3_response {
	unsigned tries; /* it took */
	int status;
	str body;
	struct client_response raw;
	struct s3_answer answer; /* when the body is XML */
};

/* OK for any 2xx without an Error in its body. `ctx` is a call's: all of `*ret` is in its arena. */
err_t s3_send(struct ctx *ctx, struct s3_client *client, const struct s3_request *rq,
	      struct s3_response *ret);

/* The same for a body that is read piece by piece; only beginning is tried again. */
err_t s3_pull(struct ctx *ctx, struct s3_client *client, const struct s3_request *rq,
	      struct client_response *ret, struct client_pull **ret_pull);

/* The same bucket at another endpoint; empty: AWS's for the region. Lives as long as the client,
 * and is for the time before others use that. ERR_CONFIG. */
err_t s3_site_read(struct ctx *ctx, struct s3_client *client, str endpoint, struct s3_site *ret);

/* A GET that anybody may send for a while. */
struct s3_presigning {
	const struct s3_site *site;
	str key;
	const struct aws_pair *query; /* that is signed with it */
	size_t query_count;
	unsigned expires_s; /* at most AWS_PRESIGNED_S_MAX */
};
/* Its URL, in ctx->arena. */
err_t s3_presign(struct ctx *ctx, struct s3_client *client, const struct s3_presigning *what,
		 str *ret_url);
