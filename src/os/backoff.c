/* SPDX-License-Identifier: Apache-2.0 */
/* backoff.c - see backoff.h. */
#include "os/backoff.h"
#include "base/clock.h"
#include "base/compiler.h"

#include <sys/random.h>

#include "base/banned.h"

#define DOUBLINGS_MAX 16

int64_t backoff_ms(unsigned tries, int64_t first_ms, int64_t most_ms)
{
	int64_t full_ms = MIN(first_ms << MIN(tries - 1, (unsigned)DOUBLINGS_MAX), most_ms);
	uint32_t chance = 0;
	if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) != (ssize_t)sizeof chance)
		chance = (uint32_t)clock_now_ns();
	return full_ms / 2 + (int64_t)chance % (full_ms / 2 + 1);
}
