/* SPDX-License-Identifier: Apache-2.0 */
/* user_group.c - see user_group.h. */
#include "auth/user_group.h"
#include "internal.h"

#include "auth/ldap_link.h"
#include "auth/membership.h"
#include "db/db.h"

#include "base/banned.h"

struct work {
	int64_t tenant_id, id;
	str name;
	bool on;
	struct user_group *group;
};

static err_t check_name(struct ctx *ctx, str name)
{
	if (!name.len || name.len > USER_GROUP_NAME_MAX || !auth_is_text(name))
		return fail(ctx, ERR_REQUEST_INVALID, "the name of a group has 1 to %d bytes",
			    USER_GROUP_NAME_MAX);
	return OK;
}

static err_t create_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct work *work = arg;
	struct user_group same;
	/* One DN is one group, whatever it is called here. */
	err_t err = db_user_group_find(ctx, tx, work->group, &same);
	if (err != ERR_ABSENT)
		return err == OK ? ERR_EXISTS : err;
	return db_user_group_insert(ctx, tx, work->group);
}

err_t user_group_spell(struct ctx *ctx, struct user_group *group)
{
	struct ldap_dn dn;
	if (group->type != GROUP_LDAP)
		return OK;
	if (group->dn.len > USER_GROUP_DN_MAX || !auth_is_text(group->dn) ||
	    !ldap_dn_parse(ctx, group->dn, &dn))
		return fail(ctx, ERR_REQUEST_INVALID, "ldap_group_dn is no DN");
	group->dn = ldap_dn_text(ctx, &dn);
	return OK;
}

err_t user_group_create(struct ctx *ctx, struct auth *auth, struct user_group *group)
{
	struct work work = { .group = group };
	bool by_dn = group->type == GROUP_LDAP;
	TRY(check_name(ctx, group->name));
	if (group->type < GROUP_LDAP || group->type > GROUP_OIDC)
		return fail(ctx, ERR_REQUEST_INVALID,
			    "group_type is 1 (LDAP), 2 (HTTP) or 3 (OIDC)");
	if (by_dn)
		TRY(user_group_spell(ctx, group));
	else
		group->dn = STR("");
	return db_run(ctx, auth->db, SQL_WRITE, create_body, &work);
}

static err_t get_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct work *work = arg;
	return db_user_group_get(ctx, tx, work->tenant_id, work->id, work->group);
}

err_t user_group_get(struct ctx *ctx, struct auth *auth, int64_t tenant_id, int64_t id,
		     struct user_group *ret)
{
	struct work work = { .tenant_id = tenant_id, .id = id, .group = ret };
	return db_run(ctx, auth->db, SQL_READ, get_body, &work);
}

static err_t rename_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct work *work = arg;
	return db_user_group_rename(ctx, tx, work->tenant_id, work->id, work->name);
}

err_t user_group_rename(struct ctx *ctx, struct auth *auth, int64_t tenant_id, int64_t id, str name)
{
	struct work work = { .tenant_id = tenant_id, .id = id, .name = name };
	TRY(check_name(ctx, name));
	return db_run(ctx, auth->db, SQL_WRITE, rename_body, &work);
}

static err_t set_admin_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct work *work = arg;
	return db_user_group_set_tenant_admin(ctx, tx, work->tenant_id, work->id, work->on);
}

err_t user_group_set_tenant_admin(struct ctx *ctx, struct auth *auth, int64_t tenant_id, int64_t id,
				  bool on)
{
	struct work work = { .tenant_id = tenant_id, .id = id, .on = on };
	TRY(db_run(ctx, auth->db, SQL_WRITE, set_admin_body, &work));
	cache_drop_all(auth->cache);
	return OK;
}

static err_t delete_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct work *work = arg;
	return db_user_group_delete(ctx, tx, work->tenant_id, work->id);
}

err_t user_group_delete(struct ctx *ctx, struct auth *auth, int64_t tenant_id, int64_t id)
{
	struct work work = { .tenant_id = tenant_id, .id = id };
	TRY(db_run(ctx, auth->db, SQL_WRITE, delete_body, &work));
	membership_all_changed(auth);
	cache_drop_all(auth->cache);
	return OK;
}

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct user_group_list *list = arg;
	TRY(db_user_group_count(ctx, tx, &list->filter, &list->total));
	return db_user_group_page(ctx, tx, &list->filter, &list->rows, &list->count);
}

err_t user_group_list(struct ctx *ctx, struct auth *auth, struct user_group_list *list)
{
	struct ldap_dn dn;
	if (list->filter.dn.len && ldap_dn_parse(ctx, list->filter.dn, &dn))
		list->filter.dn = ldap_dn_text(ctx, &dn);
	return db_run(ctx, auth->db, SQL_READ, list_body, list);
}
