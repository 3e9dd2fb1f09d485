/* SPDX-License-Identifier: Apache-2.0 */
/* account.c - see account.h. */
#include "db/account.h"
#include "account.sql.h"
#include "base/clock.h"
#include "db/tenant.h"
#include "rows.h"

#include "base/banned.h"

static void read_row(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	*(struct account *)item = (struct account){
		.id = sql_i64(rows, 0),
		.tenant_id = sql_i64(rows, 1),
		.name = db_text(ctx, rows, 2),
		.password = db_text(ctx, rows, 3),
		.email = db_text(ctx, rows, 4),
		.realname = db_text(ctx, rows, 5),
		.comment = db_text(ctx, rows, 6),
		.is_admin = sql_i64(rows, 7) != 0,
		.is_auditor = sql_i64(rows, 8) != 0,
		.is_tenant_admin = sql_i64(rows, 9) != 0,
		.source = db_text(ctx, rows, 10),
		.issuer = db_text(ctx, rows, 11),
		.subject = db_text(ctx, rows, 12),
		.admin_elsewhere = sql_i64(rows, 13) != 0,
		.disabled = sql_i64(rows, 14) != 0,
		.epoch = sql_i64(rows, 15),
		.created_at_us = sql_i64(rows, 16),
		.updated_at_us = sql_i64(rows, 17),
	};
}

static const struct row_reader reader = { sizeof(struct account), read_row };

static err_t find(struct ctx *ctx, struct sql_tx *tx, const struct sql_statement *statement,
		  struct sql_args args, struct account *ret)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, statement, args, &rows));
	read_row(ctx, &rows, ret);
	return OK;
}

err_t db_account_get(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
		     struct account *ret)
{
	return find(ctx, tx, &SQL_ACCOUNT_GET, SQL_ARGS(SQL_I64(tenant_id), SQL_I64(id)), ret);
}

err_t db_account_get_anywhere(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct account *ret)
{
	return find(ctx, tx, &SQL_ACCOUNT_GET_ANYWHERE, SQL_ARGS(SQL_I64(id)), ret);
}

err_t db_account_find(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name,
		      struct account *ret)
{
	return find(ctx, tx, &SQL_ACCOUNT_FIND, SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(name)), ret);
}

err_t db_account_find_login(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str login,
			    struct account *ret)
{
	return find(ctx, tx, &SQL_ACCOUNT_FIND_LOGIN, SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(login)),
		    ret);
}

err_t db_account_find_subject(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str issuer,
			      str subject, struct account *ret)
{
	return find(ctx, tx, &SQL_ACCOUNT_FIND_SUBJECT,
		    SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(issuer), SQL_TEXT(subject)), ret);
}

err_t db_account_state(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *ret_epoch,
		       bool *ret_disabled)
{
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	TRY(sql_one(ctx, tx, &SQL_ACCOUNT_STATE, SQL_ARGS(SQL_I64(id)), &rows));
	*ret_epoch = sql_i64(&rows, 0);
	*ret_disabled = sql_i64(&rows, 1) != 0;
	return OK;
}

/* --- changes --------------------------------------------------------------------------------- */

err_t db_account_insert(struct ctx *ctx, struct sql_tx *tx, const struct account *account,
			int64_t *ret_id)
{
	TRY(db_tenant_hold(ctx, tx, account->tenant_id));
	return db_insert_id(ctx, tx, &SQL_ACCOUNT_INSERT,
			    SQL_ARGS(SQL_I64(account->tenant_id), SQL_TEXT(account->name),
				     SQL_TEXT(account->password), SQL_TEXT_OR_NULL(account->email),
				     SQL_TEXT(account->realname), SQL_TEXT(account->comment),
				     SQL_I64(account->is_admin), SQL_TEXT(account->source),
				     SQL_TEXT(account->issuer), SQL_TEXT_OR_NULL(account->subject),
				     SQL_I64(clock_wall_us())),
			    ret_id);
}

err_t db_account_email_taken(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str email,
			     int64_t id, bool *ret)
{
	return db_has_row(ctx, tx, &SQL_ACCOUNT_EMAIL_TAKEN,
			  SQL_ARGS(SQL_I64(tenant_id), SQL_TEXT(email), SQL_I64(id)), ret);
}

err_t db_account_update(struct ctx *ctx, struct sql_tx *tx, const struct account *account)
{
	return db_exec_one(ctx, tx, &SQL_ACCOUNT_UPDATE,
			   SQL_ARGS(SQL_I64(account->tenant_id), SQL_I64(account->id),
				    SQL_TEXT_OR_NULL(account->email), SQL_TEXT(account->realname),
				    SQL_TEXT(account->comment), SQL_I64(clock_wall_us())));
}

