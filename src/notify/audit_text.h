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

/* What a record keeps in `detail`. */
struct audit_detail {
	int64_t status; /* HTTP; 0: none */
	int64_t count;	/* at least 1 */
	int64_t last_us;
	str reason, issuer, on_behalf_of, token_id, user_agent, erased;
	str before, after; /* JSON objects */
};
/* Into the arena; empty where there is nothing, or nothing that can be read. */
void audit_detail_read(struct ctx *ctx, const struct audit_row *row, struct audit_detail *ret);

/* "create_artifact"; empty when no type has this operation on this kind of resource. */
str audit_type_name(const struct audit_row *row);

void audit_text_json(struct ctx *ctx, struct buf *b, const struct audit_row *row);

void audit_text_csv_head(struct buf *b);
void audit_text_csv(struct ctx *ctx, struct buf *b, const struct audit_row *row);
