/* SPDX-License-Identifier: Apache-2.0 */
/* test_sql_files.c - the files libpq may read, from every place that can name one. */
#include "sql/files.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char visited[2048];

static err_t note(struct ctx *ctx, void *arg, const char *path, bool replaceable)
{
	size_t len = strlen(visited);
	snprintf(visited + len, sizeof visited - len, "%s%s ", path, replaceable ? "!" : "");
	return OK;
}

static void visit(enum sql_engine engine, const char *location)
{
	CLEANUP(arena_done) struct arena arena;
	struct ctx ctx;
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
	visited[0] = '\0';
	cr_assert_eq(sql_files_visit(&ctx, engine, location, note, NULL), OK);
}

static bool was_visited(const char *path)
{
	return strstr(visited, path) != NULL;
}

Test(sql_files, sqlite_has_none)
{
	visit(SQL_SQLITE, "/data/berth.sqlite");
	cr_assert_str_eq(visited, "");
}

Test(sql_files, connection_string)
{
	visit(SQL_POSTGRES, "postgresql://u:p@h/d?sslrootcert=/a/ca.pem&sslcert=/a/c.pem&"
			    "sslkey=/a/k.pem&passfile=/a/pass&sslcrl=/a/crl");
	cr_expect(was_visited("/a/ca.pem! "));
	cr_expect(was_visited("/a/c.pem! "));
	cr_expect(was_visited("/a/k.pem! "));
	cr_expect(was_visited("/a/pass! "));
	cr_expect(was_visited("/a/crl! "));
	cr_expect_not(was_visited("u:p"));
}

Test(sql_files, variables)
{
	setenv("PGSSLROOTCERT", "/b/ca.pem", 1);
	setenv("PGPASSFILE", "/b/pass", 1);
	setenv("PGSYSCONFDIR", "/b/conf", 1);
	visit(SQL_POSTGRES, "postgresql://h/d");
	cr_expect(was_visited("/b/ca.pem! "));
	cr_expect(was_visited("/b/pass! "));
	cr_expect(was_visited("/b/conf! "));
}

Test(sql_files, usual_places)
{
	setenv("HOME", "/home/x", 1);
	visit(SQL_POSTGRES, "postgresql://h/d");
	cr_expect(was_visited("/home/x/.postgresql "));
	cr_expect(was_visited("/home/x/.pgpass "));
	unsetenv("HOME");
	visit(SQL_POSTGRES, "postgresql://h/d");
	cr_expect(was_visited("/.pgpass "));
}

Test(sql_files, a_string_that_does_not_parse_has_none_of_its_own)
{
	visit(SQL_POSTGRES, "postgresql://h/d?nonsense=/c/file");
	cr_expect_not(was_visited("/c/file"));
}
