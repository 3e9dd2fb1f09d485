/* SPDX-License-Identifier: Apache-2.0 */
/* token.c - see token.h. */
#include "token.h"
#include "auth/auth.h"

#include "codec/json.h"
#include "codec/json_writer.h"
#include "codec/scope.h"
#include "crypto/jws.h"
#include "crypto/random.h"

#include "base/banned.h"

#define SECOND_US INT64_C(1000000)

static const char *const uses[] = {
	[TOKEN_ACCESS] = "access", [TOKEN_REFRESH] = "refresh", [TOKEN_LOGIN] = "login"
};

static void write_grant(struct json_writer *w, const struct grant *grant)
{
	json_write_object_begin(w, NULL);
	json_write_str(w, "type", grant->type);
	json_write_str(w, "name", grant->name);
	if (grant->project_id)
		json_write_i64(w, "project", grant->project_id);
	if (grant->inside.len)
		json_write_str(w, "inside", grant->inside);
	json_write_array_begin(w, "actions");
	str word;
	for (size_t at = 0; scope_action_next(grant->actions, &at, &word);)
		json_write_str(w, NULL, word);
	json_write_array_end(w);
	json_write_object_end(w);
}

err_t claims_write(struct ctx *ctx, const struct claims *claims, str *ret)
{
	char id[UUID_TEXT_LEN + 1];
	CLEANUP(buf_done) struct buf text = BUF_INIT(JWS_TOKEN_MAX);
	struct json_writer w = JSON_WRITER(&text);
	random_uuid(id);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "iss", STR(TOKEN_ISSUER));
	json_write_str(&w, "sub", claims->who.name);
	json_write_str(&w, "aud", STR(AUTH_SERVICE));
	json_write_i64(&w, "iat", claims->issued_s);
	json_write_i64(&w, "nbf", claims->issued_s);
	json_write_i64(&w, "exp", claims->expires_s);
	json_write_str(&w, "jti", str_from(id));
	json_write_str(&w, "use", str_from(uses[claims->use]));
	json_write_i64(&w, "knd", claims->who.subject);
	json_write_i64(&w, "uid", claims->who.id);
	json_write_i64(&w, "tid", claims->who.tenant_id);
	if (claims->use == TOKEN_ACCESS)
		json_write_i64(&w, "gti", claims->who.grants_tenant_id);
	json_write_i64(&w, "flg", claims->who.flags);
	json_write_i64(&w, "epo", claims->who.epoch);
	json_write_i64(&w, "pat", claims->who.access_token_id);
	if (claims->who.on_behalf_of.len) {
		json_write_str(&w, "vou", claims->who.issuer);
		json_write_str(&w, "obo", claims->who.on_behalf_of);
	}
	json_write_array_begin(&w, "access");
	for (size_t i = 0; i < claims->grant_count; i++)
		write_grant(&w, &claims->grants[i]);
	json_write_array_end(&w);
	json_write_object_end(&w);
	if (buf_overrun(&text))
		return fail(ctx, ERR_LIMIT, "claims of %zu grants do not fit", claims->grant_count);
	*ret = arena_copy(ctx->arena, buf_str(&text));
	return OK;
}

/* Absent and of another type are the same here: tokens of ours have every claim. */
static bool has_str(const struct json_value *object, const char *key, str *ret)
{
	return json_get_str(object, key, ret) == JSON_FOUND;
}

static bool is_str(const struct json_value *object, const char *key, str want)
{
	str have;
	return has_str(object, key, &have) && str_eq(have, want);
}

static bool read_grant(struct ctx *ctx, const struct json_value *from, struct grant *ret)
{
	const struct json_value *words;
	str type, name;
	if (!has_str(from, "type", &type) || !has_str(from, "name", &name) ||
	    json_get_array(from, "actions", &words) != JSON_FOUND)
		return false;
	int64_t project_id = 0;
	str inside = STR_NONE;
	if (json_get_i64(from, "project", &project_id) == JSON_WRONG ||
	    json_get_str(from, "inside", &inside) == JSON_WRONG)
		return false;
	*ret = (struct grant){ .type = arena_copy(ctx->arena, type),
			       .name = arena_copy(ctx->arena, name),
			       .project_id = project_id,
			       .inside = arena_copy(ctx->arena, inside) };
	for (size_t i = 0; i < json_count(words); i++)
		ret->actions |= scope_action_bit(json_value_str(json_element(words, i)));
	return true;
}

