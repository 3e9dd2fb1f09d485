/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c - see answer.h. */
#include "api/answer.h"
#include "api/browser.h"
#include "api/oauth.h"
#include "base/json_escape.h"
#include "codec/url.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/banned.h"

#define BODY_MAX KIB(4)
#define LINK_MAX KIB(8)

static bool is_busy(const struct error_info *info)
{
	return info->status == 429 || info->status == 503;
}

/* The scope a client should ask for, so that its next attempt works. */
static void add_scope(struct buf *b, struct request *rq)
{
	enum action action = rq->route ? rq->route->action : ACTION_NONE;
	if (action == ACTION_CATALOG_LIST) {
		buf_add(b, STR(",scope=\"registry:catalog:*\""));
		return;
	}
	if (!rq->repository.len)
		return;
	buf_printf(b, ",scope=\"repository:" STR_FMT ":%s", STR_ARG(rq->name_asked),
		   action == ACTION_REPOSITORY_PUSH ? "pull,push" : permission_get(action)->action);
	str source = request_query(rq, STR("from"));
	if (action == ACTION_REPOSITORY_PUSH && reference_is_repository(source))
		buf_printf(b, " repository:" STR_FMT ":pull", STR_ARG(source));
	buf_add_byte(b, '"');
}

static void add_challenge(struct request *rq)
{
	/* A browser would put a window of its own in front of the login page. */
	if (rq->route && (rq->route->kind == ROUTE_PORTAL || browser_session(rq).len))
		return;
	if (!rq->route || rq->route->kind != ROUTE_OCI) {
		exchange_header(rq->x, STR("WWW-Authenticate"),
				STR("Basic realm=\"" AUTH_SERVICE "\""));
		return;
	}
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(2));
	str base = request_base_url(rq);
	buf_printf(&b, "Bearer realm=\"" STR_FMT "/service/token\",service=\"" AUTH_SERVICE "\"",
		   STR_ARG(base));
	add_scope(&b, rq);
	if (rq->bad_credentials)
		buf_add(&b, STR(",error=\"invalid_token\""));
	else if (rq->who.by_token)
		buf_add(&b, STR(",error=\"insufficient_scope\""));
	exchange_header(rq->x, STR("WWW-Authenticate"), buf_str(&b));
}

/* Harbor's clients read its own codes, which follow the status. */
static const char *harbor_code(err_t err)
{
	int status = error_info(err)->status;
	static const struct {
		int status;
		const char *code;
	} codes[] = {
		{ 400, "BAD_REQUEST" },
		{ 401, "UNAUTHORIZED" },
		{ 403, "FORBIDDEN" },
		{ 404, "NOT_FOUND" },
		{ 405, "METHOD_NOT_ALLOWED" },
		{ 409, "CONFLICT" },
		{ 412, "PRECONDITION" },
		{ 413, "REQUEST_ENTITY_TOO_LARGE" },
		{ 422, "UNPROCESSABLE_ENTITY" },
		{ 429, "TOO_MANY_REQUEST" },
		{ 501, "NOT_IMPLEMENTED" },
	};
	if (err == ERR_READ_ONLY || err == ERR_TENANT_READ_ONLY)
		return error_info(err)->code; /* the one that is told from other refusals */
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (codes[i].status == status)
			return codes[i].code;
	return "UNKNOWN";
}

/* What is wrong with the client's own bytes may be said; everything else stays in the log. */
static str client_detail(const struct request *rq, err_t err)
{
	int status = error_info(err)->status;
	bool own = (status == 400 || status == 422) && err != ERR_NAME_INVALID;
	own |= err == ERR_QUOTA || err == ERR_RETENTION_TWICE || err == ERR_IMMUTABLE;
	own |= err == ERR_TENANT_SUSPENDED || err == ERR_TENANT_READ_ONLY; /* why: for everybody */
	return own ? str_from(rq->x->ctx->failure.detail) : STR_NONE;
}

