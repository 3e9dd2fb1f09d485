/* SPDX-License-Identifier: Apache-2.0 */
/* test_tls.c - TLS against OpenSSL's own client: handshake, data, ALPN, reload, and what is
 * refused. */
#include "http_fixture.h"

#include "crypto/tls.h"
#include "os/file.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

static struct fixture f;
static struct tls_server *tls;
static char folder[32], certificate_path[64], key_path[64];

static void write_pair(const char *name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
				   0);
	X509_set_issuer_name(certificate, subject);
	cr_assert_gt(X509_sign(certificate, key, EVP_sha256()), 0);
	FILE *out = fopen(certificate_path, "w");
	cr_assert_eq(PEM_write_X509(out, certificate), 1);
	fclose(out);
	out = fopen(key_path, "w");
	cr_assert_eq(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(out);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void start_with(struct server_options options)
{
	struct arena arena;
	struct ctx ctx;
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
	snprintf(folder, sizeof folder, "/tmp/berth-tls-XXXXXX");
	cr_assert(mkdtemp(folder));
	snprintf(certificate_path, sizeof certificate_path, "%s/c.pem", folder);
	snprintf(key_path, sizeof key_path, "%s/k.pem", folder);
	write_pair("first");
	cr_assert_eq(tls_server_new(&ctx, certificate_path, key_path, &tls), OK, "%s",
		     ctx.failure.detail);
	arena_done(&arena);
	options.tls = tls;
	fixture_start_at(&f, options, "127.0.0.1:0", true);
}

static void start(void)
{
	start_with((struct server_options){ 0 });
}

static void stop(void)
{
	fixture_stop(&f);
	tls_server_free(tls);
	unlink(certificate_path);
	unlink(key_path);
	rmdir(folder);
}

TestSuite(tls, .init = start, .fini = stop);
TestSuite(tls_options, .fini = stop); /* tests that start their own */

struct client {
	int fd;
	SSL_CTX *ssl_ctx;
	SSL *ssl;
};

static struct client client_on(int fd, int version_max, const char *protocol)
{
	struct client c = { .fd = fd, .ssl_ctx = SSL_CTX_new(TLS_client_method()) };
	SSL_CTX_set_security_level(c.ssl_ctx, 0);
	SSL_CTX_set_min_proto_version(c.ssl_ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(c.ssl_ctx, version_max);
	c.ssl = SSL_new(c.ssl_ctx);
	if (protocol)
		SSL_set_alpn_protos(c.ssl, (const unsigned char *)protocol,
				    (unsigned)strlen(protocol));
	SSL_set_fd(c.ssl, fd);
	return c;
}

static struct client connect_tls(void)
{
	struct client c = client_on(dial(&f), 0, NULL);
	cr_assert_eq(SSL_connect(c.ssl), 1);
	return c;
}

static void hang_up(struct client *c)
{
	SSL_shutdown(c->ssl);
	SSL_free(c->ssl);
	SSL_CTX_free(c->ssl_ctx);
	close(c->fd);
}

static void tell(struct client *c, const void *bytes, size_t len)
{
	size_t sent;
	cr_assert_eq(SSL_write_ex(c->ssl, bytes, len, &sent), 1);
	cr_assert_eq(sent, len);
}

/* Reads a whole answer with a length: its body. */
static char *listen_to(struct client *c, size_t *ret_len)
{
	static char head[4096];
	size_t len = 0, got;
	memset(head, 0, sizeof head);
	while (len < sizeof head - 1 && !strstr(head, "\r\n\r\n")) {
		cr_assert_eq(SSL_read_ex(c->ssl, head + len, 1, &got), 1);
		len += got;
	}
	const char *length = strstr(head, "Content-Length: ");
	cr_assert(length);
	*ret_len = strtoul(length + 16, NULL, 10);
	char *body = keep(*ret_len);
	for (size_t have = 0; have < *ret_len; have += got)
		cr_assert_eq(SSL_read_ex(c->ssl, body + have, *ret_len - have, &got), 1);
	return body;
}

static void expect_body(struct client *c, const char *request, const char *expected)
{
	size_t len;
	tell(c, request, strlen(request));
	char *body = listen_to(c, &len);
	cr_assert_str_eq(body, expected);
}

#define GET_ORIGIN "GET /origin HTTP/1.1\r\nHost: r.example\r\n\r\n"

Test(tls, requests_and_answers)
{
	struct client c = connect_tls();
	expect_body(&c, GET_HELLO, "hello");
	expect_body(&c, GET_ORIGIN, "127.0.0.1 https r.example");
	expect_body(&c,
		    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "3\r\nabc\r\n0\r\n\r\n",
		    "abc");
	hang_up(&c);
	wait_until(stats_of(&f).connections == 0);
}

Test(tls, files_and_bodies_larger_than_records)
{
	struct client c = connect_tls();
	size_t len;
	tell(&c, "GET /file HTTP/1.1\r\nHost: a\r\n\r\n", 31);
	char *body = listen_to(&c, &len);
	cr_assert_eq(len, FILE_BYTES);
	for (size_t i = 0; i < len; i++)
		cr_assert_eq((unsigned char)body[i], file_byte(i));

	static const char head[] =
		"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n";
	tell(&c, head, sizeof head - 1);
	tell(&c, body, len);
	size_t back_len;
	char *back = listen_to(&c, &back_len);
	cr_assert_eq(back_len, len);
	cr_assert_eq(memcmp(back, body, len), 0);
	hang_up(&c);
}

Test(tls, pipelined_requests_in_one_record)
{
	struct client c = connect_tls();
	static const char two[] = GET_HELLO GET_ORIGIN;
	size_t len;
	tell(&c, two, sizeof two - 1);
	cr_assert_str_eq(listen_to(&c, &len), "hello");
	cr_assert_str_eq(listen_to(&c, &len), "127.0.0.1 https r.example");
	hang_up(&c);
}

/* With every thread busy a connection is parked after each read; no decrypted byte may stay behind.
 */
Test(tls_options, parking_loses_nothing)
{
	enum { COUNT = 20 };
	start_with((struct server_options){ .threads_max = 1 });
	struct client clients[COUNT];
	for (int i = 0; i < COUNT; i++)
		clients[i] = connect_tls();
	static const char two[] = GET_HELLO GET_HELLO;
	size_t len;
	for (int i = 0; i < COUNT; i++)
		tell(&clients[i], two, sizeof two - 1);
	for (int i = 0; i < COUNT; i++) {
		cr_assert_str_eq(listen_to(&clients[i], &len), "hello");
		cr_assert_str_eq(listen_to(&clients[i], &len), "hello");
		hang_up(&clients[i]);
	}
}

Test(tls, versions_and_protocols)
{
	struct client c = client_on(dial(&f), TLS1_2_VERSION, "\x02h2\x08http/1.1");
	cr_assert_eq(SSL_connect(c.ssl), 1);
	cr_assert_eq(SSL_version(c.ssl), TLS1_2_VERSION);
	const unsigned char *chosen;
	unsigned chosen_len;
	SSL_get0_alpn_selected(c.ssl, &chosen, &chosen_len);
	cr_assert(str_eq((str){ (const char *)chosen, chosen_len }, STR("http/1.1")));
	hang_up(&c);

	c = client_on(dial(&f), TLS1_1_VERSION, NULL);
	cr_assert_neq(SSL_connect(c.ssl), 1, "TLS 1.1 is refused");
	hang_up(&c);

	c = client_on(dial(&f), 0, "\x02h2");
	cr_assert_neq(SSL_connect(c.ssl), 1, "HTTP/2 alone is refused");
	hang_up(&c);
}

static void expect_subject(struct client *c, const char *name)
{
	char subject[64];
	X509 *certificate = SSL_get1_peer_certificate(c->ssl);
	X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, subject,
				  sizeof subject);
	cr_assert_str_eq(subject, name);
	X509_free(certificate);
}

Test(tls, reload)
{
	struct client before = connect_tls();
	expect_subject(&before, "first");
	write_pair("second");
	cr_assert_eq(tls_server_reload(&f.ctx, tls), OK);
	struct client after = connect_tls();
	expect_subject(&after, "second");
	expect_body(&before, GET_HELLO, "hello");
	expect_body(&after, GET_HELLO, "hello");
	hang_up(&after);

	/* A broken pair changes nothing. */
	cr_assert_eq(truncate(key_path, 10), 0);
	cr_assert_eq(tls_server_reload(&f.ctx, tls), ERR_CONFIG);
	cr_assert(strlen(f.ctx.failure.detail) > 0);
	after = connect_tls();
	expect_subject(&after, "second");
	hang_up(&after);
	hang_up(&before);
}

Test(tls, tickets_resume_sessions)
{
	struct client c = client_on(dial(&f), TLS1_2_VERSION, NULL);
	cr_assert_eq(SSL_connect(c.ssl), 1);
	SSL_SESSION *session = SSL_get1_session(c.ssl);
	hang_up(&c);
	c = client_on(dial(&f), TLS1_2_VERSION, NULL);
	SSL_set_session(c.ssl, session);
	cr_assert_eq(SSL_connect(c.ssl), 1);
	cr_assert(SSL_session_reused(c.ssl));
	SSL_SESSION_free(session);
	hang_up(&c);
}

static void expect_plain_refused(int fd)
{
	struct answer a = hear(fd);
	cr_assert_eq(a.status, 400);
	cr_assert(body_is(&a, "PLAIN_ON_TLS"));
	cr_assert(strstr(a.head, "Connection: close\r\n"));
	cr_assert(is_closed(fd));
	close(fd);
	wait_until(stats_of(&f).connections == 0);
}

Test(tls, plain_http_is_told_so)
{
	static const char *const pieces[][2] = {
		{ GET_HELLO, "" },
		{ "G", "ET /hello HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ "PATCH /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "" },
	};
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		int fd = dial(&f);
		say(fd, pieces[i][0]);
		say(fd, pieces[i][1]);
		expect_plain_refused(fd);
	}
}

