/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_head.h - the head of an HTTP/1.x request, from bytes to fields, strictly (RFC 9112).
 *
 * Strict means: CRLF only; no folding; no blank before a colon; token characters in names; no
 * control bytes in values; one Host; at most one Content-Length (equal repeats too are refused),
 * only digits; `Transfer-Encoding: chunked` alone or refused; never both; origin-form or
 * absolute-form targets, `*` for OPTIONS only. Whatever two servers could read in two ways is an
 * error, so that nothing can be smuggled past a proxy.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

#define HTTP_HEAD_BYTES_MAX   KIB(64)
#define HTTP_TARGET_BYTES_MAX KIB(16)
#define HTTP_FIELDS_MAX	      128

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_METHOD_OTHER, /* a well-formed token we do not know */
	HTTP_METHOD_COUNT,
};

struct http_field {
	str name;
	str value; /* without surrounding blanks */
};

struct http_head {
	enum http_method method;
	str method_text;
	str path;	   /* raw, starts with '/', still percent-encoded; `*` for OPTIONS * */
	str query;	   /* raw, without '?'; empty when absent */
	int minor_version; /* HTTP/1.<this> */
	str host;	   /* Host, or the authority of an absolute-form target; may be empty in
			      HTTP/1.0 only */
	bool keep_alive;   /* after version and Connection */
	bool expect_continue;
	bool chunked;
	bool has_length;
	uint64_t length_bytes;
	struct http_field fields[HTTP_FIELDS_MAX];
	size_t field_count;
};

enum http_parse {
	HTTP_PARSE_DONE,
	HTTP_PARSE_MORE,    /* the head is not complete yet */
	HTTP_PARSE_REFUSED, /* `*ret_err` says why: REQUEST_INVALID, URI_TOO_LONG,
			       HEADERS_TOO_LARGE, HTTP_VERSION, EXPECTATION_FAILED, METHOD_UNKNOWN
			       (an unknown transfer coding) or TLS_ON_PLAIN (a TLS ClientHello) */
};

/*
 * Parses the head at the start of `bytes`. `*ret_len` is its length with the empty line. All strs
 * point into `bytes`. `*seen` (start with 0) remembers how far earlier calls looked for the end, so
 * that a head that trickles in costs linear time. `*head` is the caller's space and means something
 * only when the result is HTTP_PARSE_DONE. Host and authority must agree when both are there.
 */
enum http_parse http_head_parse(str bytes, size_t *seen, struct http_head *head, size_t *ret_len,
				err_t *ret_err);

/* The grammar's pieces: a token (RFC 9110 §5.6.2), a field value (§5.5), host[:port] (§7.2). */
bool http_token_is_valid(str s);
bool http_value_is_valid(str s);
bool http_host_is_valid(str s);

/* The value of the first field `name` (any case), or STR_NONE. */
str http_head_get(const struct http_head *head, str name);
/* Walks all fields `name`: start with `*at = 0`. */
bool http_head_next(const struct http_head *head, str name, size_t *at, str *ret_value);

const char *http_method_name(enum http_method method);
