/* SPDX-License-Identifier: Apache-2.0 */
/* test_http_origin.c - where requests come from: listeners of every kind, PROXY headers, proxies'
 * fields. */
#include "http_fixture.h"

#include <fcntl.h>

static struct fixture f;

static struct answer get(int fd, const char *path, const char *fields)
{
	char request[1024];
	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: r.example\r\n%s\r\n", path,
		 fields);
	say(fd, request);
	return hear(fd);
}

static void expect_origin(int fd, const char *fields, const char *expected)
{
	struct answer a = get(fd, "/origin", fields);
	cr_assert_eq(a.status, 200);
	cr_assert(body_is(&a, expected), "%s, not %s", a.body, expected);
}

Test(http_origin, nobody_is_trusted_at_first)
{
	fixture_start(&f, (struct server_options){ 0 });
	int fd = dial(&f);
	expect_origin(fd,
		      "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n"
		      "X-Forwarded-Host: evil\r\n",
		      "127.0.0.1 http r.example");
	fixture_stop(&f);
}

Test(http_origin, trusted_proxies)
{
	fixture_start(&f, (struct server_options){ .trusted_proxies = "127.0.0.0/8, 10.0.0.0/8" });
	int fd = dial(&f);
	expect_origin(fd, "", "127.0.0.1 http r.example");
	expect_origin(fd, "X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1 http r.example");
	/* The rightmost that is not ours; what stands left of it anybody could have written. */
	expect_origin(fd, "X-Forwarded-For: 8.8.8.8, 192.0.2.1, 10.0.0.3\r\n",
		      "192.0.2.1 http r.example");
	expect_origin(fd, "X-Forwarded-For: 8.8.8.8\r\nX-Forwarded-For: 192.0.2.1,10.0.0.3\r\n",
		      "192.0.2.1 http r.example");
	expect_origin(fd, "X-Forwarded-For: 10.0.0.9, 10.0.0.3\r\n", "10.0.0.9 http r.example");
	expect_origin(fd, "X-Forwarded-For: 8.8.8.8, junk, 10.0.0.3\r\n",
		      "10.0.0.3 http r.example");
	expect_origin(fd, "X-Forwarded-For: junk\r\n", "127.0.0.1 http r.example");
	expect_origin(fd, "X-Forwarded-For: [2001:db8::1]:443\r\n", "2001:db8::1 http r.example");
	expect_origin(fd, "X-Forwarded-Proto: https\r\nX-Forwarded-Host: hub.example:8443\r\n",
		      "127.0.0.1 https hub.example:8443");
	expect_origin(fd, "X-Forwarded-Proto: gopher\r\nX-Forwarded-Host: a/b\r\n",
		      "127.0.0.1 http r.example");
	expect_origin(fd, "Forwarded: for=192.0.2.1;proto=https\r\n", "127.0.0.1 http r.example");
	fixture_stop(&f);
}

static void expect_client(int fd, const char *fields, const char *expected)
{
	struct answer a = get(fd, "/client", fields);
	cr_assert(body_is(&a, expected), "%s, not %s, of %s", a.body, expected, fields);
}

Test(http_origin, a_proxy_is_no_client)
{
	fixture_start(&f, (struct server_options){ .trusted_proxies = "127.0.0.0/8, 10.0.0.0/8" });
	int fd = dial(&f);
	expect_client(fd, "", "nobody");
	expect_client(fd, "X-Forwarded-For: junk\r\n", "nobody");
	expect_client(fd, "X-Forwarded-For: 10.0.0.9\r\n", "nobody");
	expect_client(fd, "X-Forwarded-For: 192.0.2.1, 10.0.0.9\r\n", "192.0.2.1");
	expect_client(fd, "X-Forwarded-For: 2001:db8::7\r\nVia: 1.1 ours\r\n", "2001:db8::7");
	fixture_stop(&f);
}

Test(http_origin, a_proxy_that_nobody_trusts_is_no_client_either)
{
	fixture_start(&f, (struct server_options){ 0 });
	int fd = dial(&f);
	expect_client(fd, "", "127.0.0.1");
	expect_client(fd, "X-Forwarded-For: 192.0.2.1\r\n", "nobody");
	expect_client(fd, "Forwarded: for=192.0.2.1\r\n", "nobody");
	expect_client(fd, "Via: 1.1 theirs\r\n", "nobody");
	fixture_stop(&f);
}

static void expect_origin_behind(const void *header, size_t len, const char *expected)
{
	int fd = dial(&f);
	say_bytes(fd, header, len);
	expect_origin(fd, "", expected);
	expect_origin(fd, "", expected);
	close(fd);
}