Test(tls, what_is_neither_tls_nor_http_is_closed)
{
	int fd = dial(&f);
	say_bytes(fd, "\0\1\2\3\4\5\6\7", 8);
	cr_assert(is_closed(fd));
	close(fd);
	wait_until(stats_of(&f).connections == 0);
}

Test(tls_options, plain_http_behind_a_proxy_header_is_told_so)
{
	start_with(
		(struct server_options){ .proxy_protocol = true, .trusted_proxies = "127.0.0.1" });
	int fd = dial(&f);
	say(fd, "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n" GET_HELLO);
	expect_plain_refused(fd);
}

Test(tls_options, handshakes_have_a_deadline)
{
	start_with((struct server_options){ .head_timeout_ms = 50 });
	int fd = dial(&f);
	say_bytes(fd, "\x16\x03\x01\x02", 4);
	cr_assert(is_closed(fd));
}

Test(tls_options, behind_a_proxy_header)
{
	start_with(
		(struct server_options){ .proxy_protocol = true, .trusted_proxies = "127.0.0.1" });
	int fd = dial(&f);
	/* The header and the ClientHello in one segment: what is read too far must not be lost. */
	static const char header[] = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
	struct client c = client_on(fd, 0, NULL);
	BIO *memory = BIO_new(BIO_s_mem()), *nothing = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(nothing, -1);
	BIO_up_ref(memory);
	SSL_set_bio(c.ssl, nothing, memory);
	cr_assert_neq(SSL_connect(c.ssl), 1, "only the ClientHello is written");
	char both[4096], *hello;
	long hello_len = BIO_get_mem_data(memory, &hello);
	memcpy(both, header, sizeof header - 1);
	memcpy(both + sizeof header - 1, hello, (size_t)hello_len);
	say_bytes(fd, both, sizeof header - 1 + (size_t)hello_len);
	SSL_set_fd(c.ssl, fd);
	BIO_free(memory);
	cr_assert_eq(SSL_connect(c.ssl), 1);
	expect_body(&c, GET_ORIGIN, "192.0.2.1 https r.example");
	hang_up(&c);
}

Test(tls, draining_says_goodbye)
{
	struct client c = connect_tls();
	expect_body(&c, GET_HELLO, "hello");
	wait_until(stats_of(&f).threads_idle == stats_of(&f).threads); /* parked */
	server_drain(f.server, 1000);
	char byte;
	int got = SSL_read(c.ssl, &byte, 1);
	cr_assert_eq(SSL_get_error(c.ssl, got), SSL_ERROR_ZERO_RETURN);
	hang_up(&c);
}

Test(tls, a_missing_certificate_is_an_error)
{
	struct tls_server *none = NULL;
	cr_assert_eq(tls_server_new(&f.ctx, "/no/such/file", key_path, &none), ERR_CONFIG);
	cr_assert_null(none);
}
