/* SPDX-License-Identifier: Apache-2.0 */
/* keystone.c - see keystone.h. */
#include "auth/keystone.h"

#include "base/cache.h"
#include "base/clock.h"
#include "base/mem.h"
#include "crypto/hmac.h"
#include "crypto/random.h"

#include <string.h>

#include "base/banned.h"

#define KEY_BYTES	     32
#define CACHE_BYTES_MAX	     MIB(4)
#define NAME_BYTES_MAX	     255
#define CREDENTIAL_PREFIX    "applicationcredential-"
#define CREDENTIAL_BYTES_MAX 64
#define ANSWER_BYTES_MAX     KIB(256)
#define REQUEST_BYTES_MAX    KIB(8)
#define REMEMBER_S_MAX	     3600

struct keystone {
	const struct outbound *outbound;
	struct cache *cache;	   /* keyed hash of who and secret: the body of Keystone's answer */
	char cache_key[KEY_BYTES]; /* of this process only */
};

struct keystone *keystone_new(const struct outbound *outbound, size_t cache_bytes_max)
{
	struct keystone *keystone = NEW(struct keystone);
	keystone->outbound = outbound;
	keystone->cache = cache_new(cache_bytes_max ? cache_bytes_max : CACHE_BYTES_MAX);
	random_bytes(keystone->cache_key, sizeof keystone->cache_key);
	return keystone;
}

void keystone_free(struct keystone *keystone)
{
	if (!keystone)
		return;
	cache_free(keystone->cache);
	explicit_bzero(keystone->cache_key, sizeof keystone->cache_key);
	free(keystone);
}

/* --- names ---------------------------------------------------------------------------------- */

static bool is_credential_id(str text)
{
	if (text.len == 0 || text.len > CREDENTIAL_BYTES_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool fits = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			    (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
		if (!fits)
			return false;
	}
	return true;
}

bool keystone_name_parse(str text, str default_domain, struct keystone_name *ret)
{
	struct keystone_name name = { .user_domain = default_domain };
	str prefix = STR(CREDENTIAL_PREFIX), user, project;
	if (str_has_prefix(text, prefix)) {
		*ret = (struct keystone_name){ .credential_id = str_skip(text, prefix.len) };
		return is_credential_id(ret->credential_id);
	}
	if (text.len > 4 * NAME_BYTES_MAX || !str_cut(text, '/', &user, &project) ||
	    str_has_byte(project, '/'))
		return false;
	/* The last @: names of users may be addresses. */
	name.user = user;
	name.project = project;
	(void)str_cut_last(user, '@', &name.user, &name.user_domain);
	if (!str_cut_last(project, '@', &name.project, &name.project_domain))
		name.project_domain = name.user_domain;
	if (!name.user.len || !name.user_domain.len || !name.project.len ||
	    !name.project_domain.len)
		return false;
	*ret = name;
	return true;
}

/* --- asking --------------------------------------------------------------------------------- */

static void write_named(struct json_writer *w, const char *key, str name, str domain)
{
	json_write_object_begin(w, key);
	json_write_str(w, "name", name);
	json_write_object_begin(w, "domain");
	json_write_str(w, "name", domain);
	json_write_object_end(w);
}

static void write_password(struct json_writer *w, const struct keystone_name *name, str password)
{
	json_write_object_begin(w, "identity");
	json_write_array_begin(w, "methods");
	json_write_str(w, NULL, STR("password"));
	json_write_array_end(w);
	json_write_object_begin(w, "password");
	write_named(w, "user", name->user, name->user_domain);
	json_write_str(w, "password", password);
	json_write_object_end(w);
	json_write_object_end(w);
	json_write_object_end(w);
	json_write_object_begin(w, "scope");
	write_named(w, "project", name->project, name->project_domain);
	json_write_object_end(w);
	json_write_object_end(w);
}

static void write_credential(struct json_writer *w, str id, str secret)
{
	json_write_object_begin(w, "identity");
	json_write_array_begin(w, "methods");
	json_write_str(w, NULL, STR("application_credential"));
	json_write_array_end(w);
	json_write_object_begin(w, "application_credential");
	json_write_str(w, "id", id);
	json_write_str(w, "secret", secret);
	json_write_object_end(w);
	json_write_object_end(w);
}

static void write_request(struct buf *b, const struct keystone_name *name, str password)
{
	struct json_writer w = JSON_WRITER(b);
	json_write_object_begin(&w, NULL);
	json_write_object_begin(&w, "auth");
	if (name->credential_id.len)
		write_credential(&w, name->credential_id, password);
	else
		write_password(&w, name, password);
	json_write_object_end(&w);
	json_write_object_end(&w);
}

static str token_url(struct ctx *ctx, const struct identity_provider *provider)
{
	str base = provider_text(provider, PROVIDER_KEYSTONE_URL);
	while (str_has_suffix(base, STR("/")))
		base = str_take(base, base.len - 1);
	const char *version = str_has_suffix(base, STR("/v3")) ? "" : "/v3";
	return arena_printf(ctx->arena, STR_FMT "%s/auth/tokens?nocatalog", STR_ARG(base), version);
}

/* Keystone's own words, and not some other server's: `{"error": {"code": 404, …}}`. */
static bool is_keystones_not_found(const struct client_response *answer)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	int64_t code;
	return json_parse(answer->body, JSON_LIMITS_SMALL, &doc, &problem) &&
	       json_get_i64(json_member(doc.root, "error"), "code", &code) == JSON_FOUND &&
	       code == 404;
}