static void send_error(struct request *rq, err_t err)
{
	const struct error_info *info = error_info(err);
	bool harbor =
		rq->route && (rq->route->kind == ROUTE_HARBOR || rq->route->kind == ROUTE_PORTAL);
	bool oauth = rq->route && rq->route->kind == ROUTE_TOKEN;
	str detail = client_detail(rq, err);
	CLEANUP(buf_done) struct buf body = BUF_INIT(BODY_MAX);
	buf_printf(&body, "{\"errors\":[{\"code\":\"%s\",\"message\":",
		   harbor ? harbor_code(err) : info->code);
	/* Harbor's clients look for its words in the message, and people see no more of it. */
	bool says_all = err == ERR_IMMUTABLE && detail.len;
	json_escape(&body, says_all ? detail : str_from(info->text));
	if (detail.len && !says_all) {
		buf_add(&body, STR(",\"detail\":"));
		json_escape(&body, detail);
	}
	buf_add(&body, STR("}]"));
	if (oauth) {
		oauth_add_error(&body, rq, err, detail);
		oauth_headers(rq);
	}
	buf_add(&body, STR("}\n"));
	exchange_header(rq->x, STR("Content-Type"), STR("application/json"));
	err_t sent = exchange_answer(rq->x, oauth ? oauth_status(rq, err) : info->status,
				     buf_str(&body));
	(void)sent; /* the peer is gone: nobody to tell */
}

void answer_begin(struct request *rq)
{
	str id = rq->x->ctx->request_id; /* looked at, or ours: no need for exchange_header() */
	exchange_clear_headers(rq->x);
	exchange_header_lines(rq->x, STR("X-Request-Id: "));
	exchange_header_lines(rq->x, id);
	exchange_header_lines(rq->x, STR("\r\n"));
	if (str_has_prefix(rq->x->head->path, STR("/v2")))
		exchange_header(rq->x, STR("Docker-Distribution-Api-Version"), STR("registry/2.0"));
}

void answer_error(struct request *rq, err_t err)
{
	if (error_info(err)->status == 401 && !rq->exchanging)
		add_challenge(rq);
	if (is_busy(error_info(err)))
		exchange_header_printf(rq->x, STR("Retry-After"), "%u",
				       MAX(rq->x->ctx->retry_after_s, 1u));
	send_error(rq, err);
}

err_t answer_empty(struct request *rq, int status)
{
	return exchange_answer(rq->x, status, STR_NONE);
}

err_t answer_json(struct request *rq, int status, str body)
{
	exchange_header(rq->x, STR("Content-Type"), STR("application/json"));
	return exchange_answer(rq->x, status, body);
}

err_t answer_text(struct request *rq, int status, str body)
{
	exchange_header(rq->x, STR("Content-Type"), STR("text/plain; charset=utf-8"));
	return exchange_answer(rq->x, status, body);
}

void answer_location(struct request *rq, const char *format, ...)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(2));
	buf_printf(&b, "/v2/" STR_FMT "/", STR_ARG(rq->name_asked));
	va_list args;
	va_start(args, format);
	buf_vprintf(&b, format, args);
	va_end(args);
	exchange_header(rq->x, STR("Location"), buf_str(&b));
}

void answer_digest(struct request *rq, digest d)
{
	exchange_header(rq->x, STR("Docker-Content-Digest"), str_from(digest_format(d).text));
}

void answer_link(struct request *rq, const struct next_page *next)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(LINK_MAX);
	buf_printf(&b, "<" STR_FMT "?n=%zu&last=", STR_ARG(next->path), next->n);
	url_encode(&b, next->last);
	buf_add(&b, next->extra);
	buf_add(&b, STR(">; rel=\"next\""));
	exchange_header(rq->x, STR("Link"), buf_str(&b));
}

err_t page_parameters(struct ctx *ctx, struct request *rq, size_t max, size_t *ret_n, str *ret_last)
{
	uint64_t n = max;
	if (request_has_query(rq, STR("n")) &&
	    !str_to_u64(request_query(rq, STR("n")), UINT64_MAX, &n))
		return fail(ctx, ERR_PAGE_INVALID, "n is not a number");
	*ret_n = (size_t)MIN(n, (uint64_t)max);
	*ret_last = request_query(rq, STR("last"));
	return OK;
}
