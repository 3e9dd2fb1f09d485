/* SPDX-License-Identifier: Apache-2.0 */
/* copy_catalogue.h - the tables of a database as its own catalogue says; private to sql. */
#pragma once

#include "sql/copy.h"

struct copy_column {
	str name;
	int kind;      /* of struct sql_value */
	int64_t place; /* in the primary key, from 1; 0: not in it */
};

struct copy_table {
	str name;
	struct copy_column columns[SQL_COPY_COLUMNS_MAX]; /* by name */
	size_t column_count, key_count;
	bool numbered; /* it has an id that the database gives */
};

struct copy_catalogue {
	struct copy_table *tables; /* each after those that it refers to */
	size_t count;
};

/* All but the tables in `apart` and those of the migrations. ERR_CONFIG for what cannot be copied:
 * a table without a primary key, a column of another type than integer, text and blob. */
err_t copy_catalogue_read(struct ctx *ctx, struct sql_tx *tx, const char *const *apart,
			  struct copy_catalogue *ret);

/* ERR_CONFIG, with the first difference, unless both have the same tables with the same columns. */
err_t copy_catalogue_compare(struct ctx *ctx, const struct copy_catalogue *one,
			     const struct copy_catalogue *other);

const struct copy_table *copy_catalogue_find(const struct copy_catalogue *catalogue, str name);

/* The greatest number that the table's rows were ever given by the database. */
err_t copy_number_read(struct ctx *ctx, struct sql_tx *tx, str table, int64_t *ret);
/* From here on rows get greater ones. */
err_t copy_number_raise(struct ctx *ctx, struct sql_tx *tx, str table, int64_t number);