Test(http_origin, proxy_protocol)
{
	static const char v1[] = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
	static const char v2[] =
		"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0C\xC0\x00\x02\x02\xC6\x33\x64\x01"
		"\x12\x34\x01\xBB";
	static const char local[] = "\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";
	fixture_start(&f, (struct server_options){ .proxy_protocol = true,
						   .trusted_proxies = "127.0.0.1" });
	expect_origin_behind(v1, sizeof v1 - 1, "192.0.2.1 http r.example");
	expect_origin_behind(v2, sizeof v2 - 1, "192.0.2.2 http r.example");
	expect_origin_behind(local, sizeof local - 1, "127.0.0.1 http r.example");

	int fd = dial(&f);
	for (size_t i = 0; i < sizeof v1 - 1; i++)
		say_bytes(fd, v1 + i, 1);
	/* From behind the header on, its address decides whom to trust. */
	expect_origin(fd, "X-Forwarded-For: 8.8.8.8\r\n", "192.0.2.1 http r.example");

	fd = dial(&f);
	say(fd, GET_HELLO);
	cr_assert_neq(hear(fd).status, 200, "the header is required");
	fixture_stop(&f);
}

Test(http_origin, the_proxy_protocol_is_for_trusted_peers_only)
{
	fixture_start(&f, (struct server_options){ .proxy_protocol = true,
						   .trusted_proxies = "10.0.0.0/8" });
	int fd = dial(&f);
	expect_origin(fd, "", "127.0.0.1 http r.example");
	fd = dial(&f);
	say(fd, "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n" GET_HELLO);
	cr_assert_eq(hear(fd).status, 400);
	fixture_stop(&f);
}

Test(http_origin, unix_sockets)
{
	char folder[] = "/tmp/berth-http-XXXXXX", address[64];
	cr_assert(mkdtemp(folder));
	snprintf(address, sizeof address, "unix:%s/s", folder);
	for (int again = 0; again < 2; again++) {
		fixture_start_at(&f, (struct server_options){ 0 }, address, false);
		int fd = dial_unix(address + 5);
		expect_origin(fd, "X-Forwarded-For: 192.0.2.1\r\n", "unix http r.example");
		say(fd, "GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
		cr_assert_eq(hear(fd).body_len, FILE_BYTES);
		fixture_stop(&f);
		cr_assert_neq(access(address + 5, F_OK), 0, "removed at the end");
	}
	fixture_start_at(&f, (struct server_options){ .trusted_proxies = "unix" }, address, false);
	int fd = dial_unix(address + 5);
	expect_origin(fd, "X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1 http r.example");
	fixture_stop(&f);
	rmdir(folder);
}

Test(http_origin, a_stale_unix_socket_is_replaced_and_a_live_one_is_not)
{
	char folder[] = "/tmp/berth-http-XXXXXX", address[64];
	cr_assert(mkdtemp(folder));
	snprintf(address, sizeof address, "unix:%s/s", folder);
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	snprintf(name.sun_path, sizeof name.sun_path, "%s", address + 5);
	int stale = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(bind(stale, (struct sockaddr *)&name, sizeof name), 0);
	close(stale);
	fixture_start_at(&f, (struct server_options){ 0 }, address, false);

	struct server *second;
	struct server_options options = { .handle = fixture_handle };
	cr_assert_eq(server_new(&f.ctx, &options, &second), OK);
	cr_assert_eq(server_listen(&f.ctx, second, str_from(address), false, NULL), ERR_CONFIG);
	server_free(second);
	close(dial_unix(address + 5));
	fixture_stop(&f);
	rmdir(folder);
}

Test(http_origin, a_socket_we_were_given)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int given = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(given, (struct sockaddr *)&any, sizeof any), 0);
	cr_assert_eq(listen(given, 8), 0);
	int keeper = dup(given);
	char address[16];
	snprintf(address, sizeof address, "fd:%d", given);
	fixture_start_at(&f, (struct server_options){ 0 }, address, false);
	int fd = dial(&f);
	expect_origin(fd, "", "127.0.0.1 http r.example");
	uint16_t port = f.port;
	fixture_stop(&f);

	/* The manager's socket lives on: who connects now waits for our successor. */
	f.port = port;
	close(dial(&f));
	close(keeper);
}

Test(http_origin, ipv6_and_all_addresses)
{
	fixture_start_at(&f, (struct server_options){ 0 }, ":0", false);
	int fd = dial(&f);
	expect_origin(fd, "", "127.0.0.1 http r.example");
	fixture_stop(&f);
}

Test(http_origin, addresses_that_cannot_be_listened_on)
{
	static const char *const rows[] = { "",
					    "127.0.0.1",
					    "127.0.0.1:70000",
					    "host:80",
					    "unix:",
					    "fd:x",
					    "fd:9999",
					    "[::1:80",
					    "fd:0x3",
					    "1.2.3:80",
					    "unix:/no/such/folder/s" };
	fixture_start(&f, (struct server_options){ 0 });
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct server *server;
		struct server_options options = { .handle = fixture_handle };
		ctx_forgive(&f.ctx);
		cr_assert_eq(server_new(&f.ctx, &options, &server), OK);
		cr_expect_eq(server_listen(&f.ctx, server, str_from(rows[i]), false, NULL),
			     ERR_CONFIG, "%s", rows[i]);
		server_free(server);
	}
	fixture_stop(&f);
}
