/* SPDX-License-Identifier: Apache-2.0 */
/* dispatch.c - the way of every request: match, authenticate, authorise, handle, and one log line.
 */
#include "api/answer.h"
#include "api/audit.h"
#include "api/browser.h"
#include "api/handlers.h"
#include "api/operations.h"
#include "api/rate.h"
#include "api/tenant.h"
#include "api/watch.h"
#include "auth/membership.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "codec/url.h"
#include "crypto/random.h"
#include "registry/project.h"
#include "settings/system.h"

#include <string.h>

#include "base/banned.h"

#define REQUEST_ID_MAX 64

struct api *api_new(const struct api_options *options)
{
	struct api *api = NEW(struct api);
	api->options = *options;
	struct api_options *o = &api->options;
	o->tags_page_max = o->tags_page_max ? o->tags_page_max : 10000;
	o->catalog_page_max = o->catalog_page_max ? o->catalog_page_max : 1000;
	api->rates = rate_limits_new(o->rate_limits);
	arena_init(&api->arena, MIB(1));
	CHECK(peer_list_parse(&api->arena, o->metrics_networks,
			      &api->near)); /* config has looked */
	api->route_labels = watch_route_labels(&api->arena);
	api->operations = operations_new();
	return api;
}

void api_free(struct api *api)
{
	if (!api)
		return;
	rate_limits_free(api->rates);
	operations_free(api->operations);
	arena_done(&api->arena);
	free(api);
}

str request_query(struct request *rq, str name)
{
	str value = STR_NONE;
	if (!url_query_get(rq->x->ctx->arena, rq->x->head->query, name, &value))
		return STR_NONE;
	return value;
}

bool request_has_query(struct request *rq, str name)
{
	return url_query_has(rq->x->head->query, name);
}

str request_header(struct request *rq, str name)
{
	return http_head_get(rq->x->head, name);
}

str request_base_url(struct request *rq)
{
	str external = rq->api->options.external_url, scheme = rq->x->scheme, rest;
	bool own_host = rq->x->ctx->tenant_fixed;
	if (external.len && !own_host)
		return external;
	if (external.len) /* a proxy may have taken the TLS off; the host is the tenant's */
		str_cut(external, ':', &scheme, &rest);
	return arena_printf(rq->x->ctx->arena, STR_FMT "://" STR_FMT, STR_ARG(scheme),
			    STR_ARG(rq->x->host));
}

int64_t request_tenant(const struct request *rq)
{
	return rq->x->ctx->tenant_id;
}

int64_t request_owner(const struct request *rq)
{
	bool of_here = rq->who.subject == SUBJECT_USER && rq->who.tenant_id == request_tenant(rq);
	return of_here ? rq->who.id : 0;
}

struct project_maker *request_project_maker(struct request *rq)
{
	struct resource what = { .project_auto_create = rq->api->options.auto_create_projects };
	rq->maker = (struct project_maker){ .id = request_owner(rq), .name = rq->who.name };
	return access_decide(&rq->who, ACTION_PROJECT_AUTO_CREATE, &what).allowed ? &rq->maker
										  : NULL;
}

/* What the decision has to know about a project; nothing when there is none: unknown and forbidden
 * look the same. */
static err_t describe_project(struct ctx *ctx, struct request *rq, err_t found,
			      const struct project_info *info, struct resource *ret)
{
	if (found == ERR_ABSENT)
		return OK;
	TRY(found);
	ret->tenant_id = ctx->tenant_id;
	ret->project_id = info->id;
	ret->project_public = info->is_public;
	struct membership held;
	TRY(membership_find(ctx, rq->api->options.auth, &rq->who, info->id, &held));
	ret->roles = held.roles | access_external_roles(&rq->who, info->name);
	ret->custom = held.custom;
	ret->custom_count = held.custom_count;
	if (held.until_us != INT64_MAX && (!rq->rights_end_us || held.until_us < rq->rights_end_us))
		rq->rights_end_us = held.until_us;
	return OK;
}

static bool is_near(const struct request *rq)
{
	return rq->route->action == ACTION_METRICS_READ &&
	       peer_list_has(&rq->api->near, rq->x->peer);
}

static struct resource resource_of(const struct request *rq, str repository)
{
	bool everyone = system_i64(rq->api->options.settings, SYSTEM_PROJECT_CREATION) ==
			PROJECT_CREATION_EVERYONE;
	return (struct resource){ .tenant_id = request_tenant(rq),
				  .repository = repository,
				  .anonymous_pull = rq->api->options.anonymous_pull,
				  .anonymous_off = rq->api->options.anonymous_off,
				  .project_creation_open = everyone,
				  .is_near = is_near(rq),
				  .is_self = rq->user_id && rq->who.subject == SUBJECT_USER &&
					     rq->who.id == rq->user_id };
}

