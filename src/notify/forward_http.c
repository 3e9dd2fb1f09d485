/* SPDX-License-Identifier: Apache-2.0 */
/* forward_http.c - the drivers of HTTP targets: CloudEvents, alone or as a batch, and CADF events.
 */
#include "forward_stream.h"
#include "forward_target.h"
#include "http/client.h"

#include "base/banned.h"

#define BATCH_RECORDS	   100
#define RESPONSE_BYTES_MAX KIB(64) /* thrown away */

static err_t ensure_client(struct ctx *ctx, struct forward_link *link)
{
	const struct client_options options = {
		.purpose = CLIENT_FOR_AUDIT,
		.requests_max = 1,
		.idle_max = 1,
		.connect_timeout_ms = FORWARD_CONNECT_TIMEOUT_MS,
		.request_timeout_ms = FORWARD_WRITE_TIMEOUT_MS,
	};
	return link->client ? OK : client_new(ctx, &options, &link->client);
}

static bool is_for_later(int status)
{
	return status >= 500 || status == 408 || status == 429;
}

/* What the answer means for `count` records. */
static err_t judge(struct ctx *ctx, struct forward_link *link,
		   const struct client_response *response, size_t count, enum forward_verdict *ret)
{
	*ret = FORWARD_SENT;
	if (response->status >= 200 && response->status < 300)
		return OK;
	if (is_for_later(response->status)) {
		ctx->retry_after_s = client_response_retry_after_s(response);
		return fail(ctx, ERR_UPSTREAM_UNREACHABLE, "the receiver answers %d",
			    response->status);
	}
	*ret = count > 1 ? FORWARD_SPLIT : FORWARD_REFUSED;
	if (count > 1)
		link->singles = count; /* perhaps it is one of them, or it takes no batches */
	else
		(void)fail(ctx, ERR_UPSTREAM_INVALID, "the receiver answers %d", response->status);
	return OK;
}

static err_t post(struct ctx *ctx, struct forward_link *link, str type, str body, size_t count,
		  enum forward_verdict *ret)
{
	const struct client_field fields[] = {
		{ STR("Content-Type"), type },
		{ STR("Authorization"), link->authorization },
	};
	const struct client_request request = {
		.method = "POST",
		.url = str_from(link->address),
		.fields = fields,
		.field_count = COUNT_OF(fields) - !link->authorization.len,
		.body = body,
		.response_bytes_max = RESPONSE_BYTES_MAX,
		.ca_pem = link->options->ca_pem,
	};
	struct client_response response;
	TRY(ensure_client(ctx, link));
	TRY(client_send(ctx, link->client, &request, &response));
	return judge(ctx, link, &response, count, ret);
}

static err_t send_cloudevents(struct ctx *ctx, struct forward_link *link,
			      const struct forward_batch *batch, enum forward_verdict *ret)
{
	const struct forward_item *item = batch->first;
	CLEANUP(buf_done) struct buf body = BUF_INIT(batch->bytes + batch->count + 2);
	if (batch->count == 1)
		return post(ctx, link, STR("application/cloudevents+json; charset=utf-8"),
			    (str){ item->bytes, item->len }, 1, ret);
	for (; item; item = forward_batch_next(batch, item)) {
		buf_add_byte(&body, item == batch->first ? '[' : ',');
		buf_add(&body, (str){ item->bytes, item->len });
	}
	buf_add_byte(&body, ']');
	return post(ctx, link, STR("application/cloudevents-batch+json; charset=utf-8"),
		    buf_str(&body), batch->count, ret);
}

static err_t send_cadf(struct ctx *ctx, struct forward_link *link,
		       const struct forward_batch *batch, enum forward_verdict *ret)
{
	str body = { batch->first->bytes, batch->first->len };
	return post(ctx, link, STR("application/json"), body, 1, ret);
}

/* Each request finds out for itself. */
static bool is_open(struct forward_link *link)
{
	return link->client != NULL;
}

static void close_link(struct forward_link *link)
{
	client_free(link->client);
	link->client = NULL;
}

const struct forward_driver forward_cloudevents = {
	.kind = "cloudevents",
	.batch_max = BATCH_RECORDS,
	.format = audit_format_cloudevent,
	.send = send_cloudevents,
	.is_open = is_open,
	.close = close_link,
};

const struct forward_driver forward_cadf = {
	.kind = "cadf",
	.batch_max = 1,
	.format = audit_format_cadf,
	.send = send_cadf,
	.is_open = is_open,
	.close = close_link,
};
