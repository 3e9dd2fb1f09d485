/* SPDX-License-Identifier: Apache-2.0 */
/* fsck.c - `berth fsck`: prints every difference between rows and storage; the exit status says
 * whether any. */
#include "program.h"
#include "registry/fsck.h"

#include <stdio.h>

#include "base/banned.h"

enum { EXIT_CLEAN = 0, EXIT_DIFFERENCES = 1, EXIT_FAILED = 2 };

static void print_difference(void *arg, enum fsck_kind kind, str what)
{
	printf("%s: " STR_FMT "\n", fsck_kind_text(kind), STR_ARG(what));
}

static void print_erased(void *arg, str storage)
{
	printf("storage " STR_FMT " is erased\n", STR_ARG(storage));
}

static void print_summary(const struct fsck_result *result)
{
	printf("%llu blobs, %llu manifests, %llu uploads: %llu differences\n",
	       (unsigned long long)result->blobs, (unsigned long long)result->manifests,
	       (unsigned long long)result->uploads, (unsigned long long)result->total);
}

int main_fsck(int argc, char **argv)
{
	struct fsck_options options = { .report = print_difference, .erased = print_erased };
	if (argc > 0 && str_eq(str_from(argv[0]), STR("--quick"))) {
		options.quick = true;
		argc--;
		argv++;
	}
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, MIB(64));
	struct ctx ctx;
	ctx_init(&ctx, &arena);
	CLEANUP(program_close) struct program p = PROGRAM_INIT;
	struct fsck_result result;
	err_t err = program_configure(&ctx, argc, argv, &p);
	if (err == OK)
		err = program_find_data(&ctx, &p);
	if (err == OK)
		err = program_open(&ctx, &p);
	if (err == OK)
		err = registry_fsck(&ctx, p.registry, &options, &result);
	if (err != OK) {
		fprintf(stderr, "berth: %s\n", ctx.failure.detail);
		return EXIT_FAILED;
	}
	print_summary(&result);
	return result.total ? EXIT_DIFFERENCES : EXIT_CLEAN;
}
