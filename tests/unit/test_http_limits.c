/* SPDX-License-Identifier: Apache-2.0 */
/* test_http_limits.c - timeouts, full servers, transfers, draining. Timeouts are tiny; nobody
 * asserts on time. */
#include "http_fixture.h"

#include "os/fault.h"

static struct fixture f;

static int tiny(void)
{
	return 50;
}

Test(http_limits, a_slow_head_is_408)
{
	fixture_start(&f, (struct server_options){ .head_timeout_ms = tiny() });
	int fd = dial(&f);
	say(fd, "GET / HTTP/1.1\r\nHo");
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 408);
	cr_assert(strstr(a.head, "X-Refused: yes\r\n"));
	cr_assert(is_closed(fd));
	fixture_stop(&f);
}

Test(http_limits, a_trickling_head_is_408)
{
	fixture_start(&f, (struct server_options){ .head_timeout_ms = tiny() });
	int fd = dial(&f);
	say(fd, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	while (poll(&readable, 1, 1) == 0)
		say(fd, "x");
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 408);
	close(fd);
	fixture_stop(&f);
}

Test(http_limits, the_second_head_has_a_deadline_too)
{
	fixture_start(&f, (struct server_options){ .head_timeout_ms = tiny() });
	int fd = dial(&f);
	say(fd, GET_HELLO "GET / HT");
	expect_hello(fd);
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 408);
	fixture_stop(&f);
}

Test(http_limits, silent_and_idle_connections_are_closed_without_a_word)
{
	fixture_start(&f, (struct server_options){ .head_timeout_ms = tiny(),
						   .idle_timeout_ms = tiny() });
	int silent = dial(&f), idle = dial(&f);
	say(idle, GET_HELLO);
	expect_hello(idle);
	cr_assert(is_closed(idle));
	cr_assert(is_closed(silent));
	fixture_stop(&f);
}

Test(http_limits, a_silent_body_is_408)
{
	fixture_start(&f, (struct server_options){ .body_timeout_ms = tiny() });
	int fd = dial(&f);
	say(fd, "PUT /blocks HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 408);
	cr_assert(body_is(&a, "REQUEST_TIMEOUT"));
	close(fd);
	fixture_stop(&f);
}

Test(http_limits, a_body_below_the_minimum_rate_is_408)
{
	fixture_start(&f, (struct server_options){ .body_timeout_ms = 2 * tiny(),
						   .rate_min_bytes_per_s = 1000000000 });
	int fd = dial(&f);
	say(fd, "PUT /blocks HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	while (poll(&readable, 1, 5) == 0)
		say(fd, "x");
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 408);
	close(fd);
	fixture_stop(&f);
}

#define POST_CHUNKS "POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

/* Go announces chunks for every body whose length it does not know, empty ones too. */
Test(http_limits, chunks_nobody_reads_cost_no_connection)
{
	static const char *const pieces[][3] = {
		{ POST_CHUNKS "0\r\n\r\n" },
		{ POST_CHUNKS, "0\r\n\r\n" },
		{ POST_CHUNKS "0", "\r\n", "X: trailer\r\n\r\n" },
		{ POST_CHUNKS "5\r\nhe", "llo\r\n5\r\nworld\r\n", "0\r\n\r\n" },
	};
	fixture_start(&f, (struct server_options){ .linger_ms = PATIENCE_S * 1000 });
	int fd = dial(&f);
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		for (size_t at = 0; at < COUNT_OF(pieces[i]) && pieces[i][at]; at++)
			say(fd, pieces[i][at]);
		struct answer a = hear(fd);
		cr_assert_eq(a.status, 200);
		cr_assert_not(strstr(a.head, "Connection: close"), "%zu", i);
		say(fd, GET_HELLO);
		expect_hello(fd);
	}
	close(fd);
	fixture_stop(&f);
}

static void expect_goodbye(const char *request, const char *body, size_t len)
{
	int fd = dial(&f);
	say(fd, request);
	say_bytes(fd, body, len);
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 200, "%s", request);
	cr_assert(strstr(a.head, "Connection: close\r\n"), "%s", request);
	cr_assert(is_closed(fd));
	close(fd);
}

Test(http_limits, chunks_without_a_near_end_end_the_connection)
{
	fixture_start(&f, (struct server_options){ 0 });
	char *body = keep(KIB(100));
	memset(body, 'x', KIB(100));
	expect_goodbye(POST_CHUNKS "19000\r\n", body, KIB(100));
	expect_goodbye(POST_CHUNKS "5\r\n", "hello", 5);
	expect_goodbye(POST_CHUNKS "5\r\n", "helloxx\r\n", 9);
	fixture_stop(&f);
}

/* What waits for others has a deadline, */
Test(http_limits, a_handler_that_waits_is_503)
{
	fixture_start(&f, (struct server_options){ .request_timeout_ms = tiny() });
	int fd = dial(&f);
	say(fd, "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n");
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 503);
	cr_assert(body_is(&a, "DEADLINE"));
	say(fd, GET_HELLO);
	expect_hello(fd);
	fixture_stop(&f);
}

