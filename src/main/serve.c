/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.c - `berth serve`: opens every part, serves until told to stop, and closes in order.
 *
 * Read this first. A request goes from here to api/routes.c (which function), the handler in
 * api/oci_*.c (what the client meant), registry/ (what it does) and store/ and db/ (where it
 * stays).
 */
#include "base/clock.h"
#include "base/log.h"
#include "jobs/jobs.h"
#include "notify/audit.h"
#include "observe/meter.h"
#include "observe/tracer.h"
#include "os/file.h"
#include "os/notify.h"
#include "program.h"
#include "registry/event.h"
#include "registry/quota.h"
#include "settings/system.h"
#include "version.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/banned.h"

#define START_ARENA    MIB(64)
#define HOUSEKEEPING_S 30
#define WATCH_S	       2
/* For metrics and probes. */
#define SIGHT_THREADS	  4
#define SIGHT_CONNECTIONS 64
/* A thread per slow client must not mean a heap per thread. */
#define MALLOC_ARENAS 2

/* Logging in may take a part of the threads and never all: it can hang at somebody else's server.
 */
static struct lockout_options lockout_options(const struct config *config)
{
	unsigned threads = (unsigned)config->http_threads_max;
	return (struct lockout_options){
		.name_attempts = (unsigned)config->auth_name_attempts,
		.name_interval_ms = config->auth_name_interval_ms,
		.address_attempts = (unsigned)config->auth_address_attempts,
		.address_interval_ms = config->auth_address_interval_ms,
		.at_once_max = MAX(threads / 4, 1),
		.at_once_known_max = MAX(threads / 2, 1),
	};
}

static err_t open_auth(struct ctx *ctx, struct program *p)
{
	const struct auth_options options = {
		.db = p->db,
		.settings = p->settings,
		.master_key_path = program_master_key_path(ctx, p),
		.token_lifetime_s = p->config.tokens_lifetime_ms / 1000,
		.key_lifetime_s = p->config.tokens_key_lifetime_ms / 1000,
		.methods = p->config.auth_methods,
		.tenants_allow = p->config.outbound_tenants_allow,
		.lockout = lockout_options(&p->config),
	};
	TRY(auth_new(ctx, &options, &p->auth));
	TRY(program_take_master_key(ctx, p));
	TRY(auth_rotate_keys(ctx, p->auth));
	str made;
	TRY(auth_ensure_admin(ctx, p->auth, p->config.admin_password, &made));
	if (made.len)
		printf("admin password: " STR_FMT
		       " (made at this first start; it is not shown again)\n",
		       STR_ARG(made));
	return OK;
}

/* What the trail looks at each time is a word of its own, so it is told. */
static void tell_audit(struct ctx *ctx, struct system_settings *settings, void *audit)
{
	struct audit_types types = { 0 };
	str wrong, endpoint = system_text(ctx, settings, SYSTEM_AUDIT_LOG_FORWARD_ENDPOINT);
	bool skip = system_bool(settings, SYSTEM_SKIP_AUDIT_LOG_DATABASE) && endpoint.len;
	(void)audit_types_parse(system_text(ctx, settings, SYSTEM_DISABLED_AUDIT_EVENTS), &types,
				&wrong);
	if (system_bool(settings, SYSTEM_PULL_AUDIT_LOG_DISABLE))
		audit_types_add(&types, AUDIT_PULL_ARTIFACT);
	audit_disable(audit, &types);
	audit_skip_database(audit, skip);
	if (forward_set_endpoint(ctx, audit_forward(audit), endpoint) != OK)
		LOG(LOG_WARN, "audit records are not forwarded yet",
		    LOG_CSTR("detail", ctx->failure.detail));
	ctx_forgive(ctx);
}

static err_t start_settings(struct ctx *ctx, struct program *p)
{
	system_watch(ctx, p->settings, tell_audit, p->audit);
	return system_start(ctx, p->settings);
}

static err_t open_tracer(struct ctx *ctx, struct program *p)
{
	const struct config *config = &p->config;
	char host[HOST_NAME_MAX + 1] = "";
	struct tracer_options options = {
		.endpoint = config->traces_endpoint,
		.authorization = config->traces_authorization,
		.service = STR("berth"),
		.version = BERTH_VERSION,
		.per_million = (unsigned)config->traces_per_million,
		.follow = config->traces_follow,
	};
	if (!options.endpoint.len)
		return OK;
	TRY(program_read_pem(ctx, config->traces_ca, "traces.ca", &options.ca_pem));
	(void)gethostname(host, sizeof host - 1);
	options.instance = str_from(host);
	TRY(tracer_new(ctx, &options, &p->tracer));
	return tracer_start(ctx, p->tracer);
}

