/* SPDX-License-Identifier: Apache-2.0 */
/* jwks.c - see jwks.h. */
#include "auth/jwks.h"

#include "base/clock.h"
#include "base/mem.h"
#include "codec/cidr.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "os/thread.h"

#include <stdio.h>

#include "base/banned.h"

#define DISCOVERY_PATH	    "/.well-known/openid-configuration"
#define DISCOVERY_BYTES_MAX KIB(64)

/* The members of the document that we use, in the order of struct jwks_metadata. */
static const struct {
	const char *name;
	size_t offset;
} endpoints[] = {
	{ "authorization_endpoint", offsetof(struct jwks_metadata, authorization_endpoint) },
	{ "token_endpoint", offsetof(struct jwks_metadata, token_endpoint) },
	{ "userinfo_endpoint", offsetof(struct jwks_metadata, userinfo_endpoint) },
	{ "end_session_endpoint", offsetof(struct jwks_metadata, end_session_endpoint) },
	{ "revocation_endpoint", offsetof(struct jwks_metadata, revocation_endpoint) },
	{ "device_authorization_endpoint",
	  offsetof(struct jwks_metadata, device_authorization_endpoint) },
};

/* What was learnt from an issuer at one time. */
struct document {
	struct jwk_set *keys;
	char *endpoints[COUNT_OF(endpoints)]; /* NULL: not said */
	bool secret_in_body;
};

struct entry {
	struct entry *next;
	char *key;
	struct document document;
	int64_t fetched_ns; /* 0: never */
	int64_t tried_ns;
	int64_t used_ns;
	bool fetching;
	struct failure failure; /* of the last try, when it failed */
};

struct jwks {
	struct jwks_options options;
	pthread_mutex_t lock; /* guards the entries */
	pthread_cond_t fetched;
	struct entry *entries;
	unsigned count;
};

/* --- documents ------------------------------------------------------------------------------ */

static void document_done(struct document *document)
{
	jwk_set_put(&document->keys);
	for (size_t i = 0; i < COUNT_OF(endpoints); i++)
		free(document->endpoints[i]);
	*document = (struct document){ 0 };
}

static bool is_this_machine(str host)
{
	char text[IP_TEXT_MAX];
	ip address;
	if (str_eq(host, STR("localhost")))
		return true;
	if (!ip_parse_with_port(host, &address))
		return false;
	str plain = ip_format(address, text);
	return str_has_prefix(plain, STR("127.")) || str_eq(plain, STR("::1"));
}

bool jwks_url_is_safe(str url, bool skip_verify)
{
	str rest = url, host;
	if (!client_url_is_valid(url))
		return false;
	if (skip_verify || str_has_prefix(url, STR("https://")))
		return true;
	rest = str_skip(rest, sizeof "http://" - 1);
	if (!str_next(&rest, '/', &host))
		return false;
	str name, port;
	bool has_port = !str_has_suffix(host, STR("]")) && str_cut_last(host, ':', &name, &port);
	return is_this_machine(has_port ? name : host);
}

static err_t ask(struct ctx *ctx, struct jwks *jwks, const struct jwks_issuer *issuer, str url,
		 size_t bytes_max, str *ret_body)
{
	static const struct client_field accept = { STR_INIT("Accept"),
						    STR_INIT("application/json") };
	struct client_response answer;
	struct client_request request = { .method = "GET",
					  .url = url,
					  .fields = &accept,
					  .field_count = 1,
					  .response_bytes_max = bytes_max,
					  .timeout_ms = jwks->options.timeout_ms,
					  .ca_pem = issuer->ca_pem,
					  .skip_verify = issuer->skip_verify };
	if (!jwks_url_is_safe(url, issuer->skip_verify))
		return fail(ctx, ERR_REQUEST_INVALID, "issuer: no URL to trust: " STR_FMT,
			    STR_ARG(str_take(url, 120)));
	TRY_CTX(ctx,
		outbound_send(ctx, jwks->options.outbound, issuer->tenant_id, &request, &answer),
		"issuer");
	if (answer.status != 200)
		return fail(ctx,
			    answer.status >= 500 ? ERR_UPSTREAM_UNREACHABLE : ERR_UPSTREAM_INVALID,
			    "issuer: " STR_FMT " answers %d", STR_ARG(str_take(url, 120)),
			    answer.status);
	*ret_body = answer.body;
	return OK;
}

