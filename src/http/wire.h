/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h - bytes in and out of a connection, plain or TLS. Internal to this folder.
 *
 * A receive waits at most the socket's own quantum (the linger time); wire_wait waits for longer,
 * and watches deadline, silence, pace and the end of the server. Writing does all of that itself.
 */
#pragma once

#include "http/connection.h"

#include <sys/uio.h>

enum wire {
	WIRE_SOME,
	WIRE_LATER, /* nothing there yet */
	WIRE_END,   /* the peer closed, or the connection broke */
};

enum wire wire_receive(struct connection *c, void *into, size_t len, bool waits, size_t *ret_len);

/* Receives into two places at once: what does not fit the first goes to the second. */
enum wire wire_receive_split(struct connection *c, const struct iovec into[2], bool waits,
			     size_t *ret_len);

/* Waits until there is something to read. ERR_REQUEST_TIMEOUT, ERR_SHUTTING_DOWN, or ctx's own. */
err_t wire_wait(struct connection *c, struct ctx *ctx);

/* Sends all pieces; changes the array. `more`: something follows at once. ERR_PEER_GONE,
 * ERR_SHUTTING_DOWN. */
err_t wire_send(struct connection *c, struct ctx *ctx, struct iovec *pieces, size_t count,
		bool more);

/* Sends a range of a file. ERR_STORAGE when the file is shorter. */
err_t wire_send_file(struct connection *c, struct ctx *ctx, int fd, uint64_t offset, uint64_t len);

/* The peer's pace: a fresh start per exchange; time spent waiting for it. ERR_REQUEST_TIMEOUT. */
void pace_start(struct connection *c);
err_t pace_waited(struct connection *c, struct ctx *ctx, int64_t waited_ns);
