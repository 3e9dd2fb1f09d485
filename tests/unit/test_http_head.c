/* SPDX-License-Identifier: Apache-2.0 */
/* test_http_head.c - the grammar of request heads, and above all what is not in it. */
#include "codec/http_head.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct http_head head;

static enum http_parse parse(str bytes, size_t *ret_len, err_t *ret_err)
{
	size_t seen = 0;
	*ret_err = OK;
	return http_head_parse(bytes, &seen, &head, ret_len, ret_err);
}

static void must_parse(const char *text)
{
	size_t len;
	err_t err;
	cr_assert_eq(parse(str_from(text), &len, &err), HTTP_PARSE_DONE, "%s: %s", text,
		     error_info(err)->name);
	cr_assert_eq(len, strlen(text));
}

Test(http_head, a_request_of_docker)
{
	must_parse("GET /v2/library/alpine/manifests/latest?ns=docker.io&x= HTTP/1.1\r\n"
		   "Host: registry.example:5000\r\n"
		   "User-Agent: docker/20.10.24\r\n"
		   "Accept: application/vnd.oci.image.index.v1+json\r\n"
		   "accept:  application/vnd.oci.image.manifest.v1+json \t\r\n"
		   "Connection: close\r\n\r\n");
	cr_assert_eq(head.method, HTTP_GET);
	cr_assert(str_eq(head.method_text, STR("GET")));
	cr_assert(str_eq(head.path, STR("/v2/library/alpine/manifests/latest")));
	cr_assert(str_eq(head.query, STR("ns=docker.io&x=")));
	cr_assert(str_eq(head.host, STR("registry.example:5000")));
	cr_assert_eq(head.minor_version, 1);
	cr_assert_not(head.keep_alive);
	cr_assert_eq(head.field_count, 5);
	cr_assert(str_eq(http_head_get(&head, STR("user-agent")), STR("docker/20.10.24")));

	size_t at = 0;
	str value;
	cr_assert(http_head_next(&head, STR("Accept"), &at, &value));
	cr_assert(http_head_next(&head, STR("Accept"), &at, &value));
	cr_assert(str_eq(value, STR("application/vnd.oci.image.manifest.v1+json")));
	cr_assert_not(http_head_next(&head, STR("Accept"), &at, &value));
}

Test(http_head, framing_fields)
{
	must_parse(
		"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nExpect: 100-Continue\r\n\r\n");
	cr_assert(head.has_length);
	cr_assert_eq(head.length_bytes, 12);
	cr_assert(head.expect_continue);
	cr_assert(head.keep_alive);

	must_parse("PATCH / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n");
	cr_assert(head.chunked);
	cr_assert_not(head.has_length);

	must_parse(
		"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n");
	cr_assert_not(head.expect_continue, "nothing to wait for");
}

Test(http_head, versions_and_keep_alive)
{
	must_parse("GET / HTTP/1.0\r\n\r\n");
	cr_assert_not(head.keep_alive);
	cr_assert_eq(head.host.len, 0);
	must_parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
	cr_assert(head.keep_alive);
	must_parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, keep-alive , CLOSE\r\n\r\n");
	cr_assert_not(head.keep_alive);
}