static err_t judge(struct ctx *ctx, const struct client_response *answer, bool is_credential)
{
	/* An application credential that does not exist is not found, where a user is unauthorized.
	 */
	if (is_credential && answer->status == 404 && is_keystones_not_found(answer))
		return fail(ctx, ERR_UNAUTHORIZED, "keystone: no such application credential");
	switch (answer->status) {
	case 201:
		return OK;
	case 401:
		if (client_response_field(answer, STR("Openstack-Auth-Receipt")).len)
			return fail(ctx, ERR_UNAUTHORIZED, "keystone: wants a second factor");
		return fail(ctx, ERR_UNAUTHORIZED, "keystone: credentials are wrong");
	case 400:
	case 403:
		return fail(ctx, ERR_UNAUTHORIZED, "keystone: answers %d", answer->status);
	case 429:
		ctx->retry_after_s = client_response_retry_after_s(answer);
		return fail(ctx, ERR_TOO_MANY_REQUESTS, "keystone: too many requests");
	default:
		return fail(ctx,
			    answer->status >= 500 ? ERR_UPSTREAM_UNREACHABLE : ERR_UPSTREAM_INVALID,
			    "keystone: answers %d", answer->status);
	}
}

static err_t ask(struct ctx *ctx, struct keystone *keystone,
		 const struct identity_provider *provider, const struct keystone_name *name,
		 str password, str *ret_body)
{
	static const struct client_field fields[] = {
		{ STR_INIT("Content-Type"), STR_INIT("application/json") },
		{ STR_INIT("Accept"), STR_INIT("application/json") },
	};
	CLEANUP(buf_done) struct buf body = BUF_INIT(REQUEST_BYTES_MAX);
	struct client_response answer;
	write_request(&body, name, password);
	if (buf_overrun(&body))
		return fail(ctx, ERR_UNAUTHORIZED, "keystone: name or password too long");
	struct client_request request = {
		.method = "POST",
		.url = token_url(ctx, provider),
		.fields = fields,
		.field_count = COUNT_OF(fields),
		.body = buf_str(&body),
		.response_bytes_max = ANSWER_BYTES_MAX,
		.timeout_ms =
			(int)MIN(provider_i64(provider, PROVIDER_KEYSTONE_TIMEOUT_S), 60) * 1000,
		.ca_pem = provider_text(provider, PROVIDER_KEYSTONE_CA),
		.skip_verify = !provider_bool(provider, PROVIDER_KEYSTONE_VERIFY_CERT),
	};
	err_t err = outbound_send(ctx, keystone->outbound, provider->tenant_id, &request, &answer);
	explicit_bzero(body.ptr, body.len);
	TRY_CTX(ctx, err, "keystone");
	TRY(judge(ctx, &answer, name->credential_id.len > 0));
	*ret_body = answer.body;
	return OK;
}

/* --- what it answers ------------------------------------------------------------------------ */

/* Text of the member of a member, copied; false when it is not there. */
static bool inner_text(struct ctx *ctx, const struct json_value *object, const char *key, str *ret)
{
	str text;
	if (json_get_str(object, key, &text) != JSON_FOUND || !text.len)
		return false;
	*ret = arena_copy(ctx->arena, text);
	return true;
}

