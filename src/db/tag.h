/* SPDX-License-Identifier: Apache-2.0 */
/* tag.h - names that point to a manifest of their repository. */
#pragma once

#include "codec/digest.h"
#include "sql/sql.h"

/* One as it is, or was when it was deleted. */
struct tag_state {
	str name;
	int64_t manifest_id;
	int64_t pushed_at_us;
};

err_t db_tag_find(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name, digest *ret);
/* The same, and nobody moves or deletes the tag before the transaction ends. */
err_t db_tag_find_locked(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name,
			 digest *ret);

/* The same with all there is about it. */
err_t db_tag_lock(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name,
		  struct tag_state *ret);

/*
 * Points the tag to the manifest. `*ret_before` is the manifest that it pointed to, 0 when it is
 * new; nobody moves it before the transaction ends. Who calls this counts the tags of both.
 */
err_t db_tag_put(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name,
		 int64_t manifest_id, int64_t *ret_before);
/* The same for a tag that must not be there yet: ERR_EXISTS. */
err_t db_tag_create(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name,
		    int64_t manifest_id);

/* Gives what it was; ERR_ABSENT when there is no such tag. */
err_t db_tag_delete(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name,
		    struct tag_state *ret);

/* Deletes all tags of a manifest and gives what they were. */
err_t db_tag_delete_of_manifest(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id,
				struct tag_state **ret, size_t *ret_count);

/* At most `max` names after `last`, in byte order. */
err_t db_tag_page(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str last, size_t max,
		  str **ret, size_t *ret_count);
/* The same with all there is about them. */
err_t db_tag_state_page(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str last,
			size_t max, struct tag_state **ret, size_t *ret_count);
