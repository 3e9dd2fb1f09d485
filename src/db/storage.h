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
};

err_t db_storage_find(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct storage_row *ret);

/* At most `max` rows with ids after `last_id`. */
err_t db_storage_page(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
		      struct storage_row **ret, size_t *ret_count);
