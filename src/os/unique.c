/* SPDX-License-Identifier: Apache-2.0 */
/* unique.c - see unique.h: the finaliser of splitmix64 over a counter. */
#include "os/unique.h"
#include "base/compiler.h"
#include "base/error.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/banned.h"

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

static void draw(uint64_t *seed)
{
	ssize_t got;
	do {
		got = getrandom(seed, sizeof *seed, 0);
	} while (got < 0 && errno == EINTR);
	CHECK(got == (ssize_t)sizeof *seed);
}

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t unique_u64(void)
{
	static _Thread_local uint64_t at;
	static _Thread_local bool is_seeded;
	if (!is_seeded)
		draw(&at);
	is_seeded = true;
	at += GOLDEN;
	uint64_t made = mix(at);
	return made ? made : unique_u64();
}

void unique_bytes(void *into, size_t len)
{
	char *to = into;
	while (len) {
		uint64_t word = unique_u64();
		size_t part = MIN(len, sizeof word);
		memcpy(to, &word, part);
		to += part;
		len -= part;
	}
}
