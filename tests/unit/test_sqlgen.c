/* SPDX-License-Identifier: Apache-2.0 */
/* tools/sqlgen refuses what the engines would misunderstand, with file and line. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"

#define HEAD "-- name: a :exec\n"
#define TWENTY_ONE                                                                                 \
	"$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, "   \
	"$20, $21"

/* Runs the generator on one file; 0 and the generated C in `into`, or its exit status and message.
 */
static void write_text(const char *folder, const char *name, const char *text)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

/* The same with a shared.sql (may be NULL) beside it. */
static int generate_beside(const char *name, const char *text, const char *shared, char *into,
			   size_t size)
{
	char folder[] = "/tmp/berth-sqlgen-XXXXXX", command[512];
	cr_assert_not_null(mkdtemp(folder));
	snprintf(command, sizeof command, "mkdir -p %s/migrations", folder);
	cr_assert_eq(system(command), 0);
	write_text(folder, name, text);
	if (shared)
		write_text(folder, "shared.sql", shared);

	snprintf(command, sizeof command,
		 "cd %s && '%s/tools/sqlgen' . %s %s 2>&1 && cat *.sql.c; s=$?; rm -rf %s; exit $s",
		 folder, getenv("BERTH_SOURCE_ROOT"), name, shared ? "shared.sql" : "", folder);
	FILE *pipe = popen(command, "r");
	size_t len = fread(into, 1, size - 1, pipe);
	into[len] = '\0';
	int status = pclose(pipe);
	return WEXITSTATUS(status);
}

static int generate(const char *name, const char *text, char *into, size_t size)
{
	return generate_beside(name, text, NULL, into, size);
}

Test(sqlgen, mistakes_are_refused_with_their_place)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ HEAD "SELECT 1;\n\n-- name: a :one\nSELECT 2;\n",
		  "x.sql:4: a is already at x.sql:1" },
		{ "\n" HEAD "SELECT $1, $3;\n", "x.sql:2: a (sqlite) does not use $2" },
		{ HEAD "SELECT $0;\n", "x.sql:1: a (sqlite) does not use $0" },
		{ HEAD "SELECT " TWENTY_ONE ";\n", "x.sql:1: a has more than 20 parameters" },
		{ HEAD "-- sqlite:\nSELECT 1;\n-- postgres:\n-- nothing\n",
		  "x.sql:1: the postgres variant is empty" },
		{ HEAD "-- sqlite:\nSELECT 1;\n", "x.sql:1: no postgres variant" },
		{ HEAD "-- sqlite:\nSELECT 1;\n-- sqlite:\nSELECT 2;\n",
		  "x.sql:4: a second sqlite variant" },
		{ HEAD "-- sqlite:\nSELECT $1;\n-- postgres:\nSELECT 1;\n",
		  "x.sql:1: the variants of a have different parameters" },
		{ HEAD, "x.sql:1: a is empty" },
		{ HEAD "SELECT 1; SELECT 2;\n", "x.sql:1: a holds more than one statement" },
		{ "SELECT 1;\n", "x.sql:1: text before the first" },
		{ "-- name: a :some\nSELECT 1;\n", "x.sql:1: expected" },
		{ "-- name: A :exec\nSELECT 1;\n", "x.sql:1: expected" },
		{ HEAD "SELECT @b;\n-- part: b\n1\n", "x.sql:1: no part b above" },
		{ "-- name: a_{} :exec\nSELECT 1;\n", "x.sql:1: {} in the name and an each: line" },
		{ HEAD "-- each: b\nSELECT 1;\n", "x.sql:1: {} in the name and an each: line" },
		{ "-- name: a_{} :exec\n-- each: b b\nSELECT 1;\n", "x.sql:1: a_b is already at" },
	};
	char output[4096];
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		cr_assert_eq(generate("x.sql", cases[i].text, output, sizeof output), 1, "case %zu",
			     i);
		cr_assert_not_null(strstr(output, cases[i].message), "case %zu: %s", i, output);
	}
	cr_assert_eq(generate("migrations/first.sql", "SELECT 1;", output, sizeof output), 1);
	cr_assert_eq(generate("migrations/0000_x.sql", "SELECT 1;", output, sizeof output), 1);
	cr_assert_eq(generate("migrations/0001_x.sql", "-- only a remark\n", output, sizeof output),
		     1);
}

Test(sqlgen, parameters_keep_their_numbers_and_quotes_their_content)
{
	char output[4096];
	const char *text = HEAD "SELECT '$1  -- no', \"a;b\" -- a remark; really\n"
				"FROM t WHERE y = $2 AND x = $1 AND z = $2;\n";
	cr_assert_eq(generate("x.sql", text, output, sizeof output), 0, "%s", output);
	cr_assert_not_null(strstr(output, "\"SELECT '$1  -- no', \\\"a;b\\\" FROM t "
					  "WHERE y = ?2 AND x = ?1 AND z = ?2\""),
			   "%s", output);
	cr_assert_not_null(strstr(output, "WHERE y = $2 AND x = $1 AND z = $2\""));
	cr_assert_not_null(strstr(output, ".parameters = 2,"));
}

