/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_condition.c - conditions on claims that somebody configured, held against claims that
 * somebody sent. */
#include "model/condition.h"

#include "base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first line are the conditions, the rest the claims. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(json_done) struct json_document wanted = JSON_DOCUMENT_NONE;
	CLEANUP(json_done) struct json_document claims = JSON_DOCUMENT_NONE;
	CLEANUP(arena_done) struct arena arena;
	struct json_problem problem;
	struct conditions conditions;
	const char *why;
	str before, after;
	arena_init(&arena, MIB(4));
	if (!str_cut((str){ (const char *)data, size }, '\n', &before, &after) ||
	    !json_parse(before, JSON_LIMITS_SMALL, &wanted, &problem) ||
	    !conditions_read(&arena, wanted.root, &conditions, &why))
		return 0;
	CHECK(conditions.count && conditions.count <= CONDITIONS_MAX);
	CHECK(!conditions_hold(&conditions, NULL));
	if (json_parse(after, JSON_LIMITS_SMALL, &claims, &problem))
		(void)conditions_hold(&conditions, claims.root);
	return 0;
}
