/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - see client.h. */
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX (64 * 1024)
#define ACCEPT	 "application/vnd.oci.image.manifest.v1+json, */*"

void die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("load: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void target_init(struct target *t, const char *address, bool tls)
{
	char name[64];
	unsigned port;
	*t = (struct target){ .address.sin_family = AF_INET };
	if (sscanf(address, "%63[0-9.]:%u", name, &port) != 2 || port > 65535 ||
	    inet_pton(AF_INET, name, &t->address.sin_addr) != 1)
		die("%s is not ADDRESS:PORT", address);
	t->address.sin_port = htons((uint16_t)port);
	snprintf(t->host, sizeof t->host, "%s", address);
	if (!tls)
		return;
	if (!(t->tls = SSL_CTX_new(TLS_client_method())))
		die("could not make a TLS context");
	/* Many records for one system call: the client shall not be what is measured. */
	SSL_CTX_set_read_ahead(t->tls, 1);
	SSL_CTX_set_default_read_buffer_len(t->tls, CLIENT_IN_SIZE);
}

void client_init(struct client *c, const struct target *t)
{
	*c = (struct client){ .target = t, .fd = -1, .in = malloc(CLIENT_IN_SIZE) };
	if (!c->in)
		die("no memory");
}

static void disconnect(struct client *c)
{
	if (c->ssl)
		SSL_free(c->ssl);
	if (c->fd >= 0)
		close(c->fd);
	c->ssl = NULL;
	c->fd = -1;
	c->in_at = c->in_len = 0;
}

void client_done(struct client *c)
{
	disconnect(c);
	free(c->in);
}

static void connect_to(struct client *c)
{
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct sockaddr *address = (const struct sockaddr *)&c->target->address;
	if (c->fd < 0 || connect(c->fd, address, sizeof c->target->address) < 0)
		die("could not connect to %s: %s", c->target->host, strerror(errno));
	int on = 1;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (!c->target->tls)
		return;
	c->ssl = SSL_new(c->target->tls);
	if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1 || SSL_connect(c->ssl) != 1)
		die("could not start TLS with %s", c->target->host);
}

static ssize_t receive(struct client *c, void *into, size_t len)
{
	if (c->ssl)
		return SSL_read(c->ssl, into, (int)len);
	ssize_t got;
	do {
		got = recv(c->fd, into, len, 0);
	} while (got < 0 && errno == EINTR);
	return got;
}

static void send_all(struct client *c, struct iovec *part, int count)
{
	while (count) {
		ssize_t sent = c->ssl ? SSL_write(c->ssl, part->iov_base, (int)part->iov_len)
				      : writev(c->fd, part, count);
		if (sent <= 0)
			die("could not send to %s: %s", c->target->host, strerror(errno));
		while (count && (size_t)sent >= part->iov_len) {
			sent -= (ssize_t)part->iov_len;
			part++;
			count--;
		}
		if (count) {
			part->iov_base = (char *)part->iov_base + sent;
			part->iov_len -= (size_t)sent;
		}
	}
}

static void send_file(struct client *c, const struct request *rq)
{
	for (unsigned i = 0; i < rq->file_repeat; i++) {
		off_t at = 0;
		while ((uint64_t)at < rq->file_len) {
			size_t left = (size_t)(rq->file_len - (uint64_t)at);
			if (sendfile(c->fd, rq->file_fd, &at, left) <= 0)
				die("could not send the file: %s", strerror(errno));
		}
	}
}

static void send_request(struct client *c, const struct request *rq)
{
	static _Thread_local char head[HEAD_MAX];
	uint64_t length = rq->body_len + rq->file_len * rq->file_repeat;
	/* docker-registry hides OCI manifests from clients that do not ask for them. */
	int n = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: %s\r\nAccept: " ACCEPT "\r\n",
			 rq->method, rq->path, c->target->host);
	if (rq->token)
		n += snprintf(head + n, sizeof head - (size_t)n, "Authorization: Bearer %s\r\n",
			      rq->token);
	if (rq->content_type)
		n += snprintf(head + n, sizeof head - (size_t)n, "Content-Type: %s\r\n",
			      rq->content_type);
	if (length || strcmp(rq->method, "POST") == 0 || strcmp(rq->method, "PUT") == 0)
		n += snprintf(head + n, sizeof head - (size_t)n, "Content-Length: %llu\r\n",
			      (unsigned long long)length);
	if ((size_t)n + 3 > sizeof head)
		die("request head too long");
	memcpy(head + n, "\r\n", 2);
	struct iovec parts[2] = { { head, (size_t)n + 2 },
				  { (void *)(uintptr_t)rq->body, rq->body_len } };
	if (!rq->file_repeat) {
		send_all(c, parts, rq->body_len ? 2 : 1);
		return;
	}
	send_all(c, parts, 1);
	send_file(c, rq);
	if (rq->body_len)
		send_all(c, parts + 1, 1);
}