err_t db_account_set_password(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
			      str record)
{
	return db_exec_one(ctx, tx, &SQL_ACCOUNT_SET_PASSWORD,
			   SQL_ARGS(SQL_I64(tenant_id), SQL_I64(id), SQL_TEXT(record),
				    SQL_I64(clock_wall_us())));
}

err_t db_account_set_flag(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
			  enum account_flag flag, bool on)
{
	static const struct sql_statement *const statements[] = {
		[ACCOUNT_ADMIN] = &SQL_ACCOUNT_SET_IS_ADMIN,
		[ACCOUNT_AUDITOR] = &SQL_ACCOUNT_SET_IS_AUDITOR,
		[ACCOUNT_TENANT_ADMIN] = &SQL_ACCOUNT_SET_IS_TENANT_ADMIN,
		[ACCOUNT_DISABLED] = &SQL_ACCOUNT_SET_DISABLED,
	};
	return db_exec_one(
		ctx, tx, statements[flag],
		SQL_ARGS(SQL_I64(tenant_id), SQL_I64(id), SQL_I64(on), SQL_I64(clock_wall_us())));
}

err_t db_account_set_elsewhere(struct ctx *ctx, struct sql_tx *tx, int64_t id, bool is_admin)
{
	return db_exec_one(ctx, tx, &SQL_ACCOUNT_SET_ELSEWHERE,
			   SQL_ARGS(SQL_I64(id), SQL_I64(is_admin), SQL_I64(clock_wall_us())));
}

err_t db_account_delete(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id)
{
	TRY(db_exec_one(ctx, tx, &SQL_ACCOUNT_DELETE,
			SQL_ARGS(SQL_I64(tenant_id), SQL_I64(id), SQL_I64(clock_wall_us()))));
	TRY(sql_exec(ctx, tx, &SQL_ACCOUNT_LEAVE_PROJECTS, SQL_ARGS(SQL_I64(id)), NULL));
	return sql_exec(ctx, tx, &SQL_ACCOUNT_LEAVE_GROUPS, SQL_ARGS(SQL_I64(id)), NULL);
}

err_t db_account_local_admins(struct ctx *ctx, struct sql_tx *tx, int64_t **ret, size_t *ret_count)
{
	return db_rows_read(ctx, tx, &SQL_ACCOUNT_LOCAL_ADMINS, SQL_NO_ARGS, &db_i64_reader,
			    (void **)ret, ret_count);
}

/* --- lists ----------------------------------------------------------------------------------- */

err_t db_account_count(struct ctx *ctx, struct sql_tx *tx, const struct account_filter *f,
		       int64_t *ret)
{
	return db_one_i64(ctx, tx, &SQL_ACCOUNT_COUNT,
			  SQL_ARGS(SQL_I64(f->tenant_id), SQL_TEXT(f->except),
				   SQL_TEXT_OR_NULL(f->name_like), SQL_TEXT_OR_NULL(f->email_like),
				   SQL_TEXT_OR_NULL(f->name), SQL_TEXT_OR_NULL(f->email)),
			  ret);
}

err_t db_account_page(struct ctx *ctx, struct sql_tx *tx, const struct account_filter *f,
		      struct account **ret, size_t *ret_count)
{
	static const struct sql_statement *const statements[ACCOUNT_ORDER_COUNT][2] = {
		[ACCOUNT_BY_ID] = { &SQL_ACCOUNT_PAGE_BY_ID, &SQL_ACCOUNT_PAGE_BY_ID_DOWN },
		[ACCOUNT_BY_NAME] = { &SQL_ACCOUNT_PAGE_BY_NAME, &SQL_ACCOUNT_PAGE_BY_NAME_DOWN },
		[ACCOUNT_BY_EMAIL] = { &SQL_ACCOUNT_PAGE_BY_EMAIL,
				       &SQL_ACCOUNT_PAGE_BY_EMAIL_DOWN },
		[ACCOUNT_BY_LENGTH] = { &SQL_ACCOUNT_PAGE_BY_LENGTH, &SQL_ACCOUNT_PAGE_BY_LENGTH },
	};
	return db_rows_read(
		ctx, tx, statements[f->order][f->descending],
		SQL_ARGS(SQL_I64(f->tenant_id), SQL_TEXT(f->except), SQL_TEXT_OR_NULL(f->name_like),
			 SQL_TEXT_OR_NULL(f->email_like), SQL_TEXT_OR_NULL(f->name),
			 SQL_TEXT_OR_NULL(f->email), SQL_I64(f->limit), SQL_I64(f->offset)),
		&reader, (void **)ret, ret_count);
}
