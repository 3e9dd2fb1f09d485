/* SPDX-License-Identifier: Apache-2.0 */
/*
 * foreign_token.h - tokens that somebody else issued, from text to claims that may be believed:
 * signature by the issuer's keys, then issuer, audience and times (RFC 7519, RFC 8725, OpenID
 * Connect Core 3.1.3.7).
 *
 *	str issuer;
 *	if (!foreign_token_issuer(ctx, text, &issuer))
 *		return ERR_ABSENT;
 *	… find the configuration of this issuer …
 *	CLEANUP(json_done) struct json_document claims = JSON_DOCUMENT_NONE;
 *	TRY(foreign_token_verify(ctx, jwks, &from, text, &expect, &claims));
 */
#pragma once

#include "auth/jwks.h"
#include "codec/json.h"

#define FOREIGN_LEEWAY_S 60 /* for clocks that differ */

struct foreign_expectation {
	str audience;	/* must be (among) `aud`; empty: the caller looks at `aud` itself */
	str party;	/* `azp`, where given, must be this; empty: not looked at */
	int64_t now_us; /* 0: now */
	bool no_expiry; /* a logout token: lives by `iat` for two minutes instead of by `exp` */
};

/*
 * The `iss` that a text claims to be from, into the arena; false when it is no such token. Not
 * verified: good for finding the configuration to verify it with.
 */
bool foreign_token_issuer(struct ctx *ctx, str token, str *ret_issuer);

/*
 * The claims, believed. ERR_UNAUTHORIZED, with the reason, when the token is wrong; the errors of
 * jwks_keys() when the issuer's keys cannot be had.
 */
err_t foreign_token_verify(struct ctx *ctx, struct jwks *jwks, const struct jwks_issuer *issuer,
			   str token, const struct foreign_expectation *expect,
			   struct json_document *ret_claims);

/* Whether `value` is, or is an element of, a claim that may be a string or an array of strings. */
bool foreign_claim_has(const struct json_value *claims, const char *name, str value);
