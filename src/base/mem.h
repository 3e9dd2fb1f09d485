/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem.h - malloc for long-lived objects: a failed allocation ends the process.
 *
 * Sizes that come from input are checked against a limit before they get here. What lives only as
 * long as a request or a job comes from its arena instead (arena.h).
 */
#pragma once

#include "base/str.h"

#include <stdlib.h>

void *mem_new(size_t size);		  /* zeroed; free() it */
void *mem_resize(void *old, size_t size); /* like realloc, never NULL */
char *mem_copy(str s);			  /* NUL-terminated copy */

#define NEW(type) ((type *)mem_new(sizeof(type)))

/* CLEANUP(mem_done) char *p = …; */
static inline void mem_done(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}
