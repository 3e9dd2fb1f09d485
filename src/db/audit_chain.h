/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_chain.h - the places of audit records in the hash chain, its signed checkpoints, and the
 * keys that sign them.
 *
 * One sealer at a time gives places out, in the order in which records became visible to it;
 * writers of records never wait for it. Hashes and salts are bytes.
 */
#pragma once

#include "db/audit.h"

struct audit_chain {
	int64_t seq; /* of the last place given out; 0: none */
	str hash;    /* of that place; zeros at first */
	int64_t checkpoint_seq;
	int64_t checkpoint_at_us;
};

/* Takes the chain for this transaction. ERR_ABSENT, unrecorded: another node has it at the moment.
 */
err_t db_audit_chain_take(struct ctx *ctx, struct sql_tx *tx, struct audit_chain *ret);
/* Takes it too, but waits for who has it: for changes to records that a sealer may be reading. */
err_t db_audit_chain_wait(struct ctx *ctx, struct sql_tx *tx, struct audit_chain *ret);
/* Only looks. */
err_t db_audit_chain_find(struct ctx *ctx, struct sql_tx *tx, struct audit_chain *ret);
/* `record_id`: the newest sealed record. */
err_t db_audit_chain_set(struct ctx *ctx, struct sql_tx *tx, int64_t seq, str hash,
			 int64_t record_id);

err_t db_audit_unsealed_exists(struct ctx *ctx, struct sql_tx *tx); /* ERR_ABSENT, unrecorded */
err_t db_audit_unsealed_count(struct ctx *ctx, struct sql_tx *tx, int64_t *ret);
err_t db_audit_unsealed_page(struct ctx *ctx, struct sql_tx *tx, size_t max, struct audit_row **ret,
			     size_t *ret_count);

struct audit_seal {
	int64_t seq;
	int64_t record_id;
	str salt;     /* empty: personal data was erased */
	str personal; /* hash of salt and personal data */
	str hash;     /* of the hash before and everything else */
};
err_t db_audit_seal_insert(struct ctx *ctx, struct sql_tx *tx, const struct audit_seal *seal);

struct audit_sealed {
	struct audit_seal seal;
	bool has_row; /* false: the record is gone */
	struct audit_row row;
};
err_t db_audit_seal_page(struct ctx *ctx, struct sql_tx *tx, int64_t after_seq, size_t max,
			 struct audit_sealed **ret, size_t *ret_count);

/* A record without a place that does not wait for one; one that waits but is gone; a place behind
 * the chain's end. ERR_ABSENT, unrecorded, when all is well. */
err_t db_audit_stray_find(struct ctx *ctx, struct sql_tx *tx, int64_t *ret_id);
err_t db_audit_stray_find_unsealed(struct ctx *ctx, struct sql_tx *tx, int64_t *ret_id);
err_t db_audit_stray_find_seal(struct ctx *ctx, struct sql_tx *tx, int64_t *ret_seq);

struct audit_checkpoint {
	int64_t seq;
	str token; /* signed */
};
/* Also notes it in the chain's row. */
err_t db_audit_checkpoint_insert(struct ctx *ctx, struct sql_tx *tx,
				 const struct audit_checkpoint *checkpoint, int64_t at_us);
err_t db_audit_checkpoint_find_last(struct ctx *ctx, struct sql_tx *tx,
				    struct audit_checkpoint *ret); /* ERR_ABSENT, unrecorded */
err_t db_audit_checkpoint_page(struct ctx *ctx, struct sql_tx *tx, int64_t after_seq, size_t max,
			       struct audit_checkpoint **ret, size_t *ret_count);

struct audit_key {
	str id;
	str sealed;
	int64_t created_at_us;
};
/* Newest first. */
err_t db_audit_key_list(struct ctx *ctx, struct sql_tx *tx, size_t max, struct audit_key **ret,
			size_t *ret_count);
err_t db_audit_key_insert(struct ctx *ctx, struct sql_tx *tx, const struct audit_key *key);