/* and what moves bytes has none, however long that takes. */
Test(http_limits, bytes_move_past_the_deadline)
{
	fixture_start(&f, (struct server_options){ .request_timeout_ms = PATIENCE_S * 1000 });
	int fd = dial(&f);
	say(fd, "PUT /late HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
	wait_until(atomic_load(&gate_waiting) == 1);
	say(fd, "he");
	say(fd, "llo");
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 200);
	cr_assert(body_is(&a, "hellomoved"));
	fixture_stop(&f);
}

/* A reader that stops reading must cost neither a thread nor a transfer for ever. */
Test(http_limits, a_reader_that_stops_is_dropped)
{
	fixture_start(&f, (struct server_options){ .body_timeout_ms = tiny() });
	int fds[8];
	for (size_t i = 0; i < COUNT_OF(fds); i++) {
		int small = 4096;
		fds[i] = dial(&f);
		setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
		for (int n = 0; n < 10; n++)
			say(fds[i], "GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
	}
	wait_until(stats_of(&f).transfers == COUNT_OF(fds));
	wait_until(stats_of(&f).connections == 0);
	cr_assert_eq(stats_of(&f).transfers, 0);
	cr_assert_eq(atomic_load(&last_failure), ERR_PEER_GONE);
	fixture_stop(&f);
}

Test(http_limits, many_connections_on_few_threads)
{
	enum { COUNT = 300 };
	fixture_start(&f, (struct server_options){ .threads_max = 4 });
	static int fds[COUNT];
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < COUNT; i++) {
			if (round == 0)
				fds[i] = dial(&f);
			say(fds[i], GET_HELLO);
		}
		for (int i = 0; i < COUNT; i++)
			expect_hello(fds[i]);
	}
	cr_assert_eq(stats_of(&f).connections, COUNT);
	cr_assert_leq(stats_of(&f).threads, 4);
	for (int i = 0; i < COUNT; i++)
		close(fds[i]);
	wait_until(stats_of(&f).connections == 0);
	fixture_stop(&f);
}

Test(http_limits, requests_wait_when_all_threads_are_taken)
{
	fixture_start(&f, (struct server_options){ .threads_max = 2 });
	int gates[2] = { dial(&f), dial(&f) };
	for (int i = 0; i < 2; i++)
		say(gates[i], "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n");
	wait_until(atomic_load(&gate_waiting) == 2);
	int fd = dial(&f);
	say(fd, GET_HELLO);
	atomic_store(&gate_open, true);
	expect_hello(fd);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(hear(gates[i]).status, 200);
	fixture_stop(&f);
}

Test(http_limits, too_many_connections_are_503)
{
	fixture_start(&f, (struct server_options){ .connections_max = 2 });
	int first = dial(&f), second = dial(&f);
	say(first, GET_HELLO);
	expect_hello(first);
	say(second, GET_HELLO);
	expect_hello(second);
	int third = dial(&f);
	say(third, GET_HELLO);
	struct answer a = hear(third);
	cr_assert_eq(a.status, 503);
	cr_assert(body_is(&a, "BUSY"));
	close(first);
	wait_until(stats_of(&f).connections == 1);
	third = dial(&f);
	say(third, GET_HELLO);
	expect_hello(third);
	fixture_stop(&f);
}