static err_t describe_project_id(struct ctx *ctx, struct request *rq, int64_t project_id,
				 struct resource *ret)
{
	struct project_info info;
	if (!project_id)
		return OK;
	err_t found = project_find_id(ctx, rq->api->options.registry, project_id, &info);
	return describe_project(ctx, rq, found, &info, ret);
}

err_t request_may_at(struct ctx *ctx, struct request *rq, enum action action,
		     const struct asked_place *at, struct decision *ret)
{
	struct resource what = resource_of(rq, at->place.name);
	what.repository_asked = at->asked;
	what.project_id = at->place.project_id;
	if (!access_granted_by_token(&rq->who, action, &what)) {
		what.project_id = 0;
		if (access_needs_project(&rq->who, action))
			TRY(describe_project_id(ctx, rq, at->place.project_id, &what));
	}
	*ret = access_decide(&rq->who, action, &what);
	return OK;
}

static err_t may_in_project_named(struct ctx *ctx, struct request *rq, enum action action,
				  str project, struct decision *ret)
{
	struct resource what = resource_of(rq, STR_NONE);
	if (project.len && access_needs_project(&rq->who, action)) {
		struct project_info info;
		err_t found = project_find(ctx, rq->api->options.registry, project, &info);
		TRY(describe_project(ctx, rq, found, &info, &what));
	}
	*ret = access_decide(&rq->who, action, &what);
	return OK;
}

err_t request_may(struct ctx *ctx, struct request *rq, enum action action, str repository,
		  struct decision *ret)
{
	struct asked_place at = { repository, rq->place };
	if (!repository.len)
		return may_in_project_named(ctx, rq, action, rq->project, ret);
	if (!str_eq(repository, rq->repository_asked))
		TRY(repository_place(ctx, rq->api->options.registry, repository, &at.place));
	return request_may_at(ctx, rq, action, &at, ret);
}

err_t request_may_in(struct ctx *ctx, struct request *rq, enum action action, int64_t project_id,
		     struct decision *ret)
{
	struct resource what = resource_of(rq, STR_NONE);
	TRY(describe_project_id(ctx, rq, project_id, &what));
	*ret = access_decide(&rq->who, action, &what);
	return OK;
}

err_t request_may_give(struct ctx *ctx, struct request *rq, int64_t project_id,
		       const struct action_set *set, enum action *ret_lacking)
{
	struct resource what = resource_of(rq, STR_NONE);
	TRY(describe_project_id(ctx, rq, MAX(project_id, 0), &what));
	for (enum action action = 0; action < ACTION_COUNT; action++)
		if (action_set_has(set, action) &&
		    !access_may_give(&rq->who, action, &what, project_id == PROJECT_ALL)) {
			*ret_lacking = action;
			return OK;
		}
	*ret_lacking = ACTION_COUNT;
	return OK;
}

err_t request_roles(struct ctx *ctx, struct request *rq, int64_t project_id, str name,
		    unsigned *ret)
{
	struct membership held;
	TRY(membership_find(ctx, rq->api->options.auth, &rq->who, project_id, &held));
	*ret = held.roles | access_external_roles(&rq->who, name);
	return OK;
}

/* The project a path names, for decision and handler alike. Whether it is there shows only to those
 * who may see it: a decision about no project refuses everybody but administrators. */
static err_t find_project(struct ctx *ctx, struct request *rq)
{
	struct registry *registry = rq->api->options.registry;
	err_t err;
	if (rq->project_id_asked)
		err = project_find_id(ctx, registry, rq->project_id_asked, &rq->project_found);
	else if (rq->project.len)
		err = project_find(ctx, registry, rq->project, &rq->project_found);
	else
		return OK;
	rq->has_project = err == OK;
	if (rq->has_project)
		rq->project = rq->project_found.name;
	return err == ERR_ABSENT ? OK : err;
}

/* What a pull will want, when its reference is one. For others nothing is fetched before it is
 * decided what they may see: how long their refusal takes must not tell what there is. */
static bool wants_manifest(const struct request *rq, struct reference *ret)
{
	enum reference_kind kind = REFERENCE_INVALID_TAG;
	if (rq->route->handle == oci_manifest_get &&
	    access_named_by_token(&rq->who, rq->route->action, rq->repository))
		kind = reference_parse(rq->reference, ret);
	return kind == REFERENCE_TAG || kind == REFERENCE_DIGEST;
}

/* From here on all go by the present name; what is decided about the project that has it now is not
 * done in another that gets the name meanwhile. */
