/* SPDX-License-Identifier: Apache-2.0 */
/* openapi.c - our own API describes itself. */
#include "api/openapi.h"
#include "api/handlers.h"

#include "base/banned.h"

err_t berth_openapi_get(struct ctx *ctx, struct request *rq)
{
	return answer_json(rq, 200, (str){ openapi_document, openapi_document_len });
}
