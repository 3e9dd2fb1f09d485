/* SPDX-License-Identifier: Apache-2.0 */
/* slow.c - see slow.h. */
#include "observe/slow.h"
#include "base/clock.h"
#include "os/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

struct slow_list slow_requests = SLOW_LIST_INIT, slow_steps = SLOW_LIST_INIT;

#define WINDOW_NS (SLOW_WINDOW_S * CLOCK_S)

static bool is_over(struct slow_list *list, int64_t now_ns)
{
	return now_ns >= atomic_load_explicit(&list->until_ns, memory_order_relaxed);
}

/* Under the lock: begins a new window when the old one is over. */
static void turn(struct slow_list *list, int64_t now_ns)
{
	if (!is_over(list, now_ns))
		return;
	bool is_next = now_ns < atomic_load(&list->until_ns) + WINDOW_NS;
	list->count[1] = is_next ? list->count[0] : 0;
	memcpy(list->calls[1], list->calls[0], list->count[1] * sizeof list->calls[0][0]);
	list->count[0] = 0;
	atomic_store(&list->until_ns, now_ns - now_ns % WINDOW_NS + WINDOW_NS);
	atomic_store_explicit(&list->enough_ns, 0, memory_order_relaxed);
}

static size_t fastest(const struct slow_list *list)
{
	size_t at = 0;
	for (size_t i = 1; i < list->count[0]; i++)
		if (list->calls[0][i].took_ns < list->calls[0][at].took_ns)
			at = i;
	return at;
}

void slow_note(struct slow_list *list, int64_t now_ns, int64_t took_ns,
	       const struct slow_about *about)
{
	if (took_ns < atomic_load_explicit(&list->enough_ns, memory_order_relaxed) &&
	    !is_over(list, now_ns))
		return;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&list->lock);
	turn(list, now_ns);
	bool full = list->count[0] == SLOW_MAX;
	struct slow_call *call = &list->calls[0][full ? fastest(list) : list->count[0]++];
	if (full && call->took_ns >= took_ns)
		return;
	*call = (struct slow_call){ .took_ns = took_ns,
				    .ended_us = clock_wall_us(),
				    .kind = about->kind,
				    .status = about->status };
	snprintf(call->what, sizeof call->what, STR_FMT, STR_ARG(about->what));
	snprintf(call->request_id, sizeof call->request_id, STR_FMT, STR_ARG(about->request_id));
	if (list->count[0] == SLOW_MAX)
		atomic_store_explicit(&list->enough_ns, list->calls[0][fastest(list)].took_ns,
				      memory_order_relaxed);
}

static int slower_first(const void *a, const void *b)
{
	int64_t left = ((const struct slow_call *)a)->took_ns;
	int64_t right = ((const struct slow_call *)b)->took_ns;
	return left < right ? 1 : left > right ? -1 : 0;
}

size_t slow_read(struct slow_list *list, struct slow_call ret[2 * SLOW_MAX])
{
	size_t count = 0;
	pthread_mutex_lock(&list->lock);
	turn(list, clock_now_ns());
	for (size_t window = 0; window < 2; window++)
		for (size_t i = 0; i < list->count[window]; i++)
			ret[count++] = list->calls[window][i];
	pthread_mutex_unlock(&list->lock);
	qsort(ret, count, sizeof *ret, slower_first);
	return count;
}
