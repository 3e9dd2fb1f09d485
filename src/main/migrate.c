/* SPDX-License-Identifier: Apache-2.0 */
/*
 * migrate.c - `berth migrate`: brings the schema up to date, or lists what is missing.
 *
 * Any number may be started at once: each script is run by one of them, under a lock of the
 * database's own, and the others wait and find it done.
 */
#include "db/db.h"
#include "program.h"

#include <stdio.h>

#include "base/banned.h"

#define START_ARENA MIB(4)

static void print_missing(const struct sql_schema *schema, bool dry)
{
	size_t count;
	const struct sql_migration *migrations = db_migrations(&count);
	for (size_t i = schema->applied; i < count; i++)
		printf("%s %04d_%s%s\n", dry ? "missing" : "applying", migrations[i].number,
		       migrations[i].name,
		       migrations[i].compatible || !schema->latest
			       ? ""
			       : " (stop nodes of the version before first)");
	if (schema->applied == count)
		printf("schema %d is up to date\n", migrations[count - 1].number);
	fflush(stdout);
}

static err_t migrate(struct ctx *ctx, struct program *p, bool dry)
{
	struct sql_schema schema;
	if (program_engine(p) == SQL_SQLITE) {
		TRY(program_find_data(ctx, p));
		TRY(program_lock(ctx, p));
	}
	TRY(program_open_database(ctx, p));
	TRY(db_schema_read(ctx, p->db, &schema));
	print_missing(&schema, dry);
	return dry ? OK : db_migrate(ctx, p->db);
}

int main_migrate(int argc, char **argv)
{
	bool dry = argc > 0 && str_eq(str_from(argv[0]), STR("--dry-run"));
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, START_ARENA);
	struct ctx ctx;
	ctx_init(&ctx, &arena);
	CLEANUP(program_close) struct program p = PROGRAM_INIT;
	err_t err = program_configure(&ctx, argc - dry, argv + dry, &p);
	if (err == OK)
		err = migrate(&ctx, &p, dry);
	if (err == OK)
		return 0;
	fprintf(stderr, "berth: %s\n", ctx.failure.detail);
	return 1;
}
