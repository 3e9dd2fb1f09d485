/* SPDX-License-Identifier: Apache-2.0 */
/* storage.c - `berth storage check`: tries what the registry needs of its bucket, and prints what
 * it found. */
#include "program.h"
#include "store/store_check.h"

#include <stdio.h>

#include "base/banned.h"

enum { EXIT_GOOD = 0, EXIT_BAD = 1, EXIT_FAILED = 2 };

struct tally {
	unsigned counts[STORE_CHECK_FAILED + 1];
};

static void print_result(void *arg, const char *what, enum store_check_result result, str words)
{
	static const char *const marks[] = { "ok", "quirk", "FAILED" };
	struct tally *tally = arg;
	tally->counts[result]++;
	printf("%-7s%s\n", marks[result], what);
	if (words.len)
		printf("       " STR_FMT "\n", STR_ARG(words));
}

static int check(struct ctx *ctx, const struct program *p)
{
	struct tally tally = { { 0 } };
	struct store_place place = program_store_place(ctx, p);
	const struct store_driver *driver = program_store_driver(p);
	const struct store_check_report report = { print_result, &tally };
	if (!driver->try_out) {
		fprintf(stderr,
			"berth: storage.driver is no object store: there is nothing to check\n");
		return EXIT_FAILED;
	}
	err_t err = driver->try_out(ctx, &place, &report);
	if (err != OK) {
		fprintf(stderr, "berth: %s\n", ctx->failure.detail);
		return EXIT_FAILED;
	}
	printf("%u good, %u quirks, %u failed\n", tally.counts[STORE_CHECK_GOOD],
	       tally.counts[STORE_CHECK_QUIRK], tally.counts[STORE_CHECK_FAILED]);
	return tally.counts[STORE_CHECK_FAILED] ? EXIT_BAD : EXIT_GOOD;
}

int main_storage(int argc, char **argv)
{
	if (argc > 0 && str_eq(str_from(argv[0]), STR("move")))
		return main_storage_move(argc - 1, argv + 1);
	if (argc < 1 || !str_eq(str_from(argv[0]), STR("check"))) {
		fprintf(stderr, "usage: berth storage check [OPTION…]\n"
				"       berth storage move TENANT [PLACE] [--keep] [OPTION…]\n");
		return EXIT_FAILED;
	}
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, MIB(64));
	struct ctx ctx;
	ctx_init(&ctx, &arena);
	struct program p = PROGRAM_INIT;
	if (program_configure(&ctx, argc - 1, argv + 1, &p) != OK) {
		fprintf(stderr, "berth: %s\n", ctx.failure.detail);
		return EXIT_FAILED;
	}
	return check(&ctx, &p);
}
