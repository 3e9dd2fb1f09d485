/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.c - `berth db copy FROM TO`: a registry's rows from SQLite to PostgreSQL or back.
 *
 * Each side is a data directory (or the SQLite file in it) or postgresql://…. The bytes and the
 * master key stay where they are. No server runs on either meanwhile; of an embedded database that
 * is made sure.
 */
#include "db/copy.h"
#include "db/db.h"
#include "os/file.h"
#include "program.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/banned.h"

#define COPY_ARENA MIB(64)

struct side {
	struct sql *db;
	int lock_fd;
};

static void side_done(struct side *side)
{
	if (side->db)
		sql_close(side->db);
	file_done(&side->lock_fd);
}

static bool is_server(str where)
{
	return str_has_prefix(where, STR("postgresql://")) ||
	       str_has_prefix(where, STR("postgres://"));
}

static str folder_of(struct ctx *ctx, str where)
{
	str file = STR("/" PROGRAM_DATABASE_FILE);
	return arena_copy(ctx->arena, str_has_suffix(where, file)
					      ? str_take(where, where.len - file.len)
					      : where);
}

/* Nobody serves from it while we are here. */
static err_t lock_folder(struct ctx *ctx, str folder, int *ret_fd)
{
	str path = arena_printf(ctx->arena, STR_FMT "/lock", STR_ARG(folder));
	TRY(file_open(ctx, AT_FDCWD, path.ptr, O_RDWR | O_CREAT, 0640, ret_fd));
	if (flock(*ret_fd, LOCK_EX | LOCK_NB) != 0)
		return fail(ctx, ERR_CONFIG, STR_FMT " is in use by another berth",
			    STR_ARG(folder));
	return OK;
}

static err_t open_file(struct ctx *ctx, str where, bool must_exist, struct side *side,
		       struct sql_options *options)
{
	str folder = folder_of(ctx, where);
	str file = arena_printf(ctx->arena, STR_FMT "/" PROGRAM_DATABASE_FILE, STR_ARG(folder));
	if (must_exist && access(file.ptr, F_OK) != 0)
		return fail_errno(ctx, ERR_CONFIG, "there is no registry: " STR_FMT, STR_ARG(file));
	if (!must_exist)
		TRY(file_make_dirs(ctx, arena_cstr(ctx->arena, folder), 0750));
	TRY(lock_folder(ctx, folder, &side->lock_fd));
	options->engine = SQL_SQLITE;
	options->location = file.ptr;
	return OK;
}

static err_t open_side(struct ctx *ctx, str where, bool must_exist, struct side *side)
{
	struct sql_options options = { .engine = SQL_POSTGRES,
				       .location = arena_cstr(ctx->arena, where),
				       .connections_max = 2,
				       .statement_count =
					       db_statement_count() + SQL_COPY_STATEMENTS };
	if (!is_server(where))
		TRY(open_file(ctx, where, must_exist, side, &options));
	return sql_open(ctx, &options, &side->db);
}

static void print_table(void *arg, const struct sql_copied *table)
{
	printf(STR_FMT ": %llu rows\n", STR_ARG(table->table), (unsigned long long)table->rows);
	fflush(stdout);
}

static err_t copy(struct ctx *ctx, str from, str to)
{
	CLEANUP(side_done) struct side source = { .lock_fd = -1 };
	CLEANUP(side_done) struct side target = { .lock_fd = -1 };
	TRY_CTX(ctx, open_side(ctx, from, true, &source), "source");
	TRY_CTX(ctx, open_side(ctx, to, false, &target), "target");
	TRY_CTX(ctx, db_migrate(ctx, target.db), "target");
	return db_copy(ctx, source.db, target.db, print_table, NULL);
}

int main_db(int argc, char **argv)
{
	if (argc != 3 || strcmp(argv[0], "copy") != 0) {
		fprintf(stderr, "usage: berth db copy FROM TO\n"
				"each a data directory, or postgresql://…\n");
		return 2;
	}
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, COPY_ARENA);
	struct ctx ctx;
	ctx_init(&ctx, &arena);
	if (copy(&ctx, str_from(argv[1]), str_from(argv[2])) == OK) {
		printf("copied, and the same on both sides\n");
		return 0;
	}
	fprintf(stderr, "berth: %s\n", ctx.failure.detail);
	return 1;
}
