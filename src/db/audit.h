/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit.h - the rows of the audit trail: records, their places in the hash chain, checkpoints,
 * keys.
 *
 * A record is inserted in the transaction of what it tells of and has no place in the chain yet;
 * one sealer at a time gives places out, in the order in which records became visible. Strings are
 * copied to the arena; hashes and salts are bytes.
 */
#pragma once

#include "model/audit_event.h"
#include "sql/sql.h"

/* A record as it is kept. `detail` is a JSON object of what nobody searches by. */
struct audit_row {
	int64_t id;
	int64_t time_us;
	int64_t tenant_id;
	int64_t project_id; /* 0: none */
	str project;
	str actor_type;
	int64_t actor_id;
	str actor;
	str operation;
	str resource_type;
	str resource;
	str digest;
	str address;
	str request_id;
	enum audit_result result;
	str detail;
};

/* `row->id` does not count. A project named without its id gets it here, also when this transaction
 * has just made it. */
err_t db_audit_insert(struct ctx *ctx, struct sql_tx *tx, const struct audit_row *row);
