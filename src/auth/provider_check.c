/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider_check.c - see identity_provider_check(): what a provider's settings must be before it is
 * asked about anybody. A disabled one may be half filled in: people configure in steps.
 */
#include "auth/directory.h"
#include "auth/jwks.h"
#include "auth/keystone.h"
#include "ldap_library.h"
#include "provider_internal.h"

#include "codec/regex.h"

#include "base/banned.h"

#define URL_MAX KIB(2)

static err_t must(struct ctx *ctx, bool holds, const char *what)
{
	return holds ? OK : fail(ctx, ERR_REQUEST_INVALID, "%s", what);
}

static err_t check_pattern(struct ctx *ctx, str pattern)
{
	char why[REGEX_WHY_MAX];
	CLEANUP(regex_done) struct regex *regex = NULL;
	if (!regex_compile(pattern, &regex, why))
		return fail(ctx, ERR_REQUEST_INVALID, "group filter: %s", why);
	return OK;
}

static err_t check_parameters(struct ctx *ctx, str text)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	if (!text.len)
		return OK;
	return must(ctx,
		    json_parse(text, JSON_LIMITS_SMALL, &doc, &problem) &&
			    json_value_is_str_map(doc.root),
		    "extra redirect parameters are not a JSON object of strings");
}

static err_t check_url(struct ctx *ctx, const struct identity_provider *p,
		       enum provider_setting url, enum provider_setting verify)
{
	str text = provider_text(p, url);
	if (!text.len && !p->enabled)
		return OK;
	return must(ctx, text.len <= URL_MAX && jwks_url_is_safe(text, !provider_bool(p, verify)),
		    "the provider's URL is not https (or http to this machine)");
}

static err_t check_oidc(struct ctx *ctx, const struct identity_provider *p)
{
	TRY(check_url(ctx, p, PROVIDER_OIDC_ENDPOINT, PROVIDER_OIDC_VERIFY_CERT));
	TRY(check_pattern(ctx, provider_text(p, PROVIDER_OIDC_GROUP_FILTER)));
	TRY(check_parameters(ctx, provider_text(p, PROVIDER_OIDC_EXTRA)));
	return must(ctx, !p->enabled || provider_text(p, PROVIDER_OIDC_CLIENT_ID).len,
		    "the client id is missing");
}

static err_t check_ldap(struct ctx *ctx, const struct identity_provider *p)
{
	str url = provider_text(p, PROVIDER_LDAP_URL);
	TRY(ldap_library_open(ctx)); /* else every name would be called none */
	TRY(must(ctx, !p->enabled || url.len, "the LDAP server's URL is missing"));
	TRY(directory_check(ctx, p));
	TRY(must(ctx, !p->enabled || provider_text(p, PROVIDER_LDAP_UID).len,
		 "the attribute of user names is missing"));
	TRY(must(ctx, provider_i64(p, PROVIDER_LDAP_SCOPE) <= 2, "ldap scope is not 0, 1 or 2"));
	return must(ctx, provider_i64(p, PROVIDER_LDAP_GROUP_SCOPE) <= 2,
		    "ldap group scope is not 0, 1 or 2");
}

static err_t check_keystone(struct ctx *ctx, const struct identity_provider *p)
{
	TRY(check_url(ctx, p, PROVIDER_KEYSTONE_URL, PROVIDER_KEYSTONE_VERIFY_CERT));
	return keystone_check_roles(ctx, provider_text(p, PROVIDER_KEYSTONE_ROLES));
}

err_t identity_provider_check(struct ctx *ctx, const struct identity_provider *p)
{
	static err_t (*const checks[PROVIDER_KIND_COUNT])(struct ctx *,
							  const struct identity_provider *) = {
		[PROVIDER_OIDC] = check_oidc,
		[PROVIDER_LDAP] = check_ldap,
		[PROVIDER_KEYSTONE] = check_keystone,
	};
	TRY(must(ctx,
		 p->name.len && p->name.len <= PROVIDER_NAME_MAX && str_is_utf8(p->name) &&
			 !str_has_byte(p->name, '\0'),
		 "the provider's name is empty, too long or no text"));
	return checks[p->kind](ctx, p);
}
