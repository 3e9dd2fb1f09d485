/* SPDX-License-Identifier: Apache-2.0 */
/* ctx.c - see ctx.h. */
#include "base/ctx.h"
#include "base/clock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/banned.h"

void ctx_init(struct ctx *ctx, struct arena *arena)
{
	*ctx = (struct ctx){ .arena = arena, .tenant_id = TENANT_DEFAULT };
}

void ctx_fail(struct ctx *ctx, err_t code, int sys_errno, const char *file, int line,
	      const char *format, ...)
{
	struct failure *failure = &ctx->failure;
	if (failure->code != OK)
		return;
	*failure = (struct failure){ code, sys_errno, file, line, { 0 } };

	va_list args;
	va_start(args, format);
	int len = vsnprintf(failure->detail, sizeof failure->detail, format, args);
	va_end(args);
	if (sys_errno && len >= 0 && (size_t)len < sizeof failure->detail) {
		char text[64];
		snprintf(failure->detail + len, sizeof failure->detail - (size_t)len, ": %s",
			 strerror_r(sys_errno, text, sizeof text));
	}
}

void ctx_note(struct ctx *ctx, const char *format, ...)
{
	char noun[CTX_DETAIL_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(noun, sizeof noun, format, args);
	va_end(args);

	char joined[2 * CTX_DETAIL_MAX + 2];
	snprintf(joined, sizeof joined, "%s: %s", noun, ctx->failure.detail);
	joined[CTX_DETAIL_MAX - 1] = '\0';
	memcpy(ctx->failure.detail, joined, CTX_DETAIL_MAX);
}

void ctx_forgive(struct ctx *ctx)
{
	ctx->failure.code = OK;
}

err_t ctx_check(struct ctx *ctx)
{
	if (ctx->cancelled && atomic_load_explicit(ctx->cancelled, memory_order_relaxed))
		return fail(ctx, ERR_CANCELLED, "cancelled");
	if (ctx->deadline_ns && clock_now_ns() >= ctx->deadline_ns)
		return fail(ctx, ERR_DEADLINE, "deadline passed");
	return OK;
}

void ctx_progress(struct ctx *ctx)
{
	if (ctx->allowance_ns)
		ctx->deadline_ns = clock_now_ns() + ctx->allowance_ns;
}

int ctx_left_ms(const struct ctx *ctx, int max_ms)
{
	if (!ctx->deadline_ns)
		return max_ms;
	int64_t left_ms = (ctx->deadline_ns - clock_now_ns()) / CLOCK_MS;
	return left_ms < 0 ? 0 : (int)MIN(left_ms, (int64_t)max_ms);
}
