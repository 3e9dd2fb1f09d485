/* SPDX-License-Identifier: Apache-2.0 */
/* uses.c - see uses.h. */
#include "auth/uses.h"

#include "os/thread.h"

#include <string.h>

#include "base/banned.h"

void uses_init(struct uses *uses)
{
	pthread_mutex_init(&uses->lock, NULL);
	uses->count = 0;
}

void uses_done(struct uses *uses)
{
	pthread_mutex_destroy(&uses->lock);
}

void uses_note(struct uses *uses, int64_t id, int64_t at_us)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&uses->lock);
	size_t at = 0;
	while (at < uses->count && uses->list[at].id != id)
		at++;
	if (at == USES_MAX)
		return;
	uses->list[at] = (struct use){ id, at_us };
	uses->count = MAX(uses->count, at + 1);
}

size_t uses_take(struct uses *uses, struct use *into)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&uses->lock);
	size_t count = uses->count;
	memcpy(into, uses->list, count * sizeof *into);
	uses->count = 0;
	return count;
}