struct scope {
	str project, project_id, domain, domain_id;
};

static bool read_scope(struct ctx *ctx, const struct json_value *token, struct scope *ret)
{
	const struct json_value *project = json_member(token, "project");
	const struct json_value *domain = json_member(project, "domain");
	return inner_text(ctx, project, "name", &ret->project) &&
	       inner_text(ctx, project, "id", &ret->project_id) &&
	       inner_text(ctx, domain, "name", &ret->domain) &&
	       inner_text(ctx, domain, "id", &ret->domain_id);
}

/* Puts the scope's names into a pattern, so that none of their bytes means anything in it. */
static str fill_pattern(struct ctx *ctx, str pattern, const struct scope *scope)
{
	const struct {
		str word, value;
	} words[] = { { STR("{project}"), scope->project },
		      { STR("{project_id}"), scope->project_id },
		      { STR("{domain}"), scope->domain },
		      { STR("{domain_id}"), scope->domain_id } };
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
	while (pattern.len) {
		size_t i = 0;
		while (i < COUNT_OF(words) && !str_has_prefix(pattern, words[i].word))
			i++;
		if (i == COUNT_OF(words)) {
			buf_add_byte(&b, pattern.ptr[0]);
			pattern = str_skip(pattern, 1);
			continue;
		}
		for (size_t n = 0; n < words[i].value.len; n++) {
			if (strchr("*?[]{},\\!^", words[i].value.ptr[n]))
				buf_add_byte(&b, '\\');
			buf_add_byte(&b, words[i].value.ptr[n]);
		}
		pattern = str_skip(pattern, words[i].word.len);
	}
	return buf_overrun(&b) ? STR_NONE : arena_copy(ctx->arena, buf_str(&b));
}

static bool role_parse(str name, enum project_role *ret)
{
	for (int id = PROJECT_ADMIN; id <= PROJECT_LIMITED_GUEST; id++)
		if (str_eq(name, str_from(project_role_name((enum project_role)id)))) {
			*ret = (enum project_role)id;
			return true;
		}
	return false;
}

struct mapping {
	str keystone_role, project;
	enum project_role role;
};

static bool read_mapping(const struct json_value *from, struct mapping *ret)
{
	str role;
	return json_get_str(from, "keystone_role", &ret->keystone_role) == JSON_FOUND &&
	       ret->keystone_role.len &&
	       json_get_str(from, "project", &ret->project) == JSON_FOUND && ret->project.len &&
	       json_get_str(from, "role", &role) == JSON_FOUND && role_parse(role, &ret->role);
}

static bool has_role(const struct json_value *roles, str name)
{
	str have;
	for (size_t i = 0; i < json_count(roles); i++)
		if (json_get_str(json_element(roles, i), "name", &have) == JSON_FOUND &&
		    str_eq_nocase(have, name)) /* Keystone's names of roles ignore case */
			return true;
	return false;
}

static err_t map_roles(struct ctx *ctx, str setting, const struct json_value *roles,
		       const struct scope *scope, struct external_user *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	if (!json_parse(setting, JSON_LIMITS_SMALL, &doc, &problem))
		return fail(ctx, ERR_CONFIG, "keystone: the mapping of roles does not parse");
	size_t count = json_count(doc.root);
	struct external_role *found = ARENA_ARRAY(ctx->arena, struct external_role, count);
	for (size_t i = 0; i < count; i++) {
		struct mapping mapping;
		if (!read_mapping(json_element(doc.root, i), &mapping) ||
		    !has_role(roles, mapping.keystone_role))
			continue;
		str glob = fill_pattern(ctx, mapping.project, scope);
		if (glob.len)
			found[ret->role_count++] = (struct external_role){ glob, mapping.role };
	}
	ret->roles = found;
	return OK;
}