static err_t find_repository(struct ctx *ctx, struct request *rq)
{
	if (!rq->repository.len)
		return OK;
	struct reference wanted;
	TRY(repository_place_pulled(ctx, rq->api->options.registry, rq->repository,
				    wants_manifest(rq, &wanted) ? &wanted : NULL, &rq->place));
	rq->repository_asked = rq->repository;
	rq->repository = rq->place.name;
	ctx->project = reference_project(rq->repository);
	ctx->project_id = rq->place.project_id;
	return OK;
}

/* A browser shows a certificate unasked, also for a page of somebody else. */
static str presented_certificate(struct request *rq)
{
	bool browser = request_header(rq, STR("Origin")).len ||
		       request_header(rq, STR("Sec-Fetch-Site")).len;
	return browser ? STR_NONE : rq->x->client_certificate;
}

err_t request_identify(struct ctx *ctx, struct request *rq)
{
	const struct credentials from = {
		.authorization = request_header(rq, STR("Authorization")),
		.session = browser_session(rq),
		.keep_session = request_header(rq, STR("X-Harbor-No-Session-Renewal")).len != 0,
		.certificate = presented_certificate(rq),
		.address = rq->x->peer,
	};
	TRY(auth_identify(ctx, rq->api->options.auth, &from, &rq->who, &rq->who_pin));
	ctx->actor = audit_actor(&rq->who);
	return tenant_settle(ctx, rq);
}

/* The host of request_base_url(), without making that text for everybody. */
static str called(const struct request *rq)
{
	str external = rq->api->options.external_url;
	size_t at;
	if (external.len && !rq->x->ctx->tenant_fixed && str_find(external, STR("://"), &at))
		return str_skip(external, at + 3);
	return rq->x->host;
}

static err_t authenticate(struct ctx *ctx, struct request *rq)
{
	/* The token service looks at its own credentials: a wrong password there is its answer. */
	if (rq->route->kind == ROUTE_TOKEN)
		return OK;
	err_t err = request_identify(ctx, rq);
	rq->bad_credentials = err == ERR_UNAUTHORIZED;
	TRY(err);
	ctx->asked_at = called(rq);
	TRY(rate_check_identity(ctx, rq));
	/* Where a browser logs in and out, whoever has just come tells more (portal_log_in()). */
	return rq->route->kind == ROUTE_PORTAL ? OK : tenant_check_suspended(ctx, rq);
}

err_t request_refuse(struct ctx *ctx, struct request *rq, const struct decision *decision)
{
	bool may_log_in = rq->who.subject == SUBJECT_ANONYMOUS || rq->who.by_token;
	return fail(ctx, may_log_in ? ERR_UNAUTHORIZED : ERR_DENIED, "%s", decision->reason);
}

static err_t authorise(struct ctx *ctx, struct request *rq)
{
	struct decision decision;
	TRY(request_may(ctx, rq, rq->route->action, rq->repository_asked, &decision));
	if (decision.allowed)
		return OK;
	return request_refuse(ctx, rq, &decision);
}

/* Who may see it learns that it is not there; nobody else gets this far. */
static err_t project_must_be(struct ctx *ctx, const struct request *rq)
{
	bool named = rq->project.len || rq->project_id_asked;
	return named && !rq->has_project ? fail(ctx, ERR_NOT_FOUND, "no such project") : OK;
}

/* Answers while nothing behind it does: without tenant, account and limits. */
static bool is_probe(const struct route *route)
{
	return route->kind == ROUTE_SIGHT && route->action == ACTION_NONE;
}

static err_t dispatch(struct ctx *ctx, struct request *rq)
{
	request_name(rq);
	answer_begin(rq);
	watch_begin(rq);
	err_t found = route_find(ctx, rq);
	watch_route(rq);
	TRY(found);
	if (is_probe(rq->route))
		return rq->route->handle(ctx, rq);
	TRY(rate_check_address(ctx, rq));
	if (rq->route->of_nobody)
		return rq->route->handle(ctx, rq);
	TRY(tenant_begin(ctx, rq));
	TRY(authenticate(ctx, rq));
	TRY(browser_guard(ctx, rq));
	TRY(find_project(ctx, rq));
	TRY(find_repository(ctx, rq));
	TRY(authorise(ctx, rq));
	TRY(project_must_be(ctx, rq));
	TRY(request_check_read_only(ctx, rq));
	if (rq->route->body_max_bytes)
		rq->x->body_max_bytes = rq->route->body_max_bytes;
	return rq->route->handle(ctx, rq);
}

