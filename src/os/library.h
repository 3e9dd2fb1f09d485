/* SPDX-License-Identifier: Apache-2.0 */
/*
 * library.h - shared libraries that are opened when something first needs them.
 *
 * libpq, libcurl and libldap bring twenty-five others (Kerberos, GnuTLS, SASL, …), together 5 MiB
 * in every process and as much code that could be attacked; a registry on SQLite that asks nobody
 * needs none of it. Whoever includes their headers keeps a struct of pointers, typed by those very
 * headers:
 *
 *	#define PQ_FUNCTIONS(X) X(PQfinish) X(PQstatus)
 *	struct pq { PQ_FUNCTIONS(LIBRARY_FIELD) };
 *	extern struct pq libpq;
 *
 *	static const char *const names[] = { PQ_FUNCTIONS(LIBRARY_NAME) };
 *	static struct library library = LIBRARY_INIT("libpq.so.5", "libpq5", names, libpq);
 *	TRY(library_open(ctx, &library));
 *	libpq.PQfinish(handle);
 *
 * An open library stays open. What it reads when it is opened lies below the folders that any
 * program may read when confined (confine_files.c).
 */
#pragma once

#include "base/ctx.h"

#include <pthread.h>

#define LIBRARY_FIELD(function) typeof(function) *function;
#define LIBRARY_NAME(function)	#function,

struct library {
	const char *file;	  /* "libpq.so.5" */
	const char *package;	  /* Debian's, for the error */
	const char *const *names; /* in the order of the pointers */
	size_t count;
	void **functions; /* the struct of pointers */
	pthread_mutex_t lock;
	_Atomic(bool) open;
};

#define LIBRARY_INIT(file, package, names, pointers)                                               \
	{                                                                                          \
		(file), (package), (names), COUNT_OF(names), (void **)&(pointers),                 \
			PTHREAD_MUTEX_INITIALIZER, false                                           \
	}

/* Once open, this costs one load. ERR_CONFIG, naming the package, when it cannot be opened or lacks
 * a function; then the next call tries again. Fault point: library.open. */
err_t library_open(struct ctx *ctx, struct library *library);
