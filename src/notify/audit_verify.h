/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_verify.h - proves that the trail is what was written: `berth audit verify`.
 *
 * Walks the chain from its first place and computes every hash again; compares with the signed
 * checkpoints, with the signed gaps of purges, with the chain's end, and with the checkpoint kept
 * outside of the database. Found are records changed, removed, inserted or reordered, and a tail
 * cut off before the last checkpoint that is known. What nobody can find here: a tail cut off
 * behind it, so forward the trail if that matters.
 *
 * Records that still wait for their place are counted apart. It may run beside a server.
 */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"
#include "sql/sql.h"

struct secretbox_key;
struct jws_ring; /* crypto/jws.h */

#define AUDIT_DIFFERENCE_MAX 512 /* room for a path */

struct audit_verify_options {
	struct sql *db;
	const struct secretbox_key *master_key; /* opens the keys of the checkpoints */
	struct jws_ring *keys;			/* or these, already open; not owned */
	str checkpoint_path;			/* empty: there is none */
};

struct audit_verdict {
	int64_t places;	     /* that were checked */
	int64_t waiting;     /* records without a place yet */
	int64_t erased;	     /* records whose personal data was erased */
	int64_t purged;	     /* places that purges removed, as signed gaps say */
	int64_t checkpoints; /* that were checked */
	int64_t last_checkpoint;

	bool intact;
	int64_t seq; /* place of the first difference; 0: not at a place */
	char difference[AUDIT_DIFFERENCE_MAX];
};

/* OK whether intact or not; an error when it could not be found out. */
err_t audit_verify(struct ctx *ctx, const struct audit_verify_options *options,
		   struct audit_verdict *ret);

/* The verdict as a JSON object: intact, difference, place, places, waiting, erased, purged,
 * checkpoints, last_checkpoint. */
void audit_verdict_write(struct buf *b, const struct audit_verdict *verdict);
