/* SPDX-License-Identifier: Apache-2.0 */
/*
 * browser.h - requests that come from a browser with a session: its cookies, and that no other
 * site's page sent them.
 *
 * The session is in the cookie `sid` (auth/session.h): HttpOnly, SameSite=Lax, Secure where clients
 * speak HTTPS. As in Harbor, answers to a request with a session, and all under /c/, carry a token
 * in X-Harbor-CSRF-Token beside the cookie _gorilla_csrf; a request that changes something has to
 * send both back. Whoever brings an Authorization header is no browser and needs neither: no other
 * site's page can make one up.
 */
#pragma once

#include "api/request.h"

#define BROWSER_CSRF_COOKIE "_gorilla_csrf"
#define BROWSER_CSRF_HEADER "X-Harbor-CSRF-Token"

/* The secret of the session cookie; empty without one. */
str browser_session(struct request *rq);
void browser_set_session(struct request *rq, str secret);
void browser_end_session(struct request *rq);

/* Another cookie of ours, under `path`; an empty value removes it. */
void browser_set_cookie(struct request *rq, const char *name, str value, const char *path,
			int64_t lifetime_s);
str browser_cookie(struct request *rq, const char *name);

/* For the dispatcher, between who it is and what he may: gives tokens, and looks at them.
 * ERR_DENIED without the right one where one is needed. */
err_t browser_guard(struct ctx *ctx, struct request *rq);

/* Whether the request brings the right token. */
bool browser_proves_page(struct ctx *ctx, struct request *rq);
