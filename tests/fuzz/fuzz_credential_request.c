/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_credential_request.c - what the kubelet is said to ask, and that our answer to it is JSON.
 */
#include "kubelet/credential_request.h"

#include "base/error.h"
#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	CLEANUP(buf_done) struct buf b = BUF_INIT(MIB(4));
	CLEANUP(arena_done) struct arena arena;
	struct json_problem problem;
	struct credential_request request;
	const char *why;
	arena_init(&arena, MIB(8));
	if (!credential_request_read(&arena, (str){ (const char *)data, size }, &request, &why)) {
		CHECK(why != NULL);
		return 0;
	}
	CHECK(request.registry.len && request.token.len);
	credential_answer_write(&b, &request, STR("user"), 0);
	CHECK(json_parse(buf_str(&b), JSON_LIMITS_SMALL, &doc, &problem));
	return 0;
}
