/* SPDX-License-Identifier: Apache-2.0 */
/* browser.c - see browser.h. */
#include "api/browser.h"
#include "auth/csrf.h"
#include "codec/cookie.h"

#include "base/banned.h"

#define SESSION_COOKIE "sid"

/* Browsers send one Cookie line (RFC 6265 §5.4). Programs in Go send one for each cookie they add.
 */
str browser_cookie(struct request *rq, const char *name)
{
	size_t at = 0;
	str line, value = STR_NONE;
	while (!value.len && http_head_next(rq->x->head, STR("Cookie"), &at, &line))
		value = cookie_get(line, str_from(name));
	return value;
}

str browser_session(struct request *rq)
{
	return browser_cookie(rq, SESSION_COOKIE);
}

static const char *secure_text(struct request *rq)
{
	return str_has_prefix(request_base_url(rq), STR("https://")) ? "; Secure" : "";
}

void browser_set_session(struct request *rq, str secret)
{
	exchange_header_printf(rq->x, STR("Set-Cookie"),
			       SESSION_COOKIE "=" STR_FMT "; Path=/; HttpOnly; SameSite=Lax%s",
			       STR_ARG(secret), secure_text(rq));
	rq->keep_headers = true;
}

void browser_end_session(struct request *rq)
{
	browser_set_cookie(rq, SESSION_COOKIE, STR_NONE, "/", 0);
}

void browser_set_cookie(struct request *rq, const char *name, str value, const char *path,
			int64_t lifetime_s)
{
	exchange_header_printf(rq->x, STR("Set-Cookie"),
			       "%s=" STR_FMT "; Path=%s; Max-Age=%lld; HttpOnly; SameSite=Lax%s",
			       name, STR_ARG(value), path, (long long)(value.len ? lifetime_s : 0),
			       secure_text(rq));
	rq->keep_headers = true;
}

/* --- tokens ------------------------------------------------------------------------------------
 */

bool browser_proves_page(struct ctx *ctx, struct request *rq)
{
	return csrf_token_fits(ctx, rq->api->options.auth, browser_cookie(rq, BROWSER_CSRF_COOKIE),
			       request_header(rq, STR(BROWSER_CSRF_HEADER)));
}

static void give_token(struct ctx *ctx, struct request *rq)
{
	const struct auth *auth = rq->api->options.auth;
	str cookie = browser_cookie(rq, BROWSER_CSRF_COOKIE);
	if (!csrf_cookie_is_ours(ctx, auth, cookie)) {
		cookie = csrf_cookie_make(ctx, auth);
		exchange_header_printf(rq->x, STR("Set-Cookie"),
				       BROWSER_CSRF_COOKIE "=" STR_FMT
							   "; Path=/; HttpOnly; SameSite=Strict%s",
				       STR_ARG(cookie), secure_text(rq));
	}
	exchange_header(rq->x, STR(BROWSER_CSRF_HEADER), csrf_token_make(ctx, auth, cookie));
	rq->keep_headers = true;
}

static bool changes_something(enum http_method method)
{
	return method != HTTP_GET && method != HTTP_HEAD;
}

err_t browser_guard(struct ctx *ctx, struct request *rq)
{
	if (!rq->who.session_id && rq->route->kind != ROUTE_PORTAL)
		return OK;
	give_token(ctx, rq);
	if (!changes_something(rq->x->head->method) || browser_proves_page(ctx, rq))
		return OK;
	return fail(ctx, ERR_DENIED, "CSRF token is missing or wrong");
}
