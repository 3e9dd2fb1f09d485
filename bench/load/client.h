/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - a blocking HTTP/1.1 client that costs little beside the server it measures.
 *
 * One client is one keep-alive connection of one thread. Bodies that come back are counted and
 * thrown away. Whatever goes wrong ends the program with a message: a benchmark with errors in it
 * measures nothing.
 */
#pragma once

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_IN_SIZE (256 * 1024)
#define LOCATION_MAX   4096

struct target {
	struct sockaddr_in address;
	char host[64]; /* as written, for the Host field */
	SSL_CTX *tls;  /* NULL: plain */
};

struct client {
	const struct target *target;
	int fd;
	SSL *ssl;
	char *in; /* CLIENT_IN_SIZE bytes */
	size_t in_at, in_len;
};

struct request {
	const char *method;
	const char *path;
	const char *token;	  /* bearer token, or NULL */
	const char *content_type; /* or NULL */
	const void *body;
	size_t body_len;
	/* Instead of `body`: `file_repeat` times the file, then `body`. Plain connections only. */
	int file_fd;
	uint64_t file_len;
	unsigned file_repeat;
};

struct response {
	int status;
	bool chunked;
	bool close;
	uint64_t length;
	uint64_t received; /* bytes of the body */
	char location[LOCATION_MAX];
};

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);
double now_s(void);

/* "127.0.0.1:5000" */
void target_init(struct target *t, const char *address, bool tls);

void client_init(struct client *c, const struct target *t);
void client_done(struct client *c);

/* Sends the request and reads the whole answer; connects first when there is no connection. */
void client_do(struct client *c, const struct request *rq, struct response *ret);
