/* SPDX-License-Identifier: Apache-2.0 */
/* Every statement and every migration of the program is understood by both engines. */
#include "sql_fixture.h"
#include "db/statements.h"

SQL_TEST(sql_statements, all_can_be_prepared)
{
	struct sql_fixture own = { .engine = f->engine };
	arena_init(&own.arena, MIB(1));
	ctx_init(&own.ctx, &own.arena);
	fixture_locate(&own);
	struct sql_options options = { .engine = own.engine,
				       .location = own.location,
				       .statement_count = (unsigned)SQL_STATEMENT_COUNT };
	EXPECT_OK(&own.ctx, sql_open(&own.ctx, &options, &own.db));
	EXPECT_OK(&own.ctx, sql_migrate(&own.ctx, own.db, SQL_MIGRATIONS, SQL_MIGRATION_COUNT));
	EXPECT_OK(&own.ctx, sql_prepare_all(&own.ctx, own.db, SQL_STATEMENTS, SQL_STATEMENT_COUNT));
	fixture_clean(&own);
}

Test(sql_statements, indexes_are_dense)
{
	cr_assert_gt(SQL_STATEMENT_COUNT, 0);
	for (size_t i = 0; i < SQL_STATEMENT_COUNT; i++)
		cr_assert_eq(SQL_STATEMENTS[i]->index, i);
}
