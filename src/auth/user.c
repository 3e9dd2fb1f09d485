/* SPDX-License-Identifier: Apache-2.0 */
/* user.c - see user.h; who comes from elsewhere is in user_onboard.c. */
#include "auth/user.h"
#include "internal.h"

#include "auth/membership.h"

#include "crypto/password.h"
#include "db/access_token.h"
#include "db/db.h"
#include "db/session.h"

#include <string.h>

#include "base/banned.h"

#define NAME_FORBIDDEN ",\"~#%$:"

/* --- what can be ------------------------------------------------------------------------------ */

err_t user_check_name(struct ctx *ctx, str name)
{
	if (!name.len || name.len > USER_NAME_BYTES_MAX || !auth_is_text(name))
		return fail(ctx, ERR_REQUEST_INVALID, "a user name has 1 to %d bytes",
			    USER_NAME_BYTES_MAX);
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.ptr[i] < ' ' || name.ptr[i] == 0x7f ||
		    strchr(NAME_FORBIDDEN, name.ptr[i]))
			return fail(ctx, ERR_REQUEST_INVALID,
				    "user name contains one of %s or a control character",
				    NAME_FORBIDDEN);
	if (name.ptr[0] == ' ' || name.ptr[name.len - 1] == ' ')
		return fail(ctx, ERR_REQUEST_INVALID, "user name begins or ends with a blank");
	return OK;
}

static bool has_between(str s, char low, char high)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] >= low && s.ptr[i] <= high)
			return true;
	return false;
}

static size_t count_chars(str s)
{
	size_t count = 0;
	for (size_t i = 0; i < s.len; i++)
		count += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
	return count;
}

err_t user_check_new_password(struct ctx *ctx, str password)
{
	size_t chars = count_chars(password);
	if (!auth_is_text(password) || chars < USER_PASSWORD_CHARS_MIN ||
	    chars > USER_PASSWORD_CHARS_MAX || !has_between(password, 'A', 'Z') ||
	    !has_between(password, 'a', 'z') || !has_between(password, '0', '9'))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "the password must have %d to %d characters, among them an upper-case "
			    "letter, a lower-case letter and a digit",
			    USER_PASSWORD_CHARS_MIN, USER_PASSWORD_CHARS_MAX);
	return OK;
}

static err_t check_text(struct ctx *ctx, const char *what, str text, size_t max)
{
	if (text.len > max || !auth_is_text(text))
		return fail(ctx, ERR_REQUEST_INVALID, "%s is longer than %zu bytes or no text",
			    what, max);
	return OK;
}

/* One @ with something at both of its sides, and no blank: what a mail server would look at first.
 */
static err_t check_email(struct ctx *ctx, str email)
{
	str name, host;
	TRY(check_text(ctx, "email", email, USER_EMAIL_BYTES_MAX));
	if (!email.len)
		return OK;
	if (!str_cut_last(email, '@', &name, &host) || !name.len || !host.len ||
	    str_has_byte(email, ' ') || has_between(email, '\x01', '\x1f'))
		return fail(ctx, ERR_REQUEST_INVALID, "email is no address");
	return OK;
}

static err_t check_profile(struct ctx *ctx, str email, str realname, str comment)
{
	TRY(check_email(ctx, email));
	TRY(check_text(ctx, "realname", realname, USER_REALNAME_BYTES_MAX));
	return check_text(ctx, "comment", comment, USER_COMMENT_BYTES_MAX);
}

/* --- reading ---------------------------------------------------------------------------------- */

static unsigned flags_of(const struct account *account)
{
	bool of_system = account->tenant_id == TENANT_DEFAULT;
	return (of_system && account->is_admin ? IDENTITY_ADMIN : 0) |
	       (of_system && account->is_auditor ? IDENTITY_AUDITOR : 0) |
	       (account->is_tenant_admin ? IDENTITY_TENANT_ADMIN : 0);
}

static void user_of_account(const struct account *account, struct user *ret)
{
	*ret = (struct user){
		.id = account->id,
		.tenant_id = account->tenant_id,
		.name = account->name,
		.email = account->email,
		.realname = account->realname,
		.comment = account->comment,
		.flags = flags_of(account),
		.admin_elsewhere = account->admin_elsewhere,
		.source = account->source,
		.issuer = account->issuer,
		.subject = account->subject,
		.disabled = account->disabled,
		.epoch = account->epoch,
		.created_at_us = account->created_at_us,
		.updated_at_us = account->updated_at_us,
	};
}

struct find_work {
	int64_t tenant_id, id; /* id 0: by name */
	str name;
	struct account account;
};

static err_t find_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct find_work *work = arg;
	if (work->id)
		return db_account_get(ctx, tx, work->tenant_id, work->id, &work->account);
	return db_account_find(ctx, tx, work->tenant_id, work->name, &work->account);
}

