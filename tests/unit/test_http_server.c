/* SPDX-License-Identifier: Apache-2.0 */
/* test_http_server.c - requests and answers over a real socket: framing, bodies, the end of
 * connections. */
#include "http_fixture.h"

static struct fixture f;

static void start(void)
{
	fixture_start(&f, (struct server_options){ 0 });
}

static void stop(void)
{
	fixture_stop(&f);
}

TestSuite(http_server, .init = start, .fini = stop);

Test(http_server, answers_and_keeps_the_connection)
{
	int fd = dial(&f);
	for (int i = 0; i < 3; i++) {
		say(fd, GET_HELLO);
		struct answer a = hear(fd);
		cr_assert_eq(a.status, 200);
		cr_assert(body_is(&a, "hello"));
		cr_assert(strstr(a.head, "X-Path: /hello\r\n"));
		cr_assert(strstr(a.head, "Content-Length: 5\r\n"));
		cr_assert(strstr(a.head, "Date: ") && strstr(a.head, " GMT\r\n"));
		cr_assert_not(strstr(a.head, "Connection:"));
	}
	close(fd);
	wait_until(stats_of(&f).connections == 0);
}

Test(http_server, closes_when_asked_to)
{
	int fd = dial(&f);
	say(fd, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	struct answer a = hear(fd);
	cr_assert(strstr(a.head, "Connection: close\r\n"));
	cr_assert(is_closed(fd));

	fd = dial(&f);
	say(fd, "GET /close HTTP/1.1\r\nHost: a\r\n\r\n");
	a = hear(fd);
	cr_assert(strstr(a.head, "Connection: close\r\n"));
	cr_assert(is_closed(fd));
}

Test(http_server, http_1_0)
{
	int fd = dial(&f);
	say(fd, "GET /hello HTTP/1.0\r\n\r\n");
	expect_hello(fd);
	cr_assert(is_closed(fd));

	fd = dial(&f);
	for (int i = 0; i < 2; i++) {
		say(fd, "GET /origin HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
		struct answer a = hear(fd);
		char expected[192];
		snprintf(expected, sizeof expected, "127.0.0.1 http %s", f.bound);
		cr_assert(body_is(&a, expected), "%s", a.body);
		cr_assert(strstr(a.head, "Connection: keep-alive\r\n"));
	}

	/* Without chunks the end of the connection ends the body. */
	fd = dial(&f);
	say(fd, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	struct answer a = hear(fd);
	cr_assert_eq(a.body_len, 6 + 10 + KIB(100) + 5);
	cr_assert(strstr(a.head, "Connection: close\r\n"));
}

Test(http_server, pipelined_requests_are_answered_in_order)
{
	int fd = dial(&f);
	say(fd, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
		"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
		"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
		"GET /4 HTTP/1.1\r\nHost: a\r\n\r\n");
	struct answer a = hear(fd);
	cr_assert(strstr(a.head, "X-Path: /1\r\n"));
	a = hear(fd);
	cr_assert(body_is(&a, "body"));
	a = hear(fd);
	cr_assert(body_is(&a, "abcde"));
	a = hear(fd);
	cr_assert(strstr(a.head, "X-Path: /4\r\n"));
}

Test(http_server, a_long_pipeline)
{
	enum { COUNT = 3000 };
	int fd = dial(&f);
	char *all = keep(COUNT * 80);
	size_t len = 0;
	for (int i = 0; i < COUNT; i++)
		len += (size_t)sprintf(all + len, "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
	pid_t writer = fork();
	if (writer == 0) {
		say_bytes(fd, all, len);
		_exit(0);
	}
	for (int i = 0; i < COUNT; i++) {
		char expected[32];
		struct answer a = hear(fd);
		sprintf(expected, "X-Path: /%d\r\n", i);
		cr_assert(strstr(a.head, expected));
	}
}

Test(http_server, head_never_has_a_body)
{
	static const char *const paths[] = { "/hello", "/file", "/part", "/stream", "/empty" };
	int fd = dial(&f);
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		char request[64];
		snprintf(request, sizeof request, "HEAD %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i]);
		say(fd, request);
		struct answer a = hear_answer(fd, true);
		cr_assert_lt(a.status, 300);
		if (i == 1)
			cr_assert(strstr(a.head, "Content-Length: 1048576\r\n"));
	}
	say(fd, GET_HELLO);
	expect_hello(fd);
}

Test(http_server, empty_answers_have_no_length)
{
	int fd = dial(&f);
	say(fd, "GET /empty HTTP/1.1\r\nHost: a\r\n\r\n" GET_HELLO);
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 204);
	cr_assert_not(strstr(a.head, "Content-Length"));
	expect_hello(fd);
}

static bool holds_file_range(const struct answer *a, size_t from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (a->body_len != len || (unsigned char)a->body[i] != file_byte(from + i))
			return false;
	return true;
}

Test(http_server, files_and_ranges_of_them)
{
	int fd = dial(&f);
	say(fd, "GET /part HTTP/1.1\r\nHost: a\r\n\r\nGET /file HTTP/1.1\r\nHost: a\r\n\r\n");
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 206);
	cr_assert(holds_file_range(&a, 1000, 5000));
	a = hear(fd);
	cr_assert(holds_file_range(&a, 0, FILE_BYTES));
}

Test(http_server, a_file_shorter_than_promised_ends_the_connection)
{
	int fd = dial(&f);
	say(fd, "GET /beyond HTTP/1.1\r\nHost: a\r\n\r\n");
	struct answer a = hear(fd);
	cr_assert(a.status == 0 || a.cut);
	cr_assert_eq(atomic_load(&last_failure), ERR_STORAGE);
}

Test(http_server, streams_are_chunked)
{
	int fd = dial(&f);
	say(fd, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n" GET_HELLO);
	struct answer a = hear(fd);
	cr_assert(strstr(a.head, "Transfer-Encoding: chunked\r\n"));
	cr_assert_eq(a.body_len, 6 + 10 + KIB(100) + 5);
	cr_assert_eq(memcmp(a.body, "hello ", 6), 0);
	cr_assert_eq(memcmp(a.body + a.body_len - 5, "world", 5), 0);
	expect_hello(fd);
}

/* A client must be able to tell half an answer from a whole one. */
Test(http_server, half_an_answer_never_looks_whole)
{
	int fd = dial(&f);
	say(fd, "GET /short HTTP/1.1\r\nHost: a\r\n\r\n");
	struct answer a = hear(fd);
	cr_assert(a.cut);

	fd = dial(&f);
	say(fd, "GET /short-chunked HTTP/1.1\r\nHost: a\r\n\r\n");
	a = hear(fd);
	cr_assert(a.cut);
	cr_assert(is_closed(fd));

	fd = dial(&f);
	say(fd, "GET /short-chunked HTTP/1.0\r\n\r\n");
	cr_assert(hear_until(fd, "\r\n\r\n", a.head, sizeof a.head));
	char rest[16];
	while (recv(fd, rest, sizeof rest, 0) > 0)
		continue;
	cr_assert_eq(errno, ECONNRESET, "only a reset tells");
}

Test(http_server, what_a_handler_leaves_unanswered_is_a_500)
{
	int fd = dial(&f);
	say(fd, "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n" GET_HELLO);
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 500);
	cr_assert(body_is(&a, "INTERNAL"));
	expect_hello(fd);
}

/* Bodies. */

static unsigned checksum(const char *bytes, size_t len)
{
	unsigned sum = 0;
	for (size_t i = 0; i < len; i++)
		sum = sum * 31 + (unsigned char)bytes[i];
	return sum;
}

static void expect_swallowed(int fd, const char *body, size_t len)
{
	char expected[64];
	struct answer a = hear(fd);
	snprintf(expected, sizeof expected, "%zu %u", len, checksum(body, len));
	cr_assert_eq(a.status, 200);
	cr_assert(body_is(&a, expected), "%s, not %s", a.body, expected);
}

Test(http_server, bodies_of_known_length)
{
	size_t len = KIB(300);
	char *body = keep(len), head[128];
	for (size_t i = 0; i < len; i++)
		body[i] = (char)file_byte(i);
	static const char *const paths[] = { "/bytes", "/blocks" };
	int fd = dial(&f);
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		snprintf(head, sizeof head,
			 "PUT %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", paths[i],
			 len);
		say(fd, head);
		say_bytes(fd, body, len);
		expect_swallowed(fd, body, len);
	}
}

Test(http_server, chunked_bodies)
{
	static const size_t sizes[] = { 1, 15, 16, 4095, 4096, 5000, 65536, 3000, 2999, 7 };
	static const char *const paths[] = { "/bytes", "/blocks" };
	size_t len = KIB(300), at = 0, turn = 0;
	char *body = keep(len), *wire = keep(2 * len);
	for (size_t i = 0; i < len; i++)
		body[i] = (char)file_byte(i);
	size_t wire_len = 0;
	while (at < len) {
		size_t chunk = MIN(sizes[turn++ % COUNT_OF(sizes)], len - at);
		wire_len += (size_t)sprintf(wire + wire_len, "%zx;x=y\r\n", chunk);
		memcpy(wire + wire_len, body + at, chunk);
		wire_len += chunk;
		wire_len += (size_t)sprintf(wire + wire_len, "\r\n");
		at += chunk;
	}
	wire_len += (size_t)sprintf(wire + wire_len, "0\r\nTrailer: x\r\n\r\n");
	int fd = dial(&f);
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		char head[128];
		snprintf(head, sizeof head,
			 "PUT %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
			 paths[i]);
		say(fd, head);
		say_bytes(fd, wire, wire_len);
		expect_swallowed(fd, body, len);
	}
	say(fd, GET_HELLO);
	expect_hello(fd);
}

