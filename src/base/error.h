/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.h - every error the program can answer with, in one table.
 *
 * A function that can fail returns err_t; OK is 0 and anything else must be looked at. A row says
 * what the outside sees: the HTTP status, the code of the OCI Distribution Spec (section "Error
 * codes"; only codes of that list exist here) and a fixed client text. Detail belongs into ctx (see
 * ctx.h) and from there into the log. Only the detail of a 400 reaches the client, because it is
 * about the client's own bytes, and those of a full quota and an immutable tag: whoever fails with
 * one says nothing there of paths, SQL or others.
 *
 * To add an error: one row. Wording: short, lower case, no full stop; "could not" for what may work
 * later, "cannot" for never.
 */
#pragma once

#include "base/compiler.h"
#include "base/str.h"

#include <stdbool.h>

/* X(name, http status, code, retryable, client text) */
#define ERROR_TABLE(X)                                                                             \
	X(BLOB_UNKNOWN, 404, "BLOB_UNKNOWN", false, "blob unknown to this repository")             \
	X(UPLOAD_INVALID, 400, "BLOB_UPLOAD_INVALID", false, "blob upload invalid")                \
	X(UPLOAD_UNKNOWN, 404, "BLOB_UPLOAD_UNKNOWN", false, "blob upload unknown")                \
	X(UPLOAD_RANGE, 416, "BLOB_UPLOAD_INVALID", false, "range does not continue the upload")   \
	X(UPLOAD_BUSY, 416, "BLOB_UPLOAD_INVALID", true,                                           \
	  "another request is writing to this upload")                                             \
	X(UPLOAD_TRUNCATED, 400, "BLOB_UPLOAD_INVALID", true,                                      \
	  "request body ended before its announced length")                                        \
	X(DIGEST_INVALID, 400, "DIGEST_INVALID", false,                                            \
	  "digest is malformed, unsupported, or does not match the content")                       \
	X(SIZE_INVALID, 400, "SIZE_INVALID", false, "length does not match the content")           \
	X(RANGE_UNSATISFIABLE, 416, "SIZE_INVALID", false, "requested range is not satisfiable")   \
	X(MANIFEST_UNKNOWN, 404, "MANIFEST_UNKNOWN", false, "manifest unknown to this repository") \
	X(MANIFEST_INVALID, 400, "MANIFEST_INVALID", false, "manifest invalid")                    \
	X(MANIFEST_TOO_LARGE, 413, "SIZE_INVALID", false,                                          \
	  "manifest larger than this registry accepts")                                            \
	X(MANIFEST_SCHEMA1, 400, "MANIFEST_INVALID", false,                                        \
	  "docker schema 1 manifests are not accepted; push schema 2 or OCI")                      \
	X(MANIFEST_BLOB_UNKNOWN, 404, "MANIFEST_BLOB_UNKNOWN", false,                              \
	  "manifest references content unknown to this repository")                                \
	X(TAG_INVALID, 400, "MANIFEST_INVALID", false, "tag invalid")                              \
	X(TAG_TOO_MANY, 414, "UNSUPPORTED", false, "too many tags in one request")                 \
	X(PRECONDITION_FAILED, 412, "DENIED", false,                                               \
	  "a precondition of the request does not hold")                                           \
	X(IN_USE, 412, "DENIED", false, "something else needs this")                               \
	X(IMMUTABLE, 412, "DENIED", false, "a tag is configured as immutable")                     \
	X(NAME_INVALID, 400, "NAME_INVALID", false, "repository name invalid")                     \
	X(NAME_UNKNOWN, 404, "NAME_UNKNOWN", false, "repository name not known to registry")       \
	X(PAGE_INVALID, 400, "UNSUPPORTED", false, "paging parameter invalid")                     \
	X(UNAUTHORIZED, 401, "UNAUTHORIZED", false, "authentication required")                     \
	X(DENIED, 403, "DENIED", false, "requested access to the resource is denied")              \
	X(QUOTA, 403, "DENIED", false, "quota of the project or tenant exceeded")                  \
	X(READ_ONLY, 403, "DENIED", false,                                                         \
	  "The system is in read only mode. Any modification is prohibited")                       \
	X(TENANT_SUSPENDED, 403, "DENIED", false, "this tenant is suspended")                      \
	X(TENANT_READ_ONLY, 403, "DENIED", false,                                                  \
	  "this tenant is in read only mode: any modification is prohibited")                      \
	X(UNSUPPORTED, 405, "UNSUPPORTED", false, "the operation is unsupported")                  \
	X(UNPROCESSABLE, 422, "UNSUPPORTED", false, "a value of the request cannot be used")       \
	X(LATER, 501, "UNSUPPORTED", false, "this operation is not part of this version")          \
	X(METHOD_UNKNOWN, 501, "UNSUPPORTED", false, "request method not implemented")             \
	X(NOT_FOUND, 404, "UNSUPPORTED", false, "no such resource")                                \
	X(TRASH_TAKEN, 409, "DENIED", false,                                                       \
	  "the name is something else's now: say as what it is to be restored, or force a tag")    \
	X(TRASH_FIRST, 412, "DENIED", false,                                                       \
	  "what it belonged to is deleted too: that is to be restored first")                      \
	X(NAME_IS_ALIAS, 409, "DENIED", false,                                                     \
	  "the name is an alias of something that was renamed; delete the alias first")            \
	X(RETENTION_TWICE, 409, "DENIED", false, "two rules of the policy are the same")           \
	X(RETENTION_RUNS, 409, "DENIED", false,                                                    \
	  "another run of the project's retention is not finished")                                \
	X(RETENTION_EMPTIES, 412, "DENIED", false,                                                 \
	  "these rules would delete everything in the project: run them dry first, or force it")   \
	X(TOO_MANY_REQUESTS, 429, "TOOMANYREQUESTS", true, "too many requests")                    \
	/* The request itself. */                                                                  \
	X(REQUEST_INVALID, 400, "UNSUPPORTED", false, "malformed request")                         \
	X(REQUEST_TIMEOUT, 408, "UNSUPPORTED", true, "request was not received in time")           \
	X(REQUEST_TOO_LARGE, 413, "SIZE_INVALID", false, "request body too large")                 \
	X(LENGTH_REQUIRED, 411, "SIZE_INVALID", false, "content length required")                  \
	X(URI_TOO_LONG, 414, "UNSUPPORTED", false, "request target too long")                      \
	X(HEADERS_TOO_LARGE, 431, "UNSUPPORTED", false, "request header fields too large")         \
	X(EXPECTATION_FAILED, 417, "UNSUPPORTED", false, "expectation cannot be met")              \
	X(HTTP_VERSION, 505, "UNSUPPORTED", false, "HTTP version not supported")                   \
	X(TLS_ON_PLAIN, 400, "UNSUPPORTED", false, "TLS spoken to a plain HTTP port")              \
	X(PLAIN_ON_TLS, 400, "UNSUPPORTED", false, "this port speaks HTTPS, not plain HTTP")       \
	/* The server. */                                                                          \
	X(BUSY, 503, "TOOMANYREQUESTS", true, "server is at its limit, try again")                 \
	X(SHUTTING_DOWN, 503, "TOOMANYREQUESTS", true, "server is shutting down")                  \
	X(CANCELLED, 503, "TOOMANYREQUESTS", true, "request was cancelled")                        \
	X(DEADLINE, 503, "TOOMANYREQUESTS", true, "request could not be finished in time")         \
	X(DATABASE, 503, "TOOMANYREQUESTS", true, "metadata could not be read or written")         \
	X(DATABASE_READ_ONLY, 503, "TOOMANYREQUESTS", true,                                        \
	  "nothing can be changed at the moment, only read; try again later")                      \
	X(STORAGE_FULL, 507, "DENIED", true, "storage is full")                                    \
	X(STORAGE, 500, "UNSUPPORTED", true, "storage could not be read or written")               \
	X(STORAGE_ERASED, 410, "DENIED", false,                                                    \
	  "the key of this storage was destroyed, and all that was in it")                         \
	X(STORAGE_MOVES, 412, "DENIED", false,                                                     \
	  "the tenant's bytes are being moved to another storage")                                 \
	X(CORRUPT, 500, "UNSUPPORTED", false, "stored content does not match its digest")          \
	X(INTERNAL, 500, "UNSUPPORTED", false, "internal error")                                   \
	/* Servers that this one asks. */                                                          \
	X(UPSTREAM_UNREACHABLE, 502, "UNSUPPORTED", true,                                          \
	  "a server this one depends on could not be reached")                                     \
	X(UPSTREAM_INVALID, 502, "UNSUPPORTED", false,                                             \
	  "a server this one depends on gave an answer that makes no sense")                       \
	X(UPSTREAM_FORBIDDEN, 502, "DENIED", false,                                                \
	  "the address of a server this one depends on is not allowed")                            \
	/* Never on the wire: how inner layers talk to their callers. */                           \
	X(PEER_GONE, 400, "UNSUPPORTED", false, "client closed the connection")                    \
	X(EXISTS, 409, "DENIED", false, "already exists")                                          \
	X(ABSENT, 404, "UNSUPPORTED", false, "absent")                                             \
	X(LIMIT, 413, "SIZE_INVALID", false, "limit exceeded")                                     \
	X(CONFIG, 500, "UNSUPPORTED", false, "configuration invalid")

typedef enum MUST_CHECK err {
	OK = 0,
#define ERROR_ENUM(name, status, code, retry, text) ERR_##name,
	ERROR_TABLE(ERROR_ENUM)
#undef ERROR_ENUM
		ERR_COUNT,
} err_t;

struct error_info {
	const char *name; /* "DIGEST_INVALID", for logs */
	int status;	  /* HTTP status */
	const char *code; /* code of the OCI list */
	bool retryable;	  /* worth repeating unchanged; answered with Retry-After when 429/503 */
	const char *text; /* for the client */
};

/* The row of `err`. OK has a row too: status 200 and empty texts. */
const struct error_info *error_info(err_t err);

/* Returns from the enclosing function when `expression` is not OK. The only macro that returns. */
#define TRY(expression)                                                                            \
	do {                                                                                       \
		err_t try_err_ = (expression);                                                     \
		if (__builtin_expect(try_err_ != OK, 0))                                           \
			return try_err_;                                                           \
	} while (0)

/* Ends the process after saying where our own invariant broke. Stays on in production. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (__builtin_expect(!(condition), 0))                                             \
			check_failed(#condition, __FILE__, __LINE__);                              \
	} while (0)

NORETURN void check_failed(const char *condition, const char *file, int line);
