/* SPDX-License-Identifier: Apache-2.0 */
/* activity.c - see activity.h. */
#include "observe/activity.h"
#include "base/clock.h"

#include <pthread.h>
#include <unistd.h>

#include "base/banned.h"

#define LINE_BYTES 64

struct place {
	_Alignas(LINE_BYTES) _Atomic(bool) taken;
	_Atomic(int64_t) thread_id;
	_Atomic(const char *) method;
	_Atomic(const char *) route;
	_Atomic(int64_t) began_ns;
	_Atomic(const char *) step;
	_Atomic(int) kind;
	_Atomic(int64_t) step_began_ns;
	_Atomic(const char *) transaction;
	_Atomic(int64_t) transaction_began_ns;
};

static struct place places[ACTIVITY_THREADS_MAX];
static pthread_key_t key;

#define SET(member, value) atomic_store_explicit(&(member), (value), memory_order_relaxed)
#define GET(member)	   atomic_load_explicit(&(member), memory_order_relaxed)

static void give_back(void *place)
{
	struct place *own = place;
	SET(own->route, NULL);
	SET(own->step, NULL);
	SET(own->transaction, NULL);
	atomic_store(&own->taken, false);
}

static void make_key(void)
{
	CHECK(pthread_key_create(&key, give_back) == 0);
}

static struct place *find_place(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, make_key);
	for (size_t i = 0; i < ACTIVITY_THREADS_MAX; i++) {
		bool taken = false;
		if (!atomic_compare_exchange_strong(&places[i].taken, &taken, true))
			continue;
		SET(places[i].thread_id, gettid());
		pthread_setspecific(key, &places[i]);
		return &places[i];
	}
	return NULL;
}

/* NULL: the table is full. */
static struct place *own_place(void)
{
	static _Thread_local struct place *own;
	static _Thread_local bool is_known;
	if (__builtin_expect(!is_known, 0)) {
		own = find_place();
		is_known = true;
	}
	return own;
}

void activity_begin(const char *method, const char *route, int64_t began_ns)
{
	struct place *own = own_place();
	if (!own)
		return;
	SET(own->method, method);
	SET(own->began_ns, began_ns);
	SET(own->route, route);
}

void activity_end(void)
{
	struct place *own = own_place();
	if (own)
		SET(own->route, NULL);
}

void activity_step_begin(const struct step *step)
{
	struct place *own = own_place();
	if (!own)
		return;
	if (step->kind == STEP_SQL_TRANSACTION) {
		SET(own->transaction_began_ns, step->began_ns);
		SET(own->transaction, step->name);
		return;
	}
	SET(own->kind, (int)step->kind);
	SET(own->step_began_ns, step->began_ns);
	SET(own->step, step->name);
}

void activity_step_end(const struct step *step)
{
	struct place *own = own_place();
	if (!own)
		return;
	if (step->kind == STEP_SQL_TRANSACTION)
		SET(own->transaction, NULL);
	else
		SET(own->step, NULL);
}

size_t activity_read(struct activity *ret, size_t max)
{
	size_t count = 0;
	int64_t now_ns = clock_now_ns();
	for (size_t i = 0; i < ACTIVITY_THREADS_MAX && count < max; i++) {
		struct place *place = &places[i];
		struct activity now = { .route = GET(place->route),
					.step = GET(place->step),
					.transaction = GET(place->transaction) };
		if (!atomic_load(&place->taken) || (!now.route && !now.step && !now.transaction))
			continue;
		now.thread_id = GET(place->thread_id);
		now.method = now.route ? GET(place->method) : NULL;
		now.request_ns = now.route ? MAX(now_ns - GET(place->began_ns), 0) : 0;
		now.kind = (enum step_kind)GET(place->kind);
		now.step_ns = now.step ? MAX(now_ns - GET(place->step_began_ns), 0) : 0;
		now.transaction_ns =
			now.transaction ? MAX(now_ns - GET(place->transaction_began_ns), 0) : 0;
		ret[count++] = now;
	}
	return count;
}
