/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_queue.h - notes that wait to be written: bounded in bytes, alike ones counted together;
 * private to notify.
 *
 * Any thread puts, one takes. A put holds the lock for one look-up and one copy. What was taken
 * counts against the bound until it is given back as done, so a database that does not answer makes
 * the queue full and not the memory.
 */
#pragma once

#include "model/audit_event.h"

#include <pthread.h>

#define AUDIT_QUEUE_BUCKETS 1024

struct audit_note {
	struct audit_note *next;      /* in the order they came */
	struct audit_note *colliding; /* in the bucket */
	uint64_t hash;
	size_t size_bytes;
	int64_t last_us;
	struct audit_event event; /* its strs are behind this struct */
};

struct audit_queue {
	pthread_mutex_t lock;
	size_t bytes_max;
	size_t bytes;	  /* waiting and taken */
	uint64_t noted;	  /* events put */
	uint64_t dropped; /* events that found no room */
	struct audit_note *first, **last;
	struct audit_note *buckets[AUDIT_QUEUE_BUCKETS];
};

void audit_queue_init(struct audit_queue *queue, size_t bytes_max);
void audit_queue_done(struct audit_queue *queue);

/* Adds a copy of the event, or counts it to one alike that waits. True when the queue has become
 * half full: its taker should not wait any longer. */
bool audit_queue_put(struct audit_queue *queue, const struct audit_event *event);

/* All that wait, as a list; NULL when nothing does. */
struct audit_note *audit_queue_take(struct audit_queue *queue);

/* Frees a note that was taken. */
void audit_queue_release(struct audit_queue *queue, struct audit_note *note);