static err_t open_api(struct ctx *ctx, struct program *p)
{
	str ca_pem;
	TRY(program_read_pem(ctx, p->config.tls_ca_certificate, "tls.ca_certificate", &ca_pem));
	const struct api_options options = {
		.auth = p->auth,
		.registry = p->registry,
		.settings = p->settings,
		.audit = p->audit,
		.jobs = p->jobs,
		.webhooks = p->webhooks,
		.version = BERTH_VERSION,
		.ca_pem = ca_pem,
		.external_url = p->config.external_url,
		.auto_create_projects = p->config.projects_auto_create,
		.anonymous_pull = p->config.projects_anonymous_pull,
		.anonymous_off = !p->config.projects_anonymous,
		.deletes = p->config.registry_delete,
		.tags_page_max = (size_t)p->config.tags_page_max,
		.catalog_page_max = (size_t)p->config.catalog_page_max,
		.rate_limits = { [RATE_ADDRESS] = p->config.rate_limits_address,
				 [RATE_ANONYMOUS] = p->config.rate_limits_anonymous,
				 [RATE_USER] = p->config.rate_limits_user,
				 [RATE_ROBOT] = p->config.rate_limits_robot,
				 [RATE_TENANT] = p->config.rate_limits_tenant },
		.metrics_networks = p->config.metrics_networks,
		.collect = program_collect,
		.collect_arg = p,
		.tracer = p->tracer,
	};
	p->api = api_new(&options);
	return OK;
}

static err_t open_tls(struct ctx *ctx, struct program *p)
{
	const struct config *config = &p->config;
	const char *crl = config->tls_client_crl.len ? config->tls_client_crl.ptr : NULL;
	TRY(tls_server_new(ctx, config->tls_certificate.ptr, config->tls_key.ptr, &p->tls));
	return config->tls_client_ca.len
		       ? tls_server_trust_clients(ctx, p->tls, config->tls_client_ca.ptr, crl)
		       : OK;
}

/* A server of its own, so that it answers when all threads of the other are taken. */
static err_t open_metrics_server(struct ctx *ctx, struct program *p)
{
	const struct server_options options = {
		.handle = api_handle_sight,
		.refuse = api_refuse,
		.arg = p->api,
		.threads_max = SIGHT_THREADS,
		.transfers_max = SIGHT_THREADS,
		.connections_max = SIGHT_CONNECTIONS,
		.tls = p->tls,
	};
	return server_new(ctx, &options, &p->metrics_server);
}

static err_t open_server(struct ctx *ctx, struct program *p)
{
	const struct config *config = &p->config;
	if (config->tls_certificate.len)
		TRY(open_tls(ctx, p));
	const struct server_options options = {
		.handle = api_handle,
		.refuse = api_refuse,
		.arg = p->api,
		.threads_max = (unsigned)config->http_threads_max,
		.transfers_max = (unsigned)config->http_transfers_max,
		.connections_max = (unsigned)config->http_connections_max,
		.arena_bytes_max = (size_t)config->http_request_memory_bytes_max,
		.head_timeout_ms = (int)config->http_head_timeout_ms,
		.idle_timeout_ms = (int)config->http_idle_timeout_ms,
		.body_timeout_ms = (int)config->http_body_timeout_ms,
		.request_timeout_ms = (int)config->http_request_timeout_ms,
		.rate_min_bytes_per_s = config->http_rate_min_bytes_per_s,
		.proxy_protocol = config->http_proxy_protocol,
		.trusted_proxies = config->http_trusted_proxies.ptr,
		.certificate_header = config->http_client_certificate_header.ptr,
		.tls = p->tls,
	};
	TRY(server_new(ctx, &options, &p->server));
	return config->metrics_listen.len ? open_metrics_server(ctx, p) : OK;
}

static err_t start_metrics_server(struct ctx *ctx, struct program *p)
{
	const struct config_listener *listener = &p->config.metrics_listener;
	str bound;
	if (!p->metrics_server)
		return OK;
	TRY(server_listen(ctx, p->metrics_server, listener->address, listener->tls, &bound));
	TRY(server_start(ctx, p->metrics_server));
	LOG(LOG_NOTICE, "metrics", LOG_STR("at", bound),
	    LOG_CSTR("scheme", listener->tls ? "https" : "http"));
	return OK;
}

