/* SPDX-License-Identifier: Apache-2.0 */
/* internal.h - what the files of notify share. */
#pragma once

#include "audit_keys.h"
#include "audit_queue.h"
#include "audit_record.h"
#include "notify/audit.h"
#include "notify/audit_check.h"
#include "os/thread.h"

#include <stdatomic.h>

struct audit {
	struct audit_options options;
	_Atomic(uint64_t) disabled[AUDIT_TYPE_WORDS]; /* a struct audit_types */
	_Atomic(uint64_t) written;
	struct audit_queue queue;
	struct forward *forward;
	_Atomic(int64_t) skip_since_us; /* what is younger is not kept; INT64_MAX: all is */

	/* The thread; `lock` guards the flags below. */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool started, stopping, hurry;

	struct jws_ring *keys; /* that sign checkpoints; NULL: none */
	char *checkpoint_path; /* NULL: none */

	/* Verifying; `check_lock` guards all of it. */
	pthread_mutex_t check_lock;
	pthread_t check_thread;
	bool check_joinable;
	_Atomic(bool) check_cancelled;
	struct audit_check check;

	/* The thread's own. */
	struct audit_note *taken; /* from the queue, and not yet written */
	uint64_t dropped_told;	  /* drops that have a record */
	uint64_t lost;		  /* could not be passed on, are not kept, and have no record yet */
	bool unsigned_places;	  /* there may be places that no checkpoint covers */
	int64_t checkpoint_at_ns; /* not before */
};

/* Whether a record is only passed on. */
bool audit_skips(struct audit *audit, const struct audit_row *row);

/* The thread looks at its work now and not at its next turn. */
void audit_wake(struct audit *audit);