/* More bytes behind those not yet taken; false at the end of the stream. */
static bool fill(struct client *c)
{
	if (c->in_at == c->in_len)
		c->in_at = c->in_len = 0;
	if (c->in_len == CLIENT_IN_SIZE) {
		memmove(c->in, c->in + c->in_at, c->in_len - c->in_at);
		c->in_len -= c->in_at;
		c->in_at = 0;
	}
	if (c->in_len == CLIENT_IN_SIZE)
		die("answer from %s has a head too long", c->target->host);
	ssize_t got = receive(c, c->in + c->in_len, CLIENT_IN_SIZE - c->in_len);
	if (got > 0)
		c->in_len += (size_t)got;
	return got > 0;
}

/* The next line without its CRLF, ended by NUL in place; NULL when the connection ended before a
 * byte. */
static char *read_line(struct client *c)
{
	for (;;) {
		char *from = c->in + c->in_at;
		char *end = memchr(from, '\n', c->in_len - c->in_at);
		if (end) {
			c->in_at = (size_t)(end - c->in) + 1;
			*end = 0;
			if (end > from && end[-1] == '\r')
				end[-1] = 0;
			return from;
		}
		if (!fill(c)) {
			if (c->in_at == c->in_len)
				return NULL;
			die("answer from %s ends inside a line", c->target->host);
		}
	}
}

static void read_field(struct response *ret, const char *line)
{
	if (strncasecmp(line, "Content-Length:", 15) == 0)
		ret->length = strtoull(line + 15, NULL, 10);
	else if (strncasecmp(line, "Transfer-Encoding:", 18) == 0)
		ret->chunked = true;
	else if (strncasecmp(line, "Connection: close", 17) == 0)
		ret->close = true;
	else if (strncasecmp(line, "Location:", 9) == 0)
		snprintf(ret->location, sizeof ret->location, "%s",
			 line + 9 + strspn(line + 9, " "));
}

static bool read_head(struct client *c, struct response *ret)
{
	*ret = (struct response){ 0 };
	char *line = read_line(c);
	if (!line)
		return false;
	if (sscanf(line, "HTTP/1.%*d %d", &ret->status) != 1)
		die("answer from %s is not HTTP: %.60s", c->target->host, line);
	while ((line = read_line(c)) && *line)
		read_field(ret, line);
	if (!line)
		die("answer from %s ends inside its head", c->target->host);
	return true;
}

static void skip(struct client *c, uint64_t len)
{
	while (len) {
		if (c->in_at == c->in_len && !fill(c))
			die("answer from %s ends %llu bytes early", c->target->host,
			    (unsigned long long)len);
		uint64_t have = c->in_len - c->in_at;
		uint64_t take = have < len ? have : len;
		c->in_at += take;
		len -= take;
	}
}

static uint64_t skip_chunks(struct client *c)
{
	uint64_t total = 0;
	for (;;) {
		char *line = read_line(c);
		if (!line)
			die("answer from %s ends between chunks", c->target->host);
		uint64_t len = strtoull(line, NULL, 16);
		skip(c, len);
		total += len;
		while ((line = read_line(c)) && *line)
			; /* the end of the chunk, or trailers */
		if (len == 0)
			return total;
	}
}

static void read_body(struct client *c, const struct request *rq, struct response *ret)
{
	if (strcmp(rq->method, "HEAD") == 0 || ret->status == 204 || ret->status == 304)
		return;
	if (ret->chunked) {
		ret->received = skip_chunks(c);
		return;
	}
	skip(c, ret->length);
	ret->received = ret->length;
}

void client_do(struct client *c, const struct request *rq, struct response *ret)
{
	bool fresh = c->fd < 0;
	if (fresh)
		connect_to(c);
	send_request(c, rq);
	while (!read_head(c, ret)) {
		if (fresh)
			die("%s closed the connection without an answer", c->target->host);
		/* An idle connection may be closed at any time; once more on a new one. */
		disconnect(c);
		connect_to(c);
		send_request(c, rq);
		fresh = true;
	}
	while (ret->status == 100)
		read_head(c, ret);
	read_body(c, rq, ret);
	if (ret->close)
		disconnect(c);
}
