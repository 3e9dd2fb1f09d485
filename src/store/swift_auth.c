/* SPDX-License-Identifier: Apache-2.0 */
/* swift_auth.c - see swift_auth.h. */
#include "swift_auth.h"
#include "base/clock.h"
#include "base/mem.h"
#include "codec/json_writer.h"
#include "codec/swift_answer.h"
#include "os/thread.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define MEMORY_BYTES	KIB(64)
#define SESSION_BYTES	KIB(64)
#define REQUEST_BYTES	KIB(8)
#define RENEW_BEFORE_S	60
#define RENEW_FRACTION	4 /* of a token that does not live that long */
#define AUTH_TIMEOUT_MS 20000

struct swift_auth {
	struct arena memory; /* of the options */
	struct swift_auth_options options;
	struct client *http;

	pthread_mutex_t lock; /* guards what follows; held while a new token is fetched */
	struct arena session_memory;
	struct swift_session session; /* token empty: none */
	int64_t renew_at_ns;	      /* 0: it does not say */
};

/* --- options -------------------------------------------------------------------------------- */

static err_t check(struct ctx *ctx, const struct swift_auth_options *o)
{
	bool credential = o->credential_id.len || o->credential_secret.len;
	bool user = o->user.len || o->key.len;
	if (!client_url_is_valid(o->url))
		return fail(ctx, ERR_CONFIG,
			    "Swift storage: auth_url is no http:// or https:// URL: '" STR_FMT "'",
			    STR_ARG(o->url));
	if (credential == user)
		return fail(ctx, ERR_CONFIG,
			    "Swift storage: credentials are application_credential_id and "
			    "application_credential_secret, or user and key");
	if (credential && (!o->credential_id.len || !o->credential_secret.len))
		return fail(ctx, ERR_CONFIG,
			    "Swift storage: an application credential is both: "
			    "application_credential_id and application_credential_secret");
	if (user && (!o->user.len || !o->key.len))
		return fail(ctx, ERR_CONFIG, "Swift storage: v1 wants both: user and key");
	return OK;
}

err_t swift_auth_new(struct ctx *ctx, const struct swift_auth_options *o, struct client *http,
		     struct swift_auth **ret)
{
	TRY(check(ctx, o));
	struct swift_auth *auth = NEW(struct swift_auth);
	arena_init(&auth->memory, MEMORY_BYTES);
	arena_init(&auth->session_memory, SESSION_BYTES);
	pthread_mutex_init(&auth->lock, NULL);
	auth->http = http;
	auth->options = (struct swift_auth_options){
		.url = arena_copy(&auth->memory, o->url),
		.region = arena_copy(&auth->memory, o->region),
		.interface =
			arena_copy(&auth->memory, o->interface.len ? o->interface : STR("public")),
		.credential_id = arena_copy(&auth->memory, o->credential_id),
		.credential_secret = arena_copy(&auth->memory, o->credential_secret),
		.user = arena_copy(&auth->memory, o->user),
		.key = arena_copy(&auth->memory, o->key),
		.ca_pem = o->ca_pem,
	};
	*ret = auth;
	return OK;
}

void swift_auth_free(struct swift_auth *auth)
{
	if (!auth)
		return;
	arena_done(&auth->session_memory);
	arena_done(&auth->memory);
	pthread_mutex_destroy(&auth->lock);
	free(auth);
}

/* --- asking --------------------------------------------------------------------------------- */

static err_t judge(struct ctx *ctx, const struct client_response *answer, const char *who)
{
	if (answer->status / 100 == 2)
		return OK;
	ctx->retry_after_s = client_response_retry_after_s(answer);
	if (answer->status == 429 || answer->status / 100 == 5)
		return fail(ctx, ERR_BUSY, "%s answers %d to asking for a token", who,
			    answer->status);
	return fail(ctx, ERR_STORAGE, "%s %s (%d)", who,
		    answer->status == 401 || answer->status == 403 || answer->status == 404
			    ? "refuses the credentials"
			    : "gives no token",
		    answer->status);
}

static err_t keep(struct ctx *ctx, struct swift_auth *auth, str token, str url, int64_t lifetime_s)
{
	if (!token.len || token.len > SWIFT_TOKEN_BYTES_MAX)
		return fail(ctx, ERR_STORAGE, "a token of %zu bytes was given", token.len);
	if (!client_url_is_valid(url) || str_has_byte(url, '?') || str_has_byte(url, '#'))
		return fail(ctx, ERR_STORAGE, "the object store is said to be at '" STR_FMT "'",
			    STR_ARG(str_take(url, 120)));
	while (str_has_suffix(url, STR("/")))
		url = str_take(url, url.len - 1);
	arena_reset(&auth->session_memory);
	auth->session = (struct swift_session){ arena_copy(&auth->session_memory, token),
						arena_copy(&auth->session_memory, url) };
	int64_t margin_s = MIN(lifetime_s / RENEW_FRACTION, (int64_t)RENEW_BEFORE_S);
	auth->renew_at_ns = lifetime_s > 0 ? clock_now_ns() + (lifetime_s - margin_s) * CLOCK_S : 0;
	return OK;
}

