/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bare_put.c - bare_put PORT DIR: what receiving a blob costs at least on this machine.
 *
 * Serves one PUT after another on a blocking socket: read the head, then recv, SHA-256, write; at
 * the end fdatasync, rename to the digest, fsync of the directory, 201. No registry is faster
 * without doing less or using more than one thread for one body.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK	 (256 * 1024)
#define HEAD_MAX 8192

static void fatal(const char *what)
{
	perror(what);
	exit(1);
}

static int listen_on(unsigned port)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int on = 1;
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 16) != 0)
		fatal("listen");
	return fd;
}

/* Reads a head into `in`; `*ret_body` is where the body begins. False when the client left. */
static bool read_head(int fd, char *in, size_t *ret_len, size_t *ret_body)
{
	size_t len = 0;
	while (len < HEAD_MAX) {
		ssize_t got = recv(fd, in + len, HEAD_MAX - len, 0);
		if (got <= 0)
			return false;
		len += (size_t)got;
		char *end = memmem(in, len, "\r\n\r\n", 4);
		if (end) {
			*ret_len = len;
			*ret_body = (size_t)(end - in) + 4;
			return true;
		}
	}
	return false;
}

static uint64_t content_length(const char *head, size_t len)
{
	const char *field = memmem(head, len, "Content-Length: ", 16);
	return field ? strtoull(field + 16, NULL, 10) : 0;
}

static void keep(EVP_MD_CTX *hash, int file, const char *bytes, size_t len)
{
	if (EVP_DigestUpdate(hash, bytes, len) != 1)
		fatal("hash");
	while (len) {
		ssize_t put = write(file, bytes, len);
		if (put < 0)
			fatal("write");
		bytes += put;
		len -= (size_t)put;
	}
}

static void finish(EVP_MD_CTX *hash, int file, int dir)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	char name[2 * EVP_MAX_MD_SIZE + 1];
	unsigned len;
	EVP_DigestFinal_ex(hash, md, &len);
	for (unsigned i = 0; i < len; i++)
		snprintf(name + 2 * i, 3, "%02x", md[i]);
	if (fdatasync(file) != 0 || renameat(dir, "incoming", dir, name) != 0 || fsync(dir) != 0)
		fatal("publish");
}

static bool serve_one(int fd, int dir, EVP_MD_CTX *hash, char *block)
{
	size_t len, body;
	if (!read_head(fd, block, &len, &body))
		return false;
	uint64_t left = content_length(block, body);
	int file = openat(dir, "incoming", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (file < 0)
		fatal("open");
	EVP_DigestInit_ex(hash, EVP_sha256(), NULL);
	keep(hash, file, block + body, len - body);
	left -= len - body;
	while (left) {
		ssize_t got = recv(fd, block, left < BLOCK ? left : BLOCK, 0);
		if (got <= 0)
			fatal("recv");
		keep(hash, file, block, (size_t)got);
		left -= (uint64_t)got;
	}
	finish(hash, file, dir);
	close(file);
	static const char answer[] = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
	return send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) > 0;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2; /* usage: bare_put PORT DIR */
	int listener = listen_on((unsigned)strtoul(argv[1], NULL, 10));
	int dir = open(argv[2], O_RDONLY | O_DIRECTORY);
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	char *block = malloc(BLOCK);
	if (dir < 0 || !hash || !block)
		fatal(argv[2]);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			fatal("accept");
		while (serve_one(fd, dir, hash, block))
			;
		close(fd);
	}
}
