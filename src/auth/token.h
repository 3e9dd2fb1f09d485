/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.h - the claims of our tokens as JSON (RFC 7519, and Docker's `access` claim).
 *
 * `use` tells access tokens from refresh tokens, so that neither passes for the other. Pure but for
 * the random `jti`.
 */
#pragma once

#include "base/ctx.h"
#include "model/access.h"

#define TOKEN_ISSUER	       "berth"
#define TOKEN_NOT_YET_LEEWAY_S 300 /* for clocks of other nodes; expiry has none */

enum token_use { TOKEN_ACCESS, TOKEN_REFRESH, TOKEN_LOGIN };

struct claims {
	enum token_use use;
	struct identity who; /* without its grants; its strs in the arena after reading */
	int64_t issued_s;    /* since 1970 UTC, also "not before" */
	int64_t expires_s;
	const struct grant *grants;
	size_t grant_count;
};

/* The JSON text, in the arena. ERR_LIMIT when it cannot fit into a token. */
err_t claims_write(struct ctx *ctx, const struct claims *claims, str *ret);

/* Back, into the arena. ERR_UNAUTHORIZED unless they are ours, for `use`, and valid at `now_us`. */
err_t claims_read(struct ctx *ctx, str text, enum token_use use, int64_t now_us,
		  struct claims *ret);
