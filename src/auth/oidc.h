/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oidc.h - logging in with OpenID Connect: the authorization code flow with PKCE (OpenID Connect
 * Core 1.0, RFC 7636, RFC 9207), and id tokens as bearer tokens.
 *
 *	browser  →  /c/oidc/login     oidc_begin(): where to send him, and a cookie that remembers
 * the login provider →  /c/oidc/callback  oidc_finish(): cookie and code become a struct
 * external_user
 *
 * Nothing is kept on this side between the two: the cookie is sealed (authenticated and unreadable)
 * under a key made from the master key, so every node can finish what another began, and lives for
 * ten minutes. It ties the login to the browser (`state`), the id token to the login (`nonce`) and
 * the code to us (`code_verifier`).
 *
 * Who it is are the token's `iss` and `sub`. What else is known is merged as Harbor does it: the
 * user name from the configured claim, else `name` of the userinfo, else of the id token; groups
 * from the userinfo when it has the claim, else from the id token. A userinfo that cannot be had
 * leaves the id token; one about somebody else ends it.
 */
#pragma once

#include "auth/external.h"
#include "auth/identity_provider.h"
#include "auth/jwks.h"

#define OIDC_LOGIN_LIFETIME_S	600
#define OIDC_REDIRECT_BYTES_MAX 1024

struct oidc;

/* `outbound` and `jwks` are not owned. */
struct oidc *oidc_new(const struct outbound *outbound, struct jwks *jwks,
		      const struct secretbox_key *master);
void oidc_free(struct oidc *oidc); /* NULL is fine */

/* How an OIDC provider's keys are found. */
struct jwks_issuer oidc_issuer(const struct identity_provider *provider);

/* --- the browser's way -------------------------------------------------------------------------
 */

/* A local path to come back to: "/…", not "//…", no backslash, no control bytes; or empty. */
bool oidc_redirect_is_local(str redirect_url);

/*
 * Where to send the browser, and the sealed value of the cookie that it brings back. `callback_url`
 * is ours, as registered with the provider. ERR_REQUEST_INVALID for a redirect that is not local,
 * else jwks_metadata()'s.
 */
err_t oidc_begin(struct ctx *ctx, struct oidc *oidc, const struct identity_provider *provider,
		 str callback_url, str redirect_url, str *ret_location, str *ret_cookie);

/* What a login cookie says. ERR_REQUEST_INVALID when it is not ours or too old. */
struct oidc_login {
	int64_t provider_id;
	int64_t tenant_id;
	str state, nonce, verifier, redirect_url;
};
err_t oidc_read_login(struct ctx *ctx, struct oidc *oidc, str cookie, struct oidc_login *ret);

/* The query of the callback, decoded; empty where absent. */
struct oidc_callback {
	str state, code, error, error_description, issuer;
};

/* Who came back, and what is needed to end the session at the provider later. */
struct oidc_person {
	struct external_user user;
	str id_token;
	str session_id; /* `sid`, for back-channel logout; empty when the provider does not say */
};

/*
 * ERR_REQUEST_INVALID when state, issuer or the provider's own answer say that this login is not to
 * be; ERR_UNAUTHORIZED when the tokens are wrong; ERR_UPSTREAM_….
 */
err_t oidc_finish(struct ctx *ctx, struct oidc *oidc, const struct identity_provider *provider,
		  str callback_url, const struct oidc_login *login,
		  const struct oidc_callback *callback, struct oidc_person *ret);

/* --- between login and account: somebody who still has to choose a name --------------------------
 */

/* The person as a sealed cookie value, and back. ERR_LIMIT when there is too much to say for a
 * cookie: groups are then left out. */
err_t oidc_seal_person(struct ctx *ctx, struct oidc *oidc, const struct oidc_person *person,
		       str redirect_url, str *ret_cookie);
err_t oidc_open_person(struct ctx *ctx, struct oidc *oidc, str cookie, struct oidc_person *ret,
		       str *ret_redirect_url);

/* --- the end of a session ------------------------------------------------------------------------
 */

/* Where to send the browser so that the provider's session ends too; empty when the provider has no
 * such place or its setting `logout` is off. `back_url` is where it sends him then. */
err_t oidc_logout_url(struct ctx *ctx, struct oidc *oidc, const struct identity_provider *provider,
		      str id_token, str back_url, str *ret_location);

/* Whose sessions a provider ends by a logout token (OpenID Connect Back-Channel Logout 1.0). One of
 * `subject` and `session_id` may be empty. */
struct oidc_logout {
	int64_t provider_id;
	str issuer, subject, session_id;
};

/*
 * `providers` are the enabled ones of the tenant. ERR_REQUEST_INVALID when the token is wrong or of
 * nobody's, else the errors of jwks_keys().
 */
err_t oidc_check_logout(struct ctx *ctx, struct oidc *oidc,
			const struct identity_provider *providers, size_t count, str logout_token,
			struct oidc_logout *ret);

/* --- tokens as credentials -----------------------------------------------------------------------
 */

/*
 * An id token sent as a bearer token: ERR_ABSENT, unrecorded, when its issuer is no provider of
 * these; ERR_UNAUTHORIZED when it is wrong; ERR_UPSTREAM_… when the issuer's keys cannot be had.
 * `may_onboard` is false: only who has an account comes in this way.
 */
err_t oidc_identify(struct ctx *ctx, struct oidc *oidc, const struct identity_provider *providers,
		    size_t count, str token, struct external_user *ret);
