/* SPDX-License-Identifier: Apache-2.0 */
/* harbor_addition.c - additions of artifacts and their icons, in the words of Harbor's REST API
 * v2.0. */
#include "api/artifact_json.h"
#include "api/handlers.h"
#include "codec/base64.h"
#include "registry/addition.h"
#include "registry/icon.h"

#include "base/banned.h"

err_t harbor_addition_get(struct ctx *ctx, struct request *rq)
{
	struct artifact artifact;
	enum addition addition;
	str content_type;
	CLEANUP(buf_done) struct buf body = BUF_INIT(ADDITION_MAX);
	if (!addition_find(rq->word, &addition))
		return fail(ctx, ERR_UNPROCESSABLE, "no such kind of addition");
	TRY(artifact_of_path(ctx, rq, &artifact));
	TRY(artifact_addition(ctx, rq->api->options.registry, &artifact, addition, &body,
			      &content_type));
	exchange_header(rq->x, STR("Content-Type"), content_type);
	/* Strangers wrote it: a browser must not take it for a page of ours. */
	exchange_header(rq->x, STR("X-Content-Type-Options"), STR("nosniff"));
	exchange_header(rq->x, STR("Content-Security-Policy"), STR("default-src 'none'; sandbox"));
	return exchange_answer(rq->x, 200, buf_str(&body));
}

/* An artifact's own icon is shown to whoever may see one of the artifacts that have it. */
static err_t find_icon(struct ctx *ctx, struct request *rq, struct buf *into, str *ret_type)
{
	struct registry *registry = rq->api->options.registry;
	str *repositories;
	size_t count;
	if (icon_built_in(rq->digest_text, into, ret_type))
		return OK;
	TRY(icon_holders(ctx, registry, rq->digest_text, &repositories, &count));
	for (size_t i = 0; i < count; i++) {
		struct decision decision;
		TRY(request_may(ctx, rq, ACTION_ARTIFACT_READ, repositories[i], &decision));
		if (decision.allowed)
			return icon_read(ctx, registry, repositories[i], rq->digest, into,
					 ret_type);
	}
	return fail(ctx, ERR_NOT_FOUND, "no such icon");
}

err_t harbor_icon_get(struct ctx *ctx, struct request *rq)
{
	CLEANUP(buf_done) struct buf icon = BUF_INIT(ICON_MAX + KIB(64));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	CLEANUP(buf_done) struct buf text = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	str type = STR_NONE;
	TRY(find_icon(ctx, rq, &icon, &type));
	base64_encode(&text, BASE64_STANDARD, buf_str(&icon));
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "content-type", type);
	json_write_str(&w, "content", buf_str(&text));
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}
