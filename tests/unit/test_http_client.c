/* SPDX-License-Identifier: Apache-2.0 */
/* The outgoing client against a server that is good, slow, lying, too talkative, or not there. */
#include "upstream.h"

#include "base/mem.h"
#include "http/client.h"

static struct arena arena;
static struct ctx ctx;
static struct upstream up;
static struct client *client;

static void say_many(int fd, const char *head, size_t count)
{
	char block[1024];
	memset(block, 'x', sizeof block);
	upstream_say(fd, head);
	for (size_t i = 0; i < count; i++)
		upstream_say_bytes(fd, block, sizeof block);
}

static void say_endless_head(int fd)
{
	char line[256];
	upstream_say(fd, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 2000; i++) {
		snprintf(line, sizeof line, "X-Filler-%d: %0200d\r\n", i, i);
		upstream_say(fd, line);
	}
}

static void say_redirect(struct upstream *u, int fd, const char *to)
{
	char field[512];
	(void)u;
	snprintf(field, sizeof field, "Location: %s\r\n", to);
	upstream_say_answer(fd, 302, field, "elsewhere");
}

/* Bytes for a path: what a server may say that keeps to no rule. */
static const struct {
	const char *path, *bytes;
} lies[] = {
	{ "/no-http", "220 mail.example.com ESMTP\r\n" },
	{ "/http-0.9", "just text" },
	{ "/status", "HTTP/1.1 xyz OK\r\n\r\n" },
	{ "/bad-chunk",
	  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n" },
	{ "/short", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello" },
	{ "/cut-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello" },
	{ "/nothing", "" },
};

static bool answer(struct upstream *u, int fd, const struct upstream_request *rq)
{
	for (size_t i = 0; i < COUNT_OF(lies); i++)
		if (strcmp(rq->path, lies[i].path) == 0) {
			upstream_say(fd, lies[i].bytes);
			return false;
		}
	if (strcmp(rq->path, "/hang") == 0)
		upstream_hang(u, fd);
	else if (strcmp(rq->path, "/gate") == 0)
		upstream_wait_at_gate(u);
	else if (strcmp(rq->path, "/large") == 0)
		say_many(fd, "HTTP/1.1 200 OK\r\n\r\n", 4096);
	else if (strcmp(rq->path, "/head") == 0)
		say_endless_head(fd);
	else if (strcmp(rq->path, "/drip") == 0) {
		upstream_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst");
		upstream_hang(u, fd);
	}
	bool keeps = strcmp(rq->path, "/gate") == 0 || rq->path[1] == 'e' || rq->path[1] == 'r';
	if (strcmp(rq->path, "/redirect") == 0)
		say_redirect(u, fd, "/echo");
	else if (strcmp(rq->path, "/redirect-loop") == 0)
		say_redirect(u, fd, "/redirect-loop");
	else if (strcmp(rq->path, "/redirect-file") == 0)
		say_redirect(u, fd, "file:///etc/passwd");
	else if (strcmp(rq->path, "/redirect-localhost") == 0)
		say_redirect(u, fd, "http://localhost:1/");
	else if (strcmp(rq->path, "/echo") == 0)
		upstream_say_answer(fd, 200, "X-Word:  a b \r\nRetry-After: 17\r\n",
				    rq->body_len ? rq->body : rq->head);
	else if (keeps)
		upstream_say_answer(fd, 404, "", "no such path");
	return keeps;
}

static void start_with(struct client_options options)
{
	arena_init(&arena, MIB(16));
	ctx_init(&ctx, &arena);
	up.answer = answer;
	upstream_start(&up);
	options.ignore_proxy = true;
	cr_assert_eq(client_new(&ctx, &options, &client), OK);
}

static void start(void)
{
	start_with((struct client_options){ .request_timeout_ms = 20000 });
}

static void stop(void)
{
	upstream_stop(&up);
	client_free(client);
	arena_done(&arena);
}

TestSuite(client, .init = start, .fini = stop, .timeout = 120);
TestSuite(client_options, .fini = stop, .timeout = 120);

static err_t ask(const char *path, struct client_response *ret)
{
	struct client_request rq = { .method = "GET", .url = str_from(upstream_url(&up, path)) };
	return client_send(&ctx, client, &rq, ret);
}

static void expect(const char *path, err_t want)
{
	struct client_response a;
	cr_expect_eq(ask(path, &a), want, "%s: %s", path, ctx.failure.detail);
	ctx_forgive(&ctx);
}

Test(client, sends_a_method_fields_and_a_body)
{
	const struct client_field fields[] = { { STR_INIT("Content-Type"),
						 STR_INIT("application/json") },
					       { STR_INIT("X-Empty"), STR_NONE } };
	struct client_request rq = { .method = "PUT",
				     .url = str_from(upstream_url(&up, "/echo")),
				     .fields = fields,
				     .field_count = 2,
				     .body = STR("{}") };
	struct client_response a;
	cr_assert_eq(client_send(&ctx, client, &rq, &a), OK, "%s", ctx.failure.detail);
	cr_assert_eq(a.status, 200);
	cr_assert(str_eq(a.body, STR("{}")));
	cr_assert(str_eq(client_response_field(&a, STR("x-word")), STR("a b")));
	cr_assert_eq(client_response_field(&a, STR("X-Absent")).ptr, NULL);
	cr_assert_eq(client_response_retry_after_s(&a), 17);

	rq = (struct client_request){
		.method = "GET", .url = rq.url, .fields = fields, .field_count = 2
	};
	cr_assert_eq(client_send(&ctx, client, &rq, &a), OK);
	cr_assert(str_has_prefix(a.body, STR("GET /echo HTTP/1.1\r\n")));
	size_t at;
	cr_assert(str_find(a.body, STR("\r\nX-Empty:"), &at));
	cr_assert(str_find(a.body, STR("\r\nUser-Agent: berth\r\n"), &at));
	cr_assert(!str_find(a.body, STR("Accept-Encoding"), &at));
	cr_assert(!str_find(a.body, STR("Expect"), &at));
}

Test(client, keeps_a_connection)
{
	for (int i = 0; i < 10; i++)
		expect("/echo", OK);
	cr_assert_eq(atomic_load(&up.requests), 10);
	cr_assert_eq(atomic_load(&up.connections), 1);
}

Test(client, a_connection_closed_in_between_is_no_failure)
{
	expect("/echo", OK);
	shutdown(up.fds[0], SHUT_RDWR);
	expect("/echo", OK);
	cr_assert_eq(atomic_load(&up.connections), 2);
}

Test(client, any_status_is_an_answer)
{
	struct client_response a;
	cr_assert_eq(ask("/else", &a), OK);
	cr_assert_eq(a.status, 404);
	cr_assert(str_eq(a.body, STR("no such path")));
}

Test(client, lies_are_refused)
{
	for (size_t i = 0; i < COUNT_OF(lies); i++) {
		struct client_response a;
		err_t err = ask(lies[i].path, &a);
		cr_expect(err == ERR_UPSTREAM_INVALID || err == ERR_UPSTREAM_UNREACHABLE, "%s: %s",
			  lies[i].path, error_info(err)->name);
		ctx_forgive(&ctx);
	}
	expect("/no-http", ERR_UPSTREAM_INVALID);
	expect("/nothing", ERR_UPSTREAM_UNREACHABLE);
	expect("/short", ERR_UPSTREAM_UNREACHABLE);
	expect("/echo", OK);
}

Test(client, what_is_too_large_is_refused)
{
	expect("/large", ERR_UPSTREAM_INVALID);
	expect("/head", ERR_UPSTREAM_INVALID);
	struct client_request rq = { .method = "GET",
				     .url = str_from(upstream_url(&up, "/echo")),
				     .response_bytes_max = 10 };
	struct client_response a;
	cr_assert_eq(client_send(&ctx, client, &rq, &a), ERR_UPSTREAM_INVALID);
}

Test(client, an_arena_that_is_full_is_a_limit)
{
	struct client_request rq = { .method = "GET",
				     .url = str_from(upstream_url(&up, "/large")),
				     .response_bytes_max = MIB(64) };
	struct client_response a;
	arena.cap_bytes = MIB(1);
	cr_assert_eq(client_send(&ctx, client, &rq, &a), ERR_LIMIT);
}

Test(client, silence_ends_in_time)
{
	struct client_request rq = { .method = "GET",
				     .url = str_from(upstream_url(&up, "/hang")),
				     .timeout_ms = 50 };
	struct client_response a;
	cr_expect_eq(client_send(&ctx, client, &rq, &a), ERR_UPSTREAM_UNREACHABLE);
	ctx_forgive(&ctx);
	rq.url = str_from(upstream_url(&up, "/drip"));
	cr_expect_eq(client_send(&ctx, client, &rq, &a), ERR_UPSTREAM_UNREACHABLE);
	upstream_wait_until(atomic_load(&up.hanging) == 0);
}

Test(client, the_deadline_of_the_work_ends_it)
{
	ctx.deadline_ns = clock_now_ns() + 50 * CLOCK_MS;
	expect("/hang", ERR_DEADLINE);
	expect("/echo", ERR_DEADLINE);
}

Test(client, who_is_cancelled_asks_no_more)
{
	_Atomic(bool) cancelled = true;
	ctx.cancelled = &cancelled;
	expect("/echo", ERR_CANCELLED);
	cr_assert_eq(atomic_load(&up.connections), 0);
}

Test(client, redirects_are_followed_only_when_asked)
{
	struct client_request rq = { .method = "GET",
				     .url = str_from(upstream_url(&up, "/redirect")) };
	struct client_response a;
	cr_assert_eq(client_send(&ctx, client, &rq, &a), OK);
	cr_assert_eq(a.status, 302);
	cr_assert(str_eq(client_response_field(&a, STR("Location")), STR("/echo")));
	rq.redirects_max = 2;
	cr_assert_eq(client_send(&ctx, client, &rq, &a), OK);
	cr_assert_eq(a.status, 200);
	cr_assert_eq(client_response_field(&a, STR("Location")).ptr, NULL,
		     "fields of the last answer");
	rq.url = str_from(upstream_url(&up, "/redirect-loop"));
	cr_assert_eq(client_send(&ctx, client, &rq, &a), ERR_UPSTREAM_INVALID);
	ctx_forgive(&ctx);
	rq.url = str_from(upstream_url(&up, "/redirect-file"));
	cr_assert_eq(client_send(&ctx, client, &rq, &a), ERR_UPSTREAM_INVALID);
}

Test(client, who_is_not_there)
{
	struct client_response a;
	char url[64];
	snprintf(url, sizeof url, "http://127.0.0.1:%u/", upstream_dead_port());
	struct client_request rq = { .method = "GET", .url = str_from(url) };
	cr_expect_eq(client_send(&ctx, client, &rq, &a), ERR_UPSTREAM_UNREACHABLE);
	ctx_forgive(&ctx);
	rq.url = STR("http://nobody.invalid/");
	cr_expect_eq(client_send(&ctx, client, &rq, &a), ERR_UPSTREAM_UNREACHABLE);
}

Test(client, plain_where_tls_is_wanted)
{
	struct client_response a;
	char url[64];
	snprintf(url, sizeof url, "https://127.0.0.1:%u/echo", up.port);
	struct client_request rq = { .method = "GET", .url = str_from(url), .timeout_ms = 2000 };
	cr_expect_eq(client_send(&ctx, client, &rq, &a), ERR_UPSTREAM_UNREACHABLE);
}

Test(client, urls_that_are_not_asked)
{
	static const char *const bad[] = {
		"",
		"/relative",
		"example.com",
		"ftp://example.com/",
		"file:///etc/x",
		"http://",
		"http://a b/",
		"http://a/\r\nX: y",
		"gopher://a/",
		"http://user@a.example/",
		"http://u:p@a.example/",
		"http://a:99999/",
		"dict://a/",
		"http://[::1/",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct client_request rq = { .method = "GET", .url = str_from(bad[i]) };
		struct client_response a;
		cr_expect_eq(client_send(&ctx, client, &rq, &a), ERR_REQUEST_INVALID, "%s", bad[i]);
		cr_expect(!client_url_is_valid(str_from(bad[i])), "%s", bad[i]);
		ctx_forgive(&ctx);
	}
	cr_expect(client_url_is_valid(STR("https://a.example:8443/x?y=z")));
}

Test(client, fields_cannot_smuggle_others)
{
	static const struct client_field bad[] = {
		{ STR_INIT("X"), STR_INIT("a\r\nY: b") }, { STR_INIT("X\n"), STR_INIT("a") },
		{ STR_INIT("X: y"), STR_INIT("a") },	  { STR_INIT(""), STR_INIT("a") },
		{ STR_INIT("X"), STR_INIT("a\0b") },
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct client_request rq = { .method = "GET",
					     .url = str_from(upstream_url(&up, "/echo")),
					     .fields = &bad[i],
					     .field_count = 1 };
		struct client_response a;
		cr_expect_eq(client_send(&ctx, client, &rq, &a), ERR_REQUEST_INVALID, "row %zu", i);
		ctx_forgive(&ctx);
	}
	cr_assert_eq(atomic_load(&up.requests), 0);
}

/* --- callbacks ------------------------------------------------------------------------------ */

struct stream {
	size_t given, wanted, taken;
	int status;
	err_t fails;
};

static err_t give(void *arg, void *into, size_t len, size_t *ret_len)
{
	struct stream *s = arg;
	*ret_len = MIN(len, s->wanted - s->given);
	memset(into, 'b', *ret_len);
	s->given += *ret_len;
	return OK;
}

static err_t take_piece(void *arg, const struct client_response *response, str bytes)
{
	struct stream *s = arg;
	s->taken += bytes.len;
	s->status = response->status;
	return s->fails ? fail(&ctx, s->fails, "the taker fails") : OK;
}

static void stream(uint64_t announced, size_t wanted)
{
	struct stream s = { .wanted = wanted };
	struct client_request rq = { .method = "POST",
				     .url = str_from(upstream_url(&up, "/echo")),
				     .send = give,
				     .send_bytes = announced,
				     .receive = take_piece,
				     .arg = &s };
	struct client_response a;
	ctx.allowance_ns = 60 * CLOCK_S;
	cr_assert_eq(client_send(&ctx, client, &rq, &a), OK, "%s", ctx.failure.detail);
	cr_assert_eq(a.status, 200);
	cr_assert_eq(s.status, 200);
	cr_assert_eq(s.given, wanted);
	cr_assert_eq(s.taken, wanted);
	cr_assert_eq(a.body.len, 0);
}

Test(client, bodies_move_in_pieces)
{
	stream(3000000, 3000000);
	stream(CLIENT_LENGTH_UNKNOWN, 300000);
	cr_assert_gt(ctx.deadline_ns, clock_now_ns(), "each piece is progress");
}

Test(client, what_a_callback_fails_with_is_the_failure)
{
	struct stream s = { .fails = ERR_STORAGE_FULL };
	struct client_request rq = { .method = "GET",
				     .url = str_from(upstream_url(&up, "/large")),
				     .receive = take_piece,
				     .arg = &s };
	struct client_response a;
	cr_assert_eq(client_send(&ctx, client, &rq, &a), ERR_STORAGE_FULL);
	cr_assert_str_eq(ctx.failure.detail, "the taker fails");
}

/* --- pulls ---------------------------------------------------------------------------------- */

static err_t pull_begin(const char *path, struct client_response *ret,
			struct client_pull **ret_pull)
{
	struct client_request rq = { .method = "GET", .url = str_from(upstream_url(&up, path)) };
	return client_pull_begin(&ctx, client, &rq, ret, ret_pull);
}

/* All of it in reads of `step`; the error it ends with. */
static err_t pull_all(struct client_pull *pull, size_t step, size_t *ret_taken)
{
	CLEANUP(mem_done) char *block = mem_new(step);
	size_t len = 1;
	*ret_taken = 0;
	while (len) {
		TRY(client_pull_read(&ctx, pull, block, step, &len));
		for (size_t i = 0; i < len; i++)
			cr_assert_eq(block[i], 'x');
		*ret_taken += len;
	}
	return OK;
}

Test(client, a_body_is_read_when_it_is_wanted)
{
	static const size_t steps[] = { 1000, 65536, 1 << 20, 5 << 20 };
	ctx.allowance_ns = 60 * CLOCK_S;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		CLEANUP(client_pull_end) struct client_pull *pull = NULL;
		struct client_response a;
		size_t taken;
		cr_assert_eq(pull_begin("/large", &a, &pull), OK, "%s", ctx.failure.detail);
		cr_assert_eq(a.status, 200);
		cr_assert_eq(pull_all(pull, steps[i], &taken), OK, "%s", ctx.failure.detail);
		cr_assert_eq(taken, 4096 * 1024);
	}
	cr_assert_gt(ctx.deadline_ns, clock_now_ns(), "each piece is progress");
}

Test(client, a_pull_has_status_fields_and_an_end)
{
	CLEANUP(client_pull_end) struct client_pull *pull = NULL;
	struct client_response a;
	char bytes[64];
	size_t len;
	cr_assert_eq(pull_begin("/elsewhere", &a, &pull), OK);
	cr_assert_eq(a.status, 404);
	cr_assert(str_eq(client_response_field(&a, STR("Content-Length")), STR("12")));
	cr_assert_eq(client_pull_read(&ctx, pull, bytes, 7, &len), OK);
	cr_assert(str_eq((str){ bytes, len }, STR("no such")));
	cr_assert_eq(client_pull_read(&ctx, pull, bytes, sizeof bytes, &len), OK);
	cr_assert(str_eq((str){ bytes, len }, STR(" path")));
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(client_pull_read(&ctx, pull, bytes, sizeof bytes, &len), OK);
		cr_assert_eq(len, 0);
	}
}

