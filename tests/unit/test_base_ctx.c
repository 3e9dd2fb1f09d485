/* SPDX-License-Identifier: Apache-2.0 */
/* Failing: the first failure wins, notes prefix it, deadlines and cancelling are seen; and the
 * error table. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/ctx.h"

Test(ctx, first_failure_wins_until_forgiven)
{
	struct ctx ctx;
	ctx_init(&ctx, NULL);
	cr_assert_eq(fail(&ctx, ERR_DENIED, "first %d", 1), ERR_DENIED);
	cr_assert_eq(fail(&ctx, ERR_INTERNAL, "second"), ERR_INTERNAL);
	cr_assert_eq(ctx.failure.code, ERR_DENIED);
	cr_assert_str_eq(ctx.failure.detail, "first 1");
	ctx_forgive(&ctx);
	cr_assert_eq(fail(&ctx, ERR_INTERNAL, "third"), ERR_INTERNAL);
	cr_assert_str_eq(ctx.failure.detail, "third");
}

Test(ctx, errno_is_recorded_in_words)
{
	struct ctx ctx;
	ctx_init(&ctx, NULL);
	errno = ENOENT;
	cr_assert_eq(fail_errno(&ctx, ERR_STORAGE, "open"), ERR_STORAGE);
	cr_assert_eq(ctx.failure.sys_errno, ENOENT);
	cr_assert_str_eq(ctx.failure.detail, "open: No such file or directory");
}

static err_t outer(struct ctx *ctx)
{
	TRY_CTX(ctx, fail(ctx, ERR_ABSENT, "no row"), "blob %s", "x");
	return OK;
}

Test(ctx, notes_prefix_and_stay_within_the_maximum)
{
	struct ctx ctx;
	char noun[2 * CTX_DETAIL_MAX];
	ctx_init(&ctx, NULL);
	cr_assert_eq(outer(&ctx), ERR_ABSENT);
	cr_assert_str_eq(ctx.failure.detail, "blob x: no row");
	memset(noun, 'n', sizeof noun);
	noun[sizeof noun - 1] = '\0';
	ctx_note(&ctx, "%s", noun);
	cr_assert_eq(strlen(ctx.failure.detail), CTX_DETAIL_MAX - 1);
}

Test(ctx, deadline_and_cancelling_are_seen)
{
	struct ctx ctx;
	_Atomic(bool) cancelled = false;
	ctx_init(&ctx, NULL);
	cr_assert_eq(ctx_check(&ctx), OK);
	cr_assert_eq(ctx_left_ms(&ctx, 70), 70);
	ctx.cancelled = &cancelled;
	cr_assert_eq(ctx_check(&ctx), OK);
	cancelled = true;
	cr_assert_eq(ctx_check(&ctx), ERR_CANCELLED);
	cancelled = false;
	ctx.deadline_ns = clock_now_ns() - 1;
	cr_assert_eq(ctx_check(&ctx), ERR_DEADLINE);
	cr_assert_eq(ctx_left_ms(&ctx, 70), 0);
	ctx.deadline_ns = clock_now_ns() + 3600 * CLOCK_S;
	cr_assert_eq(ctx_check(&ctx), OK);
	cr_assert_eq(ctx_left_ms(&ctx, 70), 70);
}

Test(ctx, progress_sets_the_deadline_anew)
{
	struct ctx ctx;
	ctx_init(&ctx, NULL);
	ctx_progress(&ctx);
	cr_assert_eq(ctx.deadline_ns, 0, "none without an allowance");
	ctx.deadline_ns = 1;
	ctx_progress(&ctx);
	cr_assert_eq(ctx.deadline_ns, 1, "nor is one changed");
	ctx.allowance_ns = 3600 * CLOCK_S;
	ctx_progress(&ctx);
	cr_assert_gt(ctx.deadline_ns, ctx.allowance_ns);
	cr_assert_eq(ctx_check(&ctx), OK);
}

/* distribution-spec, "Error Codes" */
static bool is_oci_code(const char *code)
{
	static const char *const codes[] = {
		"BLOB_UNKNOWN",	    "BLOB_UPLOAD_INVALID",   "BLOB_UPLOAD_UNKNOWN",
		"DIGEST_INVALID",   "MANIFEST_BLOB_UNKNOWN", "MANIFEST_INVALID",
		"MANIFEST_UNKNOWN", "NAME_INVALID",	     "NAME_UNKNOWN",
		"SIZE_INVALID",	    "UNAUTHORIZED",	     "DENIED",
		"UNSUPPORTED",	    "TOOMANYREQUESTS",
	};
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (strcmp(code, codes[i]) == 0)
			return true;
	return false;
}

Test(error, every_row_speaks_the_specs_language)
{
	cr_assert_eq(error_info(OK)->status, 200);
	for (int i = 1; i < ERR_COUNT; i++) {
		const struct error_info *info = error_info((err_t)i);
		cr_expect(is_oci_code(info->code), "%s has code %s", info->name, info->code);
		cr_expect(info->status >= 400 && info->status < 600, "%s", info->name);
		size_t len = strlen(info->text);
		cr_expect(len > 0 && info->text[len - 1] != '.', "%s", info->name);
	}
}