Test(http_server, the_head_and_body_in_single_bytes)
{
	static const char text[] =
		"POST /echo HTTP/1.1\r\nHost: a\r\nX: 0123456789012345678901234567\r\n"
		"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n";
	int fd = dial(&f), on = 1;
	setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
	for (size_t i = 0; i < sizeof text - 1; i++)
		say_bytes(fd, text + i, 1);
	struct answer a = hear(fd);
	cr_assert(body_is(&a, "hello!"));
}

Test(http_server, broken_chunks_end_the_connection)
{
	int fd = dial(&f);
	say(fd, "PUT /blocks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		"5\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n");
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 400);
	cr_assert(body_is(&a, "REQUEST_INVALID"));
	cr_assert(strstr(a.head, "Connection: close\r\n"));
	cr_assert(is_closed(fd));
}

Test(http_server, a_body_that_breaks_off)
{
	int fd = dial(&f);
	say(fd, "PUT /blocks HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
	shutdown(fd, SHUT_WR);
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 400);
	cr_assert(body_is(&a, "UPLOAD_TRUNCATED"));
	cr_assert(is_closed(fd));
}

Test(http_server, expecting_100_continue)
{
	int fd = dial(&f);
	say(fd,
	    "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 100);
	say(fd, "hello");
	expect_hello(fd);
	say(fd, GET_HELLO);
	expect_hello(fd);
}

Test(http_server, a_refusal_instead_of_100_continue)
{
	int fd = dial(&f);
	say(fd, "PUT /ignored HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
		"Expect: 100-continue\r\n\r\n");
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 200);
	cr_assert(strstr(a.head, "Connection: close\r\n"));
	cr_assert(is_closed(fd));
}

