/* SPDX-License-Identifier: Apache-2.0 */
/* What may be done with a tenant's storage by who looked at it before its bytes began to move. */
#include "registry_fixture.h"

#include "crypto/secretbox.h"
#include "db/storage_move.h"
#include "registry/tenant.h"

static const struct secretbox_key master = { "the master key of these tests.." };

static void set_up(void)
{
	open_house();
	registry_set_master_key(house.registry, &master);
}

TestSuite(tenant_storage, .init = set_up, .fini = close_house);

static struct tenant make_tenant(void)
{
	const struct tenant_new from = { .name = STR("acme"),
					 .title = STR(""),
					 .storage = { .location = STR("old"), .encrypted = true } };
	int64_t id;
	struct tenant tenant;
	must(tenant_create(CTX, house.registry, &from, &id));
	must(tenant_get(CTX, house.registry, id, &tenant));
	return tenant;
}

static err_t begin_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct tenant *tenant = arg;
	const struct storage_spec spec = { .name = STR("new"), .encrypted = true };
	struct storage_binding made;
	TRY(storage_binding_insert(ctx, house.registry, tx, &spec, &made));
	return db_storage_move_begin(ctx, tx, tenant->row.id, made.id);
}

static err_t end_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct tenant *tenant = arg;
	const struct storage_move_end end = { .tenant_id = tenant->row.id,
					      .from_id = tenant->storage.id,
					      .mover = STR("somebody") };
	TRY(db_storage_move_take(ctx, tx, tenant->row.id, end.mover));
	return db_storage_move_end(ctx, tx, &end);
}

static void refused(err_t err)
{
	cr_assert_eq(err, ERR_STORAGE_MOVES);
	ctx_forgive(CTX);
}

Test(tenant_storage, settings_of_the_old_one_are_not_written_to_the_new_one)
{
	struct tenant before = make_tenant(), now;
	const str settings = STR("{}");
	must(tenant_change_storage(CTX, house.registry, &before, &settings, NULL));
	must(db_run(CTX, house.db, SQL_WRITE, begin_body, &before));
	refused(tenant_change_storage(CTX, house.registry, &before, &settings, NULL));
	must(tenant_get(CTX, house.registry, before.row.id, &now));
	cr_assert_eq(now.row.left_id, before.storage.id);
	cr_assert_neq(now.storage.id, before.storage.id);
	must(tenant_change_storage(CTX, house.registry, &now, &settings, NULL));
	must(db_run(CTX, house.db, SQL_WRITE, end_body, &before));
	refused(tenant_change_storage(CTX, house.registry, &before, &settings, NULL));
}

Test(tenant_storage, what_is_erased_is_what_it_has_now)
{
	struct tenant before = make_tenant(), now;
	must(db_run(CTX, house.db, SQL_WRITE, begin_body, &before));
	refused(tenant_erase_storage(CTX, house.registry, &before));
	refused(tenant_delete(CTX, house.registry, &before));
	must(db_run(CTX, house.db, SQL_WRITE, end_body, &before));
	must(tenant_erase_storage(CTX, house.registry, &before));
	must(tenant_get(CTX, house.registry, before.row.id, &now));
	cr_assert_gt(now.storage.erased_at_us, 0);
	cr_assert_str_eq(now.storage.name.ptr, "new");
}

Test(tenant_storage, where_the_servers_own_is_its_options_say)
{
	struct tenant tenant;
	const str settings = STR("{}");
	must(tenant_get(CTX, house.registry, TENANT_DEFAULT, &tenant));
	cr_assert_eq(tenant_change_storage(CTX, house.registry, &tenant, &settings, NULL),
		     ERR_PRECONDITION_FAILED);
	ctx_forgive(CTX);
}
