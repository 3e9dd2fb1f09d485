/* SPDX-License-Identifier: Apache-2.0 */
/* tenant.c - see tenant.h. */
#include "registry/tenant.h"
#include "crypto/random.h"
#include "db/db.h"
#include "db/storage_move.h"
#include "internal.h"
#include "registry/trash.h"

#include "base/banned.h"

#define STORAGE_SUFFIX_LEN 8

static err_t absent(struct ctx *ctx, err_t err)
{
	return err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such tenant") : err;
}

static err_t run(struct ctx *ctx, struct registry *registry,
		 err_t (*body)(struct ctx *ctx, struct sql_tx *tx, void *arg), void *work)
{
	return absent(ctx, db_run(ctx, registry->db, SQL_WRITE, body, work));
}

static err_t check_texts(struct ctx *ctx, str title, str reason)
{
	if (title.len > TENANT_TITLE_BYTES_MAX || !str_is_utf8(title) || str_has_byte(title, 0))
		return fail(ctx, ERR_REQUEST_INVALID, "title has at most %d bytes",
			    TENANT_TITLE_BYTES_MAX);
	if (reason.len > TENANT_REASON_BYTES_MAX || !str_is_utf8(reason) || str_has_byte(reason, 0))
		return fail(ctx, ERR_REQUEST_INVALID, "reason has at most %d bytes",
			    TENANT_REASON_BYTES_MAX);
	return OK;
}

static err_t not_default(struct ctx *ctx, int64_t id, const char *what)
{
	return id == TENANT_DEFAULT
		       ? fail(ctx, ERR_PRECONDITION_FAILED, "the default tenant cannot be %s", what)
		       : OK;
}

/* --- making ----------------------------------------------------------------------------------- */

struct create_work {
	struct registry *registry;
	const struct tenant_new *from;
	struct storage_spec storage;
	int64_t id;
};

static err_t insert_host(struct ctx *ctx, struct sql_tx *tx, int64_t id, str host)
{
	err_t err = db_tenant_host_insert(ctx, tx, id, host);
	return err == ERR_EXISTS ? fail(ctx, ERR_EXISTS, "host " STR_FMT " is a tenant's already",
					STR_ARG(host))
				 : err;
}

static err_t insert_admin(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id,
			  const struct account *from)
{
	struct account account = *from;
	int64_t id;
	account.tenant_id = tenant_id;
	err_t err = db_account_insert(ctx, tx, &account, &id);
	if (err == ERR_EXISTS)
		return fail(ctx, ERR_EXISTS, "two administrators have one name or address");
	TRY(err);
	return db_account_set_flag(ctx, tx, tenant_id, id, ACCOUNT_TENANT_ADMIN, true);
}

static err_t create_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct create_work *work = arg;
	const struct tenant_new *from = work->from;
	struct storage_binding storage;
	TRY(storage_binding_insert(ctx, work->registry, tx, &work->storage, &storage));
	struct tenant_row row = { .name = from->name,
				  .title = from->title,
				  .reason = STR(""),
				  .storage_id = storage.id };
	err_t err = db_tenant_insert(ctx, tx, &row);
	if (err == ERR_EXISTS)
		return fail(ctx, ERR_EXISTS, "a tenant has this name");
	TRY(err);
	for (size_t i = 0; i < from->host_count; i++)
		TRY(insert_host(ctx, tx, row.id, from->hosts[i]));
	for (size_t i = 0; i < from->admin_count; i++)
		TRY(insert_admin(ctx, tx, row.id, &from->admins[i]));
	work->id = row.id;
	return OK;
}

/* A place is never used twice, and a tenant's name may be: so it alone does not name the place. */
str tenant_storage_name(struct ctx *ctx, str tenant)
{
	unsigned char bytes[STORAGE_SUFFIX_LEN / 2];
	random_bytes(bytes, sizeof bytes);
	return arena_printf(ctx->arena, STR_FMT "-%02x%02x%02x%02x",
			    STR_ARG(str_take(tenant, STORAGE_NAME_MAX - STORAGE_SUFFIX_LEN - 1)),
			    bytes[0], bytes[1], bytes[2], bytes[3]);
}

