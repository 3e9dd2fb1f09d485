/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_text.h - a record for readers outside: as a flat JSON object, or as a line of CSV
 * (RFC 4180).
 *
 * Both have the same members in the same order. JSON leaves out those that are empty. In CSV
 * `before` and `after` are JSON, and a text that a spreadsheet would take for a formula (it begins
 * with =, +, -, @, tab or CR) has an apostrophe in front.
 */
#pragma once

#include "base/buf.h"
#include "db/audit.h"

#define AUDIT_TEXT_BYTES_MAX KIB(512) /* of one record, in either form */

void audit_text_json(struct ctx *ctx, struct buf *b, const struct audit_row *row);

void audit_text_csv_head(struct buf *b);
void audit_text_csv(struct ctx *ctx, struct buf *b, const struct audit_row *row);
