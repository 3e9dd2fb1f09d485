/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - GET /metrics, in the format that is wanted. */
#include "api/handlers.h"
#include "api/operations.h"
#include "observe/exposition.h"

#include "base/banned.h"

/* All values of Accept as one list. */
static str accept_of(struct ctx *ctx, const struct http_head *head)
{
	str list = STR_NONE, value;
	for (size_t at = 0; http_head_next(head, STR("Accept"), &at, &value);)
		list = list.len ? arena_printf(ctx->arena, STR_FMT "," STR_FMT, STR_ARG(list),
					       STR_ARG(value))
				: value;
	return list;
}

err_t metrics_get(struct ctx *ctx, struct request *rq)
{
	const struct api_options *options = &rq->api->options;
	struct samples samples = { .arena = ctx->arena };
	enum exposition_format format = exposition_choose(accept_of(ctx, rq->x->head));
	if (options->collect)
		options->collect(ctx, options->collect_arg, &samples);
	operations_collect(rq->api->operations, &samples);
	CLEANUP(buf_done) struct buf body = BUF_INIT(EXPOSITION_BYTES_MAX);
	exposition_write(&body, format, &samples);
	if (buf_overrun(&body))
		return fail(ctx, ERR_LIMIT, "metrics of more than %zu bytes", EXPOSITION_BYTES_MAX);
	exchange_header(rq->x, STR("Content-Type"), exposition_media_type(format));
	exchange_header(rq->x, STR("Vary"), STR("Accept"));
	return exchange_answer(rq->x, 200, buf_str(&body));
}
