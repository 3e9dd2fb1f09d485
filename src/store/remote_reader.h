/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote_reader.h - an object at another server, read in order by as few requests as that takes;
 * private to store.
 *
 * Its first bytes come with its size. Reading on is one request for all of the rest; elsewhere, a
 * new one. A body that breaks off is asked for again from where it broke, up to REMOTE_TRIES_MAX
 * times without a byte between.
 */
#pragma once

#include "remote.h"

#define REMOTE_FIRST_BYTES KIB(64)

/* How a driver asks for all bytes from `offset` on; it sees to it that the object is still the same
 * one. */
typedef err_t remote_reader_begin(struct ctx *ctx, void *arg, uint64_t offset,
				  struct client_pull **ret);

struct remote_reader {
	remote_reader_begin *begin;
	void *arg;	     /* of begin */
	uint64_t size_bytes; /* of the object */
	char *first;	     /* its first bytes, malloc'ed, as far as they are there */
	size_t first_len;
	uint64_t offset; /* where `pull` stands */
	struct client_pull *pull;
};

/* At most `len` bytes, at least one unless the object ends. */
err_t remote_reader_read(struct ctx *ctx, struct remote_reader *reader, uint64_t offset, void *into,
			 size_t len, size_t *ret_len);
void remote_reader_done(struct remote_reader *reader); /* CLEANUP; also of a zeroed one */

/* Of "bytes 5-9/10": that it is what was asked for, and how large all of the object is. */
bool remote_range_is(str field, uint64_t first, uint64_t last, uint64_t *ret_size_bytes);
