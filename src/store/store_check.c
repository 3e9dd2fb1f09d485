/* SPDX-License-Identifier: Apache-2.0 */
/* store_check.c - see store_check.h. */
#include "store/store_check.h"
#include "crypto/random.h"

#include "base/banned.h"

err_t store_check_quirk(struct ctx *ctx, struct store_check *check, const char *words)
{
	ctx_forgive(ctx);
	check->quirk = str_from(words);
	return OK;
}

void store_check_run(struct ctx *ctx, struct store *store, const char *prefix,
		     const struct store_check_row *rows, size_t count,
		     const struct store_check_report *report)
{
	char id[UUID_TEXT_LEN + 1];
	random_uuid(id);
	struct store_check check = { .store = store,
				     .folder =
					     arena_printf(ctx->arena, "%scheck-%s/", prefix, id) };
	for (size_t i = 0; i < count; i++) {
		check.quirk = STR_NONE;
		err_t err = rows[i].run(ctx, &check);
		str words = err != OK ? str_from(ctx->failure.detail) : check.quirk;
		report->say(report->arg, rows[i].what,
			    err != OK	? STORE_CHECK_FAILED
			    : words.len ? STORE_CHECK_QUIRK
					: STORE_CHECK_GOOD,
			    words);
		ctx_forgive(ctx);
		if (err != OK && i == 0)
			break;
	}
}
