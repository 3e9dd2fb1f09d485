/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c - a list of chunks, each at least ARENA_CHUNK; large pieces get a chunk of their own. */
#include "base/arena.h"
#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

#define ARENA_CHUNK KIB(4)
#define ARENA_ALIGN 16

struct arena_chunk {
	struct arena_chunk *older;
	size_t size;
	_Alignas(ARENA_ALIGN) char bytes[];
};

void arena_init(struct arena *a, size_t cap_bytes)
{
	*a = (struct arena){ .cap_bytes = cap_bytes };
}

static void free_chunks(struct arena_chunk *chunk)
{
	while (chunk) {
		struct arena_chunk *older = chunk->older;
		free(chunk);
		chunk = older;
	}
}

void arena_done(struct arena *a)
{
	free_chunks(a->newest);
	arena_init(a, a->cap_bytes);
}

void arena_reset(struct arena *a)
{
	struct arena_chunk *first = a->newest;
	if (!first)
		return;
	while (first->older) {
		struct arena_chunk *older = first->older;
		free(first);
		first = older;
	}
	a->newest = first;
	a->at = first->bytes;
	a->end = first->bytes + first->size;
	a->used_bytes = first->size;
	if (first->size > ARENA_CHUNK)
		arena_done(a);
}

static void *add_chunk(struct arena *a, size_t need)
{
	/* A large piece goes behind the newest chunk, so that the rest of that one is not lost. */
	bool large = need > ARENA_CHUNK / 2;
	size_t size = large ? need : ARENA_CHUNK;
	struct arena_chunk *chunk = malloc(sizeof *chunk + size);
	CHECK(chunk != NULL);
	chunk->size = size;
	a->used_bytes += size;
	if (large && a->newest) {
		chunk->older = a->newest->older;
		a->newest->older = chunk;
		return chunk->bytes;
	}
	chunk->older = a->newest;
	a->newest = chunk;
	a->at = chunk->bytes + need;
	a->end = chunk->bytes + size;
	return chunk->bytes;
}

static void *allocate(struct arena *a, size_t size, size_t cap_bytes)
{
	if (size > cap_bytes)
		return NULL;
	size_t need = (MAX(size, (size_t)1) + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	char *memory;
	if (a->at && need <= (size_t)(a->end - a->at)) {
		memory = a->at;
		a->at += need;
	} else {
		if (a->used_bytes + need > cap_bytes)
			return NULL;
		memory = add_chunk(a, need);
	}
	memset(memory, 0, size);
	return memory;
}

void *arena_try(struct arena *a, size_t size)
{
	return allocate(a, size, a->cap_bytes);
}

void *arena_alloc(struct arena *a, size_t size)
{
	void *memory = allocate(a, size, a->cap_bytes + ARENA_SLACK);
	CHECK(memory != NULL);
	return memory;
}

char *arena_cstr(struct arena *a, str s)
{
	char *copy = arena_alloc(a, s.len + 1);
	if (s.len)
		memcpy(copy, s.ptr, s.len);
	return copy;
}

str arena_copy(struct arena *a, str s)
{
	return (str){ arena_cstr(a, s), s.len };
}

str arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	CHECK(len >= 0);
	char *text = arena_alloc(a, (size_t)len + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return (str){ text, (size_t)len };
}