/* Large bodies have slots; short requests never wait for them. */
Test(http_limits, transfers_have_slots)
{
	fixture_start(&f, (struct server_options){ .transfers_max = 1 });
	static const char upload[] =
		"PUT /blocks HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
	int first = dial(&f), second = dial(&f);
	say(first, upload);
	wait_until(stats_of(&f).transfers == 1);
	say(second, upload);
	struct answer a = hear(second);
	cr_assert_eq(a.status, 503);
	cr_assert(body_is(&a, "BUSY"));
	second = dial(&f);
	say(second, "GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
	a = hear(second);
	cr_assert_eq(a.status, 503);
	say(second, GET_HELLO);
	expect_hello(second);
	close(first);
	wait_until(stats_of(&f).transfers == 0);
	say(second, "GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
	a = hear(second);
	cr_assert_eq(a.body_len, FILE_BYTES);
	fixture_stop(&f);
}

Test(http_limits, threads_follow_the_load)
{
	enum { COUNT = 40 };
	fixture_start(&f, (struct server_options){ 0 });
	int fds[COUNT];
	for (int i = 0; i < COUNT; i++) {
		fds[i] = dial(&f);
		say(fds[i], "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n");
	}
	wait_until(atomic_load(&gate_waiting) == COUNT);
	cr_assert_gt(stats_of(&f).threads, COUNT);
	atomic_store(&gate_open, true);
	for (int i = 0; i < COUNT; i++)
		cr_assert_eq(hear(fds[i]).status, 200);
	wait_until(stats_of(&f).threads_idle > COUNT);
	fixture_stop(&f);
}

/* Draining. */

struct drain {
	pthread_t thread;
	int timeout_ms;
	_Atomic(bool) done;
};

static void *drain_main(void *arg)
{
	struct drain *drain = arg;
	server_drain(f.server, drain->timeout_ms);
	atomic_store(&drain->done, true);
	return NULL;
}

static bool accepts(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(f.port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool accepted = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
	close(fd);
	return accepted;
}

Test(http_limits, draining_answers_what_runs_and_closes_the_rest)
{
	fixture_start(&f, (struct server_options){ 0 });
	int idle = dial(&f), running = dial(&f);
	say(idle, GET_HELLO);
	expect_hello(idle);
	say(running, "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n");
	wait_until(atomic_load(&gate_waiting) == 1);

	struct drain drain = { .timeout_ms = PATIENCE_S * 1000 };
	pthread_create(&drain.thread, NULL, drain_main, &drain);
	cr_assert(is_closed(idle));
	cr_assert_not(atomic_load(&drain.done));
	cr_assert_not(accepts());

	atomic_store(&gate_open, true);
	struct answer a = hear(running);
	cr_assert_eq(a.status, 200);
	cr_assert(strstr(a.head, "Connection: close\r\n"));
	cr_assert(is_closed(running));
	close(running);
	pthread_join(drain.thread, NULL);
	fixture_stop(&f);
}

/* Bytes that nobody has read yet are a request all the same: its body must not be cut. */
Test(http_limits, draining_answers_what_has_just_arrived)
{
	fixture_start(&f, (struct server_options){ .threads_max = 1 });
	int busy = dial(&f), parked = dial(&f);
	say(parked, GET_HELLO);
	expect_hello(parked);
	say(busy, "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n");
	wait_until(atomic_load(&gate_waiting) == 1);
	say(parked, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");

	struct drain drain = { .timeout_ms = PATIENCE_S * 1000 };
	pthread_create(&drain.thread, NULL, drain_main, &drain);
	wait_until(!accepts());
	atomic_store(&gate_open, true);
	cr_assert_eq(hear(busy).status, 200);
	say(parked, "world");
	struct answer a = hear(parked);
	cr_assert_eq(a.status, 200);
	cr_assert(body_is(&a, "helloworld"));
	cr_assert(strstr(a.head, "Connection: close\r\n"));
	close(busy);
	close(parked);
	pthread_join(drain.thread, NULL);
	fixture_stop(&f);
}

Test(http_limits, draining_cuts_what_does_not_end)
{
	fixture_start(&f, (struct server_options){ 0 });
	int running = dial(&f), uploading = dial(&f);
	say(running, "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n");
	say(uploading, "PUT /blocks HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
	wait_until(atomic_load(&gate_waiting) == 1 && stats_of(&f).transfers == 1);
	server_drain(f.server, 10);
	cr_assert_eq(stats_of(&f).connections, 0);
	fixture_stop(&f);
}

#ifdef BERTH_FAULTS
Test(http_limits, out_of_descriptors_is_not_the_end)
{
	fault_setup("socket.accept:1=errno:24");
	fixture_start(&f, (struct server_options){ .head_timeout_ms = 1000 });
	int fd = dial(&f);
	say(fd, GET_HELLO);
	expect_hello(fd);
	fixture_stop(&f);
}

Test(http_limits, without_further_threads_the_first_serves_all)
{
	fault_setup("thread.start:*=errno:11");
	struct server_options options = { .handle = fixture_handle };
	struct arena arena;
	struct ctx ctx;
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
	struct server *server;
	cr_assert_eq(server_new(&ctx, &options, &server), OK);
	cr_assert_eq(server_start(&ctx, server), ERR_BUSY, "not even the first");
	server_free(server);
	arena_done(&arena);

	/* The first and the sweeper start; no other. */
	fault_setup("thread.start:3=errno:11,thread.start:4=errno:11,thread.start:5=errno:11");
	fixture_start(&f, (struct server_options){ 0 });
	int fds[3] = { dial(&f), dial(&f), dial(&f) };
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		say(fds[i], GET_HELLO);
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		expect_hello(fds[i]);
	fixture_stop(&f);
}

Test(http_limits, a_broken_connection_breaks_nothing_else)
{
	fault_setup("http.write:1=errno:32,http.read:4=errno:104");
	fixture_start(&f, (struct server_options){ 0 });
	int fd = dial(&f);
	say(fd, GET_HELLO);
	cr_assert(is_closed(fd));
	cr_assert_eq(atomic_load(&last_failure), ERR_PEER_GONE);
	for (int i = 0; i < 4; i++) {
		fd = dial(&f);
		say(fd, "GET /close HTTP/1.1\r\nHost: a\r\n\r\n");
		struct answer a = hear(fd);
		cr_assert(a.status == 200 || a.status == 0);
		close(fd);
	}
	fd = dial(&f);
	say(fd, GET_HELLO);
	expect_hello(fd);
	fixture_stop(&f);
}
#endif
