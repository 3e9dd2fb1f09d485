/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy.h - a whole registry's rows from one database into another, of either engine.
 *
 * sql/copy.h copies what is alike; what each engine has in its own way is made anew here: the
 * stripes of quotas, the list of audit records without a place, and below which number no
 * repository gets its id. All of it is one transaction, and compared before it ends.
 */
#pragma once

#include "sql/copy.h"

/*
 * The target must have this program's schema and no accounts (ERR_EXISTS), the source its schema
 * too. ERR_IN_USE when audit records of the source wait for a place that the target could not give
 * them: its server has to run a moment longer. `done` is told of each table.
 */
err_t db_copy(struct ctx *ctx, struct sql *from, struct sql *to,
	      void (*done)(void *arg, const struct sql_copied *table), void *arg);