err_t tenant_create(struct ctx *ctx, struct registry *registry, const struct tenant_new *from,
		    int64_t *ret_id)
{
	struct create_work work = { .registry = registry, .from = from, .storage = from->storage };
	if (!work.storage.name.len)
		work.storage.name = tenant_storage_name(ctx, from->name);
	TRY(check_texts(ctx, from->title, STR_NONE));
	TRY(storage_binding_check(ctx, registry, &work.storage));
	TRY(run(ctx, registry, create_body, &work));
	*ret_id = work.id;
	return OK;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* All of a tenant but its row. */
static err_t complete(struct ctx *ctx, struct sql_tx *tx, struct tenant *tenant)
{
	TRY(db_tenant_hosts(ctx, tx, tenant->row.id, TENANT_HOSTS_MAX, &tenant->hosts,
			    &tenant->host_count));
	return storage_binding_get(ctx, tx, tenant->row.storage_id, &tenant->storage);
}

err_t tenant_get(struct ctx *ctx, struct registry *registry, int64_t id, struct tenant *ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	TRY(absent(ctx, db_tenant_get(ctx, &tx, id, &ret->row)));
	return complete(ctx, &tx, ret);
}

err_t tenant_list(struct ctx *ctx, struct registry *registry, struct tenant_list *list)
{
	struct tenant_row *rows;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	TRY(db_tenant_count(ctx, &tx, &list->query, &list->total));
	TRY(db_tenant_page(ctx, &tx, &list->query, &rows, &list->count));
	list->items = ARENA_ARRAY(ctx->arena, struct tenant, list->count);
	for (size_t i = 0; i < list->count; i++) {
		list->items[i].row = rows[i];
		TRY(complete(ctx, &tx, &list->items[i]));
	}
	return OK;
}

err_t tenant_admins(struct ctx *ctx, struct registry *registry, struct tenant_admin_list *list)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	TRY(db_tenant_admin_count(ctx, &tx, list->tenant_id, &list->total));
	return db_tenant_admin_page(ctx, &tx, list->tenant_id, list->limit, list->offset,
				    &list->items, &list->count);
}

/* --- changing --------------------------------------------------------------------------------- */

static err_t update_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	return db_tenant_update(ctx, tx, arg);
}

err_t tenant_update(struct ctx *ctx, struct registry *registry, const struct tenant_row *row)
{
	struct tenant_row work = *row;
	TRY(check_texts(ctx, row->title, row->reason));
	if (row->state == TENANT_SUSPENDED)
		TRY(not_default(ctx, row->id, "suspended"));
	return run(ctx, registry, update_body, &work);
}

/* No move begins or ends before this transaction does. `*ret_storage_id`: where the bytes are, all
 * of them unless `*ret_moves`. */
static err_t hold_storage(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *ret_storage_id,
			  bool *ret_moves)
{
	struct storage_move_row move;
	TRY(db_tenant_touch(ctx, tx, id));
	TRY(db_storage_move_get(ctx, tx, id, &move));
	*ret_storage_id = move.to_id;
	*ret_moves = move.from_id != 0;
	return OK;
}

/* What is left behind on a move would stay readable. */
static err_t hold_still(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *ret_storage_id)
{
	bool moves;
	TRY(hold_storage(ctx, tx, id, ret_storage_id, &moves));
	return moves ? fail(ctx, ERR_STORAGE_MOVES, "berth storage move goes on with it") : OK;
}

struct end_work {
	int64_t id;
	struct storage_domain erased;
};

static err_t erase_if_encrypted(struct ctx *ctx, struct sql_tx *tx, int64_t storage_id,
				struct storage_domain *ret)
{
	struct storage_binding storage;
	TRY(storage_binding_get(ctx, tx, storage_id, &storage));
	return storage.encrypted ? storage_erase_in(ctx, tx, storage_id, ret) : OK;
}

