/* SPDX-License-Identifier: Apache-2.0 */
/* registry_fixture.h - a registry without HTTP, on SQLite and a directory in a temporary place. */
#pragma once

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "db/db.h"
#include "registry/registry.h"

#define FIXTURE_UNUSED __attribute__((noinline, unused))

static struct {
	struct arena arena;
	struct ctx ctx;
	char dir[64];
	struct sql *db;
	struct store *store;
	struct registry *registry;
} house;

#define CTX		 (&house.ctx)
#define must(expression) cr_assert_eq((expression), OK, "%s: %s", #expression, CTX->failure.detail)

static FIXTURE_UNUSED int remove_entry(const char *path, const struct stat *info, int type,
				       struct FTW *ftw)
{
	return remove(path);
}

static FIXTURE_UNUSED void open_house(void)
{
	arena_init(&house.arena, MIB(64));
	ctx_init(CTX, &house.arena);
	snprintf(house.dir, sizeof house.dir, "/tmp/berth-registry-XXXXXX");
	cr_assert_not_null(mkdtemp(house.dir));
	str file = arena_printf(&house.arena, "%s/berth.sqlite", house.dir);
	const struct sql_options sql_options = { SQL_SQLITE, file.ptr, 4, db_statement_count() };
	must(sql_open(CTX, &sql_options, &house.db));
	must(db_migrate(CTX, house.db));
	must(store_driver_find(STR("filesystem"))
		     ->open(CTX, &(const struct store_place){ .location = house.dir },
			    &house.store));
	const struct registry_options options = { .db = house.db,
						  .store = house.store,
						  .storage_root = arena_printf(
							  &house.arena, "%s/storages", house.dir),
						  .require_blobs = true,
						  .require_children = true };
	house.registry = registry_new(&options);
}

static FIXTURE_UNUSED void close_house(void)
{
	registry_free(house.registry);
	house.store->driver->close(house.store);
	sql_close(house.db);
	nftw(house.dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	arena_done(&house.arena);
}
