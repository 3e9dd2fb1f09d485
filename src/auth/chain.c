/* SPDX-License-Identifier: Apache-2.0 */
/* chain.c - see chain.h: who is asked about a password or a bearer token, and in which order. */
#include "internal.h"

#include "auth/outside.h"
#include "auth/user.h"

#include "crypto/password.h"
#include "db/db.h"

#include "base/banned.h"

struct method {
	const char *name;
	err_t (*identify)(struct ctx *ctx, struct auth *auth, str user, str password,
			  struct identity *ret);
	bool remembers; /* for itself */
};

static const struct method methods[] = {
#define METHOD(id, text, function, remembers_) [METHOD_##id] = { text, function, remembers_ },
	AUTH_METHODS(METHOD)
#undef METHOD
};

static err_t (*const bearers[])(struct ctx *, struct auth *, str, struct identity *) = {
#define BEARER(function) function,
	AUTH_BEARERS(BEARER)
#undef BEARER
};

/* --- the order -------------------------------------------------------------------------------- */

static bool find_method(str name, enum auth_method *ret)
{
	for (enum auth_method i = 0; i < METHOD_COUNT; i++)
		if (str_eq(name, str_from(methods[i].name))) {
			*ret = i;
			return true;
		}
	return false;
}

static bool is_asked(const struct chain *chain, enum auth_method method)
{
	for (size_t i = 0; i < chain->count; i++)
		if (chain->methods[i] == method)
			return true;
	return false;
}

err_t chain_parse(struct ctx *ctx, str list, struct chain *ret)
{
	struct chain chain = { .count = 0 };
	for (str word; str_next(&list, ',', &word);) {
		enum auth_method method;
		str name = str_trim(word);
		if (!find_method(name, &method))
			return fail(ctx, ERR_CONFIG, "auth.methods: there is no \"" STR_FMT "\"",
				    STR_ARG(name));
		if (is_asked(&chain, method))
			return fail(ctx, ERR_CONFIG, "auth.methods: \"" STR_FMT "\" twice",
				    STR_ARG(name));
		chain.methods[chain.count++] = method;
	}
	for (enum auth_method i = 0; !list.len && !chain.count && i < METHOD_COUNT; i++)
		chain.methods[i] = i;
	chain.count = chain.count ? chain.count : METHOD_COUNT;
	*ret = chain;
	return OK;
}

/* --- local accounts --------------------------------------------------------------------------- */

struct find_work {
	str login;
	struct account account;
};

static err_t find_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct find_work *work = arg;
	return db_account_find_login(ctx, tx, ctx->tenant_id, work->login, &work->account);
}

static err_t find_account(struct ctx *ctx, struct auth *auth, str login, struct account *ret)
{
	struct find_work work = { .login = login };
	TRY(db_run(ctx, auth->db, SQL_READ, find_body, &work));
	*ret = work.account;
	return OK;
}

static err_t check_account(struct ctx *ctx, const struct account *account, str password,
			   struct identity *ret)
{
	TRY(password_verify(ctx, account->password, password));
	if (account->disabled)
		return fail(ctx, ERR_UNAUTHORIZED, "account is blocked");
	identity_of_account(account, ret);
	return OK;
}

/* Accounts of people from elsewhere have no password here, and their names are not ours. */
err_t local_identify(struct ctx *ctx, struct auth *auth, str user, str password,
		     struct identity *ret)
{
	struct account account;
	TRY(find_account(ctx, auth, user, &account));
	if (!account.password.len)
		return ERR_ABSENT;
	return check_account(ctx, &account, password, ret);
}

/* ERR_ABSENT for everybody but local administrators. */
static err_t administrator_identify(struct ctx *ctx, struct auth *auth, str user, str password,
				    struct identity *ret)
{
	struct account account;
	TRY(find_account(ctx, auth, user, &account));
	if (!account.password.len || !account.is_admin)
		return ERR_ABSENT;
	return check_account(ctx, &account, password, ret);
}

/* --- asking ----------------------------------------------------------------------------------- */

/* Nobody who could hang or take a local name for his own is asked before the local accounts. Tokens
 * of workloads may be: no local password is as long as what somebody else signed. */
static bool local_is_safe(const struct chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		switch (chain->methods[i]) {
		case METHOD_TOKEN:
		case METHOD_WORKLOAD:
		case METHOD_ROBOT:
			break;
		case METHOD_LOCAL:
			return true;
		default:
			return false;
		}
	return false;
}

static err_t ask_all(struct ctx *ctx, struct auth *auth, str user, str password,
		     struct identity *ret, bool *ret_remember, bool *ret_guess)
{
	struct failure first = { .code = OK };
	for (size_t i = 0; i < auth->chain.count; i++) {
		const struct method *method = &methods[auth->chain.methods[i]];
		err_t err = method->identify(ctx, auth, user, password, ret);
		*ret_remember = !method->remembers;
		*ret_guess = auth->chain.methods[i] != METHOD_WORKLOAD;
		if (err == OK || err == ERR_UNAUTHORIZED)
			return err;
		if (err != ERR_ABSENT && first.code == OK)
			first = ctx->failure;
		ctx_forgive(ctx);
	}
	if (first.code == OK)
		return password_verify(ctx, STR_NONE, password);
	return fail(ctx, first.code, "%s", first.detail);
}

err_t chain_identify(struct ctx *ctx, struct auth *auth, str user, str password,
		     struct identity *ret, bool *ret_remember, bool *ret_guess)
{
	*ret_guess = true;
	if (!local_is_safe(&auth->chain)) {
		*ret_remember = true;
		if (administrator_identify(ctx, auth, user, password, ret) == OK)
			return OK;
		ctx_forgive(ctx);
	}
	return ask_all(ctx, auth, user, password, ret, ret_remember, ret_guess);
}

err_t chain_identify_bearer(struct ctx *ctx, struct auth *auth, str token, struct identity *ret)
{
	struct failure first = { .code = OK };
	for (size_t i = 0; i < COUNT_OF(bearers); i++) {
		err_t err = bearers[i](ctx, auth, token, ret);
		if (err == OK || err == ERR_UNAUTHORIZED)
			return err;
		if (err != ERR_ABSENT && first.code == OK)
			first = ctx->failure;
		ctx_forgive(ctx);
	}
	if (first.code == OK)
		return fail(ctx, ERR_UNAUTHORIZED, "token of an issuer that nobody here knows");
	return fail(ctx, first.code, "%s", first.detail);
}
