/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_client_certificate.c - a certificate as a proxy's header has it, and what it says of its
 * holder. */
#include "codec/client_certificate.h"
#include "codec/json.h"
#include "crypto/certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	CLEANUP(arena_done) struct arena arena;
	struct json_problem problem;
	struct ctx ctx;
	str der, text;
	arena_init(&arena, MIB(8));
	ctx_init(&ctx, &arena);
	if (!client_certificate_decode(&arena, (str){ (const char *)data, size }, &der))
		return 0;
	CHECK(der.len);
	if (certificate_claims(&ctx, der, &text) == OK)
		CHECK(json_parse(text, JSON_LIMITS_SMALL, &doc, &problem));
	return 0;
}
