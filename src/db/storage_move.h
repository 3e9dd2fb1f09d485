/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storage_move.h - a tenant's bytes on their way from one storage to another, as rows.
 *
 * Where a blob's bytes are its row says (blob.h), so each blob moves in one transaction of its own,
 * and whoever looks finds it before and after. Of two processes that move one tenant the last that
 * took the move goes on: what the other one writes then is ERR_ABSENT.
 */
#pragma once

#include "codec/digest.h"
#include "sql/sql.h"

struct storage_move_row {
	int64_t to_id;	 /* where new bytes go */
	int64_t from_id; /* 0: it is not moving */
	str mover;	 /* who moves, or did when it died; may be empty */
};

err_t db_storage_move_get(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id,
			  struct storage_move_row *ret);

/* New bytes go to `to_id` from here on, which is a storage that was just made. ERR_ABSENT when the
 * tenant is moving already. */
err_t db_storage_move_begin(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t to_id);

/* `mover` is the one from here on, and every upload in the storage that is left is seen: who was
 * beginning one, and saw the tenant before db_storage_move_begin(), is waited for. ERR_ABSENT when
 * the tenant is not moving. */
err_t db_storage_move_take(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str mover);

/* The blob's bytes are in the new storage. */
err_t db_storage_move_blob(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str mover,
			   digest d);

/* Condemned blobs (garbage.h) mean the new storage, though their bytes were not taken along. */
err_t db_storage_move_condemned(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str mover);

struct storage_move_sum {
	uint64_t blobs, bytes;
};
/* What of the tenant's is in a storage; all of its rows are read. */
err_t db_storage_move_sum(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t storage_id,
			  struct storage_move_sum *ret);

/* How many uploads go on in a storage. */
err_t db_storage_move_uploads(struct ctx *ctx, struct sql_tx *tx, int64_t storage_id, int64_t *ret);

struct storage_move_end {
	int64_t tenant_id, from_id;
	str mover;
	bool keeps; /* bytes are there still: its place is not free */
};
/* The storage that is left is over: its keys and secrets go, unless it is the default one. */
err_t db_storage_move_end(struct ctx *ctx, struct sql_tx *tx, const struct storage_move_end *end);