Test(client, pulls_that_were_read_share_a_connection)
{
	for (int i = 0; i < 3; i++) {
		CLEANUP(client_pull_end) struct client_pull *pull = NULL;
		struct client_response a;
		char bytes[64];
		size_t len = 1;
		cr_assert_eq(pull_begin("/elsewhere", &a, &pull), OK);
		while (len)
			cr_assert_eq(client_pull_read(&ctx, pull, bytes, sizeof bytes, &len), OK);
	}
	cr_assert_eq(atomic_load(&up.connections), 1);
}

Test(client, a_pull_that_is_cut_short_fails_behind_what_came)
{
	CLEANUP(client_pull_end) struct client_pull *pull = NULL;
	struct client_response a;
	char bytes[64];
	size_t len;
	err_t err = pull_begin("/short", &a, &pull);
	if (err == ERR_UPSTREAM_UNREACHABLE)
		return; /* its end came together with its head: there was nothing to begin */
	cr_assert_eq(err, OK, "%s", ctx.failure.detail);
	cr_assert_eq(client_pull_read(&ctx, pull, bytes, sizeof bytes, &len), OK);
	cr_assert(str_eq((str){ bytes, len }, STR("hello")));
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(client_pull_read(&ctx, pull, bytes, sizeof bytes, &len),
			     ERR_UPSTREAM_UNREACHABLE);
		ctx_forgive(&ctx);
	}
}