/* A project made at the same time has to wait for the row, or to be seen. */
static err_t delete_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct end_work *work = arg;
	bool has_projects;
	int64_t storage_id;
	TRY(hold_still(ctx, tx, work->id, &storage_id));
	TRY(db_tenant_delete(ctx, tx, work->id));
	TRY(db_trash_end_all(ctx, tx, work->id)); /* who restores a project is waited for */
	TRY(db_tenant_has_projects(ctx, tx, work->id, &has_projects));
	if (has_projects)
		return fail(ctx, ERR_IN_USE, "the tenant has projects");
	TRY(db_tenant_clear(ctx, tx, work->id));
	return erase_if_encrypted(ctx, tx, storage_id, &work->erased);
}

err_t tenant_delete(struct ctx *ctx, struct registry *registry, const struct tenant *tenant)
{
	struct end_work work = { .id = tenant->row.id };
	TRY(not_default(ctx, tenant->row.id, "deleted"));
	TRY(run(ctx, registry, delete_body, &work));
	storage_forget_domain(registry, &work.erased);
	trash_tidy(ctx, registry);
	return OK;
}

/* --- hosts ------------------------------------------------------------------------------------ */

struct host_work {
	int64_t id;
	str host;
};

static err_t add_host_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct host_work *work = arg;
	str *hosts;
	size_t count;
	TRY(db_tenant_touch(ctx, tx, work->id));
	TRY(db_tenant_hosts(ctx, tx, work->id, TENANT_HOSTS_MAX, &hosts, &count));
	if (count == TENANT_HOSTS_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "a tenant has at most %d hosts",
			    TENANT_HOSTS_MAX);
	return insert_host(ctx, tx, work->id, work->host);
}

err_t tenant_add_host(struct ctx *ctx, struct registry *registry, int64_t id, str host)
{
	struct host_work work = { id, host };
	return run(ctx, registry, add_host_body, &work);
}

static err_t remove_host_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct host_work *work = arg;
	TRY(db_tenant_touch(ctx, tx, work->id));
	return db_tenant_host_delete(ctx, tx, work->id, work->host);
}

err_t tenant_remove_host(struct ctx *ctx, struct registry *registry, int64_t id, str host)
{
	struct host_work work = { id, host };
	return run(ctx, registry, remove_host_body, &work);
}

/* --- storage ---------------------------------------------------------------------------------- */

struct change_work {
	struct registry *registry;
	int64_t id;
	struct storage_change change;
};

/* Settings are of one storage: those that were meant for the old one are not written to the new
 * one. */
static err_t change_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct change_work *work = arg;
	int64_t storage_id;
	bool moves;
	TRY(hold_storage(ctx, tx, work->id, &storage_id, &moves));
	if (storage_id != work->change.id)
		return fail(ctx, ERR_STORAGE_MOVES, "the tenant is in another storage since");
	return storage_binding_update_in(ctx, work->registry, tx, &work->change);
}

err_t tenant_change_storage(struct ctx *ctx, struct registry *registry, const struct tenant *tenant,
			    const str *settings, const str *secrets)
{
	struct change_work work = { registry,
				    tenant->row.id,
				    { tenant->storage.id, settings, secrets } };
	if (tenant->storage.id == STORAGE_DEFAULT)
		return fail(ctx, ERR_PRECONDITION_FAILED,
			    "where the server's own storage is, its options say");
	TRY(run(ctx, registry, change_body, &work));
	storage_reopen(registry, tenant->storage.id);
	return OK;
}

static err_t erase_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct end_work *work = arg;
	int64_t storage_id;
	TRY(hold_still(ctx, tx, work->id, &storage_id));
	return storage_erase_in(ctx, tx, storage_id, &work->erased);
}

err_t tenant_erase_storage(struct ctx *ctx, struct registry *registry, const struct tenant *tenant)
{
	struct end_work work = { .id = tenant->row.id };
	TRY(not_default(ctx, tenant->row.id, "erased"));
	TRY(run(ctx, registry, erase_body, &work));
	storage_forget_domain(registry, &work.erased);
	trash_tidy(ctx, registry);
	return OK;
}