static void log_failure(struct request *rq, err_t err)
{
	const struct failure *failure = &rq->x->ctx->failure;
	const struct error_info *info = error_info(err);
	bool ours = info->status >= 500 && info->status != 502 && info->status != 503 &&
		    err != ERR_LATER;
	enum log_level level = ours ? LOG_ERROR : LOG_INFO;
	LOG(level, "request failed", LOG_STR("method", rq->x->head->method_text),
	    LOG_STR("path", rq->x->head->path), LOG_I64("status", info->status),
	    LOG_CSTR("error", info->name), LOG_CSTR("detail", failure->detail),
	    LOG_CSTR("file", failure->file), LOG_I64("line", failure->line),
	    LOG_STR("peer", rq->x->peer), LOG_I64("tenant", request_tenant(rq)),
	    LOG_STR("user", rq->who.name));
}

static void log_success(struct request *rq)
{
	LOG(LOG_DEBUG, "request", LOG_STR("method", rq->x->head->method_text),
	    LOG_STR("path", rq->x->head->path), LOG_I64("status", rq->x->status),
	    LOG_I64("sent_bytes", rq->x->sent_bytes),
	    LOG_I64("received_bytes", rq->x->received_bytes),
	    LOG_I64("us", (clock_now_ns() - rq->x->began_ns) / CLOCK_US),
	    LOG_STR("peer", rq->x->peer), LOG_I64("tenant", request_tenant(rq)),
	    LOG_STR("user", rq->who.name));
}

static bool is_request_id(str id)
{
	for (size_t i = 0; i < id.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:",
			    id.ptr[i]))
			return false;
	return id.len && id.len <= REQUEST_ID_MAX;
}

void request_name(struct request *rq)
{
	struct ctx *ctx = rq->x->ctx;
	str given = request_header(rq, STR("X-Request-Id"));
	char made[UUID_TEXT_LEN + 1];
	ctx->request_id = given;
	if (!is_request_id(given)) {
		unique_uuid(made);
		ctx->request_id = arena_copy(ctx->arena, (str){ made, UUID_TEXT_LEN });
	}
	rq->about[0] = (struct log_field)LOG_STR("request", ctx->request_id);
	log_about(rq->about, COUNT_OF(rq->about));
}

static void finish_failed(struct request *rq, err_t err)
{
	if (!rq->x->answered) {
		if (!rq->keep_headers) {
			answer_begin(rq);
			rate_headers(rq);
		}
		answer_error(rq, err);
	}
	log_failure(rq, err);
}

static void finish(struct request *rq, err_t err)
{
	audit_finish(rq, err);
	watch_end(rq, err);
	json_done(&rq->body);
	cache_put(rq->who_pin);
	log_about(NULL, 0);
}

void api_handle(void *arg, struct exchange *x)
{
	struct request rq = { .api = arg, .x = x };
	err_t err = dispatch(x->ctx, &rq);
	if (err != OK)
		finish_failed(&rq, err);
	else if (log_enabled(LOG_DEBUG))
		log_success(&rq);
	finish(&rq, err);
}

void api_handle_sight(void *arg, struct exchange *x)
{
	struct request rq = { .api = arg, .x = x };
	request_name(&rq);
	answer_begin(&rq);
	err_t err = route_find(x->ctx, &rq);
	if (err == OK && rq.route->kind != ROUTE_SIGHT)
		err = fail(x->ctx, ERR_NOT_FOUND, "not at this address");
	if (err == OK)
		err = rq.route->handle(x->ctx, &rq);
	if (err != OK)
		finish_failed(&rq, err);
	finish(&rq, err);
}

void api_refuse(void *arg, struct exchange *x, err_t err)
{
	struct request rq = { .api = arg, .x = x };
	request_name(&rq);
	answer_begin(&rq);
	answer_error(&rq, err);
	watch_refused();
	LOG(LOG_INFO, "request refused", LOG_CSTR("error", error_info(err)->name),
	    LOG_CSTR("detail", x->ctx->failure.detail), LOG_STR("peer", x->peer));
	log_about(NULL, 0);
}

void api_set_draining(struct api *api)
{
	atomic_store(&api->draining, true);
}

void api_print_matrix(struct buf *b)
{
	buf_add(b, STR("# route x role; two letters each: private and public project\n"));
	for (size_t i = 0; i < api_route_count; i++) {
		const struct route *route = &api_routes[i];
		buf_printf(b, "%-6s %-44s %-18s", http_method_name(route->method), route->pattern,
			   action_name(route->action));
		for (enum matrix_role role = 0; role < MATRIX_COUNT; role++)
			buf_printf(b, " %s=%c%c", matrix_role_name(role),
				   access_matrix(role, route->action, false) ? 'y' : '-',
				   access_matrix(role, route->action, true) ? 'y' : '-');
		buf_add_byte(b, '\n');
	}
}
