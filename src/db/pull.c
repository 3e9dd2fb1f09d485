/* SPDX-License-Identifier: Apache-2.0 */
/* pull.c - see pull.h. */
#include "db/pull.h"
#include "pull.sql.h"

#include "base/banned.h"

err_t db_pull_add_artifact(struct ctx *ctx, struct sql_tx *tx, const struct pulled *pulled,
			   int64_t until_us)
{
	return sql_exec_later(ctx, tx, &SQL_PULL_ADD_ARTIFACT,
			      SQL_ARGS(SQL_I64(pulled->id), SQL_I64(pulled->count),
				       SQL_I64(pulled->last_us), SQL_I64(until_us)));
}

err_t db_pull_add_repository(struct ctx *ctx, struct sql_tx *tx, const struct pulled *pulled)
{
	return sql_exec_later(
		ctx, tx, &SQL_PULL_ADD_REPOSITORY,
		SQL_ARGS(SQL_I64(pulled->id), SQL_I64(pulled->count), SQL_I64(pulled->last_us)));
}

err_t db_pull_note_tag(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name,
		       int64_t last_us)
{
	return sql_exec_later(ctx, tx, &SQL_PULL_NOTE_TAG,
			      SQL_ARGS(SQL_I64(repository_id), SQL_TEXT(name), SQL_I64(last_us)));
}