Test(http_server, a_short_ignored_body_keeps_the_connection)
{
	int fd = dial(&f);
	say(fd, "PUT /ignored HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" GET_HELLO);
	expect_hello(fd);
	expect_hello(fd);
}

/* The status must reach a client that is still sending; a reset would swallow it. */
Test(http_server, a_long_ignored_body_still_lets_the_answer_through)
{
	int fd = dial(&f);
	char *block = keep(KIB(64));
	say(fd, "PUT /ignored HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
	for (int i = 0; i < 8; i++)
		say_bytes(fd, block, KIB(64));
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 200);
	cr_assert(strstr(a.head, "Connection: close\r\n"));
	close(fd);
	wait_until(stats_of(&f).connections == 0);
}

Test(http_server, read_all_has_a_maximum)
{
	int fd = dial(&f);
	say(fd, "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n");
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 413);
}

/* Heads that are refused. */

static void expect_refused(const char *bytes, size_t len, int status)
{
	int fd = dial(&f);
	say_bytes(fd, bytes, len);
	struct answer a = hear(fd);
	cr_assert_eq(a.status, status, "%d for %s", a.status, bytes);
	cr_assert(strstr(a.head, "X-Refused: yes\r\n"));
	cr_assert(strstr(a.head, "Connection: close\r\n"));
	cr_assert(is_closed(fd));
	close(fd);
}

Test(http_server, refusals)
{
	expect_refused("nonsense\r\n\r\n", 12, 400);
	expect_refused("GET / HTTP/2.0\r\n\r\n", 18, 505);
	expect_refused("GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", 38, 417);
	expect_refused("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n", 49, 501);
	expect_refused("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03", 11, 400);
}

Test(http_server, heads_that_are_too_large)
{
	size_t len = KIB(80);
	char *text = keep(len);
	memset(text, 'a', len);
	memcpy(text, "GET /", 5);
	expect_refused(text, len, 414);
	memcpy(text, "GET / HTTP/1.1\r\nHost: a\r\nX: ", 28);
	expect_refused(text, len, 431);
}

Test(http_server, a_large_head_in_pieces)
{
	size_t len = KIB(60), at = 0;
	char *text = keep(len);
	memset(text, 'a', len);
	memcpy(text, "GET /hello HTTP/1.1\r\nHost: a\r\nX: ", 33);
	memcpy(text + len - 4, "\r\n\r\n", 4);
	int fd = dial(&f);
	while (at < len) {
		size_t piece = MIN((size_t)997, len - at);
		say_bytes(fd, text + at, piece);
		at += piece;
	}
	expect_hello(fd);
}
