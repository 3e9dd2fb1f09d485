/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_fixture.h - a real server on a loopback port and raw sockets to speak to it, for the
 * test_http_*.c.
 *
 * The handler's answers depend on the path; see answer_request(). Nothing sleeps: who waits, waits
 * for a byte, an end, or a condition (wait_until), and a hang ends after PATIENCE_S as a failure.
 */
#pragma once

#include "base/clock.h"
#include "http/server.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 30

struct fixture {
	struct arena arena;
	struct ctx ctx;
	struct server *server;
	char bound[128];
	uint16_t port;
	int file; /* 1 MiB, byte i is i * 7 */
};

static _Atomic(int) gate_waiting; /* handlers inside /gate */
static _Atomic(bool) gate_open;
static _Atomic(int) last_failure; /* err_t of the last exchange call that failed */

#define wait_until(condition)                                                                      \
	do {                                                                                       \
		int64_t wait_end_ns_ = clock_now_ns() + PATIENCE_S * CLOCK_S;                      \
		while (!(condition)) {                                                             \
			cr_assert_lt(clock_now_ns(), wait_end_ns_, "never: " #condition);          \
			poll(NULL, 0, 1);                                                          \
		}                                                                                  \
	} while (0)

#define FILE_BYTES MIB(1)

static inline unsigned char file_byte(size_t at)
{
	return (unsigned char)(at * 7 + (at >> 8));
}

static inline err_t echo(struct exchange *x)
{
	str body;
	TRY(exchange_read_all(x, MIB(8), &body));
	return exchange_answer(x, 200, body);
}

/* Reads in steps of `step` and answers with the count and a checksum. */
static inline err_t swallow(struct exchange *x, size_t step)
{
	static _Thread_local char block[3000];
	unsigned sum = 0;
	size_t len = 1;
	while (len) {
		TRY(exchange_read(x, block, MIN(step, sizeof block), &len));
		for (size_t i = 0; i < len; i++)
			sum = sum * 31 + (unsigned char)block[i];
	}
	return exchange_answer(
		x, 200,
		arena_printf(x->ctx->arena, "%llu %u", (unsigned long long)x->received_bytes, sum));
}

static inline err_t stream(struct exchange *x, int fd)
{
	TRY(exchange_begin(x, 200, HTTP_BODY_UNKNOWN));
	TRY(exchange_write(x, STR("hello ")));
	TRY(exchange_write(x, STR_NONE));
	TRY(exchange_write_file(x, fd, 0, 10));
	TRY(exchange_write_file(x, fd, 0, KIB(100)));
	TRY(exchange_write(x, STR("world")));
	return exchange_end(x);
}

static inline err_t wait_at_gate(struct exchange *x)
{
	atomic_fetch_add(&gate_waiting, 1);
	err_t err = OK;
	while (!atomic_load(&gate_open) && (err = ctx_check(x->ctx)) == OK)
		poll(NULL, 0, 1);
	atomic_fetch_sub(&gate_waiting, 1);
	return err == OK ? exchange_answer(x, 200, STR("through")) : err;
}

/* Reads and writes long past its deadline, and says "moved" when each of them set it anew. */
static inline err_t move_late(struct exchange *x)
{
	str body;
	x->ctx->deadline_ns = 1;
	atomic_fetch_add(&gate_waiting, 1);
	err_t err = exchange_read_all(x, MIB(8), &body);
	atomic_fetch_sub(&gate_waiting, 1);
	TRY(err);
	TRY(ctx_check(x->ctx));
	x->ctx->deadline_ns = 1;
	TRY(exchange_begin(x, 200, 10));
	TRY(exchange_write(x, body));
	TRY(exchange_write(x, ctx_check(x->ctx) == OK ? STR("moved") : STR("stood")));
	return exchange_end(x);
}

static inline err_t tell_origin(struct exchange *x)
{
	return exchange_answer(x, 200,
			       arena_printf(x->ctx->arena, STR_FMT " " STR_FMT " " STR_FMT,
					    STR_ARG(x->peer), STR_ARG(x->scheme),
					    STR_ARG(x->host)));
}

static inline err_t tell_client(struct exchange *x)
{
	ip client;
	char text[IP_TEXT_MAX];
	return exchange_answer(
		x, 200, exchange_client(x, &client) ? ip_format(client, text) : STR("nobody"));
}

/* Says 10 bytes, sends 5 and returns. */
static inline err_t stop_short(struct exchange *x, uint64_t length)
{
	TRY(exchange_begin(x, 200, length));
	return exchange_write(x, STR("short"));
}

static inline err_t answer_request(struct fixture *f, struct exchange *x)
{
	str path = x->head->path;
	if (str_eq(path, STR("/echo")))
		return echo(x);
	if (str_eq(path, STR("/bytes")))
		return swallow(x, 1);
	if (str_eq(path, STR("/blocks")))
		return swallow(x, 3000);
	if (str_eq(path, STR("/stream")))
		return stream(x, f->file);
	if (str_eq(path, STR("/file")))
		return exchange_answer_file(x, 200, f->file, 0, FILE_BYTES);
	if (str_eq(path, STR("/part")))
		return exchange_answer_file(x, 206, f->file, 1000, 5000);
	if (str_eq(path, STR("/beyond")))
		return exchange_answer_file(x, 200, f->file, FILE_BYTES - 10, 100);
	if (str_eq(path, STR("/gate")))
		return wait_at_gate(x);
	if (str_eq(path, STR("/late")))
		return move_late(x);
	if (str_eq(path, STR("/origin")))
		return tell_origin(x);
	if (str_eq(path, STR("/client")))
		return tell_client(x);
	if (str_eq(path, STR("/empty")))
		return exchange_answer(x, 204, STR_NONE);
	if (str_eq(path, STR("/short")))
		return stop_short(x, 10);
	if (str_eq(path, STR("/short-chunked")))
		return stop_short(x, HTTP_BODY_UNKNOWN);
	if (str_eq(path, STR("/nothing")))
		return OK;
	if (str_eq(path, STR("/close")))
		x->close_after = true;
	exchange_header(x, STR("X-Path"), path);
	return exchange_answer(x, 200, STR("hello"));
}

static inline void fixture_handle(void *arg, struct exchange *x)
{
	err_t err = answer_request(arg, x);
	if (err == OK)
		return;
	atomic_store(&last_failure, (int)err);
	if (!x->answered) {
		exchange_clear_headers(x);
		err = exchange_answer(x, error_info(err)->status, str_from(error_info(err)->name));
	}
}

static inline void fixture_refuse(void *arg, struct exchange *x, err_t err)
{
	exchange_header(x, STR("X-Refused"), STR("yes"));
	err = exchange_answer(x, error_info(err)->status, str_from(error_info(err)->name));
	if (err != OK)
		atomic_store(&last_failure, (int)err);
}

static inline int make_file(void)
{
	char path[] = "/tmp/berth-http-XXXXXX";
	int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	unlink(path);
	unsigned char *bytes = malloc(FILE_BYTES);
	for (size_t i = 0; i < FILE_BYTES; i++)
		bytes[i] = file_byte(i);
	cr_assert_eq(write(fd, bytes, FILE_BYTES), (ssize_t)FILE_BYTES);
	free(bytes);
	return fd;
}

/* Fills in what the test left open and starts a server on `address`. */
static inline void fixture_start_at(struct fixture *f, struct server_options options,
				    const char *address, bool tls)
{
	*f = (struct fixture){ .file = make_file() };
	arena_init(&f->arena, MIB(1));
	ctx_init(&f->ctx, &f->arena);
	atomic_store(&gate_open, false);
	options.handle = fixture_handle;
	options.refuse = fixture_refuse;
	options.arg = f;
	str bound, host, port;
	uint64_t number;
	cr_assert_eq(server_new(&f->ctx, &options, &f->server), OK, "%s", f->ctx.failure.detail);
	cr_assert_eq(server_listen(&f->ctx, f->server, str_from(address), tls, &bound), OK, "%s",
		     f->ctx.failure.detail);
	snprintf(f->bound, sizeof f->bound, STR_FMT, STR_ARG(bound));
	if (str_cut_last(bound, ':', &host, &port) && str_to_u64(port, 65535, &number))
		f->port = (uint16_t)number;
	cr_assert_eq(server_start(&f->ctx, f->server), OK, "%s", f->ctx.failure.detail);
}

static inline void fixture_start(struct fixture *f, struct server_options options)
{
	fixture_start_at(f, options, "127.0.0.1:0", false);
}

/* Memory for the client's side, gone with the fixture. */
struct kept {
	struct kept *next;
	max_align_t bytes[];
};
static struct kept *kept;

static inline char *keep(size_t len)
{
	struct kept *fresh = calloc(1, sizeof *fresh + len + 1);
	fresh->next = kept;
	kept = fresh;
	return (char *)fresh->bytes;
}

static inline void fixture_stop(struct fixture *f)
{
	atomic_store(&gate_open, true);
	server_drain(f->server, 1000);
	server_free(f->server);
	close(f->file);
	arena_done(&f->arena);
	while (kept) {
		struct kept *next = kept->next;
		free(kept);
		kept = next;
	}
}

static inline struct server_stats stats_of(struct fixture *f)
{
	struct server_stats stats;
	server_stats(f->server, &stats);
	return stats;
}

/* The client's side. */

static inline void set_patience(int fd)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

static inline int dial(const struct fixture *f)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(f->port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	set_patience(fd);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static inline int dial_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	set_patience(fd);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static inline void say_bytes(int fd, const void *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t sent = send(fd, (const char *)bytes + done, len - done, MSG_NOSIGNAL);
		cr_assert_gt(sent, 0, "could not send");
		done += (size_t)sent;
	}
}

static inline void say(int fd, const char *text)
{
	say_bytes(fd, text, strlen(text));
}

struct answer {
	int status;
	char head[1024];
	char *body; /* kept */
	size_t body_len;
	bool cut; /* the body ended before its length or last chunk */
};

static inline size_t hear_exactly(int fd, char *into, size_t len)
{
	size_t have = 0;
	while (have < len) {
		ssize_t got = recv(fd, into + have, len - have, 0);
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	return have;
}

/* Up to and with `end`; byte by byte, so that nothing behind it is lost. */
static inline size_t hear_until(int fd, const char *end, char *into, size_t room)
{
	size_t len = 0;
	while (len + 1 < room) {
		if (recv(fd, into + len, 1, 0) != 1)
			break;
		into[++len] = '\0';
		if (len >= strlen(end) && strcmp(into + len - strlen(end), end) == 0)
			return len;
	}
	return 0;
}

static inline void hear_chunks(int fd, struct answer *a)
{
	char line[64];
	a->body = keep(2 * FILE_BYTES);
	for (;;) {
		a->cut = hear_until(fd, "\r\n", line, sizeof line) == 0;
		size_t len = strtoul(line, NULL, 16);
		if (a->cut)
			return;
		a->cut = hear_exactly(fd, a->body + a->body_len, len) < len ||
			 hear_exactly(fd, line, 2) < 2;
		if (a->cut || len == 0)
			return;
		a->body_len += len;
	}
}

static inline struct answer hear_answer(int fd, bool to_head)
{
	struct answer a = { 0 };
	if (!hear_until(fd, "\r\n\r\n", a.head, sizeof a.head))
		return a;
	cr_assert_eq(sscanf(a.head, "HTTP/1.1 %d ", &a.status), 1, "%s", a.head);
	const char *length = strstr(a.head, "Content-Length: ");
	bool bodiless = to_head || a.status < 200 || a.status == 204 || a.status == 304;
	if (!bodiless && strstr(a.head, "Transfer-Encoding: chunked\r\n")) {
		hear_chunks(fd, &a);
	} else if (!bodiless && length) {
		size_t len = strtoul(length + 16, NULL, 10);
		a.body = keep(len);
		a.body_len = hear_exactly(fd, a.body, len);
		a.cut = a.body_len < len;
	} else if (!bodiless) {
		a.body = keep(2 * FILE_BYTES);
		a.body_len = hear_exactly(fd, a.body, 2 * FILE_BYTES);
	}
	return a;
}

static inline struct answer hear(int fd)
{
	return hear_answer(fd, false);
}

static inline bool body_is(const struct answer *a, const char *text)
{
	return a->body && a->body_len == strlen(text) && memcmp(a->body, text, a->body_len) == 0;
}

/* Whether the server has closed; waits for it. A reset is no clean close. */
static inline bool is_closed(int fd)
{
	char byte;
	return recv(fd, &byte, 1, 0) == 0;
}

static inline void expect_hello(int fd)
{
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 200);
	cr_assert(body_is(&a, "hello"));
}

#define GET_HELLO "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
