/* SPDX-License-Identifier: Apache-2.0 */
/* Libraries that are opened late: found, missing, of another kind, and broken at one time only. */
#include "os/fault.h"
#include "os/library.h"

#include <criterion/criterion.h>
#include <math.h>

#define MATH_FUNCTIONS(X) X(floor) X(hypot)
static struct {
	MATH_FUNCTIONS(LIBRARY_FIELD)
} libm;
static const char *const math_names[] = { MATH_FUNCTIONS(LIBRARY_NAME) };

static struct arena arena;
static struct ctx ctx;

static void set_up(void)
{
	arena_init(&arena, KIB(64));
	ctx_init(&ctx, &arena);
}

static void tear_down(void)
{
	fault_setup(NULL);
	arena_done(&arena);
}

TestSuite(os_library, .init = set_up, .fini = tear_down);

Test(os_library, functions_are_found_in_their_order)
{
	struct library library = LIBRARY_INIT("libm.so.6", "libc6", math_names, libm);
	cr_assert_eq(library_open(&ctx, &library), OK, "%s", ctx.failure.detail);
	cr_expect_eq(libm.floor(2.5), 2);
	cr_expect_eq(libm.hypot(3, 4), 5);
	cr_expect_eq(library_open(&ctx, &library), OK, "again");
}

Test(os_library, a_missing_one_names_its_package)
{
	struct library library = LIBRARY_INIT("libnowhere.so.9", "libnowhere9", math_names, libm);
	cr_assert_eq(library_open(&ctx, &library), ERR_CONFIG);
	cr_expect_str_eq(ctx.failure.detail,
			 "could not open libnowhere.so.9: install the package libnowhere9");
}

Test(os_library, a_missing_function_is_named)
{
	static const char *const names[] = { "floor", "no_such_function" };
	struct library library = LIBRARY_INIT("libm.so.6", "libc6", names, libm);
	cr_assert_eq(library_open(&ctx, &library), ERR_CONFIG);
	cr_expect_str_eq(ctx.failure.detail, "libm.so.6 has no function no_such_function");
	cr_expect_not(library.open);
}

Test(os_library, what_failed_once_may_work_later)
{
	struct library library = LIBRARY_INIT("libm.so.6", "libc6", math_names, libm);
	fault_setup("library.open:1=errno:12");
	cr_expect_eq(library_open(&ctx, &library), ERR_CONFIG);
	ctx_forgive(&ctx);
	cr_expect_eq(library_open(&ctx, &library), OK);
}
