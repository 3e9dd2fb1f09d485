/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of a purge, and what stands for what it removed: what is read is written and read
 * again as the same. */
#include "base/error.h"
#include "codec/json.h"
#include "notify/audit_gap.h"
#include "notify/audit_purge.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static err_t read_text(struct ctx *ctx, str text, struct audit_purge *ret, str *ret_print)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	if (!json_parse(text, JSON_LIMITS_SMALL, &doc, &problem))
		return ERR_REQUEST_INVALID;
	TRY(audit_purge_read(ctx, doc.root, ret));
	return audit_purge_print(ctx, doc.root, ret_print);
}

static void check_parameters(struct ctx *ctx, str text)
{
	struct audit_purge purge = { 0 }, again = { 0 };
	str print, same;
	if (read_text(ctx, text, &purge, &print) != OK)
		return;
	CHECK(purge.older_than_s >= 3600);
	CHECK(read_text(ctx, print, &again, &same) == OK && str_eq(print, same));
	CHECK(again.older_than_s == purge.older_than_s && again.dry_run == purge.dry_run);
	for (unsigned type = 0; type < AUDIT_TYPE_COUNT; type++) {
		CHECK(audit_types_has(&purge.types, type) == audit_types_has(&again.types, type));
		CHECK(audit_type_info(type)->optional || !audit_types_has(&purge.types, type));
	}
}

static void check_gap(struct ctx *ctx, str text)
{
	struct audit_gap_claims claims, again;
	if (!audit_gap_read(ctx->arena, text, &claims))
		return;
	CHECK(claims.first >= 1 && claims.last >= claims.first);
	CHECK(audit_gap_read(ctx->arena, audit_gap_write(ctx->arena, &claims), &again));
	CHECK(again.first == claims.first && again.last == claims.last &&
	      again.time_us == claims.time_us);
	CHECK(str_eq(again.before, claims.before) && str_eq(again.hash, claims.hash));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct arena arena;
	struct ctx ctx;
	str text = { (const char *)bytes, MIN(len, KIB(16)) };
	arena_init(&arena, MIB(4));
	ctx_init(&ctx, &arena);
	check_parameters(&ctx, text);
	check_gap(&ctx, text);
	arena_done(&arena);
	return 0;
}
