/* SPDX-License-Identifier: Apache-2.0 */
/* forward_syslog.c - the driver of syslog targets: framed messages over a stream. */
#include "codec/syslog.h"
#include "forward_stream.h"
#include "forward_target.h"

#include "base/banned.h"

#define BATCH_RECORDS 500
#define HOLD_MS	      1000

static err_t send_batch(struct ctx *ctx, struct forward_link *link,
			const struct forward_batch *batch, enum forward_verdict *ret)
{
	CLEANUP(buf_done) struct buf bytes = BUF_INIT(batch->bytes);
	const struct forward_item *item = batch->first;
	for (; item; item = forward_batch_next(batch, item))
		buf_add(&bytes, (str){ item->bytes, item->len });
	if (!link->stream)
		TRY(forward_stream_open(ctx, link->options, str_from(link->address),
					&link->stream));
	*ret = FORWARD_SENT;
	return stream_write(ctx, link->stream, buf_str(&bytes));
}

static bool is_open(struct forward_link *link)
{
	return link->stream && stream_is_open(link->stream);
}

static void close_link(struct forward_link *link)
{
	stream_close(&link->stream);
}

const struct forward_driver forward_syslog = {
	.kind = "syslog",
	.batch_max = BATCH_RECORDS,
	.hold_ms = HOLD_MS,
	.format = audit_format_syslog,
	.send = send_batch,
	.is_open = is_open,
	.close = close_link,
};

err_t forward_stream_open(struct ctx *ctx, const struct forward_options *options, str address,
			  struct stream **ret)
{
	struct syslog_endpoint endpoint;
	if (!syslog_endpoint_parse(address, &endpoint))
		return fail(ctx, ERR_REQUEST_INVALID, "not an endpoint: " STR_FMT,
			    STR_ARG(address));
	const struct stream_options stream = {
		.authority = endpoint.authority,
		.tls = endpoint.tls,
		.ca_pem = options->ca_pem,
		.certificate_path =
			options->certificate_path.len ? options->certificate_path.ptr : NULL,
		.key_path = options->key_path.len ? options->key_path.ptr : NULL,
		.connect_timeout_ms = FORWARD_CONNECT_TIMEOUT_MS,
		.write_timeout_ms = FORWARD_WRITE_TIMEOUT_MS,
	};
	return stream_open(ctx, &stream, ret);
}
