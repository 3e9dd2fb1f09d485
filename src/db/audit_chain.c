/* SPDX-License-Identifier: Apache-2.0 */
/* audit_chain.c - see audit_chain.h. */
#include "db/audit_chain.h"
#include "audit.sql.h"
#include "audit_rows.h"
#include "rows.h"

#include "base/banned.h"

static err_t read_chain(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
			struct audit_chain *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statement, SQL_NO_ARGS, &rows));
	*ret = (struct audit_chain){ sql_i64(&rows, 0), db_text(ctx, &rows, 1), sql_i64(&rows, 2),
				     sql_i64(&rows, 3) };
	return OK;
}

err_t db_audit_chain_take(struct ctx *ctx, struct sql_tx *tx, struct audit_chain *ret)
{
	return read_chain(ctx, tx, &SQL_AUDIT_CHAIN_TAKE, ret);
}

err_t db_audit_chain_wait(struct ctx *ctx, struct sql_tx *tx, struct audit_chain *ret)
{
	return read_chain(ctx, tx, &SQL_AUDIT_CHAIN_WAIT, ret);
}

err_t db_audit_chain_find(struct ctx *ctx, struct sql_tx *tx, struct audit_chain *ret)
{
	return read_chain(ctx, tx, &SQL_AUDIT_CHAIN, ret);
}

err_t db_audit_chain_set(struct ctx *ctx, struct sql_tx *tx, int64_t seq, str hash,
			 int64_t record_id)
{
	return db_exec_one(ctx, tx, &SQL_AUDIT_CHAIN_SET,
			   SQL_ARGS(SQL_I64(seq), SQL_BLOB(hash), SQL_I64(record_id)));
}

static err_t read_number(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
			 int64_t *ret)
{
	return db_one_i64(ctx, tx, statement, SQL_NO_ARGS, ret);
}

err_t db_audit_unsealed_exists(struct ctx *ctx, struct sql_tx *tx)
{
	int64_t one;
	return read_number(ctx, tx, &SQL_AUDIT_UNSEALED_ANY, &one);
}

err_t db_audit_unsealed_count(struct ctx *ctx, struct sql_tx *tx, int64_t *ret)
{
	return read_number(ctx, tx, &SQL_AUDIT_UNSEALED_COUNT, ret);
}

err_t db_audit_stray_find(struct ctx *ctx, struct sql_tx *tx, int64_t *ret_id)
{
	return read_number(ctx, tx, &SQL_AUDIT_STRAY_RECORD, ret_id);
}

err_t db_audit_stray_find_unsealed(struct ctx *ctx, struct sql_tx *tx, int64_t *ret_id)
{
	return read_number(ctx, tx, &SQL_AUDIT_STRAY_UNSEALED, ret_id);
}

err_t db_audit_stray_find_seal(struct ctx *ctx, struct sql_tx *tx, int64_t *ret_seq)
{
	return read_number(ctx, tx, &SQL_AUDIT_STRAY_SEAL, ret_seq);
}

static void read_row(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	audit_row_read(ctx, rows, item);
}

err_t db_audit_unsealed_page(struct ctx *ctx, struct sql_tx *tx, size_t max, struct audit_row **ret,
			     size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct audit_row), read_row };
	return db_rows_read(ctx, tx, &SQL_AUDIT_UNSEALED_PAGE, SQL_ARGS(SQL_I64((int64_t)max)),
			    &reader, (void **)ret, ret_count);
}

err_t db_audit_seal_insert(struct ctx *ctx, struct sql_tx *tx, const struct audit_seal *seal)
{
	return sql_exec_later(ctx, tx, &SQL_AUDIT_SEAL_INSERT,
			      SQL_ARGS(SQL_I64(seal->seq), SQL_I64(seal->record_id),
				       SQL_BLOB(seal->salt), SQL_BLOB(seal->personal),
				       SQL_BLOB(seal->hash)));
}

static void read_sealed(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	struct audit_sealed *sealed = item;
	sealed->has_row = !sql_is_null(rows, 0);
	if (sealed->has_row)
		audit_row_read(ctx, rows, &sealed->row);
	sealed->seal = (struct audit_seal){
		.seq = sql_i64(rows, AUDIT_COLUMNS),
		.record_id = sql_i64(rows, AUDIT_COLUMNS + 1),
		.salt = db_text(ctx, rows, AUDIT_COLUMNS + 2),
		.personal = db_text(ctx, rows, AUDIT_COLUMNS + 3),
		.hash = db_text(ctx, rows, AUDIT_COLUMNS + 4),
	};
}

err_t db_audit_seal_page(struct ctx *ctx, struct sql_tx *tx, int64_t after_seq, size_t max,
			 struct audit_sealed **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct audit_sealed), read_sealed };
	return db_rows_read(ctx, tx, &SQL_AUDIT_SEAL_PAGE,
			    SQL_ARGS(SQL_I64(after_seq), SQL_I64((int64_t)max)), &reader,
			    (void **)ret, ret_count);
}

err_t db_audit_checkpoint_insert(struct ctx *ctx, struct sql_tx *tx,
				 const struct audit_checkpoint *checkpoint, int64_t at_us)
{
	TRY(sql_exec(ctx, tx, &SQL_AUDIT_CHECKPOINT_INSERT,
		     SQL_ARGS(SQL_I64(checkpoint->seq), SQL_TEXT(checkpoint->token)), NULL));
	return db_exec_one(ctx, tx, &SQL_AUDIT_CHAIN_SET_CHECKPOINT,
			   SQL_ARGS(SQL_I64(checkpoint->seq), SQL_I64(at_us)));
}

static void read_checkpoint(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct audit_checkpoint *)item =
		(struct audit_checkpoint){ sql_i64(rows, 0), db_text(ctx, rows, 1) };
}

err_t db_audit_checkpoint_find_last(struct ctx *ctx, struct sql_tx *tx,
				    struct audit_checkpoint *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_AUDIT_CHECKPOINT_LAST, SQL_NO_ARGS, &rows));
	read_checkpoint(ctx, &rows, ret);
	return OK;
}

err_t db_audit_checkpoint_page(struct ctx *ctx, struct sql_tx *tx, int64_t after_seq, size_t max,
			       struct audit_checkpoint **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct audit_checkpoint),
						  read_checkpoint };
	return db_rows_read(ctx, tx, &SQL_AUDIT_CHECKPOINT_PAGE,
			    SQL_ARGS(SQL_I64(after_seq), SQL_I64((int64_t)max)), &reader,
			    (void **)ret, ret_count);
}

static void read_key(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct audit_key *)item = (struct audit_key){ db_text(ctx, rows, 0),
							db_text(ctx, rows, 1), sql_i64(rows, 2) };
}

err_t db_audit_key_list(struct ctx *ctx, struct sql_tx *tx, size_t max, struct audit_key **ret,
			size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct audit_key), read_key };
	return db_rows_read(ctx, tx, &SQL_AUDIT_KEY_LIST, SQL_ARGS(SQL_I64((int64_t)max)), &reader,
			    (void **)ret, ret_count);
}

err_t db_audit_key_insert(struct ctx *ctx, struct sql_tx *tx, const struct audit_key *key)
{
	return sql_exec(
		ctx, tx, &SQL_AUDIT_KEY_INSERT,
		SQL_ARGS(SQL_TEXT(key->id), SQL_TEXT(key->sealed), SQL_I64(key->created_at_us)),
		NULL);
}
