/* SPDX-License-Identifier: Apache-2.0 */
/* role.c - see role.h. */
#include "auth/role.h"

#include "auth/member.h"
#include "internal.h"

#include "db/db.h"

#include "base/banned.h"

/* One of Harbor's is a single grant for the project and all its repositories. */
static err_t read_grants(struct ctx *ctx, const struct role_row *row, struct role_grants *ret)
{
	*ret = (struct role_grants){ 0 };
	if (!project_role_is_known(row->id))
		return role_grants_read(ctx, row->grants, ret);
	ret->items = ARENA_NEW(ctx->arena, struct custom_grant);
	ret->count = 1;
	ret->items[0].actions = project_role_actions((enum project_role)row->id);
	return OK;
}

static err_t role_of_row(struct ctx *ctx, const struct role_row *row, struct role *ret)
{
	struct role role = {
		.id = row->id,
		.tenant_id = row->tenant_id,
		.name = row->name,
		.description = row->description,
		.created_at_us = row->created_at_us,
		.updated_at_us = row->updated_at_us,
	};
	TRY(read_grants(ctx, row, &role.grants));
	*ret = role;
	return OK;
}

struct action_set role_actions(const struct role *role)
{
	struct action_set all = { 0 };
	for (size_t i = 0; i < role->grants.count; i++)
		for (size_t word = 0; word < COUNT_OF(all.bits); word++)
			all.bits[word] |= role->grants.items[i].actions.bits[word];
	return all;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct get_work {
	int64_t tenant_id, id;
	struct role_row row;
};

static err_t get_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct get_work *work = arg;
	return db_role_get(ctx, tx, work->tenant_id, work->id, &work->row);
}

err_t role_get(struct ctx *ctx, struct auth *auth, int64_t tenant_id, int64_t id, struct role *ret)
{
	struct get_work work = { .tenant_id = tenant_id, .id = id };
	TRY(db_run(ctx, auth->db, SQL_READ, get_body, &work));
	return role_of_row(ctx, &work.row, ret);
}

struct list_work {
	const struct role_query *query;
	int64_t total;
	struct role_row *rows;
	size_t count;
};

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct list_work *work = arg;
	const struct role_query *query = work->query;
	TRY(db_role_count(ctx, tx, query->tenant_id, &work->total));
	return db_role_page(ctx, tx, query->tenant_id, query->limit, query->offset, &work->rows,
			    &work->count);
}

err_t role_list(struct ctx *ctx, struct auth *auth, const struct role_query *query,
		struct role **ret, size_t *ret_count, int64_t *ret_total)
{
	struct list_work work = { .query = query };
	TRY(db_run(ctx, auth->db, SQL_READ, list_body, &work));
	struct role *roles = ARENA_ARRAY(ctx->arena, struct role, work.count);
	for (size_t i = 0; i < work.count; i++)
		TRY(role_of_row(ctx, &work.rows[i], &roles[i]));
	*ret = roles;
	*ret_count = work.count;
	*ret_total = work.total;
	return OK;
}

/* --- changing --------------------------------------------------------------------------------- */

static err_t check(struct ctx *ctx, const struct role *role)
{
	if (!role->name.len || role->name.len > ROLE_NAME_BYTES_MAX || !auth_is_text(role->name))
		return fail(ctx, ERR_UNPROCESSABLE, "a role's name has 1 to %d bytes",
			    ROLE_NAME_BYTES_MAX);
	if (role->description.len > ROLE_DESCRIPTION_BYTES_MAX || !auth_is_text(role->description))
		return fail(ctx, ERR_UNPROCESSABLE, "a role's description has at most %d bytes",
			    ROLE_DESCRIPTION_BYTES_MAX);
	return role->grants.count ? OK : fail(ctx, ERR_UNPROCESSABLE, "a role needs grants");
}

static err_t not_harbors(struct ctx *ctx, const struct role *role)
{
	return role->tenant_id ? OK
			       : fail(ctx, ERR_PRECONDITION_FAILED,
				      "the role is one of Harbor's and stays as it is");
}

static struct role_row row_of(struct ctx *ctx, const struct role *role)
{
	return (struct role_row){
		.id = role->id,
		.tenant_id = role->tenant_id,
		.name = role->name,
		.description = role->description,
		.grants = role_grants_json(ctx, &role->grants),
	};
}

struct change_work {
	struct role_row row;
	int64_t *accounts; /* whom it concerns */
	size_t count;
};

/* A name of Harbor's roles is taken in every tenant. */
static err_t name_is_free(struct ctx *ctx, struct sql_tx *tx, const struct role_row *row)
{
	struct role_row other;
	err_t err = db_role_find(ctx, tx, row->tenant_id, row->name, &other);
	if (err == ERR_ABSENT || (err == OK && other.id == row->id))
		return OK;
	return err == OK ? ERR_EXISTS : err;
}

static err_t create_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct change_work *work = arg;
	TRY(name_is_free(ctx, tx, &work->row));
	return db_role_insert(ctx, tx, &work->row);
}

err_t role_create(struct ctx *ctx, struct auth *auth, struct role *role)
{
	TRY(check(ctx, role));
	struct change_work work = { .row = row_of(ctx, role) };
	TRY(db_run(ctx, auth->db, SQL_WRITE, create_body, &work));
	role->id = work.row.id;
	return OK;
}

static err_t update_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct change_work *work = arg;
	TRY(name_is_free(ctx, tx, &work->row));
	TRY(db_role_update(ctx, tx, &work->row));
	return db_member_raise_epochs(ctx, tx, HOLDER_ROLE, work->row.id, &work->accounts,
				      &work->count);
}

err_t role_update(struct ctx *ctx, struct auth *auth, const struct role *role)
{
	TRY(not_harbors(ctx, role));
	TRY(check(ctx, role));
	struct change_work work = { .row = row_of(ctx, role) };
	TRY(db_run(ctx, auth->db, SQL_WRITE, update_body, &work));
	membership_all_changed(auth);
	member_drop_states(auth, work.accounts, work.count);
	return OK;
}

static err_t delete_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct change_work *work = arg;
	bool used;
	TRY(db_role_in_use(ctx, tx, work->row.id, &used));
	if (used)
		return fail(ctx, ERR_PRECONDITION_FAILED, "somebody has the role");
	return db_role_delete(ctx, tx, work->row.tenant_id, work->row.id);
}

err_t role_delete(struct ctx *ctx, struct auth *auth, const struct role *role)
{
	TRY(not_harbors(ctx, role));
	struct change_work work = { .row = { .id = role->id, .tenant_id = role->tenant_id } };
	return db_run(ctx, auth->db, SQL_WRITE, delete_body, &work);
}
