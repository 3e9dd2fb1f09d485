/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storage.h - where tenants' bytes are, as rows; what a storage is, registry/storage.h says.
 */
#pragma once

#include "sql/sql.h"

#define STORAGE_DEFAULT INT64_C(1) /* the data directory */

struct storage_row {
	int64_t id;
	str name;     /* unique */
	str driver;   /* of store.h */
	str location; /* below a root of the server; unique for its driver */
	str settings; /* JSON, the driver's own */
	str secrets;  /* sealed JSON; empty for none */
	bool encrypted;
	str data_key;	      /* sealed; empty when not encrypted, or erased */
	int64_t erased_at_us; /* 0: it is not */
	int64_t created_at_us;
	int64_t updated_at_us;
	bool left; /* erased, because its tenant's bytes are elsewhere (storage_move.h) */
};

err_t db_storage_find(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct storage_row *ret);

/* Of two transactions that make storages, the second waits here for the first to end. */
err_t db_storage_lock(struct ctx *ctx, struct sql_tx *tx);

/* OK when another storage of the driver is at `location`, above it or below it; ERR_ABSENT when
 * none is. */
err_t db_storage_overlap(struct ctx *ctx, struct sql_tx *tx, str driver, str location);

/* Name, driver, location, settings and `encrypted`; `row` gets id and times. ERR_EXISTS. */
err_t db_storage_insert(struct ctx *ctx, struct sql_tx *tx, struct storage_row *row);

/* Each for one that is not erased: ERR_ABSENT. A data key is set once. */
err_t db_storage_set_settings(struct ctx *ctx, struct sql_tx *tx, int64_t id, str settings);
err_t db_storage_set_secrets(struct ctx *ctx, struct sql_tx *tx, int64_t id, str sealed);
err_t db_storage_set_data_key(struct ctx *ctx, struct sql_tx *tx, int64_t id, str sealed);

/* The ids of all storages of a storage's domain: those that a tenant's bytes were moved out of
 * (storage_move.h) and the one they are in. */
err_t db_storage_domain(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t **ret,
			size_t *ret_count);

/* Takes data key and secrets away for good. ERR_ABSENT when it is erased, or not encrypted. */
err_t db_storage_erase(struct ctx *ctx, struct sql_tx *tx, int64_t id);

/* At most `max` rows with ids after `last_id`. */
err_t db_storage_page(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
		      struct storage_row **ret, size_t *ret_count);