/* One member: absent is fine, a URL that is not safe is not. */
static err_t take_endpoint(struct ctx *ctx, const struct jwks_issuer *issuer,
			   const struct json_value *root, const char *name, str *ret)
{
	str url = STR_NONE;
	enum json_got got = json_get_str(root, name, &url);
	if (got == JSON_WRONG || (got == JSON_FOUND && !jwks_url_is_safe(url, issuer->skip_verify)))
		return fail(ctx, ERR_UPSTREAM_INVALID, "issuer: %s is no URL to trust", name);
	*ret = url;
	return OK;
}

static bool array_has(const struct json_value *object, const char *name, str word)
{
	const struct json_value *array = json_member(object, name);
	for (size_t i = 0; i < json_count(array); i++)
		if (str_eq(json_value_str(json_element(array, i)), word))
			return true;
	return false;
}

/* Basic is the default, and preferred where both are possible (OpenID Connect Discovery 1.0,
 * section 3). */
static bool wants_secret_in_body(const struct json_value *root)
{
	const char *name = "token_endpoint_auth_methods_supported";
	return json_value_is_array(json_member(root, name)) &&
	       array_has(root, name, STR("client_secret_post")) &&
	       !array_has(root, name, STR("client_secret_basic"));
}

static err_t read_discovery(struct ctx *ctx, const struct jwks_issuer *issuer, str body,
			    struct document *ret, str *ret_keys_url)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	str said, url;
	if (!json_parse(body, JSON_LIMITS_SMALL, &doc, &problem))
		return fail(ctx, ERR_UPSTREAM_INVALID, "discovery: " JSON_PROBLEM_FMT,
			    JSON_PROBLEM_ARG(problem));
	if (json_get_str(doc.root, "issuer", &said) != JSON_FOUND || !str_eq(said, issuer->url))
		return fail(ctx, ERR_UPSTREAM_INVALID,
			    "discovery: " STR_FMT " says it is another issuer",
			    STR_ARG(issuer->url));
	TRY(take_endpoint(ctx, issuer, doc.root, "jwks_uri", &url));
	if (!url.len)
		return fail(ctx, ERR_UPSTREAM_INVALID, "discovery: no jwks_uri");
	*ret_keys_url = arena_copy(ctx->arena, url);
	ret->secret_in_body = wants_secret_in_body(doc.root);
	for (size_t i = 0; i < COUNT_OF(endpoints); i++) {
		TRY(take_endpoint(ctx, issuer, doc.root, endpoints[i].name, &url));
		if (url.len)
			ret->endpoints[i] = mem_copy(url);
	}
	return OK;
}

static err_t discover(struct ctx *ctx, struct jwks *jwks, const struct jwks_issuer *issuer,
		      struct document *ret)
{
	str base = issuer->url, body, keys_url;
	if (str_has_suffix(base, STR("/")))
		base = str_take(base, base.len - 1);
	str url = arena_printf(ctx->arena, STR_FMT DISCOVERY_PATH, STR_ARG(base));
	TRY(ask(ctx, jwks, issuer, url, DISCOVERY_BYTES_MAX, &body));
	TRY(read_discovery(ctx, issuer, body, ret, &keys_url));
	TRY(ask(ctx, jwks, issuer, keys_url, JWK_SET_BYTES_MAX, &body));
	return jwk_set_parse(ctx, body, &ret->keys);
}

static err_t fetch(struct ctx *ctx, struct jwks *jwks, const struct jwks_issuer *issuer,
		   struct document *ret)
{
	CLEANUP(document_done) struct document document = { 0 };
	if (issuer->uploaded.len)
		TRY(jwk_set_parse(ctx, issuer->uploaded, &document.keys));
	else
		TRY(discover(ctx, jwks, issuer, &document));
	*ret = document;
	document = (struct document){ 0 };
	return OK;
}

