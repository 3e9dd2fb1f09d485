/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account.h - accounts of people. "find" and "get" never see a deleted one.
 *
 * Whatever changes what somebody may do raises `epoch`, in the statement itself.
 */
#pragma once

#include "sql/sql.h"

struct account {
	int64_t id;
	int64_t tenant_id;
	str name;
	str password; /* argon2id record; empty: none */
	str email;    /* empty: none */
	str realname;
	str comment;
	bool is_admin;
	bool is_auditor;
	bool is_tenant_admin;
	str source;  /* "local", "ldap", … */
	str issuer;  /* who vouches, and */
	str subject; /* as whom; empty for local accounts */
	bool admin_elsewhere;
	bool disabled;
	int64_t epoch;
	int64_t created_at_us;
	int64_t updated_at_us;
};

err_t db_account_get(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
		     struct account *ret);
/* In whatever tenant. */
err_t db_account_get_anywhere(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct account *ret);
err_t db_account_find(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name,
		      struct account *ret);
/* By name or, when nobody has it, by e-mail address. */
err_t db_account_find_login(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str login,
			    struct account *ret);
err_t db_account_find_subject(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str issuer,
			      str subject, struct account *ret);
err_t db_account_state(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *ret_epoch,
		       bool *ret_disabled);

/* Takes tenant_id, name, password, email, realname, comment, is_admin, source, issuer and subject.
 * ERR_EXISTS, unrecorded, when name, e-mail address or subject is taken. */
err_t db_account_insert(struct ctx *ctx, struct sql_tx *tx, const struct account *account,
			int64_t *ret_id);

/* Whether somebody else than `id` has this address. */
err_t db_account_email_taken(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str email,
			     int64_t id, bool *ret);

/* The changes: ERR_ABSENT, unrecorded, when there is no such account. */
err_t db_account_update(struct ctx *ctx, struct sql_tx *tx, const struct account *account);
err_t db_account_set_password(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
			      str record);

enum account_flag { ACCOUNT_ADMIN, ACCOUNT_AUDITOR, ACCOUNT_TENANT_ADMIN, ACCOUNT_DISABLED };
err_t db_account_set_flag(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
			  enum account_flag flag, bool on);
err_t db_account_set_elsewhere(struct ctx *ctx, struct sql_tx *tx, int64_t id, bool is_admin);

/* Renames it to `name#id`, empties what could be used again, and takes it out of its groups and
 * projects. */
err_t db_account_delete(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id);

/* Ids of the administrators who can log in here, locked until the transaction ends. */
err_t db_account_local_admins(struct ctx *ctx, struct sql_tx *tx, int64_t **ret, size_t *ret_count);

/* --- lists --------------------------------------------------------------------------------------
 */

enum account_order {
	ACCOUNT_BY_ID,
	ACCOUNT_BY_NAME,
	ACCOUNT_BY_EMAIL,
	ACCOUNT_BY_LENGTH, /* of the name: the nearest match first */
	ACCOUNT_ORDER_COUNT,
};

struct account_filter {
	int64_t tenant_id;
	str except;		   /* not this name */
	str name_like, email_like; /* patterns for LIKE; empty: all */
	str name, email;	   /* exact; empty: all */
	enum account_order order;
	bool descending;
	int64_t limit, offset;
};
err_t db_account_count(struct ctx *ctx, struct sql_tx *tx, const struct account_filter *filter,
		       int64_t *ret);
err_t db_account_page(struct ctx *ctx, struct sql_tx *tx, const struct account_filter *filter,
		      struct account **ret, size_t *ret_count);
