/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows.h - results as arrays in the arena; private to db.
 *
 * A page query hands each row to a reader that fills one array element. Arrays grow by doubling
 * within the arena's cap (ERR_LIMIT beyond).
 */
#pragma once

#include "codec/digest.h"
#include "db/blob_link.h"
#include "sql/sql.h"

struct row_reader {
	size_t item_bytes;
	void (*read)(struct ctx *ctx, const struct sql_rows *rows, void *item);
};

err_t db_rows_read(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		   struct sql_args args, const struct row_reader *reader, void **ret,
		   size_t *ret_count);

/* The reader of a single text column into a str. */
extern const struct row_reader db_text_reader;

/* The reader of a single number into an int64_t. */
extern const struct row_reader db_i64_reader;

/* The reader of what fsck finds wrong: id, repository, digest, into a struct artifact_wrong. */
extern const struct row_reader db_artifact_wrong_reader;

/* The reader of a tag for who decides whether it stays: id, manifest, name, pushed and pulled, into
 * a struct retention_tag. */
extern const struct row_reader db_retention_tag_reader;

/* A column's text, copied to the arena. */
str db_text(struct ctx *ctx, const struct sql_rows *rows, int column);

/* A digest as statement argument: its text in the arena. */
struct sql_value db_digest(struct ctx *ctx, digest d);

/* What @links of shared.sql reads. */
struct sql_value db_links(struct ctx *ctx, const struct blob_link *links, size_t count);

/* Runs a statement that must change a row: ERR_ABSENT when it changed none. Not recorded as a
 * failure. */
err_t db_exec_one(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		  struct sql_args args);

/* The number in the first column of the only row; `*ret` stays as it is without one (ERR_ABSENT,
 * not recorded as a failure). */
err_t db_one_i64(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		 struct sql_args args, int64_t *ret);

/* The same of an insert that gives the new row's id, and none when the row was there: ERR_EXISTS.
 */
err_t db_insert_id(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		   struct sql_args args, int64_t *ret_id);

/* Whether there is a row. */
err_t db_has_row(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		 struct sql_args args, bool *ret);
