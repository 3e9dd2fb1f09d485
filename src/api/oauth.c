/* SPDX-License-Identifier: Apache-2.0 */
/* oauth.c - see oauth.h. */
#include "api/oauth.h"

#include "base/banned.h"

/* Where the error table and a status say less than the RFC has words for, the handler has said it
 * (rq->oauth_error). Beyond §5.2 are the last two: clients know them from §4.1.2.1. */
static const char *error_code(const struct request *rq, err_t err)
{
	int status = error_info(err)->status;
	if (rq->oauth_error)
		return rq->oauth_error;
	if (err == ERR_UNAUTHORIZED)
		return rq->exchanging ? "invalid_request" : "invalid_grant";
	if (status == 403)
		return "unauthorized_client";
	if (status == 429 || status == 503)
		return "temporarily_unavailable";
	return status >= 500 ? "server_error" : "invalid_request";
}

int oauth_status(const struct request *rq, err_t err)
{
	return rq->exchanging && err == ERR_UNAUTHORIZED ? 400 : error_info(err)->status;
}

/* §5.2: nothing outside %x20-21 / %x23-5B / %x5D-7E. */
static void add_description(struct buf *b, str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool allowed = c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
		buf_add_byte(b, allowed ? c : '\'');
	}
}

void oauth_add_error(struct buf *b, const struct request *rq, err_t err, str detail)
{
	buf_printf(b, ",\"error\":\"%s\",\"error_description\":\"", error_code(rq, err));
	add_description(b, detail.len ? detail : str_from(error_info(err)->text));
	buf_add_byte(b, '"');
}

void oauth_headers(struct request *rq)
{
	exchange_header(rq->x, STR("Cache-Control"), STR("no-store"));
	exchange_header(rq->x, STR("Pragma"), STR("no-cache"));
}
