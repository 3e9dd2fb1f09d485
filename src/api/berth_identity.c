/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth_identity.c - identity providers as our own API has them: several, in an order, for each
 * tenant. Harbor's configuration describes the first of each kind.
 *
 *	{"id": 3, "tenant_id": 1, "name": "corporate", "kind": "oidc", "position": 1, "enabled":
 * true, "settings": {"endpoint": "https://login.example.com", "client_id": "berth", …}}
 *
 * Secrets are taken and never given.
 */
#include "api/audit.h"
#include "api/handlers.h"
#include "api/harbor.h"
#include "api/robot_json.h"
#include "auth/outside.h"

#include "base/banned.h"

static const struct identity_providers *providers_of(struct request *rq)
{
	return &auth_outside(rq->api->options.auth)->providers;
}

/*
 * The tenant that is meant: `tenant_id`, else the request's. A tenant's administrator has his own
 * tenant's; but whom the default tenant's providers call an administrator is one of the system, so
 * those are a part of its configuration.
 */
static err_t tenant_of(struct ctx *ctx, struct request *rq, enum action in_default, int64_t *ret)
{
	struct decision decision;
	struct tenant_seen seen;
	TRY(query_i64(ctx, rq, STR("tenant_id"), ctx->tenant_id, ret));
	ctx->tenant_id = *ret;
	TRY(robot_tenant_check(ctx, rq));
	TRY(tenant_of_id(ctx, rq->api->options.auth, *ret, &seen));
	if (!seen.id)
		return fail(ctx, ERR_NOT_FOUND, "no such tenant");
	if (*ret != TENANT_DEFAULT)
		return OK;
	TRY(request_may(ctx, rq, in_default, STR_NONE, &decision));
	return decision.allowed ? OK : request_refuse(ctx, rq, &decision);
}

static void write_provider(struct json_writer *w, const struct identity_provider *p)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", p->id);
	json_write_i64(w, "tenant_id", p->tenant_id);
	json_write_str(w, "name", p->name);
	json_write_str(w, "kind", str_from(provider_kind_name(p->kind)));
	json_write_i64(w, "position", p->position);
	json_write_bool(w, "enabled", p->enabled);
	json_write_object_begin(w, "settings");
	identity_provider_write_settings(w, p);
	json_write_object_end(w);
	json_write_object_end(w);
}

static str provider_json(struct ctx *ctx, const struct identity_provider *p)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(PROVIDER_SETTINGS_MAX + KIB(4));
	struct json_writer w = JSON_WRITER(&body);
	write_provider(&w, p);
	return arena_copy(ctx->arena, buf_str(&body));
}

/* What a body may say; absent members stay as they are. */
struct provider_body {
	str name;
	int64_t position;
	bool enabled;
};

static err_t read_body(struct ctx *ctx, const struct json_value *root, struct identity_provider *p)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct provider_body, "name", name, PROVIDER_NAME_MAX),
		JSON_FIELD_I64(struct provider_body, "position", position),
		JSON_FIELD_BOOL(struct provider_body, "enabled", enabled),
	};
	struct provider_body body = { .name = p->name,
				      .position = p->position,
				      .enabled = p->enabled };
	const struct json_value *settings = json_member(root, "settings");
	TRY(body_shape(ctx, root, fields, COUNT_OF(fields), &body));
	p->name = arena_copy(ctx->arena, body.name);
	p->position = body.position;
	p->enabled = body.enabled;
	return settings ? identity_provider_read_settings(ctx, settings, p) : OK;
}

err_t berth_provider_list(struct ctx *ctx, struct request *rq)
{
	struct identity_provider *list;
	size_t count;
	int64_t tenant_id;
	TRY(tenant_of(ctx, rq, ACTION_CONFIGURATION_READ, &tenant_id));
	TRY(identity_provider_list(ctx, providers_of(rq), tenant_id, false, &list, &count));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++)
		write_provider(&w, &list[i]);
	json_write_array_end(&w);
	return answer_object(ctx, rq, &body);
}

