/* SPDX-License-Identifier: Apache-2.0 */
/* mem.c - see mem.h. */
#include "base/mem.h"
#include "base/error.h"

#include <string.h>

#include "base/banned.h"

void *mem_new(size_t size)
{
	void *memory = calloc(1, size ? size : 1);
	CHECK(memory != NULL);
	return memory;
}

void *mem_resize(void *old, size_t size)
{
	void *memory = realloc(old, size ? size : 1);
	CHECK(memory != NULL);
	return memory;
}

char *mem_copy(str s)
{
	char *copy = mem_new(s.len + 1);
	if (s.len)
		memcpy(copy, s.ptr, s.len);
	return copy;
}
