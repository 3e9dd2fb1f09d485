/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h - the shapes answers have: errors, challenges, JSON, pages, Locations. */
#pragma once

#include "api/request.h"
#include "base/buf.h"

/* Starts the headers afresh, with the request's id and those that every answer under this path has.
 */
void answer_begin(struct request *rq);

/* The error answer of a route's kind, with challenge and Retry-After where they belong. */
void answer_error(struct request *rq, err_t err);

err_t answer_empty(struct request *rq, int status);
err_t answer_json(struct request *rq, int status, str body);
err_t answer_text(struct request *rq, int status, str body);

/* Location: /v2/<name as asked>/<format…> */
void answer_location(struct request *rq, const char *format, ...) PRINTF_LIKE(2, 3);

void answer_digest(struct request *rq, digest d); /* Docker-Content-Digest */

/* Link: <path?n=…&last=…&extra>; rel="next". `path` is relative to this registry's root. */
struct next_page {
	str path;
	str last;
	size_t n;
	str extra; /* already encoded, starting with '&', or empty */
};
void answer_link(struct request *rq, const struct next_page *next);

/* Parses n and last. `*ret_n` is at most `max`; absent gives `max`. ERR_PAGE_INVALID. */
err_t page_parameters(struct ctx *ctx, struct request *rq, size_t max, size_t *ret_n,
		      str *ret_last);
