/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox.h - what somebody is to be told, written in the transaction of what happened, and told
 * in that order for each subject, at least once.
 *
 *	TRY(outbox_add(ctx, tx, &(struct outbox_letter){ .kind = STR("webhook"), … }));
 *
 * The first letter about a subject asks for a job of that kind and subject; there is one at a
 * time (jobs.h), and its handler is outbox_drain() with what tells one letter. A letter that
 * cannot be told holds up those behind it until the job's next attempt, and nobody else's.
 * Letters of one subject are numbered in the order of their commits, since each holds the job's
 * row from before it has its number until its commit: so transactions that write to the same
 * subject wait for each other, and no others do.
 */
#pragma once

#include "db/outbox.h"
#include "jobs/jobs.h"

struct outbox_letter {
	str kind;
	str subject; /* not empty */
	str lane;    /* of its jobs; may be empty */
	int64_t tenant_id;
	str payload;
};
err_t outbox_add(struct ctx *ctx, struct sql_tx *tx, const struct outbox_letter *letter);

/* Tells the letters of the job's subject one by one and removes what was told, until there are none
 * or one fails; that error comes back. Each letter has the attempts of the kind for itself. What
 * was told is removed some letters at a time: after a crash those are told once more. */
#define OUTBOX_TOGETHER_MAX 32
#define OUTBOX_TOGETHER_MS  200
struct outbox_teller {
	err_t (*tell)(struct ctx *ctx, const struct outbox_row *letter, void *arg);
	/* In the transaction that removes them, which may be run again; NULL: nothing. */
	err_t (*told)(struct ctx *ctx, struct sql_tx *tx, void *arg);
	void (*removed)(void *arg); /* after its commit; NULL: nothing */
	void *arg;
};
err_t outbox_drain(struct ctx *ctx, struct job *job, const struct outbox_teller *teller);

/*
 * Looks after letters whose subject has no job any more, since a job was stopped or parked. Where
 * it was stopped, all of them are dropped. Where it failed, the first one is, which it failed with,
 * and a job is asked for that tells the others; so it is where nothing is known. For a kind that
 * `cleaned_by` of the letters' own names, and for a schedule (the caller need not wake anybody).
 * What comes for a subject before it is swept goes on with what waits there.
 */
struct outbox_sweep {
	str kind;
	/* In the transaction that removes it, which may be run again. */
	err_t (*dropped)(struct ctx *ctx, struct sql_tx *tx, const struct outbox_row *letter,
			 str why);
};
err_t outbox_sweep(struct ctx *ctx, struct sql *db, const struct outbox_sweep *sweep,
		   int64_t *ret_dropped);
