/* SPDX-License-Identifier: Apache-2.0 */
/* member.c - see member.h. */
#include "auth/member.h"

#include "auth/user_group.h"
#include "internal.h"

#include "db/db.h"

#include "base/banned.h"

/* --- whom a request means --------------------------------------------------------------------- */

struct resolve_work {
	int64_t tenant_id;
	const struct member_wanted *wanted;
	struct project_member *into;
};

static err_t find_account(struct ctx *ctx, struct sql_tx *tx, const struct resolve_work *work)
{
	const struct member_wanted *wanted = work->wanted;
	struct account account;
	if (wanted->account_id)
		TRY(db_account_get(ctx, tx, work->tenant_id, wanted->account_id, &account));
	else
		TRY(db_account_find(ctx, tx, work->tenant_id, wanted->account_name, &account));
	work->into->account_id = account.id;
	work->into->name = account.name;
	return OK;
}

/* Groups made here are there or not; of a provider's groups only those are that somebody came with.
 */
static bool may_be_made(const struct user_group *group)
{
	switch (group->type) {
	case GROUP_LDAP:
		return group->dn.len > 0;
	case GROUP_HTTP:
	case GROUP_OIDC:
		return group->name.len > 0 && !group->dn.len;
	default:
		return false;
	}
}

static err_t find_group(struct ctx *ctx, struct sql_tx *tx, const struct resolve_work *work)
{
	struct user_group group = work->wanted->group, found;
	group.tenant_id = work->tenant_id;
	if (group.dn.len)
		TRY(user_group_spell(ctx, &group));
	group.name = group.name.len ? group.name : group.dn;
	err_t err = group.id ? db_user_group_get(ctx, tx, work->tenant_id, group.id, &found)
			     : db_user_group_find(ctx, tx, &group, &found);
	if (err == ERR_ABSENT && !group.id && may_be_made(&group)) {
		err = db_user_group_insert(ctx, tx, &group);
		found = group;
	}
	if (err != OK)
		return err;
	work->into->group_id = found.id;
	work->into->name = found.name;
	return OK;
}

static err_t resolve_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct resolve_work *work = arg;
	const struct member_wanted *wanted = work->wanted;
	bool account = wanted->account_id || wanted->account_name.len;
	return account ? find_account(ctx, tx, work) : find_group(ctx, tx, work);
}

err_t member_resolve(struct ctx *ctx, struct auth *auth, int64_t tenant_id,
		     const struct member_wanted *wanted, struct project_member *into)
{
	const struct user_group *group = &wanted->group;
	bool account = wanted->account_id || wanted->account_name.len;
	bool named = account || group->id || group->name.len || group->dn.len;
	if (!named || !auth_is_text(wanted->account_name) || !auth_is_text(group->name) ||
	    !auth_is_text(group->dn))
		return fail(ctx, ERR_UNPROCESSABLE, "no user and no group is named");
	struct resolve_work work = { tenant_id, wanted, into };
	enum sql_mode mode = account || group->id ? SQL_READ : SQL_WRITE_RELAXED;
	return db_run(ctx, auth->db, mode, resolve_body, &work);
}

/* --- reading ---------------------------------------------------------------------------------- */

struct read_work {
	const struct member_filter *filter;
	int64_t project_id, id, total;
	struct project_member *members;
	struct member_role_count *counts;
	size_t count;
};

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct read_work *work = arg;
	TRY(db_member_count(ctx, tx, work->filter, &work->total));
	return db_member_page(ctx, tx, work->filter, &work->members, &work->count);
}

err_t member_list(struct ctx *ctx, struct auth *auth, const struct member_filter *filter,
		  struct project_member **ret, size_t *ret_count, int64_t *ret_total)
{
	struct read_work work = { .filter = filter };
	TRY(db_run(ctx, auth->db, SQL_READ, list_body, &work));
	*ret = work.members;
	*ret_count = work.count;
	*ret_total = work.total;
	return OK;
}

static err_t get_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct read_work *work = arg;
	return db_member_get(ctx, tx, work->project_id, work->id, work->members);
}

err_t member_get(struct ctx *ctx, struct auth *auth, int64_t project_id, int64_t id,
		 struct project_member *ret)
{
	struct read_work work = { .project_id = project_id, .id = id, .members = ret };
	return db_run(ctx, auth->db, SQL_READ, get_body, &work);
}

static err_t count_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct read_work *work = arg;
	return db_member_count_by_role(ctx, tx, work->project_id, &work->counts, &work->count);
}

err_t member_count_by_role(struct ctx *ctx, struct auth *auth, int64_t project_id,
			   struct member_role_count **ret, size_t *ret_count)
{
	struct read_work work = { .project_id = project_id };
	TRY(db_run(ctx, auth->db, SQL_READ, count_body, &work));
	*ret = work.counts;
	*ret_count = work.count;
	return OK;
}

/* --- changing --------------------------------------------------------------------------------- */

struct change_work {
	struct project_member member;
	int64_t *accounts; /* whose epochs were raised */
	size_t count;
};

void member_drop_states(struct auth *auth, const int64_t *accounts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		state_drop(auth, SUBJECT_USER, accounts[i]);
}

static err_t raise_epochs(struct ctx *ctx, struct sql_tx *tx, struct change_work *work)
{
	const struct project_member *member = &work->member;
	bool group = member->group_id != 0;
	return db_member_raise_epochs(ctx, tx, group ? HOLDER_GROUP : HOLDER_ACCOUNT,
				      group ? member->group_id : member->account_id,
				      &work->accounts, &work->count);
}

static err_t add_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct change_work *work = arg;
	return db_member_insert(ctx, tx, &work->member, &work->member.id);
}

static err_t change_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct change_work *work = arg;
	TRY(db_member_update(ctx, tx, &work->member));
	return raise_epochs(ctx, tx, work);
}

static err_t remove_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct change_work *work = arg;
	TRY(db_member_delete(ctx, tx, work->member.project_id, work->member.id));
	return raise_epochs(ctx, tx, work);
}

static err_t run_change(struct ctx *ctx, struct auth *auth, struct change_work *work,
			err_t (*body)(struct ctx *, struct sql_tx *, void *))
{
	TRY(db_run(ctx, auth->db, SQL_WRITE, body, work));
	membership_project_changed(auth, work->member.project_id);
	member_drop_states(auth, work->accounts, work->count);
	return OK;
}

err_t member_add(struct ctx *ctx, struct auth *auth, struct project_member *member)
{
	struct change_work work = { .member = *member };
	TRY(run_change(ctx, auth, &work, add_body));
	member->id = work.member.id;
	return OK;
}

err_t member_change(struct ctx *ctx, struct auth *auth, const struct project_member *member)
{
	struct change_work work = { .member = *member };
	return run_change(ctx, auth, &work, change_body);
}

err_t member_remove(struct ctx *ctx, struct auth *auth, const struct project_member *member)
{
	struct change_work work = { .member = *member };
	return run_change(ctx, auth, &work, remove_body);
}
