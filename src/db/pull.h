/* SPDX-License-Identifier: Apache-2.0 */
/* pull.h - adds to how often artifacts and repositories were pulled, and when last. */
#pragma once

#include "sql/sql.h"

struct pulled {
	int64_t id; /* of the manifest or the repository */
	int64_t count;
	int64_t last_us; /* 0 leaves the time as it is */
};

/* What is gone meanwhile is left out silently; a manifest pushed after `until_us`, when the last of
 * these pulls was, is another one. */
err_t db_pull_add_artifact(struct ctx *ctx, struct sql_tx *tx, const struct pulled *pulled,
			   int64_t until_us);
err_t db_pull_add_repository(struct ctx *ctx, struct sql_tx *tx, const struct pulled *pulled);
err_t db_pull_note_tag(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name,
		       int64_t last_us);
