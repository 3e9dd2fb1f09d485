/* SPDX-License-Identifier: Apache-2.0 */
/* audit_rows.h - reading a record's columns; private to db. */
#pragma once

#include "db/audit.h"

#define AUDIT_COLUMNS 16 /* of record_columns in audit.sql */

/* From the first AUDIT_COLUMNS columns. */
void audit_row_read(struct ctx *ctx, const struct sql_rows *rows, struct audit_row *ret);