Test(client, a_pull_that_is_not_read_to_its_end_harms_nobody)
{
	for (int i = 0; i < 20; i++) {
		CLEANUP(client_pull_end) struct client_pull *pull = NULL;
		struct client_response a;
		char byte;
		size_t len;
		cr_assert_eq(pull_begin("/large", &a, &pull), OK);
		if (i % 2)
			cr_assert_eq(client_pull_read(&ctx, pull, &byte, 1, &len), OK);
	}
	expect("/echo", OK);
}

Test(client, a_pull_ends_with_its_readers_deadline)
{
	CLEANUP(client_pull_end) struct client_pull *pull = NULL;
	struct client_response a;
	char bytes[64];
	size_t len;
	cr_assert_eq(pull_begin("/drip", &a, &pull), OK);
	cr_assert_eq(client_pull_read(&ctx, pull, bytes, sizeof bytes, &len), OK);
	ctx.deadline_ns = clock_now_ns() + 50 * CLOCK_MS;
	cr_assert_eq(client_pull_read(&ctx, pull, bytes, sizeof bytes, &len), ERR_DEADLINE);
	ctx.deadline_ns = 0;
}

Test(client, what_cannot_be_pulled_fails_at_once)
{
	CLEANUP(client_pull_end) struct client_pull *pull = NULL;
	struct client_response a;
	struct client_request nowhere = { .method = "GET", .url = STR("http://127.0.0.1:1/") };
	cr_assert_eq(client_pull_begin(&ctx, client, &nowhere, &a, &pull),
		     ERR_UPSTREAM_UNREACHABLE);
	ctx_forgive(&ctx);
	cr_assert_eq(pull_begin("/no-http", &a, &pull), ERR_UPSTREAM_INVALID);
	ctx_forgive(&ctx);
	cr_assert_null(pull);
}

