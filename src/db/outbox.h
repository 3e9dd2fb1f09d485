/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.h - letters that wait, by kind and subject: rows of jobs/outbox.h. */
#pragma once

#include "sql/sql.h"

struct outbox_row {
	int64_t id, created_at_us;
	str payload;
};
err_t db_outbox_insert(struct ctx *ctx, struct sql_tx *tx, str kind, str subject, str payload,
		       int64_t *ret_id);
err_t db_outbox_page(struct ctx *ctx, struct sql_tx *tx, str kind, str subject, int64_t max,
		     struct outbox_row **ret, size_t *ret_count);
/* The next at most `max` with letters, in their order. */
struct outbox_subject {
	str name;
	bool has_job; /* one that is not finished */
};
err_t db_outbox_subjects(struct ctx *ctx, struct sql_tx *tx, str kind, str after, int64_t max,
			 struct outbox_subject **ret, size_t *ret_count);
/* How many wait, up to 10,000, and how long the oldest has. */
struct outbox_count {
	int64_t count, oldest_us;
};
err_t db_outbox_count(struct ctx *ctx, struct sql_tx *tx, str kind, struct outbox_count *ret);
err_t db_outbox_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id);