Test(sqlgen, what_stands_before_the_variants_belongs_to_both)
{
	char output[4096];
	const char *text = HEAD "SELECT\n-- sqlite:\n1;\n-- postgres:\n2;\n";
	cr_assert_eq(generate("x.sql", text, output, sizeof output), 0, "%s", output);
	cr_assert_not_null(strstr(output, ".sqlite = \"SELECT 1\""));
	cr_assert_not_null(strstr(output, ".postgres = \"SELECT 2\""));
}

Test(sqlgen, parts_and_words_are_written_once)
{
	char output[4096];
	const char *text = "-- part: small\n"
			   "size < $2\n"
			   "\n-- A remark on what follows.\n"
			   "-- part: mine\n"
			   "@small AND owner = '@small'\n"
			   "-- name: a_by_{}_down :many\n"
			   "-- each: name size\n"
			   "SELECT 1 FROM t WHERE {} = $1 AND @mine ORDER BY {};\n";
	cr_assert_eq(generate("x.sql", text, output, sizeof output), 0, "%s", output);
	cr_assert_not_null(strstr(output, "SQL_A_BY_NAME_DOWN = {"), "%s", output);
	cr_assert_not_null(strstr(output, "\"SELECT 1 FROM t WHERE name = ?1 AND size < ?2 AND "
					  "owner = '@small' ORDER BY name\""),
			   "%s", output);
	cr_assert_not_null(strstr(output, "\"SELECT 1 FROM t WHERE size = $1 AND size < $2 AND "
					  "owner = '@small' ORDER BY size\""),
			   "%s", output);
}

Test(sqlgen, a_word_chooses_between_parts)
{
	char output[4096];
	const char *text = "-- part: newest_first\n"
			   "ORDER BY id DESC\n"
			   "-- part: oldest_first\n"
			   "ORDER BY id\n"
			   "-- name: a_{} :many\n"
			   "-- each: newest oldest\n"
			   "SELECT 1 FROM t @{}_first;\n";
	cr_assert_eq(generate("x.sql", text, output, sizeof output), 0, "%s", output);
	cr_assert_not_null(strstr(output, "\"SELECT 1 FROM t ORDER BY id DESC\""), "%s", output);
	cr_assert_not_null(strstr(output, "\"SELECT 1 FROM t ORDER BY id\""), "%s", output);
}

Test(sqlgen, parts_of_the_shared_file_are_above_every_other)
{
	char output[4096], text[1024];
	cr_assert_eq(generate("shared.sql", "-- part: seen\nyes = $1\n" HEAD "SELECT 1;\n", output,
			      sizeof output),
		     1);
	cr_assert_not_null(strstr(output, "shared.sql:3: only parts can be shared"), "%s", output);
	snprintf(text, sizeof text, "%s", HEAD "SELECT 1 FROM t WHERE @seen;\n");
	cr_assert_eq(
		generate_beside("x.sql", text, "-- part: seen\nyes = $1\n", output, sizeof output),
		0, "%s", output);
	cr_assert_not_null(strstr(output, "SELECT 1 FROM t WHERE yes = ?1"), "%s", output);
}

Test(sqlgen, a_migration_is_compatible_only_if_it_adds)
{
	static const char *const breaking[] = {
		"DROP TABLE a;",
		"ALTER TABLE a RENAME TO b;",
		"ALTER TABLE a DROP COLUMN b;",
		"ALTER TABLE a ADD COLUMN b BIGINT NOT NULL;",
		"ALTER TABLE a ALTER COLUMN b SET NOT NULL;",
		"CREATE UNIQUE INDEX a_b ON a (b);",
		"UPDATE a SET b = 1;",
		"DELETE FROM a;",
	};
	char output[4096], text[256];
	for (size_t i = 0; i < COUNT_OF(breaking); i++) {
		snprintf(text, sizeof text, "-- compatible\n%s\n", breaking[i]);
		cr_assert_eq(generate("migrations/0001_x.sql", text, output, sizeof output), 1,
			     "%s", text);
		cr_assert_not_null(strstr(output, "says that it is compatible"), "%s", output);
		cr_assert_eq(generate("migrations/0001_x.sql", breaking[i], output, sizeof output),
			     0, "%s", output);
		cr_assert_null(strstr(output, ".compatible"), "%s", output);
	}
	cr_assert_eq(
		generate("migrations/0001_x.sql",
			 "-- compatible\nALTER TABLE a ADD COLUMN b BIGINT NOT NULL DEFAULT 0;\n",
			 output, sizeof output),
		0, "%s", output);
	cr_assert_not_null(strstr(output, ".compatible = true"), "%s", output);
}