/* --- bounds --------------------------------------------------------------------------------- */

struct asker {
	pthread_t thread;
	const char *path;
	int timeout_ms;
	err_t err;
};

static _Atomic(int) askers_done;

static void *run_asker(void *arg)
{
	struct asker *asker = arg;
	struct arena own;
	struct ctx own_ctx;
	arena_init(&own, MIB(1));
	ctx_init(&own_ctx, &own);
	struct client_request rq = { .method = "GET",
				     .url = str_from(upstream_url(&up, asker->path)),
				     .timeout_ms = asker->timeout_ms };
	struct client_response a;
	asker->err = client_send(&own_ctx, client, &rq, &a);
	arena_done(&own);
	atomic_fetch_add(&askers_done, 1);
	return NULL;
}

Test(client_options, a_target_has_a_bound_and_a_queue)
{
	struct asker askers[7] = { 0 };
	int refused = 0;
	start_with((struct client_options){ .target_requests_max = 2, .target_waiting_max = 4 });
	for (size_t i = 0; i < COUNT_OF(askers); i++) {
		askers[i].path = "/gate";
		pthread_create(&askers[i].thread, NULL, run_asker, &askers[i]);
	}
	/* Two are inside, four wait, and one, whoever it is, was refused at once. */
	upstream_wait_until(atomic_load(&askers_done) == 1);
	upstream_wait_until(atomic_load(&up.hanging) == 2);
	atomic_store(&up.gate_open, true);
	for (size_t i = 0; i < COUNT_OF(askers); i++) {
		pthread_join(askers[i].thread, NULL);
		refused += askers[i].err == ERR_BUSY;
		cr_expect(askers[i].err == OK || askers[i].err == ERR_BUSY);
	}
	cr_assert_eq(refused, 1);
	cr_assert_eq(atomic_load(&up.requests), 6);
	cr_assert_eq(atomic_load(&up.running_most), 2);
}

