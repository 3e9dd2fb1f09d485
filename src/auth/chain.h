/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain.h - the ways in which a name and a password can be right, asked one after another.
 *
 * A method is a function and a row of the table below. What it answers decides what happens next:
 *
 *	OK                  he is who he says; `*ret` is filled, its strs in the arena
 *	ERR_UNAUTHORIZED    the name is mine and the password wrong: nobody else is asked
 *	ERR_ABSENT          not mine (unrecorded): the next one is asked
 *	anything else       could not ask: the next may still know; when nobody does, "try later"
 *
 * Whatever the order is, a local administrator's own password lets him in before anybody else is
 * asked: a wrong directory, a lost server and a strange configuration lock him out of nothing.
 *
 * Nobody's name costs as much as somebody's (an argon2id), and the answer is the same text. Wrong
 * passwords are counted around the chain (lockout.h), good ones are remembered around it
 * (password.c): a method does neither, unless its row says that it remembers for itself.
 *
 * What a method fills: subject, id (of the account or robot; 0 gives rights by `external_roles` and
 * `robot_grants` alone), tenant_id, name, flags, issuer, on_behalf_of, epoch (see state.h), grants.
 *
 * To add a method: one row, in the place where it is asked unless auth.methods says otherwise.
 */
#pragma once

#include "auth/auth.h"

/* X(enumerator, name in auth.methods, function, remembers for itself) */
#define AUTH_METHODS(X)                                                                            \
	X(TOKEN, "token", access_token_identify, false)                                            \
	X(WORKLOAD, "workload", workload_identify, false)                                          \
	X(ROBOT, "robot", robot_identify, false)                                                   \
	X(LOCAL, "local", local_identify, false)                                                   \
	X(PROVIDERS, "providers", providers_identify, true)

enum auth_method {
#define AUTH_METHOD(name, ...) METHOD_##name,
	AUTH_METHODS(AUTH_METHOD)
#undef AUTH_METHOD
		METHOD_COUNT,
};

#define AUTH_METHOD(name, text, function, ...)                                                     \
	err_t function(struct ctx *ctx, struct auth *auth, str user, str password,                 \
		       struct identity *ret);
AUTH_METHODS(AUTH_METHOD)
#undef AUTH_METHOD

/*
 * Bearer tokens that are not ours go to these, one after another, with the same answers.
 * X(function)
 */
#define AUTH_BEARERS(X)                                                                            \
	X(workload_identify_bearer)                                                                \
	X(providers_identify_bearer)

#define AUTH_BEARER(function)                                                                      \
	err_t function(struct ctx *ctx, struct auth *auth, str token, struct identity *ret);
AUTH_BEARERS(AUTH_BEARER)
#undef AUTH_BEARER

/* Methods in the order in which they are asked. */
struct chain {
	enum auth_method methods[METHOD_COUNT];
	size_t count;
};

/* From "local,token,…"; empty: all, as in the table. ERR_CONFIG for a name that is none or twice.
 */
err_t chain_parse(struct ctx *ctx, str methods, struct chain *ret);

/*
 * Asks them. OK, ERR_UNAUTHORIZED, or why nobody could say. `*ret_remember` is false when the
 * answer must not be remembered here, `*ret_guess` when it was no password that somebody could have
 * guessed: a token that is wrong tells nothing about who might come by guessing.
 */
err_t chain_identify(struct ctx *ctx, struct auth *auth, str user, str password,
		     struct identity *ret, bool *ret_remember, bool *ret_guess);

/* The same for a bearer token. */
err_t chain_identify_bearer(struct ctx *ctx, struct auth *auth, str token, struct identity *ret);