static bool read_grants(struct ctx *ctx, const struct json_value *root, struct claims *ret)
{
	const struct json_value *array;
	if (json_get_array(root, "access", &array) != JSON_FOUND)
		return false;
	size_t count = json_count(array);
	struct grant *grants = ARENA_ARRAY(ctx->arena, struct grant, count);
	for (size_t i = 0; i < count; i++)
		if (!read_grant(ctx, json_element(array, i), &grants[i]))
			return false;
	ret->grants = grants;
	ret->grant_count = count;
	return true;
}

/* In whose names it grants: another tenant's repository of the same name is another. */
static bool read_grants_tenant(const struct json_value *root, enum token_use use,
			       struct identity *ret)
{
	return use != TOKEN_ACCESS ||
	       json_get_i64(root, "gti", &ret->grants_tenant_id) == JSON_FOUND;
}

/* Who vouched and for whom, for the audit trail; only where somebody else did. */
static bool read_voucher(struct ctx *ctx, const struct json_value *root, struct identity *ret)
{
	str issuer = STR_NONE, subject = STR_NONE;
	if (json_get_str(root, "vou", &issuer) == JSON_WRONG ||
	    json_get_str(root, "obo", &subject) == JSON_WRONG)
		return false;
	ret->issuer = arena_copy(ctx->arena, issuer);
	ret->on_behalf_of = arena_copy(ctx->arena, subject);
	return true;
}

static bool read_identity(struct ctx *ctx, const struct json_value *root, struct identity *ret)
{
	str name;
	int64_t subject, flags;
	if (!has_str(root, "sub", &name) || json_get_i64(root, "knd", &subject) != JSON_FOUND ||
	    json_get_i64(root, "uid", &ret->id) != JSON_FOUND ||
	    json_get_i64(root, "tid", &ret->tenant_id) != JSON_FOUND ||
	    json_get_i64(root, "flg", &flags) != JSON_FOUND ||
	    json_get_i64(root, "epo", &ret->epoch) != JSON_FOUND ||
	    json_get_i64(root, "pat", &ret->access_token_id) != JSON_FOUND ||
	    subject < SUBJECT_ANONYMOUS || subject > SUBJECT_ROBOT)
		return false;
	ret->subject = (enum subject)subject;
	ret->flags = (unsigned)flags;
	ret->name = arena_copy(ctx->arena, name);
	return read_voucher(ctx, root, ret);
}

static err_t check_times(struct ctx *ctx, const struct json_value *root, int64_t now_us,
			 struct claims *ret)
{
	int64_t not_before_s;
	if (json_get_i64(root, "iat", &ret->issued_s) != JSON_FOUND ||
	    json_get_i64(root, "nbf", &not_before_s) != JSON_FOUND ||
	    json_get_i64(root, "exp", &ret->expires_s) != JSON_FOUND)
		return fail(ctx, ERR_UNAUTHORIZED, "token without times");
	int64_t now_s = now_us / SECOND_US; /* whole seconds: no product that could overflow */
	if (ret->expires_s <= now_s)
		return fail(ctx, ERR_UNAUTHORIZED, "token has expired");
	if (not_before_s > now_s + TOKEN_NOT_YET_LEEWAY_S)
		return fail(ctx, ERR_UNAUTHORIZED, "token is not valid yet");
	return OK;
}

err_t claims_read(struct ctx *ctx, str text, enum token_use use, int64_t now_us, struct claims *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	struct claims claims = { .use = use };

	if (!json_parse(text, JSON_LIMITS_SMALL, &doc, &problem))
		return fail(ctx, ERR_UNAUTHORIZED, "claims: " JSON_PROBLEM_FMT,
			    JSON_PROBLEM_ARG(problem));
	if (!is_str(doc.root, "iss", STR(TOKEN_ISSUER)) ||
	    !is_str(doc.root, "aud", STR(AUTH_SERVICE)))
		return fail(ctx, ERR_UNAUTHORIZED, "token is for somebody else");
	if (!is_str(doc.root, "use", str_from(uses[use])))
		return fail(ctx, ERR_UNAUTHORIZED, "not a token for %s", uses[use]);
	TRY(check_times(ctx, doc.root, now_us, &claims));
	if (!read_identity(ctx, doc.root, &claims.who) ||
	    !read_grants_tenant(doc.root, use, &claims.who) || !read_grants(ctx, doc.root, &claims))
		return fail(ctx, ERR_UNAUTHORIZED, "claims are malformed");
	*ret = claims;
	return OK;
}
