/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bare_query.c - bare_query URL FILE WARM: how long one query by libpq takes on this machine.
 *
 * A line of FILE is the number of a repository and a tag, with a tab between. On one connection the
 * manifest of each is fetched by a prepared statement, one after another. The first WARM are
 * not counted: a new connection of PostgreSQL's plans, and reads its catalogue. Prints percentiles
 * in milliseconds as `load replay` does of its requests, in JSON.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_MAX_BYTES 256
#define TIMES_MAX      1000000

static void fatal(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int compare(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;
	return (a > b) - (a < b);
}

static double fetch(PGconn *connection, char *line)
{
	const char *values[2] = { line, NULL };
	char *tab = strchr(line, '\t');
	if (!tab)
		fatal("a line needs a tab");
	*tab = '\0';
	values[1] = tab + 1;
	tab[1 + strcspn(tab + 1, "\n")] = '\0';
	double began = now();
	PGresult *result = PQexecPrepared(connection, "find", 2, values, NULL, NULL, 1);
	if (PQntuples(result) != 1 || PQgetlength(result, 0, 2) < 1)
		fatal("a manifest is not there");
	double took = now() - began;
	PQclear(result);
	return took;
}

int main(int argc, char **argv)
{
	static double seconds[TIMES_MAX];
	char line[LINE_MAX_BYTES];
	size_t count = 0;
	if (argc != 4)
		fatal("bare_query URL FILE WARM");
	PGconn *connection = PQconnectdb(argv[1]);
	FILE *in = fopen(argv[2], "re");
	if (PQstatus(connection) != CONNECTION_OK || !in)
		fatal("no connection, or no file");
	PQclear(PQprepare(connection, "find",
			  "SELECT m.id, m.media_type, m.content, m.digest"
			  " FROM tag t JOIN manifest m ON m.id = t.manifest_id"
			  " WHERE t.repository_id = $1 AND t.name = $2",
			  0, NULL));
	for (long warm = strtol(argv[3], NULL, 10); warm > 0 && fgets(line, sizeof line, in);
	     warm--)
		fetch(connection, line);
	while (count < TIMES_MAX && fgets(line, sizeof line, in))
		seconds[count++] = fetch(connection, line);
	fclose(in);
	PQfinish(connection);
	if (!count)
		fatal("nothing to fetch");
	qsort(seconds, count, sizeof *seconds, compare);
	printf("{\"p50_ms\":%.4f,\"p99_ms\":%.4f}\n", seconds[count / 2] * 1e3,
	       seconds[count * 99 / 100] * 1e3);
	return 0;
}
