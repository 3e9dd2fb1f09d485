/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oauth.h - what the token service says of a failure, as RFC 6749 §5.2 and RFC 8693 §2.2.2 have it.
 *
 * The members `error` and `error_description` stand beside `errors`, which is what docker's and
 * containerd's clients read. They also go by the status: 401 for a wrong password or an old refresh
 * token makes them ask their user again, so that stays 401 where the RFC has 400. The exchange of
 * tokens is nobody's but the RFC's, and answers 400.
 */
#pragma once

#include "api/request.h"
#include "base/buf.h"

/* The status for `err`, which is not always the error table's. */
int oauth_status(const struct request *rq, err_t err);

/* Adds `,"error":"…","error_description":"…"`. `detail` is what the client may know; empty: the
 * error's own text. */
void oauth_add_error(struct buf *b, const struct request *rq, err_t err, str detail);

/* Cache-Control and Pragma (RFC 6749 §5.1): nothing between may keep an answer, good or bad. */
void oauth_headers(struct request *rq);
