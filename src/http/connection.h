/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection.h - one accepted socket, from accept to close. Internal to this folder.
 *
 * A connection is owned by exactly one worker, or it is parked: in the epoll set, one-shot, with
 * nobody touching it but the sweeper, which only looks at it under the server's lock and at most
 * shuts its socket down. A parked connection without bytes holds no buffer.
 */
#pragma once

#include "codec/cidr.h"
#include "crypto/tls.h"
#include "http/exchange.h"

struct server;
struct worker;

/* What an epoll event points at; the first member of its owner. */
struct source {
	enum { SOURCE_STOP, SOURCE_LISTENER, SOURCE_CONNECTION } kind;
};

enum phase {
	PHASE_PROXY,   /* expects a PROXY header */
	PHASE_TLS,     /* shakes hands */
	PHASE_HEAD,    /* between requests, or inside a head */
	PHASE_CLOSING, /* has said all it will; eats what the client still sends, so that it sees
			  the answer */
};

/*
 * Bytes read but not used: [at, len). Normally lent by the worker; a connection parked inside a
 * head has a buffer of its own. Bytes before `floor` belong to the head being served.
 */
struct inbox {
	char *bytes;
	size_t at, len, cap;
	size_t floor;
	size_t seen; /* http_head_parse's memory */
	bool own;
};

#define INBOX_READ_BYTES  KIB(16)
#define INBOX_SPILL_BYTES KIB(4) /* of a lent buffer behind `cap`, for what follows a chunk */
#define INBOX_LENT_BYTES  (HTTP_HEAD_BYTES_MAX + 2 * INBOX_READ_BYTES)

/* How fast the peer is, over the time we waited for it. */
struct pace {
	int64_t waited_ns;
	int64_t silent_ns;
	uint64_t moved_bytes;
	int64_t until_ns; /* then it is over even for the fast; 0: never */
};

struct connection {
	struct source source;
	struct server *server;
	struct worker *worker;		    /* while served */
	struct connection *next, *previous; /* all connections; under the server's lock */
	struct tls_connection *tls;
	struct inbox in;
	struct pace pace;
	int64_t deadline_ns; /* of the head, of idling, or of closing */
	int fd;
	unsigned closing_bytes; /* still to be eaten in PHASE_CLOSING */
	enum phase phase : 8;
	bool wants_tls : 1;
	bool is_ip : 1;
	bool trusted : 1; /* its proxy headers are believed */
	bool in_epoll : 1;
	bool in_head : 1; /* deadline_ns is that of a head */
	bool parked;	  /* under the server's lock */
	bool expired;	  /* set by the sweeper, under the lock */
	ip address;
	char peer[IP_TEXT_MAX];
};

void connection_new(struct server *server, int fd, bool tls, ip address, bool is_ip,
		    struct connection **ret);
void connection_close(struct connection *c);

/* Gives the socket back to the epoll set; somebody else may own it before this returns. */
void connection_park(struct connection *c, bool for_writing);
/* Takes it out again, for the worker that got its event. */
void connection_take(struct connection *c, struct worker *worker);

/* Sends the end of our side and turns to PHASE_CLOSING. */
void connection_begin_closing(struct connection *c);

/* Bytes waiting in the inbox. */
str inbox_unread(const struct inbox *in);
void inbox_consume(struct inbox *in, size_t count);
/* Room for at least one more read; moves or grows, so only between requests. */
void inbox_make_room(struct inbox *in);
/* Back to the worker's buffer, with the unread bytes. */
void inbox_use_lent(struct inbox *in, char *lent);