err_t user_get(struct ctx *ctx, struct auth *auth, int64_t tenant_id, int64_t id, struct user *ret)
{
	struct find_work work = { .tenant_id = tenant_id, .id = id };
	if (!id)
		return ERR_ABSENT;
	TRY(db_run(ctx, auth->db, SQL_READ, find_body, &work));
	user_of_account(&work.account, ret);
	return OK;
}

err_t user_find(struct ctx *ctx, struct auth *auth, int64_t tenant_id, str name, struct user *ret)
{
	struct find_work work = { .tenant_id = tenant_id, .name = name };
	TRY(db_run(ctx, auth->db, SQL_READ, find_body, &work));
	user_of_account(&work.account, ret);
	return OK;
}

err_t user_check_password(struct ctx *ctx, struct auth *auth, const struct user *user, str password,
			  str address)
{
	struct find_work work = { .tenant_id = user->tenant_id, .id = user->id };
	struct attempt attempt = { .name = auth_counted_name(ctx, user->tenant_id, user->name),
				   .address = address };
	TRY(db_run(ctx, auth->db, SQL_READ, find_body, &work));
	if (!address.len)
		return password_verify(ctx, work.account.password, password);
	TRY(lockout_begin(ctx, auth->lockout, &attempt));
	err_t err = password_verify(ctx, work.account.password, password);
	/* Right or not, it makes nobody known: that is for whoever logs in. */
	lockout_end(auth->lockout, &attempt,
		    err == ERR_UNAUTHORIZED ? VERDICT_WRONG : VERDICT_NONE);
	return err;
}

struct list_work {
	const struct user_query *query;
	struct account *accounts;
	size_t count;
	int64_t total;
};

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	static const enum account_order orders[] = {
		[USER_BY_ID] = ACCOUNT_BY_ID,	    [USER_BY_NAME] = ACCOUNT_BY_NAME,
		[USER_BY_EMAIL] = ACCOUNT_BY_EMAIL, [USER_BY_CREATION] = ACCOUNT_BY_ID,
		[USER_NEAREST] = ACCOUNT_BY_LENGTH,
	};
	struct list_work *work = arg;
	const struct user_query *q = work->query;
	const struct account_filter filter = { .tenant_id = q->tenant_id,
					       .except = q->except,
					       .name_like = q->name_like,
					       .email_like = q->email_like,
					       .name = q->name,
					       .email = q->email,
					       .order = orders[q->sort],
					       .descending = q->descending,
					       .limit = q->limit,
					       .offset = q->offset };
	TRY(db_account_count(ctx, tx, &filter, &work->total));
	return db_account_page(ctx, tx, &filter, &work->accounts, &work->count);
}

err_t user_list(struct ctx *ctx, struct auth *auth, const struct user_query *query,
		struct user **ret, size_t *ret_count, int64_t *ret_total)
{
	struct list_work work = { .query = query };
	TRY(db_run(ctx, auth->db, SQL_READ, list_body, &work));
	struct user *users = ARENA_ARRAY(ctx->arena, struct user, work.count);
	for (size_t i = 0; i < work.count; i++)
		user_of_account(&work.accounts[i], &users[i]);
	*ret = users;
	*ret_count = work.count;
	*ret_total = work.total;
	return OK;
}

/* --- making and changing ---------------------------------------------------------------------- */

struct create_work {
	struct account account;
	int64_t id;
};

static err_t create_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct create_work *work = arg;
	return db_account_insert(ctx, tx, &work->account, &work->id);
}

err_t user_prepare(struct ctx *ctx, const struct user_new *from, struct account *ret)
{
	TRY(user_check_name(ctx, from->name));
	TRY(user_check_new_password(ctx, from->password));
	TRY(check_profile(ctx, from->email, from->realname, from->comment));
	*ret = (struct account){ .tenant_id = from->tenant_id,
				 .name = from->name,
				 .email = from->email,
				 .realname = from->realname,
				 .comment = from->comment,
				 .source = STR("local"),
				 .issuer = STR("") };
	return password_hash(ctx, from->password, &ret->password);
}

err_t user_create(struct ctx *ctx, struct auth *auth, const struct user_new *from, int64_t *ret_id)
{
	struct create_work work;
	TRY(user_prepare(ctx, from, &work.account));
	TRY(db_run(ctx, auth->db, SQL_WRITE, create_body, &work));
	*ret_id = work.id;
	return OK;
}

