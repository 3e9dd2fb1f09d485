/* SPDX-License-Identifier: Apache-2.0 */
/* test_http_chunked.c - the frame of chunked bodies, for every way of cutting the input in two. */
#include "codec/http_chunked.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct result {
	enum http_chunked_step last;
	char data[256];
	size_t data_len;
};

static void feed(struct http_chunked *c, str bytes, struct result *result, str *ret_rest)
{
	do {
		result->last = http_chunked_frame(c, &bytes);
		if (result->last != HTTP_CHUNKED_DATA)
			break;
		str data = str_take(bytes, (size_t)MIN(c->left_bytes, (uint64_t)bytes.len));
		cr_assert_leq(result->data_len + data.len, sizeof result->data);
		if (data.len)
			memcpy(result->data + result->data_len, data.ptr, data.len);
		result->data_len += data.len;
		http_chunked_took(c, data.len);
		bytes = str_skip(bytes, data.len);
	} while (bytes.len);
	*ret_rest = bytes;
}

/* All of `bytes`, cut at `cut`; `*ret_rest_len` is what lies behind the end. */
static struct result decode(str bytes, size_t cut, size_t *ret_rest_len)
{
	struct http_chunked c = HTTP_CHUNKED_INIT;
	struct result result = { HTTP_CHUNKED_MORE, { 0 }, 0 };
	str rest;
	feed(&c, str_take(bytes, cut), &result, &rest);
	bool open = result.last == HTTP_CHUNKED_MORE || result.last == HTTP_CHUNKED_DATA;
	if (open)
		feed(&c, str_skip(bytes, cut), &result, &rest);
	*ret_rest_len = rest.len + (open ? 0 : bytes.len - cut);
	return result;
}

static const struct {
	str bytes;
	str data;
	size_t rest_len;
} good[] = {
	{ STR_INIT("0\r\n\r\n"), STR_INIT(""), 0 },
	{ STR_INIT("5\r\nhello\r\n0\r\n\r\n"), STR_INIT("hello"), 0 },
	{ STR_INIT("5\r\nhello\r\n0\r\n\r\nGET /"), STR_INIT("hello"), 5 },
	{ STR_INIT("2\r\nhe\r\n00003\r\nllo\r\n000\r\n\r\n"), STR_INIT("hello"), 0 },
	{ STR_INIT("a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n"),
	  STR_INIT("01234567890123456789a"), 0 },
	{ STR_INIT("2;name=value;x=\"y z\"\r\nok\r\n0;last\r\n\r\n"), STR_INIT("ok"), 0 },
	{ STR_INIT("2\r\n\r\n\r\n0\r\n\r\n"), STR_INIT("\r\n"), 0 },
	{ STR_INIT("2\r\nok\r\n0\r\nTrailer: a\r\nOther:\r\n\r\n"), STR_INIT("ok"), 0 },
};

Test(http_chunked, good_bodies_cut_anywhere)
{
	for (size_t i = 0; i < COUNT_OF(good); i++)
		for (size_t cut = 0; cut <= good[i].bytes.len; cut++) {
			size_t rest_len;
			struct result result = decode(good[i].bytes, cut, &rest_len);
			cr_expect_eq(result.last, HTTP_CHUNKED_END, "row %zu cut %zu", i, cut);
			cr_expect(str_eq((str){ result.data, result.data_len }, good[i].data));
			cr_expect_eq(rest_len, good[i].rest_len, "row %zu cut %zu", i, cut);
		}
}

static const str broken[] = {
	STR_INIT("\r\n"),
	STR_INIT(" 5\r\nhello\r\n"),
	STR_INIT("5 \r\nhello\r\n"),
	STR_INIT("5 ;x\r\nhello\r\n"),
	STR_INIT("+5\r\nhello\r\n"),
	STR_INIT("-1\r\n"),
	STR_INIT("0x5\r\nhello\r\n"),
	STR_INIT("g\r\n"),
	STR_INIT(";x\r\n"),
	STR_INIT("5\nhello\n"),
	STR_INIT("5\r\nhello\n0\r\n\r\n"),
	STR_INIT("5\r\nhello0\r\n\r\n"),
	STR_INIT("5\r\nhello!\r\n0\r\n\r\n"),
	STR_INIT("5\r\nhello\rX"),
	STR_INIT("5\rX"),
	STR_INIT("5;a\nb\r\n"),
	STR_INIT("5;a\rb"),
	STR_INIT("5;\0\r\n"),
	STR_INIT("10000000000000000\r\n"),
	STR_INIT("8000000000000000\r\n"),
	STR_INIT("00000000000000001\r\n"),
	STR_INIT("0\r\n\n"),
	STR_INIT("0\r\n\rX"),
	STR_INIT("0\r\nno colon\r\n\r\n"),
	STR_INIT("0\r\n: empty\r\n\r\n"),
	STR_INIT("0\r\na: b\n\r\n"),
	STR_INIT("0\r\na: b\r\n folded\r\n\r\n"),
	STR_INIT("0\r\na: \x01\r\n\r\n"),
};

Test(http_chunked, broken_bodies_cut_anywhere)
{
	for (size_t i = 0; i < COUNT_OF(broken); i++)
		for (size_t cut = 0; cut <= broken[i].len; cut++) {
			size_t rest_len;
			struct result result = decode(broken[i], cut, &rest_len);
			cr_expect_eq(result.last, HTTP_CHUNKED_BROKEN, "row %zu cut %zu", i, cut);
		}
}

Test(http_chunked, the_largest_chunk)
{
	struct http_chunked c = HTTP_CHUNKED_INIT;
	str bytes = STR("7fffffffffffffff\r\n");
	cr_assert_eq(http_chunked_frame(&c, &bytes), HTTP_CHUNKED_DATA);
	cr_assert_eq(c.left_bytes, (uint64_t)INT64_MAX);
}

/* The bound is on the body as a whole, not on each chunk. */
Test(http_chunked, extensions_and_trailers_are_bounded)
{
	char padding[1000];
	memset(padding, 'x', sizeof padding);
	struct http_chunked c = HTTP_CHUNKED_INIT;
	struct result result = { HTTP_CHUNKED_MORE, { 0 }, 0 };
	str rest;
	size_t chunks = 0;
	for (; chunks < 100 && result.last != HTTP_CHUNKED_BROKEN; chunks++) {
		result.data_len = 0;
		feed(&c, STR("1;"), &result, &rest);
		feed(&c, (str){ padding, sizeof padding }, &result, &rest);
		feed(&c, STR("\r\nx\r\n"), &result, &rest);
	}
	cr_assert_eq(chunks, HTTP_CHUNKED_EXTENSION_BYTES_MAX / sizeof padding + 1);

	c = (struct http_chunked)HTTP_CHUNKED_INIT;
	feed(&c, STR("0\r\na:"), &result, &rest);
	for (size_t i = 0; i < 8; i++)
		feed(&c, (str){ padding, sizeof padding }, &result, &rest);
	cr_assert_eq(result.last, HTTP_CHUNKED_MORE);
	feed(&c, (str){ padding, sizeof padding }, &result, &rest);
	cr_assert_eq(result.last, HTTP_CHUNKED_BROKEN);
}
