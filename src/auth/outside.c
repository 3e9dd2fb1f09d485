/* SPDX-License-Identifier: Apache-2.0 */
/* outside.c - see outside.h. */
#include "auth/outside.h"

#include "base/mem.h"
#include "crypto/jwt.h"

#include "base/banned.h"

#define CONNECT_TIMEOUT_MS 3000
#define REQUEST_TIMEOUT_MS 10000

static void outside_done(struct outside **outside)
{
	outside_free(*outside);
}

err_t outside_new(struct ctx *ctx, const struct outside_options *options, struct outside **ret)
{
	CLEANUP(outside_done) struct outside *outside = NEW(struct outside);
	turns_init(&outside->turns, options->threads_max);
	const struct outbound_options outbound = {
		.tenants_allow = options->tenants_allow,
		.client = { .purpose = CLIENT_FOR_IDENTITY,
			    .connect_timeout_ms = CONNECT_TIMEOUT_MS,
			    .request_timeout_ms = REQUEST_TIMEOUT_MS },
	};
	TRY(outbound_new(ctx, &outbound, &outside->outbound));
	outside->jwks = jwks_new(&(struct jwks_options){ .outbound = outside->outbound });
	outside->oidc = oidc_new(outside->outbound, outside->jwks, options->master);
	outside->keystone = keystone_new(outside->outbound, 0);
	outside->directory = directory_new(outside->outbound);
	outside->providers = (struct identity_providers){ .db = options->db,
							  .master = options->master,
							  .outbound = outside->outbound };
	*ret = take(outside);
	return OK;
}

void outside_free(struct outside *outside)
{
	if (!outside)
		return;
	directory_free(outside->directory);
	keystone_free(outside->keystone);
	oidc_free(outside->oidc);
	jwks_free(outside->jwks);
	outbound_free(outside->outbound);
	turns_done(&outside->turns);
	free(outside);
}

/* --- passwords ------------------------------------------------------------------------------ */

struct name_and_password {
	str user, password;
};

static err_t ask_keystone(struct ctx *ctx, struct outside *outside,
			  const struct identity_provider *provider,
			  const struct name_and_password *credentials, struct external_user *ret)
{
	return keystone_identify(ctx, outside->keystone, provider, credentials->user,
				 credentials->password, ret);
}

static err_t ask_directory(struct ctx *ctx, struct outside *outside,
			   const struct identity_provider *provider,
			   const struct name_and_password *credentials, struct external_user *ret)
{
	return directory_identify(ctx, outside->directory, provider, credentials->user,
				  credentials->password, ret);
}

/* How each kind is asked about a password; those without know none. */
static err_t (*const by_password[PROVIDER_KIND_COUNT])(struct ctx *, struct outside *,
						       const struct identity_provider *,
						       const struct name_and_password *,
						       struct external_user *) = {
	[PROVIDER_LDAP] = ask_directory,
	[PROVIDER_KEYSTONE] = ask_keystone,
};

static err_t ask(struct ctx *ctx, struct outside *outside, const struct identity_provider *provider,
		 const struct name_and_password *credentials, struct external_user *ret)
{
	CLEANUP(turn_done) struct turn turn = TURN_INIT;
	const struct asked asked = { provider->tenant_id, provider->id };
	TRY(turn_take(ctx, &outside->turns, asked, &turn));
	return by_password[provider->kind](ctx, outside, provider, credentials, ret);
}

err_t outside_identify_password(struct ctx *ctx, struct outside *outside, int64_t tenant_id,
				str user, str password, struct external_user *ret)
{
	const struct name_and_password credentials = { user, password };
	struct identity_provider *list;
	struct failure first = { .code = OK };
	size_t count;
	TRY(identity_provider_list(ctx, &outside->providers, tenant_id, true, &list, &count));
	for (size_t i = 0; i < count; i++) {
		if (!by_password[list[i].kind])
			continue;
		err_t err = ask(ctx, outside, &list[i], &credentials, ret);
		if (err == OK || err == ERR_UNAUTHORIZED)
			return err;
		if (err != ERR_ABSENT && first.code == OK)
			first = ctx->failure;
		ctx_forgive(ctx);
	}
	if (first.code == OK)
		return ERR_ABSENT;
	return fail(ctx, first.code, "%s", first.detail);
}

err_t outside_identify_bearer(struct ctx *ctx, struct outside *outside, int64_t tenant_id,
			      str token, struct external_user *ret)
{
	struct identity_provider *list;
	size_t count;
	if (!jwt_looks_like_one(token))
		return ERR_ABSENT;
	TRY(identity_provider_list(ctx, &outside->providers, tenant_id, true, &list, &count));
	CLEANUP(turn_done) struct turn turn = TURN_INIT;
	TRY(turn_take(ctx, &outside->turns, (struct asked){ tenant_id, 0 }, &turn));
	return oidc_identify(ctx, outside->oidc, list, count, token, ret);
}
