/* SPDX-License-Identifier: Apache-2.0 */
/* oidc_claims.c - from claims to a person, merged as Harbor merges them; see oidc.h. */
#include "oidc_internal.h"

#include "codec/regex.h"

#include <string.h>

#include "base/banned.h"

#define NAME_BYTES_MAX	255
#define GROUP_BYTES_MAX 255

/* A text claim without its blanks around, copied; empty when absent, of another type, or too long.
 */
static str text_of(struct ctx *ctx, const struct json_value *claims, const char *name)
{
	str text;
	if (!claims || json_get_str(claims, name, &text) != JSON_FOUND)
		return STR_NONE;
	text = str_trim(text);
	return text.len <= NAME_BYTES_MAX ? arena_copy(ctx->arena, text) : STR_NONE;
}

/* A claim by the name that an administrator wrote, which may be any bytes. */
static str configured_text(struct ctx *ctx, const struct json_value *claims, str name)
{
	return name.len ? text_of(ctx, claims, arena_cstr(ctx->arena, name)) : STR_NONE;
}

static str first_of(const str *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (texts[i].len)
			return texts[i];
	return STR_NONE;
}

/* Harbor's order; then what providers say that have no `name`. Blanks become `_`. */
static str choose_name(struct ctx *ctx, const struct identity_provider *provider,
		       const struct json_value *id_token, const struct json_value *userinfo)
{
	str claim = provider_text(provider, PROVIDER_OIDC_USER_CLAIM);
	const str names[] = {
		configured_text(ctx, userinfo, claim),
		configured_text(ctx, id_token, claim),
		text_of(ctx, userinfo, "name"),
		text_of(ctx, id_token, "name"),
		text_of(ctx, userinfo, "preferred_username"),
		text_of(ctx, id_token, "preferred_username"),
	};
	str name = first_of(names, COUNT_OF(names));
	char *copy = arena_cstr(ctx->arena, name);
	for (size_t i = 0; i < name.len; i++)
		if (copy[i] == ' ' || copy[i] == '\t')
			copy[i] = '_';
	return (str){ copy, name.len };
}

/* --- groups --------------------------------------------------------------------------------- */

struct groups {
	str *names;
	size_t count;
};

static err_t add_group(struct ctx *ctx, const struct json_value *value, struct groups *groups)
{
	str name = str_trim(json_value_str(value));
	if (!json_value_is_str(value) || !name.len || name.len > GROUP_BYTES_MAX)
		return OK;
	if (groups->count == EXTERNAL_GROUPS_MAX)
		return fail(ctx, ERR_UNAUTHORIZED, "oidc: more than %d groups",
			    EXTERNAL_GROUPS_MAX);
	groups->names[groups->count++] = arena_copy(ctx->arena, name);
	return OK;
}

static bool has_groups(const struct json_value *claims, const char *claim)
{
	const struct json_value *value = claims ? json_member(claims, claim) : NULL;
	return json_value_is_array(value) || json_value_is_str(value);
}

static err_t read_groups(struct ctx *ctx, const struct identity_provider *provider,
			 const struct json_value *id_token, const struct json_value *userinfo,
			 struct groups *ret)
{
	str claim = provider_text(provider, PROVIDER_OIDC_GROUPS_CLAIM);
	if (!claim.len)
		return OK;
	const char *name = arena_cstr(ctx->arena, claim);
	const struct json_value *from = has_groups(userinfo, name) ? userinfo : id_token;
	const struct json_value *value = json_member(from, name);
	ret->names = ARENA_ARRAY(ctx->arena, str, MIN(json_count(value), EXTERNAL_GROUPS_MAX) + 1);
	if (json_value_is_str(value))
		return add_group(ctx, value, ret);
	for (size_t i = 0; json_value_is_array(value) && i < json_count(value); i++)
		TRY(add_group(ctx, json_element(value, i), ret));
	return OK;
}

static bool groups_have(const struct groups *groups, str name)
{
	for (size_t i = 0; i < groups->count; i++)
		if (str_eq(groups->names[i], name))
			return true;
	return false;
}

static err_t filter_groups(struct ctx *ctx, str pattern, struct groups *groups)
{
	char why[REGEX_WHY_MAX];
	CLEANUP(regex_done) struct regex *regex = NULL;
	if (!pattern.len)
		return OK;
	if (!regex_compile(pattern, &regex, why))
		return fail(ctx, ERR_CONFIG, "oidc: group filter: %s", why);
	size_t kept = 0;
	for (size_t i = 0; i < groups->count; i++)
		if (regex_matches(regex, groups->names[i]))
			groups->names[kept++] = groups->names[i];
	groups->count = kept;
	return OK;
}

/* --- the person ----------------------------------------------------------------------------- */

err_t oidc_read_person(struct ctx *ctx, const struct identity_provider *provider,
		       const struct json_value *id_token, const struct json_value *userinfo,
		       struct external_user *ret)
{
	struct external_user user = { .provider_id = provider->id,
				      .tenant_id = provider->tenant_id,
				      .issuer = provider_text(provider, PROVIDER_OIDC_ENDPOINT) };
	struct groups groups = { 0 };
	str said;

	user.subject = text_of(ctx, id_token, "sub");
	if (!user.subject.len)
		return fail(ctx, ERR_UNAUTHORIZED, "oidc: token without a subject");
	if (userinfo &&
	    (json_get_str(userinfo, "sub", &said) != JSON_FOUND || !str_eq(said, user.subject)))
		return fail(ctx, ERR_UNAUTHORIZED, "oidc: userinfo is about somebody else");
	user.name = choose_name(ctx, provider, id_token, userinfo);
	const str emails[] = { text_of(ctx, userinfo, "email"), text_of(ctx, id_token, "email") };
	const str names[] = { text_of(ctx, userinfo, "name"), text_of(ctx, id_token, "name") };
	user.email = first_of(emails, COUNT_OF(emails));
	user.real_name = first_of(names, COUNT_OF(names));

	TRY(read_groups(ctx, provider, id_token, userinfo, &groups));
	str admins = provider_text(provider, PROVIDER_OIDC_ADMIN_GROUP);
	user.is_admin = admins.len && groups_have(&groups, admins);
	TRY(filter_groups(ctx, provider_text(provider, PROVIDER_OIDC_GROUP_FILTER), &groups));
	user.groups = groups.names;
	user.group_count = groups.count;
	user.may_onboard = provider_bool(provider, PROVIDER_OIDC_AUTO_ONBOARD);
	*ret = user;
	return OK;
}
