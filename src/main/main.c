/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - picks the subcommand from a table. */
#include "observe/exposition.h"
#include "os/fault.h"
#include "program.h"
#include "version.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

static int main_help(int argc, char **argv);

static int main_version(int argc, char **argv)
{
	printf("berth %s%s\n", BERTH_VERSION, FAULTS_BUILT ? " with fault points" : "");
	return 0;
}

static int main_options(int argc, char **argv)
{
	config_print_reference(stdout);
	return 0;
}

static int main_metrics(int argc, char **argv)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(MIB(1));
	exposition_print_reference(&text);
	fwrite(text.ptr, 1, text.len, stdout);
	return 0;
}

static int main_routes(int argc, char **argv)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(MIB(1));
	api_print_matrix(&text);
	fwrite(text.ptr, 1, text.len, stdout);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv); /* without program and subcommand */
	const char *text;
} commands[] = {
	{ "serve", main_serve, "run the registry (--help lists the options)" },
	{ "fsck", main_fsck, "[--quick] compare storage and database; exit 1 if they differ" },
	{ "audit", main_audit,
	  "verify [-o json]: prove the audit trail; exit 1 if it was changed" },
	{ "storage", main_storage,
	  "check: exercise the bucket or container and name its quirks, exit 1 if it cannot be "
	  "used; move TENANT [PLACE] [--keep]: a tenant's bytes to another storage" },
	{ "migrate", main_migrate,
	  "[--dry-run] bring the database's schema up to date, or list what is missing" },
	{ "db", main_db,
	  "copy FROM TO: move a registry's rows from SQLite to PostgreSQL or back; each is a data "
	  "directory or postgresql://…" },
	{ "options", main_options, "print the reference page of all options" },
	{ "metrics", main_metrics, "print the reference page of all metrics" },
	{ "routes", main_routes, "print every route with who may use it" },
	{ "version", main_version, "print the version" },
	{ "help", main_help, "print this" },
};

static int main_help(int argc, char **argv)
{
	printf("usage: berth COMMAND [OPTION…]\n\n");
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		printf("  %-9s %s\n", commands[i].name, commands[i].text);
	return 0;
}

/* What people try first, with dashes or without. */
static const char *command_of(const char *word)
{
	static const char *const others[][2] = {
		{ "--help", "help" },
		{ "-h", "help" },
		{ "--version", "version" },
	};
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (strcmp(others[i][0], word) == 0)
			return others[i][1];
	return word;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	const char *name = command_of(argc > 1 ? argv[1] : "help");
	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		if (strcmp(commands[i].name, name) != 0)
			continue;
		if (argc > 2 && wants_help(argc - 2, argv + 2)) {
			printf("berth %s: %s\n\n", commands[i].name, commands[i].text);
			config_print_help(stdout);
			return 0;
		}
		return commands[i].run(argc > 2 ? argc - 2 : 0, argv + (argc > 1 ? 2 : 1));
	}
	fprintf(stderr, "berth: no command '%s'; see berth help\n", name);
	return 2;
}