/* --- entries: all with the lock held ---------------------------------------------------------- */

static void entry_free(struct entry *entry)
{
	document_done(&entry->document);
	free(entry->key);
	free(entry);
}

/* What decides whether two issuers are the same: a changed certificate or key set is another one,
 * and so is what was fetched from where a tenant may not look. */
static str entry_key(struct ctx *ctx, const struct jwks_issuer *issuer)
{
	str text = arena_printf(ctx->arena, "%d%d %zu " STR_FMT STR_FMT, issuer->skip_verify,
				outbound_is_guarded(issuer->tenant_id), issuer->ca_pem.len,
				STR_ARG(issuer->ca_pem), STR_ARG(issuer->uploaded));
	return arena_printf(ctx->arena, "%s " STR_FMT,
			    digest_format(hash_bytes(DIGEST_SHA256, text)).text,
			    STR_ARG(issuer->url));
}

static void forget_oldest(struct jwks *jwks)
{
	struct entry **oldest = NULL;
	for (struct entry **at = &jwks->entries; *at; at = &(*at)->next)
		if (!(*at)->fetching && (!oldest || (*at)->used_ns < (*oldest)->used_ns))
			oldest = at;
	if (!oldest)
		return;
	struct entry *gone = *oldest;
	*oldest = gone->next;
	jwks->count--;
	entry_free(gone);
}

static struct entry *entry_find(struct jwks *jwks, str key)
{
	struct entry *entry = jwks->entries;
	while (entry && !str_eq(key, str_from(entry->key)))
		entry = entry->next;
	if (!entry) {
		if (jwks->count >= jwks->options.issuers_max)
			forget_oldest(jwks);
		entry = NEW(struct entry);
		entry->key = mem_copy(key);
		entry->next = jwks->entries;
		jwks->entries = entry;
		jwks->count++;
	}
	entry->used_ns = clock_now_ns();
	return entry;
}

static bool is_younger(const struct entry *entry, int64_t age_s)
{
	return entry->document.keys && clock_now_ns() - entry->fetched_ns < age_s * CLOCK_S;
}

/* Unlocks while the issuer is asked; the entry stays, because `fetching` is set. */
static err_t entry_fetch(struct ctx *ctx, struct jwks *jwks, const struct jwks_issuer *issuer,
			 struct entry *entry)
{
	struct document document = { 0 };
	entry->fetching = true;
	pthread_mutex_unlock(&jwks->lock);
	err_t err = fetch(ctx, jwks, issuer, &document);
	pthread_mutex_lock(&jwks->lock);
	entry->fetching = false;
	if (err == OK) {
		document_done(&entry->document);
		entry->document = document;
		entry->fetched_ns = clock_now_ns();
	} else {
		entry->failure = ctx->failure;
		entry->failure.code = err;
	}
	/* Who ran out of time himself says nothing about the issuer: the next one may ask at once.
	 */
	if (err != ERR_DEADLINE && err != ERR_CANCELLED)
		entry->tried_ns = clock_now_ns();
	pthread_cond_broadcast(&jwks->fetched);
	return err;
}

static err_t repeat_failure(struct ctx *ctx, const struct entry *entry)
{
	if (entry->failure.code == OK)
		return fail(ctx, ERR_BUSY, "issuer: forgotten while it was asked");
	return fail(ctx, entry->failure.code, "%s (asked a moment ago)", entry->failure.detail);
}

static err_t wait_for_fetch(struct ctx *ctx, struct jwks *jwks, struct entry *entry)
{
	int64_t until_ns =
		clock_now_ns() + ctx_left_ms(ctx, 3 * jwks->options.timeout_ms) * CLOCK_MS;
	while (entry->fetching)
		if (!thread_wait_until(&jwks->fetched, &jwks->lock, until_ns) && entry->fetching)
			return fail(ctx, ERR_BUSY, "issuer: still being asked");
	return OK;
}

/*
 * Leaves in `entry` what may be used, as jwks.h says. It may have been forgotten while others
 * fetched it, so it is looked up again after each wait.
 */