static err_t read_answer(struct ctx *ctx, const struct identity_provider *provider, str body,
			 struct external_user *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	const struct json_value *roles;
	struct scope scope;
	struct external_user user = { .kind = PROVIDER_KEYSTONE,
				      .provider_id = provider->id,
				      .tenant_id = provider->tenant_id,
				      .issuer = provider_text(provider, PROVIDER_KEYSTONE_URL),
				      .may_onboard = true };
	if (!json_parse(body, JSON_LIMITS_SMALL, &doc, &problem))
		return fail(ctx, ERR_UPSTREAM_INVALID, "keystone: " JSON_PROBLEM_FMT,
			    JSON_PROBLEM_ARG(problem));
	const struct json_value *token = json_member(doc.root, "token");
	const struct json_value *person = json_member(token, "user");
	if (!inner_text(ctx, person, "id", &user.subject) ||
	    !inner_text(ctx, person, "name", &user.name) ||
	    json_get_array(token, "roles", &roles) != JSON_FOUND || !read_scope(ctx, token, &scope))
		return fail(ctx, ERR_UPSTREAM_INVALID, "keystone: no token of a project");
	TRY(map_roles(ctx, provider_text(provider, PROVIDER_KEYSTONE_ROLES), roles, &scope, &user));
	*ret = user;
	return OK;
}

err_t keystone_check_roles(struct ctx *ctx, str roles)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	struct mapping mapping;
	if (!json_parse(roles, JSON_LIMITS_SMALL, &doc, &problem) || !json_value_is_array(doc.root))
		return fail(ctx, ERR_REQUEST_INVALID, "roles are no array");
	for (size_t i = 0; i < json_count(doc.root); i++)
		if (!read_mapping(json_element(doc.root, i), &mapping))
			return fail(ctx, ERR_REQUEST_INVALID,
				    "roles: entry %zu lacks keystone_role, project or role", i);
	return OK;
}

/* --- the call ------------------------------------------------------------------------------- */

/* Lengths in front, so that no name and password together look like another pair. */
static str cache_key_of(struct ctx *ctx, const struct keystone *keystone,
			const struct identity_provider *provider, str user, str password)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(16));
	char *mac = arena_alloc(ctx->arena, HMAC_SHA256_BYTES);
	buf_printf(&b, "%lld %zu %zu ", (long long)provider->id, user.len, password.len);
	buf_add(&b, provider_text(provider, PROVIDER_KEYSTONE_URL));
	buf_add(&b, provider_text(provider, PROVIDER_KEYSTONE_DOMAIN));
	buf_add_byte(&b, '\0');
	buf_add(&b, user);
	buf_add(&b, password);
	hmac_sha256((str){ keystone->cache_key, KEY_BYTES }, buf_str(&b), (unsigned char *)mac);
	bool whole = !buf_overrun(&b);
	explicit_bzero(b.ptr, b.len);
	return whole ? (str){ mac, HMAC_SHA256_BYTES } : STR_NONE;
}

static err_t ask_and_remember(struct ctx *ctx, struct keystone *keystone,
			      const struct identity_provider *provider,
			      const struct keystone_name *name, str password, str key,
			      struct external_user *ret)
{
	uint64_t ticket = cache_ticket(keystone->cache, key);
	str body;
	TRY(ask(ctx, keystone, provider, name, password, &body));
	TRY(read_answer(ctx, provider, body, ret));
	int64_t remember_s =
		MIN(provider_i64(provider, PROVIDER_KEYSTONE_REMEMBER_S), REMEMBER_S_MAX);
	if (remember_s > 0)
		cache_put(cache_fill(keystone->cache, key, ticket, body,
				     clock_now_ns() + remember_s * CLOCK_S));
	return OK;
}

err_t keystone_identify(struct ctx *ctx, struct keystone *keystone,
			const struct identity_provider *provider, str user, str password,
			struct external_user *ret)
{
	struct keystone_name name;
	if (!keystone_name_parse(user, provider_text(provider, PROVIDER_KEYSTONE_DOMAIN), &name))
		return ERR_ABSENT;
	if (!password.len || !str_is_utf8(password) || !str_is_utf8(user))
		return fail(ctx, ERR_UNAUTHORIZED, "keystone: no password, or no text");
	str key = cache_key_of(ctx, keystone, provider, user, password);
	if (!key.len)
		return fail(ctx, ERR_UNAUTHORIZED, "keystone: name or password too long");
	CLEANUP(cache_value_done) struct cache_value *known = cache_get(keystone->cache, key);
	if (known)
		TRY(read_answer(ctx, provider, known->bytes, ret));
	else
		TRY(ask_and_remember(ctx, keystone, provider, &name, password, key, ret));
	if (name.credential_id.len)
		ret->on_behalf_of = arena_copy(ctx->arena, user);
	return OK;
}