/* One change of one account: what is done in the transaction, and whose sessions end with it. */
struct change {
	int64_t tenant_id, id;
	err_t (*apply)(struct ctx *ctx, struct sql_tx *tx, const struct change *change);
	const struct account *profile;
	str record;
	enum account_flag flag;
	bool on;
	bool removes_admin; /* unless somebody else can still log in here and administrate */
	bool ends_sessions;
	int64_t keep_session;
	str *hashes; /* of the sessions that ended */
	size_t hash_count;
};

/* The rows are locked, so two administrators cannot take the right from each other at once. */
static err_t check_not_last_admin(struct ctx *ctx, struct sql_tx *tx, int64_t id)
{
	int64_t *ids;
	size_t count;
	TRY(db_account_local_admins(ctx, tx, &ids, &count));
	if (count == 1 && ids[0] == id)
		return fail(ctx, ERR_DENIED, "nobody else is a local administrator");
	return OK;
}

static err_t change_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct change *change = arg;
	if (change->removes_admin)
		TRY(check_not_last_admin(ctx, tx, change->id));
	TRY(change->apply(ctx, tx, change));
	if (!change->ends_sessions)
		return OK;
	return db_session_delete_all(ctx, tx, change->id, change->keep_session, &change->hashes,
				     &change->hash_count);
}

static err_t run_change(struct ctx *ctx, struct auth *auth, struct change *change)
{
	TRY(db_run(ctx, auth->db, SQL_WRITE, change_body, change));
	state_drop(auth, SUBJECT_USER, change->id);
	membership_account_changed(auth, change->id);
	session_forget(auth, change->hashes, change->hash_count);
	return OK;
}

static err_t apply_profile(struct ctx *ctx, struct sql_tx *tx, const struct change *change)
{
	return db_account_update(ctx, tx, change->profile);
}

err_t user_update(struct ctx *ctx, struct auth *auth, const struct user *user)
{
	const struct account profile = { .id = user->id,
					 .tenant_id = user->tenant_id,
					 .email = user->email,
					 .realname = user->realname,
					 .comment = user->comment };
	struct change change = { user->tenant_id, user->id, apply_profile, .profile = &profile };
	TRY(check_profile(ctx, user->email, user->realname, user->comment));
	return run_change(ctx, auth, &change);
}

static err_t apply_password(struct ctx *ctx, struct sql_tx *tx, const struct change *change)
{
	return db_account_set_password(ctx, tx, change->tenant_id, change->id, change->record);
}

err_t user_set_password(struct ctx *ctx, struct auth *auth, const struct user *user, str password,
			int64_t keep_session)
{
	struct change change = { user->tenant_id, user->id, apply_password, .ends_sessions = true,
				 .keep_session = keep_session };
	TRY(user_check_new_password(ctx, password));
	TRY(password_hash(ctx, password, &change.record));
	return run_change(ctx, auth, &change);
}

static err_t apply_flag(struct ctx *ctx, struct sql_tx *tx, const struct change *change)
{
	return db_account_set_flag(ctx, tx, change->tenant_id, change->id, change->flag,
				   change->on);
}

err_t user_set_flag(struct ctx *ctx, struct auth *auth, const struct user *user, unsigned flag,
		    bool on)
{
	struct change change = { user->tenant_id, user->id, apply_flag, .on = on };
	if (on && flag != IDENTITY_TENANT_ADMIN && user->tenant_id != TENANT_DEFAULT)
		return fail(ctx, ERR_DENIED, "rights over the system are for the default tenant's");
	change.flag = flag == IDENTITY_ADMIN	 ? ACCOUNT_ADMIN
		      : flag == IDENTITY_AUDITOR ? ACCOUNT_AUDITOR
						 : ACCOUNT_TENANT_ADMIN;
	change.removes_admin = flag == IDENTITY_ADMIN && !on;
	return run_change(ctx, auth, &change);
}

err_t user_set_disabled(struct ctx *ctx, struct auth *auth, const struct user *user, bool disabled)
{
	struct change change = {
		user->tenant_id,	  user->id,	  apply_flag,
		.flag = ACCOUNT_DISABLED, .on = disabled, .removes_admin = disabled,
		.ends_sessions = disabled
	};
	return run_change(ctx, auth, &change);
}

static err_t apply_delete(struct ctx *ctx, struct sql_tx *tx, const struct change *change)
{
	TRY(db_account_delete(ctx, tx, change->tenant_id, change->id));
	return db_access_token_delete_all(ctx, tx, change->id);
}

err_t user_delete(struct ctx *ctx, struct auth *auth, const struct user *user)
{
	struct change change = { user->tenant_id, user->id, apply_delete, .removes_admin = true,
				 .ends_sessions = true };
	return run_change(ctx, auth, &change);
}

err_t user_identity(struct ctx *ctx, struct auth *auth, int64_t id, struct identity *ret)
{
	return state_identity(ctx, auth, SUBJECT_USER, id, ret);
}
