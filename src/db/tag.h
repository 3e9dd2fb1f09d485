/* SPDX-License-Identifier: Apache-2.0 */
/* tag.h - names that point to a manifest of their repository. */
#pragma once

#include "codec/digest.h"
#include "sql/sql.h"

err_t db_tag_find(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name, digest *ret);
/* The same, and nobody moves or deletes the tag before the transaction ends. */
err_t db_tag_find_locked(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name,
			 digest *ret);

/*
 * Points the tag to the manifest. `*ret_before` is the manifest that it pointed to, 0 when it is
 * new; nobody moves it before the transaction ends. Who calls this counts the tags of both.
 */
err_t db_tag_put(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name,
		 int64_t manifest_id, int64_t *ret_before);
/* The same for a tag that must not be there yet: ERR_EXISTS. */
err_t db_tag_create(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name,
		    int64_t manifest_id);

/* Gives the manifest it pointed to; ERR_ABSENT when there is no such tag. */
err_t db_tag_delete(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str name,
		    int64_t *ret_manifest_id);

/* Deletes all tags of a manifest and gives their names. */
err_t db_tag_delete_of_manifest(struct ctx *ctx, struct sql_tx *tx, int64_t manifest_id, str **ret,
				size_t *ret_count);

/* At most `max` names after `last`, in byte order. */
err_t db_tag_page(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, str last, size_t max,
		  str **ret, size_t *ret_count);
