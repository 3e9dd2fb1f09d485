/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit.h - the records of the audit trail: inserting, searching, and erasing personal data.
 *
 * A record is inserted in the transaction of what it tells of; its place in the hash chain is a row
 * of its own (audit_chain.h). Strings are copied to the arena.
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
	str digest; /* may be empty */
	str address;
	str request_id; /* may be empty */
	enum audit_result result;
	str detail;
};

/* `row->id` does not count. A project named without its id gets it here, also when this transaction
 * has just made it. */
err_t db_audit_insert(struct ctx *ctx, struct sql_tx *tx, const struct audit_row *row);

/* What a text must be: equal, or contain it. Empty: anything. */
struct audit_match {
	str text;
	bool part;
};

#define AUDIT_ANY -1

struct audit_filter {
	int64_t tenant_id; /* AUDIT_ANY, also for the next two */
	int64_t project_id;
	int result; /* enum audit_result */
	struct audit_match operation, resource_type, resource, actor, digest, address, request_id;
	int64_t from_us, to_us; /* both included; to_us 0: no end */
};
#define AUDIT_FILTER_NONE                                                                          \
	((struct audit_filter){                                                                    \
		.tenant_id = AUDIT_ANY, .project_id = AUDIT_ANY, .result = AUDIT_ANY })

/* A place in the order of (time, id); zeros: the beginning. */
struct audit_place {
	int64_t time_us;
	int64_t id;
};

struct audit_page {
	struct audit_place after; /* not included */
	struct audit_place until; /* included; zeros: the end */
	bool oldest_first;
	size_t max;
	size_t skip; /* its cost grows with it; `after` has none */
};

/*
 * The page, into the arena. Some of what the filter asks for by equality leads: what is likely to
 * be the narrowest of what has an index, which also gives the order. The rest drops rows on the
 * way, so unless db_audit_is_led() a page of few hits is a long walk: bound it by `until`.
 */
err_t db_audit_page(struct ctx *ctx, struct sql_tx *tx, const struct audit_filter *filter,
		    const struct audit_page *page, struct audit_row **ret, size_t *ret_count);

/* Nothing is dropped: every row that is looked at is one that was asked for. */
bool db_audit_is_led(const struct audit_filter *filter);

/* The place of the last of `rows` rows (at least 1) that a walk of this page looks at, for `until`.
 * ERR_ABSENT, unrecorded, when it ends sooner. */
err_t db_audit_edge(struct ctx *ctx, struct sql_tx *tx, const struct audit_filter *filter,
		    const struct audit_page *page, size_t rows, struct audit_place *ret);

/* How many fit, newest first down to `until` (zeros: all), counted up to `max`. */
err_t db_audit_count(struct ctx *ctx, struct sql_tx *tx, const struct audit_filter *filter,
		     size_t max, struct audit_place until, size_t *ret);

/* The columns that lead the search ("time" when no filter does); for tests. */
const char *db_audit_leader(const struct audit_filter *filter);

/* The names of actors that contain `part`; ERR_ABSENT, unrecorded, when there are more than `max`
 * actors in all. */
err_t db_audit_actor_list(struct ctx *ctx, struct sql_tx *tx, str part, size_t max, str **ret,
			  size_t *ret_count);

/* Records by `name`, or about the account of this name, by id. */
err_t db_audit_erase_page(struct ctx *ctx, struct sql_tx *tx, str name, int64_t after_id,
			  size_t max, struct audit_row **ret, size_t *ret_count);

/* Replaces the personal part of the record: actor_id, actor, resource, address, detail; its place
 * in the chain stays, without the salt. */
err_t db_audit_erase(struct ctx *ctx, struct sql_tx *tx, const struct audit_row *row);

/* Removes a record that has no place in the chain and will get none. */
err_t db_audit_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id);
