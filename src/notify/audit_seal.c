/* SPDX-License-Identifier: Apache-2.0 */
/* audit_seal.c - see audit_seal.h. Fault points: audit.seal, audit.checkpoint. */
#include "audit_seal.h"
#include "audit_chain.h"
#include "internal.h"

#include "base/clock.h"
#include "crypto/random.h"
#include "db/db.h"
#include "os/fault.h"
#include "os/file.h"

#include <fcntl.h>

#include "base/banned.h"

#define BATCH_ROWS 100
#define SECOND_US  INT64_C(1000000)

struct sealing {
	struct audit *audit;
	struct audit_row *rows;
	size_t count;
	size_t sealed; /* of them; the others were only to be passed on */
};

static void seal(struct arena *arena, int64_t seq, str before, struct audit_sealed *sealed)
{
	char salt[AUDIT_SALT_BYTES];
	random_bytes(salt, sizeof salt);
	struct audit_seal *s = &sealed->seal;
	s->seq = seq;
	s->record_id = sealed->row.id;
	s->salt = arena_copy(arena, (str){ salt, sizeof salt });
	s->personal = audit_hash_personal(arena, s->salt, &sealed->row);
	s->hash = audit_hash_chain(arena, before, seq, &sealed->row, s->personal);
}

/* The next place for the record, or none when it is not to be kept. */
static err_t seal_row(struct ctx *ctx, struct sql_tx *tx, struct sealing *work,
		      struct audit_chain *chain, const struct audit_row *row)
{
	struct audit_sealed sealed = { .has_row = true, .row = *row };
	if (audit_skips(work->audit, row))
		return db_audit_delete(ctx, tx, row->id);
	seal(ctx->arena, ++chain->seq, chain->hash, &sealed);
	TRY(db_audit_seal_insert(ctx, tx, &sealed.seal));
	chain->hash = sealed.seal.hash;
	work->sealed++;
	return OK;
}

static err_t seal_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct sealing *work = arg;
	struct audit_chain chain;
	size_t count;
	work->count = work->sealed = 0;
	err_t err = db_audit_chain_take(ctx, tx, &chain);
	if (err == ERR_ABSENT)
		return OK; /* another node has it */
	TRY(err);
	TRY(db_audit_unsealed_page(ctx, tx, BATCH_ROWS, &work->rows, &count));
	if (!count)
		return OK;
	int64_t newest = 0;
	for (size_t i = 0; i < count; i++) {
		TRY(seal_row(ctx, tx, work, &chain, &work->rows[i]));
		newest = MAX(newest, work->rows[i].id);
	}
	if (FAULT("audit.seal"))
		return fail_errno(ctx, ERR_DATABASE, "could not seal");
	work->count = count;
	return db_audit_chain_set(ctx, tx, chain.seq, chain.hash, newest);
}

/* What was committed; without a place it is kept nowhere else. */
static void pass_on(struct ctx *ctx, struct audit *audit, const struct sealing *work)
{
	for (size_t i = 0; i < work->count; i++)
		if (!forward_record(ctx, audit->forward, &work->rows[i]) &&
		    audit_skips(audit, &work->rows[i]))
			audit->lost++;
}

static err_t exists_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	err_t err = db_audit_unsealed_exists(ctx, tx);
	*(bool *)arg = err == OK;
	return err == ERR_ABSENT ? OK : err;
}

err_t audit_seal_batch(struct ctx *ctx, struct audit *audit, bool *ret_more)
{
	bool waits;
	*ret_more = false;
	TRY(db_run(ctx, audit->options.db, SQL_READ, exists_body, &waits));
	if (!waits)
		return OK;
	struct sealing work = { .audit = audit };
	TRY(db_run(ctx, audit->options.db, SQL_WRITE_RELAXED, seal_body, &work));
	pass_on(ctx, audit, &work);
	audit->unsigned_places |= work.sealed > 0;
	*ret_more = work.count == BATCH_ROWS;
	return OK;
}

/* --- checkpoints ---------------------------------------------------------------------------- */

struct checkpointing {
	struct audit *audit;
	bool now;
	struct audit_checkpoint made; /* seq 0: none was due */
	bool left;		      /* there are places that no checkpoint covers */
};

static err_t checkpoint_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct checkpointing *work = arg;
	struct audit *audit = work->audit;
	struct audit_chain chain;
	work->made.seq = 0;
	work->left = true;
	err_t err = db_audit_chain_take(ctx, tx, &chain);
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	work->left = chain.seq != chain.checkpoint_seq;
	int64_t now_us = clock_wall_us();
	bool due = work->now ||
		   now_us - chain.checkpoint_at_us >= audit->options.checkpoint_s * SECOND_US;
	if (!work->left || !due)
		return OK;
	const struct audit_checkpoint_claims claims = { chain.seq, chain.hash, now_us };
	TRY(jws_sign(ctx, audit->keys, audit_checkpoint_write(ctx->arena, &claims),
		     &work->made.token));
	if (FAULT("audit.checkpoint"))
		return fail_errno(ctx, ERR_DATABASE, "could not write a checkpoint");
	work->made.seq = chain.seq;
	work->left = false;
	return db_audit_checkpoint_insert(ctx, tx, &work->made, now_us);
}

static bool is_due(const struct audit *audit, bool now)
{
	if (!audit->keys || !audit->unsigned_places)
		return false;
	return now || clock_now_ns() >= audit->checkpoint_at_ns;
}

err_t audit_seal_checkpoint(struct ctx *ctx, struct audit *audit, bool now)
{
	if (!is_due(audit, now))
		return OK;
	struct checkpointing work = { .audit = audit, .now = now };
	TRY(db_run(ctx, audit->options.db, SQL_WRITE, checkpoint_body, &work));
	audit->unsigned_places = work.left;
	audit->checkpoint_at_ns = clock_now_ns() + audit->options.checkpoint_s * CLOCK_S;
	const char *path = audit->checkpoint_path;
	return work.made.seq && path ? file_replace(ctx, AT_FDCWD, path, 0640, work.made.token)
				     : OK;
}