Test(client_options, what_hangs_at_one_target_does_not_stop_another)
{
	struct upstream other = { .answer = answer };
	struct asker asker = { .path = "/gate" };
	start_with((struct client_options){ .target_requests_max = 1 });
	upstream_start(&other);
	pthread_create(&asker.thread, NULL, run_asker, &asker);
	upstream_wait_until(atomic_load(&up.hanging) == 1);
	struct client_request rq = { .method = "GET",
				     .url = str_from(upstream_url(&other, "/echo")) };
	struct client_response a;
	cr_expect_eq(client_send(&ctx, client, &rq, &a), OK, "%s", ctx.failure.detail);
	atomic_store(&up.gate_open, true);
	pthread_join(asker.thread, NULL);
	upstream_stop(&other);
}

/* --- the guard ------------------------------------------------------------------------------ */

static void guard_refuses(const char *url, unsigned redirects_max)
{
	struct client_request rq = { .method = "GET",
				     .url = str_from(url),
				     .redirects_max = redirects_max };
	struct client_response a;
	cr_expect_eq(client_send(&ctx, client, &rq, &a), ERR_UPSTREAM_FORBIDDEN, "%s: %s", url,
		     ctx.failure.detail);
	ctx_forgive(&ctx);
}

Test(client_options, the_guard_refuses_what_only_this_machine_reaches)
{
	start_with((struct client_options){ .guard = true });
	static const char *const bad[] = {
		"http://127.0.0.1/",
		"http://127.1/",
		"http://2130706433/",
		"http://0x7f000001/",
		"http://localhost/",
		"http://[::1]/",
		"http://0.0.0.0/",
		"http://10.1.2.3/",
		"http://172.31.0.1/",
		"http://192.168.1.1/",
		"http://169.254.169.254/",
		"http://100.64.0.1/",
		"http://[fe80::1]/",
		"http://[fd00:ec2::254]/",
		"http://[::ffff:127.0.0.1]/",
		"http://[64:ff9b::7f00:1]/",
		"http://[2002:7f00:1::]/",
		"http://[::127.0.0.1]/",
		"http://224.0.0.1/",
		"http://255.255.255.255/",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		guard_refuses(bad[i], 0);
	guard_refuses(upstream_url(&up, "/echo"), 0);
	cr_assert_eq(atomic_load(&up.connections), 0);
}

Test(client_options, the_guard_lets_the_allowed_through_and_nothing_behind_a_redirect)
{
	start_with((struct client_options){ .guard = true, .allow = STR("127.0.0.1/32") });
	expect("/echo", OK);
	char url[64], to[64];
	snprintf(url, sizeof url, "%s", upstream_url(&up, "/redirect-localhost"));
	snprintf(to, sizeof to, "http://[::1]:%u/", up.port);
	guard_refuses(to, 0);
	struct client_request rq = { .method = "GET", .url = str_from(url), .redirects_max = 3 };
	struct client_response a;
	err_t err = client_send(&ctx, client, &rq, &a);
	/* localhost is ::1 (refused) and 127.0.0.1 (allowed, nobody there), by the machine's hosts
	 * file. */
	cr_assert(err == ERR_UPSTREAM_FORBIDDEN || err == ERR_UPSTREAM_UNREACHABLE);
}

Test(client_options, the_guard_holds_for_redirects)
{
	struct upstream inside = { .answer = answer };
	start_with((struct client_options){ .guard = true, .allow = STR("127.0.0.0/31") });
	upstream_start(&inside);
	guard_refuses("http://127.0.0.2:80/", 0);
	expect("/echo", OK);
	upstream_stop(&inside);
}

Test(client_options, a_list_that_does_not_parse)
{
	start_with((struct client_options){ 0 });
	struct client *other = NULL;
	struct client_options options = { .guard = true, .allow = STR("10.0.0.0/8, nonsense") };
	cr_assert_eq(client_new(&ctx, &options, &other), ERR_CONFIG);
	cr_assert_null(other);
}

/* --- proxies -------------------------------------------------------------------------------- */

static err_t ask_by_proxy(bool guard, const char *url, struct client_response *ret)
{
	struct client *by_proxy;
	struct client_options options = { .guard = guard };
	setenv("http_proxy", upstream_url(&up, ""), 1);
	cr_assert_eq(client_new(&ctx, &options, &by_proxy), OK);
	struct client_request rq = { .method = "GET", .url = str_from(url) };
	err_t err = client_send(&ctx, by_proxy, &rq, ret);
	client_free(by_proxy);
	return err;
}

Test(client, a_proxy_of_the_environment_is_asked)
{
	struct client_response a;
	cr_assert_eq(ask_by_proxy(false, "http://registry.example/echo", &a), OK, "%s",
		     ctx.failure.detail);
	cr_assert_eq(atomic_load(&up.requests), 1);
	setenv("no_proxy", "registry.invalid", 1);
	cr_assert_eq(ask_by_proxy(false, "http://registry.invalid/", &a), ERR_UPSTREAM_UNREACHABLE);
	cr_assert_eq(atomic_load(&up.requests), 1);
}

Test(client, behind_a_proxy_the_guard_looks_at_what_is_written)
{
	static const char *const bad[] = { "http://127.0.0.1/",	  "http://localhost/",
					   "http://[::1]/",	  "http://metadata/",
					   "http://a.localhost/", "http://0x7f.1/" };
	struct client_response a;
	setenv("no_proxy", "*", 1);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		cr_expect_eq(ask_by_proxy(true, bad[i], &a), ERR_UPSTREAM_FORBIDDEN, "%s", bad[i]);
		ctx_forgive(&ctx);
	}
	cr_assert_eq(atomic_load(&up.requests), 0);
	cr_assert_eq(ask_by_proxy(true, "http://registry.example/echo", &a), OK, "%s",
		     ctx.failure.detail);
	cr_assert_eq(atomic_load(&up.requests), 1);
}
