/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harbor_scanner.c - which scanner looks at a project's artifacts.
 *
 * None can be registered in this version. So a project has the empty registration, which Harbor's
 * clients take for none, and there is nothing to choose from.
 */
#include "api/handlers.h"
#include "api/harbor.h"

#include "base/banned.h"

err_t harbor_scanner_of_project(struct ctx *ctx, struct request *rq)
{
	return answer_json(rq, 200, STR("{}"));
}

err_t harbor_scanner_candidates(struct ctx *ctx, struct request *rq)
{
	struct list list;
	TRY(list_begin(ctx, rq, &list));
	CLEANUP(buf_done) struct buf body = BUF_INIT(KIB(1));
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	json_write_array_end(&w);
	return list_answer(rq, &list, 0, &body);
}
