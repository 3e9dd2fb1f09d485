/* SPDX-License-Identifier: Apache-2.0 */
/* Storages are made, found, changed and erased; what is secret of them stays in. */
#include "registry_fixture.h"

#include <string.h>

#include "crypto/secretbox.h"
#include "db/db.h"
#include "db/storage.h"
#include "registry/storage_binding.h"

static const struct secretbox_key master = { "the master key of these tests.." };

static void set_up(void)
{
	open_house();
	registry_set_master_key(house.registry, &master);
}

TestSuite(storage_binding, .init = set_up, .fini = close_house);

struct create_work {
	const struct storage_spec *spec;
	struct storage_binding *ret;
};

static err_t create_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct create_work *work = arg;
	return storage_binding_insert(ctx, house.registry, tx, work->spec, work->ret);
}

static err_t try_create(const struct storage_spec *spec, struct storage_binding *ret)
{
	struct create_work work = { spec, ret };
	err_t err = db_run(CTX, house.db, SQL_WRITE, create_body, &work);
	ctx_forgive(CTX);
	return err;
}

static err_t get(int64_t id, struct storage_binding *ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	must(sql_begin(CTX, house.db, SQL_READ, &tx));
	return storage_binding_get(CTX, &tx, id, ret);
}

static size_t list_after(int64_t last_id, struct storage_row **ret)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	size_t count;
	must(sql_begin(CTX, house.db, SQL_READ, &tx));
	must(db_storage_page(CTX, &tx, last_id, 10, ret, &count));
	return count;
}

static err_t create_at(const char *name, const char *location)
{
	const struct storage_spec spec = { .name = str_from(name), .location = str_from(location) };
	struct storage_binding made;
	return try_create(&spec, &made);
}

static struct storage_row row_of(int64_t id)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	struct storage_row row;
	must(sql_begin(CTX, house.db, SQL_READ, &tx));
	must(db_storage_find(CTX, &tx, id, &row));
	return row;
}

Test(storage_binding, one_that_is_made_can_be_found)
{
	const struct storage_spec spec = { .name = STR("acme") };
	struct storage_binding made, found;
	struct storage_row *list;
	must(try_create(&spec, &made));
	must(get(made.id, &found));
	cr_assert(str_eq(found.name, STR("acme")) && str_eq(found.location, STR("acme")));
	cr_assert(str_eq(found.driver, STR("filesystem")) && str_eq(found.settings, STR("{}")));
	cr_assert(!found.encrypted && !found.has_secrets && !found.erased_at_us);
	cr_assert_eq(found.created_at_us, made.created_at_us);

	cr_assert_eq(list_after(0, &list), 2);
	cr_assert_eq(list[0].id, STORAGE_DEFAULT);
	cr_assert_eq(list[1].id, made.id);
	cr_assert_eq(list_after(made.id, &list), 0);
	cr_assert_eq(get(77, &found), ERR_NOT_FOUND);
}

Test(storage_binding, what_makes_no_sense_is_refused)
{
	static const struct storage_spec specs[] = {
		{ .name = STR_INIT("") },
		{ .name = STR_INIT("Acme") },
		{ .name = STR_INIT("-a") },
		{ .name = STR_INIT(".a") },
		{ .name = STR_INIT("a b") },
		{ .name = STR_INIT("a\0b") },
		{ .name = STR_INIT("a/b") },
		{ .name = STR_INIT("a23456789012345678901234567890123456789012345678901234567890123"
				   "45") },
		{ .name = STR_INIT("a"), .driver = STR_INIT("tape") },
		{ .name = STR_INIT("a"), .location = STR_INIT("/a") },
		{ .name = STR_INIT("a"), .location = STR_INIT("a/") },
		{ .name = STR_INIT("a"), .location = STR_INIT("a//b") },
		{ .name = STR_INIT("a"), .location = STR_INIT("..") },
		{ .name = STR_INIT("a"), .location = STR_INIT("a/../b") },
		{ .name = STR_INIT("a"), .location = STR_INIT("./a") },
		{ .name = STR_INIT("a"), .location = STR_INIT("a\\b") },
		{ .name = STR_INIT("a"), .location = STR_INIT("a\0") },
		{ .name = STR_INIT("a"), .location = STR_INIT("1/2/3/4/5/6/7/8/9") },
		{ .name = STR_INIT("a"), .settings = STR_INIT("{\"bucket\": \"x\"}") },
		{ .name = STR_INIT("a"), .settings = STR_INIT("[]") },
		{ .name = STR_INIT("a"), .settings = STR_INIT("{") },
		{ .name = STR_INIT("a"), .settings = STR_INIT("{\"bucket\": 1}") },
		{ .name = STR_INIT("a"), .secrets = STR_INIT("{\"secret_key\": \"x\"}") },
	};
	struct storage_binding made;
	struct storage_row *list;
	for (size_t i = 0; i < COUNT_OF(specs); i++)
		cr_assert_eq(try_create(&specs[i], &made), ERR_REQUEST_INVALID, "spec %zu", i);
	cr_assert_eq(list_after(0, &list), 1);
}

