/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csrf.h - that a request was sent by a page of ours: what a browser has in a cookie, another
 * site's page cannot repeat in a header.
 *
 * The cookie is random and signed; a token is made of the cookie and a fresh salt, so that no two
 * answers carry the same one. Both are base64url without padding (clients split cookies at `=`).
 * Keys come from the master key: what one node gave, another takes.
 */
#pragma once

#include "auth/auth.h"

str csrf_cookie_make(struct ctx *ctx, const struct auth *auth);
bool csrf_cookie_is_ours(struct ctx *ctx, const struct auth *auth, str cookie);

str csrf_token_make(struct ctx *ctx, const struct auth *auth, str cookie);
bool csrf_token_fits(struct ctx *ctx, const struct auth *auth, str cookie, str token);
