/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.h - threads with small stacks that leave signals to the main thread.
 */
#pragma once

#include "base/ctx.h"

#include <pthread.h>

#define THREAD_STACK_BYTES KIB(256)

/* Starts `run(arg)`; join it with pthread_join. `name` is cut at 15 bytes. ERR_BUSY when the system
 * has no room for another thread. */
err_t thread_start(struct ctx *ctx, const char *name, void *(*run)(void *arg), void *arg,
		   pthread_t *ret);

/* CLEANUP(thread_unlock) pthread_mutex_t *held = thread_lock(&mutex); */
pthread_mutex_t *thread_lock(pthread_mutex_t *mutex);
void thread_unlock(pthread_mutex_t **mutex);

/* A condition variable whose timed waits count on the monotonic clock, and such a wait. */
void thread_condition_init(pthread_cond_t *condition);
/* Waits until signalled or `until_ns` (clock_now_ns() scale); false when the time has come. */
bool thread_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t until_ns);
