/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h - memory that goes all at once: one arena per request and per job.
 *
 * Every arena has a hard cap. arena_try() is for sizes that follow from input: past the cap it
 * returns NULL and the caller answers ERR_LIMIT. The other calls are for small things whose number
 * the code bounds itself; they may exceed the cap by ARENA_SLACK, and past that they end the
 * process, because then a bound is missing in our code.
 *
 * Pointers stay valid until arena_reset or arena_done. Not thread-safe: one owner at a time.
 */
#pragma once

#include "base/str.h"

#include <stdarg.h>

#define ARENA_SLACK MIB(4)

struct arena_chunk;

struct arena {
	struct arena_chunk *newest;
	char *at;
	char *end;
	size_t used_bytes; /* sum of all chunks */
	size_t cap_bytes;
};

void arena_init(struct arena *a, size_t cap_bytes);
void arena_done(struct arena *a);
void arena_reset(struct arena *a); /* frees all but one small chunk, for the next request */

void *arena_try(struct arena *a, size_t size);	 /* zeroed, 16-aligned; NULL past the cap */
void *arena_alloc(struct arena *a, size_t size); /* the same, never NULL */

#define ARENA_NEW(a, type)	    ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_alloc((a), sizeof(type) * (count)))

/* Copies and prints; the results are NUL-terminated behind their length. */
str arena_copy(struct arena *a, str s);
str arena_printf(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3);
char *arena_cstr(struct arena *a, str s);
