/* SPDX-License-Identifier: Apache-2.0 */
/* forward_stream.h - connecting to a syslog server; private to notify. */
#pragma once

#include "http/stream.h"
#include "notify/forward.h"

#define FORWARD_CONNECT_TIMEOUT_MS 5000
#define FORWARD_WRITE_TIMEOUT_MS   10000 /* without a byte moving; of HTTP, for a whole request */

/* `address` is an endpoint (codec/syslog.h). Errors: ERR_REQUEST_INVALID, and stream_open()'s. */
err_t forward_stream_open(struct ctx *ctx, const struct forward_options *options, str address,
			  struct stream **ret);
