/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit.h - the audit trail: what was done, by whom, and with what result, in a chain of hashes.
 *
 * Two ways in:
 *	audit_write	in the transaction of the change it tells of: both happen or neither does
 *	audit_note	for what has no transaction (denials, logins, pulls): a short append to a
 * bounded queue, which a thread writes in batches. Never blocks; what finds no room is counted, and
 * the count is itself recorded (drop_audit).
 *
 * Notes that differ only in time and request id become one record with a count while they wait, so
 * a thousand pulls of one image by one machine in one second cost one row.
 *
 * The chain: every record gets a place with a hash over the place before (audit_chain.h), given out
 * by one sealer a moment after the record was committed, so that writers never wait for one
 * another. Every checkpoint_s the end of the chain is signed, by a key sealed under the master key,
 * and the signature is also kept outside of the database. audit_verify.h proves it all.
 *
 * Records are passed on to other systems (forward.h) by whoever seals them. With
 * audit_skip_database() they are only passed on: a change's record is removed by the sealer instead
 * of getting a place, a note is never written. What concerns the trail itself and the configuration
 * stays in the chain, so that it tells when it was not all there was.
 *
 * Handlers use neither: api/audit.h declares a change, and it is written by the transaction that
 * makes it (ctx->rider).
 */
#pragma once

#include "model/audit_event.h"
#include "notify/forward.h"
#include "sql/sql.h"

struct audit;
struct secretbox_key; /* crypto/secretbox.h */

struct audit_options {
	struct sql *db;		     /* not owned */
	size_t queue_bytes_max;	     /* of notes that wait; default 4 MiB */
	struct audit_types disabled; /* that are not recorded */
	int64_t flush_ms; /* how long a note waits, and half as long again where many do; 1000 */

	const struct secretbox_key *master_key; /* copied keys only; NULL: no checkpoints */
	int64_t checkpoint_s;			/* between two checkpoints; default 60 */
	str checkpoint_path; /* a file beside the database that keeps the last one; empty: none */

	struct forward_options forward;
};

err_t audit_new(struct ctx *ctx, const struct audit_options *options, struct audit **ret);
void audit_free(struct audit *audit); /* stopped or never started; NULL is fine */

/* The thread that writes notes. */
err_t audit_start(struct ctx *ctx, struct audit *audit);
/* Writes what waits, passes it on, then ends the threads. */
void audit_stop(struct audit *audit);

/* Whether events of a type are recorded; a look at one word of memory. A NULL audit records none.
 */
bool audit_wants(const struct audit *audit, enum audit_type type);

/* Which optional types are not recorded from now on, besides those of the options. */
void audit_disable(struct audit *audit, const struct audit_types *types);

/* Whether what happens from now on is passed on and not kept. Has an effect only while there is a
 * target. */
void audit_skip_database(struct audit *audit, bool skip);

/* Where records are passed on to. */
struct forward *audit_forward(struct audit *audit);

/* Adds the record to an open transaction. OK, and nothing, for a type that is switched off. */
err_t audit_write(struct ctx *ctx, struct audit *audit, struct sql_tx *tx,
		  const struct audit_event *event);

/* Queues a copy. */
void audit_note(struct audit *audit, const struct audit_event *event);

struct audit_stats {
	uint64_t written; /* records, by this process */
	uint64_t noted;	  /* events queued, before they became records */
	uint64_t dropped; /* events that found no room */
	size_t queued_bytes;
};
void audit_stats(struct audit *audit, struct audit_stats *ret);