static void write_request(struct buf *b, const struct swift_auth_options *o)
{
	struct json_writer w = JSON_WRITER(b);
	json_write_object_begin(&w, NULL);
	json_write_object_begin(&w, "auth");
	json_write_object_begin(&w, "identity");
	json_write_array_begin(&w, "methods");
	json_write_str(&w, NULL, STR("application_credential"));
	json_write_array_end(&w);
	json_write_object_begin(&w, "application_credential");
	json_write_str(&w, "id", o->credential_id);
	json_write_str(&w, "secret", o->credential_secret);
	json_write_object_end(&w);
	json_write_object_end(&w);
	json_write_object_end(&w);
	json_write_object_end(&w);
}

static err_t ask_keystone(struct ctx *ctx, struct swift_auth *auth)
{
	static const struct client_field fields[] = {
		{ STR_INIT("Content-Type"), STR_INIT("application/json") },
		{ STR_INIT("Accept"), STR_INIT("application/json") },
	};
	const struct swift_auth_options *o = &auth->options;
	CLEANUP(buf_done) struct buf body = BUF_INIT(REQUEST_BYTES);
	struct client_response answer;
	struct swift_token token;
	str base = o->url, why;
	while (str_has_suffix(base, STR("/")))
		base = str_take(base, base.len - 1);
	write_request(&body, o);
	if (buf_overrun(&body))
		return fail(ctx, ERR_CONFIG, "application credential too long");
	const struct client_request rq = {
		.method = "POST",
		.url = arena_printf(ctx->arena, STR_FMT "%s/auth/tokens", STR_ARG(base),
				    str_has_suffix(base, STR("/v3")) ? "" : "/v3"),
		.fields = fields,
		.field_count = COUNT_OF(fields),
		.body = buf_str(&body),
		.timeout_ms = AUTH_TIMEOUT_MS,
		.ca_pem = o->ca_pem,
	};
	TRY_CTX(ctx, client_send(ctx, auth->http, &rq, &answer), "keystone");
	TRY(judge(ctx, &answer, "keystone"));
	if (!swift_token_parse(ctx->arena, answer.body, o->region, o->interface, &token, &why))
		return fail(ctx, ERR_STORAGE, "keystone's token: " STR_FMT, STR_ARG(why));
	return keep(ctx, auth, client_response_field(&answer, STR("X-Subject-Token")), token.url,
		    token.lifetime_s);
}

static err_t ask_v1(struct ctx *ctx, struct swift_auth *auth)
{
	const struct swift_auth_options *o = &auth->options;
	const struct client_field fields[] = { { STR("X-Auth-User"), o->user },
					       { STR("X-Auth-Key"), o->key } };
	const struct client_request rq = { .method = "GET",
					   .url = o->url,
					   .fields = fields,
					   .field_count = COUNT_OF(fields),
					   .timeout_ms = AUTH_TIMEOUT_MS,
					   .ca_pem = o->ca_pem };
	struct client_response answer;
	uint64_t lifetime_s = 0;
	TRY_CTX(ctx, client_send(ctx, auth->http, &rq, &answer), "auth v1");
	TRY(judge(ctx, &answer, "auth v1"));
	(void)str_to_u64(client_response_field(&answer, STR("X-Auth-Token-Expires")), INT32_MAX,
			 &lifetime_s);
	return keep(ctx, auth, client_response_field(&answer, STR("X-Auth-Token")),
		    client_response_field(&answer, STR("X-Storage-Url")), (int64_t)lifetime_s);
}

err_t swift_auth_get(struct ctx *ctx, struct swift_auth *auth, struct swift_session *ret)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&auth->lock);
	bool old = auth->renew_at_ns && clock_now_ns() >= auth->renew_at_ns;
	if (!auth->session.token.len || old) {
		err_t err = auth->options.user.len ? ask_v1(ctx, auth) : ask_keystone(ctx, auth);
		if (err != OK && !auth->session.token.len)
			return err;
		if (err != OK) /* the one we have may still do */
			ctx_forgive(ctx);
	}
	*ret = (struct swift_session){ arena_copy(ctx->arena, auth->session.token),
				       arena_copy(ctx->arena, auth->session.url) };
	return OK;
}

void swift_auth_expire(struct swift_auth *auth, str token)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&auth->lock);
	if (str_eq(token, auth->session.token))
		auth->session.token = STR_NONE;
}