Test(storage_binding, no_storage_is_in_another)
{
	must(create_at("one", "customers/one"));
	cr_assert_eq(create_at("one", "elsewhere"), ERR_EXISTS);
	cr_assert_eq(create_at("two", "customers/one"), ERR_EXISTS);
	cr_assert_eq(create_at("two", "customers"), ERR_EXISTS);
	cr_assert_eq(create_at("two", "customers/one/blobs"), ERR_EXISTS);
	cr_assert_eq(create_at("two", "customers/one/deep/er"), ERR_EXISTS);
	must(create_at("two", "customers/one2"));
	must(create_at("three", "customers/on"));
	must(create_at("four", "customer"));
}

static err_t make_and_fail(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct storage_spec spec = { .name = STR("acme"), .encrypted = true };
	struct storage_binding made;
	TRY(storage_binding_insert(ctx, house.registry, tx, &spec, &made));
	return fail(ctx, ERR_EXISTS, "the tenant is already there");
}

Test(storage_binding, a_transaction_that_fails_leaves_nothing)
{
	cr_assert_eq(db_run(CTX, house.db, SQL_WRITE, make_and_fail, NULL), ERR_EXISTS);
	ctx_forgive(CTX);
	must(create_at("acme", ""));
}

Test(storage_binding, a_key_is_sealed_for_its_own_storage)
{
	const struct storage_spec one = { .name = STR("one"), .encrypted = true };
	const struct storage_spec two = { .name = STR("two"), .encrypted = true };
	struct storage_binding a, b;
	str key, other;
	must(try_create(&one, &a));
	must(try_create(&two, &b));
	struct storage_row row = row_of(a.id);
	must(secretbox_open(CTX, &master,
			    arena_printf(&house.arena, "storage/%lld", (long long)a.id),
			    row.data_key, &key));
	cr_assert_eq(key.len, 32);
	must(secretbox_open(CTX, &master,
			    arena_printf(&house.arena, "storage/%lld", (long long)b.id),
			    row_of(b.id).data_key, &other));
	cr_assert_not(str_eq(key, other));
	cr_assert_eq(secretbox_open(CTX, &master,
				    arena_printf(&house.arena, "storage/%lld", (long long)b.id),
				    row.data_key, &key),
		     ERR_CORRUPT);
}

Test(storage_binding, erasing_takes_the_key_and_keeps_the_place)
{
	const struct storage_spec spec = { .name = STR("acme"), .encrypted = true };
	struct storage_binding made, found;
	str settings = STR("{}");
	must(try_create(&spec, &made));
	const struct storage_change change = { .id = made.id, .settings = &settings };
	for (int i = 0; i < 2; i++)
		must(storage_erase(CTX, house.registry, made.id));
	cr_assert_eq(row_of(made.id).data_key.len, 0);
	must(get(made.id, &found));
	cr_assert_gt(found.erased_at_us, 0);
	cr_assert(found.encrypted);
	cr_assert_eq(storage_binding_update(CTX, house.registry, &change), ERR_STORAGE_ERASED);
	ctx_forgive(CTX);
	cr_assert_eq(create_at("other", "acme"), ERR_EXISTS);
	cr_assert_eq(try_create(&spec, &made), ERR_EXISTS);
}

Test(storage_binding, what_has_no_key_cannot_be_erased)
{
	const struct storage_spec spec = { .name = STR("plain") };
	struct storage_binding made;
	must(try_create(&spec, &made));
	cr_assert_eq(storage_erase(CTX, house.registry, made.id), ERR_PRECONDITION_FAILED);
	ctx_forgive(CTX);
	cr_assert_eq(storage_erase(CTX, house.registry, STORAGE_DEFAULT), ERR_PRECONDITION_FAILED);
	ctx_forgive(CTX);
	cr_assert_eq(storage_erase(CTX, house.registry, 77), ERR_NOT_FOUND);
}

Test(storage_binding, without_a_master_key_nothing_is_sealed)
{
	const struct storage_spec spec = { .name = STR("acme"), .encrypted = true };
	struct storage_binding made;
	registry_free(house.registry);
	const struct registry_options options = { .db = house.db, .store = house.store };
	house.registry = registry_new(&options);
	cr_assert_eq(try_create(&spec, &made), ERR_CONFIG);
	must(create_at("acme", ""));
}