/* Says that it listens when somebody is there to answer. */
static err_t start_serving(struct ctx *ctx, struct program *p)
{
	const struct config_listener *listeners = p->config.listeners;
	str bound[CONFIG_LISTENERS_MAX];
	for (size_t i = 0; i < p->config.listener_count; i++)
		TRY(server_listen(ctx, p->server, listeners[i].address, listeners[i].tls,
				  &bound[i]));
	TRY(start_metrics_server(ctx, p));
	TRY(server_start(ctx, p->server));
	for (size_t i = 0; i < p->config.listener_count; i++)
		LOG(LOG_NOTICE, "listening", LOG_STR("address", bound[i]),
		    LOG_CSTR("scheme", listeners[i].tls ? "https" : "http"),
		    LOG_STR("data", p->config.data_dir));
	fflush(stdout);
	notify_ready();
	return OK;
}

static void reload(struct ctx *ctx, struct program *p)
{
	if (!p->tls)
		return;
	if (tls_server_reload(ctx, p->tls) == OK)
		LOG(LOG_INFO, "certificate read again");
	else
		LOG(LOG_ERROR, "certificate could not be read again; the old one stays",
		    LOG_CSTR("detail", ctx->failure.detail));
	ctx_forgive(ctx);
}

/* What each node does for itself; what one does for all is in jobs.c. */
static void keep_house(struct ctx *ctx, struct program *p)
{
	err_t err = auth_read_keys(ctx, p->auth);
	if (err == OK)
		err = auth_write_uses(ctx, p->auth);
	if (err != OK)
		LOG(LOG_WARN, "housekeeping failed", LOG_CSTR("detail", ctx->failure.detail));
	ctx_forgive(ctx);
	arena_reset(ctx->arena);
}

struct quota_telling {
	struct ctx *ctx;
	struct program *program;
};

static void tell_webhooks_of_quota(const struct quota_telling *telling, const struct quota *quota,
				   int64_t percent)
{
	struct ctx *ctx = telling->ctx;
	enum webhook_event type =
		percent >= 100 ? WEBHOOK_EVENT_QUOTA_EXCEED : WEBHOOK_EVENT_QUOTA_WARNING;
	const struct event event = {
		.repository = quota->name,
		.details = arena_printf(ctx->arena,
					"{\"Details\":\"quota usage reach %lld%%: resource storage "
					"used %lld of %lld "
					"bytes\"}",
					(long long)percent, (long long)quota->used[QUOTA_STORAGE],
					(long long)quota->limit[QUOTA_STORAGE]),
	};
	struct event_plan plan;
	int64_t tenant_id = ctx->tenant_id;
	ctx->tenant_id = quota->tenant_id;
	if (event_plan_in(ctx, telling->program->registry, type, quota->holder_id, &plan) == OK)
		event_send(ctx, &plan, &event);
	ctx_forgive(ctx);
	ctx->tenant_id = tenant_id;
}

static void tell_of_quota(void *arg, const struct quota *quota, int64_t percent)
{
	const struct quota_telling *telling = arg;
	struct program *p = telling->program;
	bool of_project = quota->scope == QUOTA_PROJECT;
	char after[128];
	int len = snprintf(after, sizeof after,
			   "{\"threshold_percent\":%lld,\"used\":%lld,\"hard\":%lld}",
			   (long long)percent, (long long)quota->used[QUOTA_STORAGE],
			   (long long)quota->limit[QUOTA_STORAGE]);
	const struct audit_event event = {
		.type = AUDIT_PASS_QUOTA,
		.tenant_id = quota->tenant_id,
		.project_id = of_project ? quota->holder_id : 0,
		.project = of_project ? quota->name : STR_NONE,
		.resource = quota->name,
		.actor_type = STR("system"),
		.actor = STR("system"),
		.after = (str){ after, (size_t)len },
	};
	audit_note(p->audit, &event);
	if (of_project)
		tell_webhooks_of_quota(telling, quota, percent);
	LOG(LOG_NOTICE, "quota threshold", LOG_CSTR("of", of_project ? "project" : "tenant"),
	    LOG_STR("name", quota->name), LOG_I64("percent", percent),
	    LOG_I64("used", quota->used[QUOTA_STORAGE]),
	    LOG_I64("limit", quota->limit[QUOTA_STORAGE]));
}

