/* SPDX-License-Identifier: Apache-2.0 */
/*
 * places.h - how many workers look for work at a time. Internal to this folder.
 *
 * A worker that waits for an event, lingers, or runs a request out of memory has a place; there are
 * PLACES_PER_CORE of them for each core. More would not do more: each event would wake one more
 * thread, and what the thread before it could have taken along costs a context switch. So who has
 * done a request and finds all places taken rests until one is free.
 *
 * Whoever is about to wait for something else (his peer, the disk, the database, another server)
 * gives his place up first; with the last waiting worker busy, a resting one takes it. Some waits
 * nobody announces: while no worker waits, one of the resting looks every PLACES_LOOK_MS whether
 * anything was taken up since; if not, he becomes one more than there are places, until somebody
 * rests again.
 *
 * All calls are safe from many threads; the lock is held for a few instructions.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define PLACES_PER_CORE 4
#define PLACES_LOOK_MS	1

struct places {
	_Atomic(unsigned) waiting; /* in the epoll set; each of them has a place */
	_Atomic(unsigned) taken;
	_Atomic(unsigned) events; /* taken up so far; wraps */
	_Atomic(bool) looking;	  /* a resting worker looks after the others */
	_Atomic(unsigned) resting;
	unsigned count;
	bool closed;
	pthread_mutex_t lock;
	pthread_cond_t freed;
};

/* `threads_max`: more places than threads make no sense. */
void places_init(struct places *places, unsigned threads_max);
void places_done(struct places *places);

/* Ends all rest, now and later. */
void places_close(struct places *places);

enum place {
	PLACE_TAKEN,
	PLACE_TIRED,  /* rested for `rest_ms` in vain */
	PLACE_CLOSED, /* places_close() */
};

/* Takes a place, after a rest when there is none. */
enum place place_take(struct places *places, int rest_ms);

/* Takes a place if one is free. */
bool place_try(struct places *places);

/* Gives a place up. False when nobody waits and nobody rests: another thread is needed. */
bool place_leave(struct places *places);

/* Whether there are more workers with places than places. */
bool places_are_exceeded(const struct places *places);

/* How many wait or rest. */
unsigned places_idle(const struct places *places);

/* Around the wait for an event. */
void place_begin_wait(struct places *places);

/* False when nobody waits any more and nobody rests: another thread is needed. */
bool place_end_wait(struct places *places);

/* Stops waiting and gives the place up, as long as somebody else goes on waiting. */
bool place_quit(struct places *places);