static err_t save(struct ctx *ctx, struct request *rq, enum audit_type type,
		  struct identity_provider *p)
{
	struct audit_event *event = audit_change(rq, type);
	event->tenant_id = p->tenant_id;
	event->resource = p->name;
	event->after = provider_json(ctx, p);
	return identity_provider_save(ctx, providers_of(rq), p);
}

err_t berth_provider_create(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct identity_provider p;
	enum provider_kind kind;
	int64_t tenant_id;
	str kind_name;
	TRY(tenant_of(ctx, rq, ACTION_CONFIGURATION_UPDATE, &tenant_id));
	TRY(body_read(ctx, rq, &doc));
	if (json_get_str(doc.root, "kind", &kind_name) != JSON_FOUND ||
	    !provider_kind_parse(kind_name, &kind))
		return fail(ctx, ERR_REQUEST_INVALID, "kind is not oidc, ldap or keystone");
	identity_provider_init(&p, kind, tenant_id, STR_NONE);
	TRY(read_body(ctx, doc.root, &p));
	TRY(save(ctx, rq, AUDIT_CREATE_IDENTITY_PROVIDER, &p));
	return answer_created(rq, p.id);
}

static err_t find(struct ctx *ctx, struct request *rq, enum action in_default,
		  struct identity_provider *ret)
{
	int64_t tenant_id;
	TRY(tenant_of(ctx, rq, in_default, &tenant_id));
	err_t err = identity_provider_find(ctx, providers_of(rq), tenant_id, rq->id, ret);
	return err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such identity provider") : err;
}

err_t berth_provider_get(struct ctx *ctx, struct request *rq)
{
	struct identity_provider p;
	TRY(find(ctx, rq, ACTION_CONFIGURATION_READ, &p));
	return answer_json(rq, 200, provider_json(ctx, &p));
}

err_t berth_provider_update(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct identity_provider p;
	TRY(find(ctx, rq, ACTION_CONFIGURATION_UPDATE, &p));
	TRY(body_read(ctx, rq, &doc));
	TRY(read_body(ctx, doc.root, &p));
	TRY(save(ctx, rq, AUDIT_UPDATE_IDENTITY_PROVIDER, &p));
	return answer_json(rq, 200, provider_json(ctx, &p));
}

err_t berth_provider_delete(struct ctx *ctx, struct request *rq)
{
	struct identity_provider p;
	TRY(find(ctx, rq, ACTION_CONFIGURATION_UPDATE, &p));
	struct audit_event *event = audit_change(rq, AUDIT_DELETE_IDENTITY_PROVIDER);
	event->tenant_id = p.tenant_id;
	event->resource = p.name;
	err_t err = identity_provider_delete(ctx, providers_of(rq), p.tenant_id, p.id);
	TRY(err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such identity provider") : err);
	return answer_empty(rq, 200);
}

/* --- Harbor: try an OIDC endpoint before it is configured ---------------------------------------
 */

struct ping_body {
	str url;
	bool verify_cert;
};

err_t harbor_oidc_ping(struct ctx *ctx, struct request *rq)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct ping_body, "url", url, KIB(2)),
		JSON_FIELD_BOOL(struct ping_body, "verify_cert", verify_cert),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct ping_body body = { .verify_cert = true };
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &body));
	struct jwks_issuer issuer = { .url = body.url,
				      .skip_verify = !body.verify_cert,
				      .tenant_id = request_tenant(rq) };
	err_t err = jwks_probe(ctx, auth_outside(rq->api->options.auth)->jwks, &issuer);
	if (err == OK)
		return answer_empty(rq, 200);
	if (err == ERR_CANCELLED || err == ERR_SHUTTING_DOWN)
		return err;
	bool forbidden = err == ERR_UPSTREAM_FORBIDDEN;
	ctx_forgive(ctx); /* what exactly is wrong there is not for whoever may reach us only */
	return fail(ctx, ERR_REQUEST_INVALID,
		    forbidden ? "the endpoint has no address that a tenant's server may have"
			      : "the endpoint is no OpenID provider that can be reached");
}
