/* SPDX-License-Identifier: Apache-2.0 */
/* thread.c - see thread.h. Fault point: thread.start. */
#include "os/thread.h"
#include "base/clock.h"
#include "base/mem.h"
#include "os/fault.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "base/banned.h"

struct start {
	void *(*run)(void *arg);
	void *arg;
	char name[16];
};

/* A thread names itself: by the time its creator could, it may be gone. */
static void *thread_main(void *arg)
{
	struct start start = *(struct start *)arg;
	free(arg);
	pthread_setname_np(pthread_self(), start.name);
	return start.run(start.arg);
}

err_t thread_start(struct ctx *ctx, const char *name, void *(*run)(void *arg), void *arg,
		   pthread_t *ret)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);

	struct start *start = NEW(struct start);
	*start = (struct start){ run, arg, { 0 } };
	snprintf(start->name, sizeof start->name, "%s", name);

	/* A thread inherits its creator's mask. */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = 0;
	pthread_t thread;
	int error = FAULT("thread.start")
			    ? errno
			    : pthread_create(&thread, &attributes, thread_main, start);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (error) {
		free(start);
		errno = error;
		return fail_errno(ctx, ERR_BUSY, "could not start thread %s", name);
	}
	*ret = thread;
	return OK;
}

pthread_mutex_t *thread_lock(pthread_mutex_t *mutex)
{
	pthread_mutex_lock(mutex);
	return mutex;
}

void thread_unlock(pthread_mutex_t **mutex)
{
	if (*mutex)
		pthread_mutex_unlock(*mutex);
}

void thread_condition_init(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

bool thread_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t until_ns)
{
	struct timespec until = { .tv_sec = until_ns / CLOCK_S, .tv_nsec = until_ns % CLOCK_S };
	return pthread_cond_timedwait(condition, mutex, &until) != ETIMEDOUT;
}