static void watch_quotas(struct ctx *ctx, struct program *p)
{
	struct quota_telling telling = { ctx, p };
	const struct quota_watcher watcher = { p->config.quota_warning_percent, tell_of_quota,
					       &telling };
	if (quota_watch(ctx, p->registry, &watcher) != OK)
		LOG(LOG_WARN, "thresholds of quotas were not looked at",
		    LOG_CSTR("detail", ctx->failure.detail));
	ctx_forgive(ctx);
	arena_reset(ctx->arena);
}

/* Signals arrive here only: every other thread has them blocked. */
static void block_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGHUP);
	pthread_sigmask(SIG_BLOCK, ret, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error, not an end */
}

static void serve_until_stopped(struct program *p, const sigset_t *signals)
{
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, MIB(16));
	struct ctx ctx;
	ctx_init(&ctx, &arena);
	const struct timespec pause = { .tv_sec = WATCH_S };
	for (int64_t kept_ns = clock_now_ns();;) {
		int signal_number = sigtimedwait(signals, NULL, &pause);
		if (signal_number == SIGTERM || signal_number == SIGINT)
			return;
		if (signal_number == SIGHUP)
			reload(&ctx, p);
		else if (errno != EAGAIN)
			continue;
		if (sql_reach(p->db) != SQL_REACH_ALL)
			continue; /* which has been said */
		watch_quotas(&ctx, p);
		if (clock_now_ns() - kept_ns < HOUSEKEEPING_S * CLOCK_S)
			continue;
		kept_ns = clock_now_ns();
		keep_house(&ctx, p);
	}
}

/* Not ready any more, and still serving, until others have seen it. Another signal ends that. */
static void linger(struct program *p, const sigset_t *signals)
{
	int64_t until_ns = clock_now_ns() + p->config.http_drain_delay_ms * CLOCK_MS;
	api_set_draining(p->api);
	server_leave(p->server);
	if (p->config.http_drain_delay_ms)
		LOG(LOG_NOTICE, "not ready any more",
		    LOG_I64("stops_in_ms", p->config.http_drain_delay_ms));
	for (int64_t left_ns; (left_ns = until_ns - clock_now_ns()) > 0;) {
		const struct timespec pause = { left_ns / CLOCK_S, left_ns % CLOCK_S };
		int signal_number = sigtimedwait(signals, NULL, &pause);
		if (signal_number == SIGTERM || signal_number == SIGINT)
			return;
	}
}

static err_t serve(struct ctx *ctx, struct program *p, const sigset_t *signals)
{
	TRY(program_make_data(ctx, p));
	meter_start();
	program_confine(ctx, p);
	TRY(program_lock(ctx, p));
	p->serves = true;
	TRY(program_open(ctx, p));
	TRY(registry_recover(ctx, p->registry));
	TRY(registry_count_pulls(ctx, p->registry, p->config.pulls_write_interval_ms));
	TRY(open_auth(ctx, p));
	TRY(program_open_audit(ctx, p));
	TRY(start_settings(ctx, p));
	TRY(open_tracer(ctx, p));
	TRY(program_hear_nodes(ctx, p));
	TRY(program_open_webhooks(ctx, p));
	TRY(program_open_jobs(ctx, p));
	TRY(open_api(ctx, p));
	TRY(open_server(ctx, p));
	TRY(start_serving(ctx, p));
	serve_until_stopped(p, signals);

	notify_stopping();
	linger(p, signals);
	LOG(LOG_INFO, "stopping");
	jobs_stop(p->jobs); /* others go on with them */
	server_drain(p->server, (int)p->config.http_drain_timeout_ms);
	if (auth_write_uses(ctx, p->auth) != OK)
		LOG(LOG_WARN, "last uses were not written",
		    LOG_CSTR("detail", ctx->failure.detail));
	return OK;
}

int main_serve(int argc, char **argv)
{
	sigset_t signals;
	block_signals(&signals);
	mallopt(M_ARENA_MAX, MALLOC_ARENAS);

	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, START_ARENA);
	struct ctx ctx;
	ctx_init(&ctx, &arena);
	CLEANUP(program_close) struct program p = PROGRAM_INIT;
	err_t err = program_configure(&ctx, argc, argv, &p);
	if (err == OK)
		err = serve(&ctx, &p, &signals);
	if (err == OK)
		return 0;
	fprintf(stderr, "berth: %s\n", ctx.failure.detail);
	return 1;
}