Test(http_head, forms_of_the_target)
{
	must_parse("GET http://a.example:80/b?c HTTP/1.1\r\nHost: A.example:80\r\n\r\n");
	cr_assert(str_eq(head.path, STR("/b")));
	cr_assert(str_eq(head.query, STR("c")));
	cr_assert(str_eq(head.host, STR("a.example:80")));
	must_parse("GET HTTPS://[2001:db8::1] HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n");
	cr_assert(str_eq(head.path, STR("/")));
	must_parse("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
	cr_assert(str_eq(head.path, STR("*")));
	must_parse("GET /a?b?c HTTP/1.1\r\nHost: a\r\n\r\n");
	cr_assert(str_eq(head.query, STR("b?c")));
	must_parse("GET /? HTTP/1.1\r\nHost: a\r\n\r\n");
	cr_assert_eq(head.query.len, 0);
	must_parse("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
	must_parse("BREW / HTTP/1.1\r\nHost: a\r\n\r\n");
	cr_assert_eq(head.method, HTTP_METHOD_OTHER);
	cr_assert_str_eq(http_method_name(HTTP_PATCH), "PATCH");
}

#define GET  "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"

/* Each row is a head that two servers could read in two ways, or that no client of ours sends. */
static const struct {
	const char *name;
	str bytes;
	err_t err;
} refused[] = {
	{ "bare line feeds", STR_INIT("GET / HTTP/1.1\nHost: a\n\n"), ERR_REQUEST_INVALID },
	{ "one bare line feed", STR_INIT(GET "Host: a\nX: b\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "bare line feed at the end", STR_INIT(GET HOST "\n"), ERR_REQUEST_INVALID },
	{ "carriage return in a value", STR_INIT(GET HOST "X: a\rb\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "doubled carriage return", STR_INIT(GET HOST "X: a\r\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "NUL in a value", STR_INIT(GET HOST "X: a\0b\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "NUL in the target", STR_INIT("GET /\0 HTTP/1.1\r\n" HOST "\r\n"), ERR_REQUEST_INVALID },
	{ "folded field", STR_INIT(GET HOST "X: a\r\n b\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "folded first field", STR_INIT(GET " Host: a\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "folded with a tab", STR_INIT(GET HOST "\tX: a\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "blank before the colon", STR_INIT(GET "Host : a\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "tab before the colon", STR_INIT(GET HOST "Content-Length\t: 1\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "no name", STR_INIT(GET HOST ": a\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "no colon", STR_INIT(GET HOST "Xa\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "name with a slash", STR_INIT(GET HOST "X/Y: a\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "name beyond ASCII", STR_INIT(GET HOST "X\xC3\xA4: a\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "no host", STR_INIT(GET "X: a\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "empty host", STR_INIT(GET "Host:\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "two hosts", STR_INIT(GET HOST "host: a\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "host with a path", STR_INIT(GET "Host: a/b\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "host with a user", STR_INIT(GET "Host: u@a\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "host with a bad port", STR_INIT(GET "Host: a:x\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "two words as host", STR_INIT(GET "Host: a b\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "list of hosts", STR_INIT(GET "Host: a, b\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "broken IPv6 host", STR_INIT(GET "Host: [::1\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "host against authority", STR_INIT("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "two lengths", STR_INIT(GET HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "equal lengths", STR_INIT(GET HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "list of lengths", STR_INIT(GET HOST "Content-Length: 1, 1\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "signed length", STR_INIT(GET HOST "Content-Length: +1\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "negative length", STR_INIT(GET HOST "Content-Length: -1\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "hexadecimal length", STR_INIT(GET HOST "Content-Length: 0x10\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "empty length", STR_INIT(GET HOST "Content-Length:\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "length past 63 bits", STR_INIT(GET HOST "Content-Length: 9223372036854775808\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "length past 64 bits", STR_INIT(GET HOST "Content-Length: 18446744073709551617\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "length and chunks",
	  STR_INIT(GET HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "chunks and length",
	  STR_INIT(GET HOST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "two transfer codings",
	  STR_INIT(GET HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "chunks in HTTP/1.0", STR_INIT("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "chunked twice", STR_INIT(GET HOST "Transfer-Encoding: chunked, chunked\r\n\r\n"),
	  ERR_METHOD_UNKNOWN },
	{ "other coding", STR_INIT(GET HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"),
	  ERR_METHOD_UNKNOWN },
	{ "identity", STR_INIT(GET HOST "Transfer-Encoding: identity\r\n\r\n"),
	  ERR_METHOD_UNKNOWN },
	{ "chunked with a vertical tab",
	  STR_INIT(GET HOST "Transfer-Encoding: \x0B"
			    "chunked\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "quoted chunked", STR_INIT(GET HOST "Transfer-Encoding: \"chunked\"\r\n\r\n"),
	  ERR_METHOD_UNKNOWN },
	{ "other expectation", STR_INIT(GET HOST "Expect: 200-ok\r\n\r\n"),
	  ERR_EXPECTATION_FAILED },
	{ "HTTP/0.9", STR_INIT("GET /\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "HTTP/2", STR_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), ERR_HTTP_VERSION },
	{ "HTTP/1.2", STR_INIT("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), ERR_HTTP_VERSION },
	{ "lower-case version", STR_INIT("GET / http/1.1\r\nHost: a\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "long version", STR_INIT("GET / HTTP/1.10\r\nHost: a\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "two blanks", STR_INIT("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "blank behind the version", STR_INIT("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "blank in the target", STR_INIT("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "tab as separator", STR_INIT("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "leading blank", STR_INIT(" GET / HTTP/1.1\r\nHost: a\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "two empty lines in front", STR_INIT("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "target beyond ASCII", STR_INIT("GET /\xC3\xA4 HTTP/1.1\r\nHost: a\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "fragment", STR_INIT("GET /#a HTTP/1.1\r\nHost: a\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "relative target", STR_INIT("GET a HTTP/1.1\r\nHost: a\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "star for GET", STR_INIT("GET * HTTP/1.1\r\nHost: a\r\n\r\n"), ERR_REQUEST_INVALID },
	{ "authority form", STR_INIT("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "other scheme", STR_INIT("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "absolute form without authority", STR_INIT("GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "method with a colon", STR_INIT("GE:T / HTTP/1.1\r\nHost: a\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "long method",
	  STR_INIT("GETGETGETGETGETGETGETGETGETGETGETGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
	  ERR_REQUEST_INVALID },
	{ "ClientHello", STR_INIT("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03"),
	  ERR_TLS_ON_PLAIN },
};

Test(http_head, ambiguous_heads_are_refused)
{
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		size_t len;
		err_t err;
		enum http_parse verdict = parse(refused[i].bytes, &len, &err);
		cr_expect_eq(verdict, HTTP_PARSE_REFUSED, "%s", refused[i].name);
		cr_expect_eq(err, refused[i].err, "%s: %s", refused[i].name, error_info(err)->name);
	}
}

/* The verdict must not depend on how the bytes arrive: same result, sooner or at the same byte. */
Test(http_head, pieces_give_the_same_verdict)
{
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		size_t seen = 0, len;
		enum http_parse verdict = HTTP_PARSE_MORE;
		err_t err = OK;
		for (size_t take = 1; take <= refused[i].bytes.len; take++) {
			verdict = http_head_parse(str_take(refused[i].bytes, take), &seen, &head,
						  &len, &err);
			if (verdict != HTTP_PARSE_MORE)
				break;
		}
		cr_expect_eq(verdict, HTTP_PARSE_REFUSED, "%s", refused[i].name);
	}
}

Test(http_head, a_trickling_head)
{
	static const char text[] = "\r\n" GET HOST "X: y\r\n\r\nrest";
	size_t seen = 0, len = 0, whole = sizeof text - 1 - 4;
	err_t err;
	for (size_t take = 0; take < whole; take++)
		cr_assert_eq(http_head_parse((str){ text, take }, &seen, &head, &len, &err),
			     HTTP_PARSE_MORE, "%zu", take);
	cr_assert_eq(http_head_parse((str){ text, sizeof text - 1 }, &seen, &head, &len, &err),
		     HTTP_PARSE_DONE);
	cr_assert_eq(len, whole);
}

static err_t refusal_of(char *text, size_t len)
{
	size_t unused;
	err_t err;
	cr_assert_eq(parse((str){ text, len }, &unused, &err), HTTP_PARSE_REFUSED);
	return err;
}

Test(http_head, limits)
{
	size_t room = 2 * HTTP_HEAD_BYTES_MAX;
	char *text = malloc(room);
	memset(text, 'a', room);
	memcpy(text, "GET /", 5);
	cr_assert_eq(refusal_of(text, HTTP_TARGET_BYTES_MAX + 100), ERR_URI_TOO_LONG);

	size_t at = (size_t)snprintf(text, room, GET HOST "X: ");
	text[at] = 'a';
	cr_assert_eq(refusal_of(text, HTTP_HEAD_BYTES_MAX), ERR_HEADERS_TOO_LARGE);

	at = (size_t)snprintf(text, room, GET HOST);
	for (int i = 1; i < HTTP_FIELDS_MAX; i++)
		at += (size_t)snprintf(text + at, room - at, "x%d: y\r\n", i);
	size_t full = at + (size_t)snprintf(text + at, room - at, "\r\n");
	size_t len;
	err_t err;
	cr_assert_eq(parse((str){ text, full }, &len, &err), HTTP_PARSE_DONE);
	full = at + (size_t)snprintf(text + at, room - at, "one: more\r\n\r\n");
	cr_assert_eq(refusal_of(text, full), ERR_HEADERS_TOO_LARGE);
	free(text);
}