static err_t entry_ready(struct ctx *ctx, struct jwks *jwks, const struct jwks_issuer *issuer,
			 const struct jwk_set *seen, struct entry **ret)
{
	const struct jwks_options *o = &jwks->options;
	str key = entry_key(ctx, issuer);
	struct entry *entry = entry_find(jwks, key);
	*ret = entry;
	bool usable = is_younger(entry, o->stale_s);
	bool wanted = usable && entry->document.keys != seen;
	if (issuer->uploaded.len && entry->document.keys)
		return OK;
	if (wanted && (entry->fetching || is_younger(entry, o->fresh_s)))
		return OK;
	if (entry->fetching) {
		TRY(wait_for_fetch(ctx, jwks, entry));
		*ret = entry = entry_find(jwks, key);
		return entry->document.keys ? OK : repeat_failure(ctx, entry);
	}
	if (entry->tried_ns && clock_now_ns() - entry->tried_ns < o->ask_interval_s * CLOCK_S)
		return usable ? OK : repeat_failure(ctx, entry);
	err_t err = entry_fetch(ctx, jwks, issuer, entry);
	if (err == OK || !usable)
		return err;
	ctx_forgive(ctx); /* the issuer is gone, its keys are known */
	return OK;
}

/* --- calls ---------------------------------------------------------------------------------- */

struct jwks *jwks_new(const struct jwks_options *options)
{
	struct jwks *jwks = NEW(struct jwks);
	struct jwks_options *o = &jwks->options;
	*o = *options;
	o->fresh_s = o->fresh_s ? o->fresh_s : 600;
	o->stale_s = o->stale_s ? o->stale_s : 86400;
	o->ask_interval_s = o->ask_interval_s ? o->ask_interval_s : 10;
	o->timeout_ms = o->timeout_ms ? o->timeout_ms : 5000;
	o->issuers_max = o->issuers_max ? o->issuers_max : 1024;
	pthread_mutex_init(&jwks->lock, NULL);
	thread_condition_init(&jwks->fetched);
	return jwks;
}

void jwks_free(struct jwks *jwks)
{
	if (!jwks)
		return;
	while (jwks->entries) {
		struct entry *entry = jwks->entries;
		jwks->entries = entry->next;
		entry_free(entry);
	}
	pthread_cond_destroy(&jwks->fetched);
	pthread_mutex_destroy(&jwks->lock);
	free(jwks);
}

err_t jwks_keys(struct ctx *ctx, struct jwks *jwks, const struct jwks_issuer *issuer,
		const struct jwk_set *seen, struct jwk_set **ret)
{
	struct entry *entry;
	pthread_mutex_lock(&jwks->lock);
	err_t err = entry_ready(ctx, jwks, issuer, seen, &entry);
	if (err == OK)
		*ret = jwk_set_get(entry->document.keys);
	pthread_mutex_unlock(&jwks->lock);
	return err;
}

err_t jwks_metadata(struct ctx *ctx, struct jwks *jwks, const struct jwks_issuer *issuer,
		    struct jwks_metadata *ret)
{
	struct entry *entry;
	if (issuer->uploaded.len)
		return fail(ctx, ERR_UPSTREAM_INVALID, "issuer: its endpoints are not known");
	pthread_mutex_lock(&jwks->lock);
	err_t err = entry_ready(ctx, jwks, issuer, NULL, &entry);
	for (size_t i = 0; err == OK && i < COUNT_OF(endpoints); i++) {
		str *slot = (str *)(void *)((char *)ret + endpoints[i].offset);
		*slot = arena_copy(ctx->arena, str_from(entry->document.endpoints[i]));
	}
	if (err == OK)
		ret->secret_in_body = entry->document.secret_in_body;
	pthread_mutex_unlock(&jwks->lock);
	return err;
}

err_t jwks_probe(struct ctx *ctx, struct jwks *jwks, const struct jwks_issuer *issuer)
{
	CLEANUP(document_done) struct document document = { 0 };
	return fetch(ctx, jwks, issuer, &document);
}
