/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket.h - listening sockets, accepted sockets and their addresses.
 *
 * Listening sockets are non-blocking (several threads may try to accept), accepted ones block, with
 * short receive and send timeouts: a caller loops, and looks at its deadlines in between.
 */
#pragma once

#include "base/ctx.h"

#define SOCKET_ADDRESS_MAX 46 /* an IPv6 address as text */

struct socket_options {
	int receive_timeout_ms;
	int send_timeout_ms;
};

/*
 * "127.0.0.1:5000", "[::1]:5000", ":5000" (all addresses), "unix:/path", "fd:3" (a listening socket
 * we were given). A stale Unix socket file is replaced; one that a process listens on is not.
 * `*ret_bound` has the real port. ERR_CONFIG with the reason otherwise.
 */
err_t socket_listen(struct ctx *ctx, str address, const struct socket_options *options, int *ret_fd,
		    str *ret_bound);

/* Where a peer is. `is_ip` false: a Unix socket. */
struct socket_peer {
	bool is_ip;
	uint8_t address[16]; /* IPv4 as IPv4-mapped */
};

enum socket_accept {
	SOCKET_ACCEPTED,
	SOCKET_NOBODY,	  /* nothing to accept */
	SOCKET_EXHAUSTED, /* out of descriptors or memory: try again later */
	SOCKET_CLOSED,	  /* not a listening socket any more */
};
/* `given`: the listener was handed over, so it may hold connections from before it had our options.
 */
enum socket_accept socket_accept(int listen_fd, const struct socket_options *options, bool given,
				 int *ret_fd, struct socket_peer *ret_peer);

/* Bytes travel as soon as they are written. For Unix sockets nothing. */
void socket_set_nodelay(int fd);

/* The local address of a connection, "192.0.2.1:5000"; for clients that name no host. */
str socket_local_address(struct ctx *ctx, int fd);

/* Makes `fd` a dead descriptor without freeing its number, so that threads still using it get
 * errors and not somebody else's file. */
void socket_bury(int fd);

/* A TCP connection, blocking, to where resolve() said. ERR_UPSTREAM_UNREACHABLE, and ctx's
 * ERR_DEADLINE. Fault point: socket.connect. */
struct sockaddr;
err_t socket_connect(struct ctx *ctx, const struct sockaddr *to, unsigned len, int64_t until_ns,
		     int *ret_fd);

/* Polls one descriptor: what of `events` is there; 0 after `timeout_ms`. */
short socket_wait(int fd, short events, int timeout_ms);
