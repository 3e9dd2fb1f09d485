/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_check.h - what a server really does: each thing that a driver relies on is tried in the
 * place it is to have, below a prefix of its own that is removed again. Servers differ, and say the
 * same.
 */
#pragma once

#include "store/store.h"

enum store_check_result {
	STORE_CHECK_GOOD,
	STORE_CHECK_QUIRK,  /* it differs, and can be lived with: the words say how */
	STORE_CHECK_FAILED, /* it cannot be used, or not for all */
};

/* Called once for each thing tried, in their order; `words` are empty when it is good. */
struct store_check_report {
	void (*say)(void *arg, const char *what, enum store_check_result result, str words);
	void *arg;
};

/* One driver's checks: rows of a table. What a row finds odd it says by store_check_quirk(). */
struct store_check {
	struct store *store;
	str folder; /* prefix of all keys here */
	str quirk;  /* of the row that runs */
};
struct store_check_row {
	const char *what;
	err_t (*run)(struct ctx *ctx, struct store_check *check);
};

err_t store_check_quirk(struct ctx *ctx, struct store_check *check, const char *words);

/* Runs them all, or only the first if that fails. `prefix` is the place's. */
void store_check_run(struct ctx *ctx, struct store *store, const char *prefix,
		     const struct store_check_row *rows, size_t count,
		     const struct store_check_report *report);
