/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harbor_configuration.c - Harbor's system configuration: what administrators change while the
 * program runs, under the flat keys of its clients.
 *
 *	GET  {"read_only": {"value": false, "editable": true}, …}    without the secrets
 *	PUT  {"read_only": true, …}    any of them; unknown ones are ignored
 */
#include "api/audit.h"
#include "api/handlers.h"
#include "api/harbor.h"
#include "auth/configuration.h"
#include "codec/syslog.h"
#include "notify/audit.h"
#include "settings/system.h"

#include "base/banned.h"

static int64_t tenant_of(const struct request *rq)
{
	return request_tenant(rq);
}

static err_t write_all(struct ctx *ctx, struct request *rq, struct json_writer *w)
{
	json_write_object_begin(w, NULL);
	TRY(configuration_write(ctx, rq->api->options.auth, tenant_of(rq), w));
	return OK;
}

err_t harbor_configuration_get(struct ctx *ctx, struct request *rq)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	TRY(write_all(ctx, rq, &w));
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

/* What Harbor's own parts ask each other: the same, and what follows from the program's options. */
err_t harbor_configuration_get_internal(struct ctx *ctx, struct request *rq)
{
	str url = request_base_url(rq);
	const struct {
		const char *key;
		str value;
	} derived[] = {
		{ "ext_endpoint", url },
		{ "token_service_url",
		  arena_printf(ctx->arena, STR_FMT "/service/token", STR_ARG(url)) },
	};
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	TRY(write_all(ctx, rq, &w));
	for (size_t i = 0; i < COUNT_OF(derived); i++) {
		json_write_object_begin(&w, derived[i].key);
		json_write_str(&w, "value", derived[i].value);
		json_write_bool(&w, "editable", false);
		json_write_object_end(&w);
	}
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

/* --- changing ------------------------------------------------------------------------------- */

static void write_value(struct json_writer *w, str key, const struct json_value *value)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(HARBOR_BODY_MAX);
	size_t len = json_value_print(value, NULL, 0);
	char *into = buf_reserve(&text, len);
	if (!into)
		return;
	json_value_print(value, into, len);
	json_write_key(w, key);
	json_write_raw(w, NULL, (str){ into, len });
}

/* The members of `flat` that mean something, with their new values, or (when there is a `now`) with
 * those they have there. */
static str members(struct ctx *ctx, const struct json_value *flat, const struct json_value *now)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&b);
	str key;
	const struct json_value *value;
	json_write_object_begin(&w, NULL);
	for (void *at = NULL; json_next_member(flat, &at, &key, &value);) {
		if (!configuration_owns_key(key))
			continue;
		if (now)
			value = json_member(json_member(now, arena_cstr(ctx->arena, key)), "value");
		if (value)
			write_value(&w, key, value);
	}
	json_write_object_end(&w);
	return arena_copy(ctx->arena, buf_str(&b));
}

static err_t describe_change(struct ctx *ctx, struct request *rq, const struct json_value *flat)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(HARBOR_BODY_MAX);
	CLEANUP(json_done) struct json_document now = JSON_DOCUMENT_NONE;
	struct json_writer w = JSON_WRITER(&text);
	struct json_problem problem;
	TRY(write_all(ctx, rq, &w));
	json_write_object_end(&w);
	if (!json_parse(buf_str(&text), JSON_LIMITS_SMALL, &now, &problem))
		return fail(ctx, ERR_INTERNAL, "configuration: " JSON_PROBLEM_FMT,
			    JSON_PROBLEM_ARG(problem));
	struct audit_event *event = audit_change(rq, AUDIT_UPDATE_CONFIGURATION);
	event->resource = STR("configuration");
	event->before = members(ctx, flat, now.root);
	event->after = members(ctx, flat, NULL);
	return OK;
}

/* A new endpoint for the audit trail must be there; one that is kept may be out of order. */
static err_t check_endpoint(struct ctx *ctx, struct request *rq, const struct json_value *flat)
{
	const struct api_options *options = &rq->api->options;
	str endpoint, now = system_text(ctx, options->settings, SYSTEM_AUDIT_LOG_FORWARD_ENDPOINT);
	struct syslog_endpoint parsed;
	if (json_get_str(flat, "audit_log_forward_endpoint", &endpoint) != JSON_FOUND ||
	    str_eq(endpoint, now) || !syslog_endpoint_parse(endpoint, &parsed))
		return OK; /* or it is refused with the others */
	endpoint = arena_copy(ctx->arena, endpoint);
	err_t err = forward_probe(ctx, audit_forward(options->audit), endpoint);
	if (err != ERR_UPSTREAM_UNREACHABLE && err != ERR_CONFIG)
		return err;
	str reason = arena_copy(ctx->arena, str_from(ctx->failure.detail));
	ctx_forgive(ctx);
	return fail(ctx, ERR_REQUEST_INVALID, "could not connect to the audit endpoint: " STR_FMT,
		    STR_ARG(reason));
}

err_t harbor_configuration_put(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	TRY(body_read(ctx, rq, &doc));
	TRY(describe_change(ctx, rq, doc.root));
	TRY(check_endpoint(ctx, rq, doc.root));
	TRY(configuration_put(ctx, rq->api->options.auth, tenant_of(rq), doc.root));
	return answer_empty(rq, 200);
}
