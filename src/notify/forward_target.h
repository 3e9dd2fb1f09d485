/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forward_target.h - one receiver of audit records: its queue, its thread, its counters; private to
 * notify.
 *
 * A driver says how records are written and sent. It is called by the target's thread alone, with
 * no lock held.
 */
#pragma once

#include "audit_format.h"
#include "notify/forward.h"

#include <pthread.h>
#include <stdatomic.h>

/* What a driver sends with; it belongs to the target's thread. */
struct forward_link {
	const struct forward_options *options;
	char *address;
	str authorization;     /* the value of the header; empty: none */
	struct stream *stream; /* syslog */
	struct client *client; /* HTTP */
	size_t singles;	       /* so many records are sent one by one */
};

struct forward_item {
	struct forward_item *next;
	int64_t written_at_ns;
	size_t len;
	char bytes[];
};

/* The oldest records of a queue, in their order. What follows the last one belongs to the queue,
 * that others append to meanwhile: a driver goes from one to the next with forward_batch_next(). */
struct forward_batch {
	const struct forward_item *first, *last;
	size_t count;
	size_t bytes;
};

/* NULL after the last one. */
static inline const struct forward_item *forward_batch_next(const struct forward_batch *batch,
							    const struct forward_item *item)
{
	return item == batch->last ? NULL : item->next;
}

enum forward_verdict {
	FORWARD_SENT,
	FORWARD_REFUSED, /* it will never be taken; the reason is recorded in ctx */
	FORWARD_SPLIT,	 /* try again at once: the link now takes them one by one */
};

struct forward_driver {
	const char *kind;
	size_t batch_max; /* records at a time */
	/* How long the connection must hold after records were written until they count as
	 * received: a receiver that closes it sooner has perhaps not read them. 0: `send` knows. */
	int hold_ms;
	audit_format *format;
	/* An error: not now. ctx->retry_after_s may say when. */
	err_t (*send)(struct ctx *ctx, struct forward_link *link, const struct forward_batch *batch,
		      enum forward_verdict *ret);
	/* False when the connection is gone. */
	bool (*is_open)(struct forward_link *link);
	void (*close)(struct forward_link *link);
};

extern const struct forward_driver forward_syslog, forward_cloudevents, forward_cadf;

struct forward_target {
	const char *name;
	const struct forward_driver *driver;
	struct forward_link link;
	size_t bytes_max, records_max;

	pthread_mutex_t lock; /* guards the rest but for `cancelled` */
	pthread_cond_t wake;  /* of the thread */
	pthread_cond_t ended; /* of who waits for its end */
	pthread_t thread;
	bool started, stopping, running;
	int64_t stop_at_ns;
	_Atomic(bool) cancelled;

	char *address;			    /* NULL: off */
	unsigned addresses;		    /* so many there were */
	struct forward_item *first, **last; /* first those that were written, and are held */
	size_t count, bytes;
	struct forward_item *unwritten; /* the first that was not; NULL: none */
	size_t unwritten_count;

	enum forward_state state;
	uint64_t sent, dropped, dropped_told;
	int64_t told_at_ns;
	int64_t retry_at_ns;
	unsigned failures; /* one after another */
	char error[FORWARD_ERROR_MAX];
	int64_t error_at_us, sent_at_us;
};

void forward_target_init(struct forward_target *target, const char *name,
			 const struct forward_driver *driver,
			 const struct forward_options *options);
void forward_target_done(struct forward_target *target);

/* Empty: off. */
void forward_target_aim(struct forward_target *target, str address);
bool forward_target_is_on(struct forward_target *target);

err_t forward_target_start(struct ctx *ctx, struct forward_target *target); /* once is enough */
void forward_target_stop_begin(struct forward_target *target, int64_t until_ns);
void forward_target_stop_end(struct forward_target *target);

/* Never waits; false when there was no room. `overrun` messages have none. */
bool forward_target_put(struct forward_target *target, const struct buf *message);

void forward_target_report(struct ctx *ctx, struct forward_target *target,
			   struct forward_report *ret);
