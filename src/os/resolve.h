/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.h - a host's addresses, by a deadline.
 *
 * getaddrinfo(3) cannot be interrupted: without an answer it takes as long as resolv.conf(5) says,
 * half a minute by default. So it runs in a thread of its own, which whoever asks may leave behind:
 *
 *	struct resolve_query query = { .host = host, .port = 389, .until_ns = until_ns };
 *	struct resolved found;
 *	TRY(resolve(ctx, &query, &found));
 *	for (size_t i = 0; i < found.count; i++) … (struct sockaddr *)&found.at[i] …
 *
 * Who asks for what somebody else has just begun to look up waits for that answer. Look-ups under
 * way in the process are RESOLVE_LOOKUPS_MAX at most, of one owner RESOLVE_OWNER_MAX; one more
 * waits for its turn. So a resolver that is gone holds that many threads and no more, and names
 * that one owner gave keep nobody else's from being looked up. Nothing is remembered once it was
 * answered.
 *
 * An address as text, also in brackets, is its own answer: no thread, no waiting.
 *
 * Errors: ERR_UPSTREAM_UNREACHABLE (no such name, none in time, no turn in time), ERR_BUSY (no
 * thread), ERR_REQUEST_INVALID (longer than a name can be), ERR_DEADLINE and ERR_CANCELLED (ctx's).
 * Fault point: resolve.lookup, in the thread.
 */
#pragma once

#include "base/ctx.h"

#include <sys/socket.h>

#define RESOLVE_ADDRESSES_MAX 16 /* of a host; more are left out */
#define RESOLVE_LOOKUPS_MAX   32
#define RESOLVE_OWNER_MAX     4
#define RESOLVE_NAME_MAX      255

struct resolve_query {
	str host; /* a name, or an address with or without brackets */
	uint16_t port;
	int64_t until_ns; /* clock_now_ns() scale */
	int64_t owner;	  /* whose name it is: a tenant, or 0 for the operator's own */
};

struct resolved {
	struct sockaddr_storage at[RESOLVE_ADDRESSES_MAX]; /* IPv4 or IPv6, with the port, in the
							    * order to try them in (RFC 6724) */
	size_t count;					   /* at least one */
};

err_t resolve(struct ctx *ctx, const struct resolve_query *query, struct resolved *ret);

/* The size of one of them, as connect(2) wants it. */
socklen_t resolved_len(const struct sockaddr_storage *address);

/* Without its port, as text: into the caller's array, at most RESOLVE_TEXT_MAX bytes. */
#define RESOLVE_TEXT_MAX 64
str resolved_text(const struct sockaddr_storage *address, char into[RESOLVE_TEXT_MAX]);
