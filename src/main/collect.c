/* SPDX-License-Identifier: Apache-2.0 */
/* collect.c - asks every part for the numbers that metrics show: the asked ones of
 * observe/metric_table.h. */
#include "api/probe.h"
#include "auth/auth.h"
#include "base/cache.h"
#include "base/clock.h"
#include "base/log.h"
#include "jobs/jobs.h"
#include "notify/audit.h"
#include "db/outbox.h"
#include "notify/webhook_format.h"
#include "observe/process.h"
#include "observe/tracer.h"
#include "program.h"
#include "registry/collect.h"
#include "registry/quota.h"
#include "registry/search.h"
#include "registry/tenant.h"
#include "version.h"

#include "base/banned.h"

#define TENANTS_MAX  1000
#define PROJECTS_MAX 1000 /* of each tenant */

#define PUT(id, value)	      samples_add(samples, METRIC_ID_##id, STR_NONE, STR_NONE, (int64_t)(value))
#define PUT_OF(id, of, value) samples_add(samples, METRIC_ID_##id, (of), STR_NONE, (int64_t)(value))

static void collect_server(struct program *p, struct samples *samples)
{
	struct server_stats now;
	server_stats(p->server, &now);
	PUT(CONNECTIONS, now.connections);
	PUT(CONNECTIONS_MAX, p->config.http_connections_max);
	PUT(THREADS, now.threads);
	PUT(THREADS_IDLE, now.threads_idle);
	PUT(THREADS_MAX, p->config.http_threads_max);
	PUT(TRANSFERS, now.transfers);
	PUT(TRANSFERS_MAX, p->config.http_transfers_max);
	PUT(INFLIGHT, now.threads - MIN(now.threads_idle, now.threads));
}

static void collect_database(struct program *p, struct samples *samples)
{
	struct sql_stats now;
	struct sql_pool pools[SQL_POOLS_MAX];
	sql_stats(p->db, &now);
	PUT(SQL_OPENED, now.connections_opened);
	PUT(SQL_COMMITS, now.commits);
	PUT(SQL_BATCHES, now.batches);
	PUT(SQL_SYNCS, now.syncs);
	size_t count = sql_pools(p->db, pools);
	for (size_t i = 0; i < count; i++) {
		PUT_OF(POOL_SIZE, str_from(pools[i].name), pools[i].size);
		PUT_OF(POOL_USED, str_from(pools[i].name), pools[i].used);
		PUT_OF(POOL_WAITING, str_from(pools[i].name), pools[i].waiting);
	}
}

static void put_cache(struct samples *samples, const char *name, const struct cache_stats *now)
{
	str cache = str_from(name);
	PUT_OF(CACHE_HITS, cache, now->hits);
	PUT_OF(CACHE_MISSES, cache, now->misses);
	PUT_OF(CACHE_EVICTIONS, cache, now->evictions);
	PUT_OF(CACHE_BYTES, cache, now->bytes);
	PUT_OF(CACHE_ENTRIES, cache, now->entries);
}

static void collect_caches(struct program *p, struct samples *samples)
{
	struct cache_stats now, tenants;
	registry_cache_stats(p->registry, &now);
	put_cache(samples, "registry", &now);
	auth_cache_stats(p->auth, &now, &tenants);
	put_cache(samples, "identities", &now);
	put_cache(samples, "tenants", &tenants);
}

static void collect_audit(struct ctx *ctx, struct program *p, struct samples *samples)
{
	struct audit_stats now;
	struct forward_report targets[FORWARD_TARGETS_MAX];
	audit_stats(p->audit, &now);
	PUT(AUDIT_RECORDS, now.written);
	PUT(AUDIT_NOTED, now.noted);
	PUT(AUDIT_DROPPED, now.dropped);
	PUT(AUDIT_QUEUED, now.queued_bytes);
	size_t count = forward_list(ctx, audit_forward(p->audit), targets);
	for (size_t i = 0; i < count; i++) {
		str name = str_from(targets[i].name);
		PUT_OF(FORWARD_SENT, name, targets[i].sent);
		PUT_OF(FORWARD_DROPPED, name, targets[i].dropped);
		PUT_OF(FORWARD_QUEUED, name, targets[i].queued);
		PUT_OF(FORWARD_FAILING, name, targets[i].state == FORWARD_FAILING);
	}
}

/* The same in Harbor's words, which has an attempt that is made again among those that failed. */
static void put_tasks(struct samples *samples, str kind, const struct jobs_kind_stats *now)
{
	const struct job_count *ready = &now->counts[JOB_READY];
	const uint64_t *results = now->results;
	const struct {
		str status;
		uint64_t count;
	} tasks[] = {
		{ STR("success"), results[JOB_RESULT_DONE] },
		{ STR("fail"), results[JOB_RESULT_RETRIED] + results[JOB_RESULT_FAILED] },
		{ STR("stop"), results[JOB_RESULT_CANCELLED] },
	};
	PUT_OF(QUEUE_SIZE, kind, ready->count);
	PUT_OF(QUEUE_LATENCY, kind,
	       ready->count ? MAX(ready->now_us - ready->ready_at_us, 0) / (CLOCK_S / CLOCK_US)
			    : 0);
	for (size_t i = 0; i < COUNT_OF(tasks); i++)
		samples_add(samples, METRIC_ID_TASKS, kind, tasks[i].status,
			    (int64_t)tasks[i].count);
}

static err_t collect_kind(struct ctx *ctx, struct program *p, size_t at, struct samples *samples)
{
	struct jobs_kind_stats now;
	TRY(jobs_kind_stats(ctx, p->jobs, at, &now));
	str kind = str_from(now.kind);
	const struct job_count *ready = &now.counts[JOB_READY];
	for (size_t i = 0; i < COUNT_OF(now.counts); i++)
		samples_add(samples, METRIC_ID_JOBS, kind, str_from(job_state_names[i]),
			    now.counts[i].count);
	PUT_OF(JOBS_WAITING, kind,
	       ready->count ? MAX(ready->now_us - ready->ready_at_us, 0) * CLOCK_US : 0);
	for (size_t i = 0; i < JOB_RESULT_COUNT; i++)
		samples_add(samples, METRIC_ID_JOBS_FINISHED, kind, str_from(job_result_names[i]),
			    (int64_t)now.results[i]);
	put_tasks(samples, kind, &now);
	return OK;
}

static void collect_garbage(struct ctx *ctx, struct program *p, struct samples *samples)
{
	struct collected_here here;
	struct garbage_count now;
	registry_collected(p->registry, &here);
	PUT_OF(GC_FREED, STR("artifact"), here.sum.artifacts);
	PUT_OF(GC_FREED, STR("blob"), here.sum.blobs);
	PUT_OF(GC_FREED, STR("link"), here.sum.links);
	PUT_OF(GC_FREED, STR("upload"), here.sum.uploads);
	PUT(GC_FREED_BYTES, here.sum.bytes);
	PUT(GC_PUT_OFF, here.sum.put_off);
	PUT(GC_FAILED, here.sum.failed);
	PUT(GC_ENDED, here.ended_us * CLOCK_US);
	if (sql_reach(p->db) != SQL_REACH_NONE && registry_garbage(ctx, p->registry, &now) == OK) {
		PUT(GC_DUE, now.due);
		PUT(GC_LATE, now.late_us * CLOCK_US);
	}
	ctx_forgive(ctx);
}

static void collect_webhooks(struct ctx *ctx, struct program *p, struct samples *samples)
{
	struct webhook_stats now;
	struct outbox_count waiting;
	webhooks_stats(p->webhooks, &now);
	for (unsigned i = 0; i < WEBHOOK_KIND_COUNT; i++)
		for (size_t k = 0; k < WEBHOOK_RESULT_COUNT; k++)
			samples_add(samples, METRIC_ID_WEBHOOK_ATTEMPTS,
				    webhook_kind_info((enum webhook_kind)i)->name,
				    str_from(webhook_result_names[k]), (int64_t)now.results[i][k]);
	if (sql_reach(p->db) != SQL_REACH_NONE &&
	    webhooks_waiting(ctx, p->webhooks, &waiting) == OK) {
		PUT(WEBHOOK_WAITING, waiting.count);
		PUT(WEBHOOK_OLDEST, waiting.oldest_us * CLOCK_US);
	}
	ctx_forgive(ctx);
}

/* Without the database all the rest is still to be seen. */
static void collect_jobs(struct ctx *ctx, struct program *p, struct samples *samples)
{
	err_t err = sql_reach(p->db) == SQL_REACH_NONE ? ERR_DATABASE : OK;
	for (size_t i = 0; i < jobs_kind_count(p->jobs) && err == OK; i++)
		err = collect_kind(ctx, p, i, samples);
	if (err != OK)
		ctx_forgive(ctx);
}

static void collect_health(struct ctx *ctx, struct program *p, struct samples *samples)
{
	struct readiness now;
	uint64_t size_bytes, free_bytes;
	PUT(READY, probe_is_ready(ctx, p->api, &now));
	PUT(HEALTH, now.health.database == OK && now.health.storage == OK);
	PUT_OF(UP, STR("core"), 1);
	PUT_OF(UP, STR("database"), now.health.database == OK);
	PUT_OF(UP, STR("registry"), now.health.storage == OK);
	if (registry_storage_space(ctx, p->registry, &size_bytes, &free_bytes) == OK &&
	    size_bytes) {
		PUT(STORAGE_SIZE, size_bytes);
		PUT(STORAGE_FREE, free_bytes);
	}
	ctx_forgive(ctx);
}

/* --- usage, by option ------------------------------------------------------------------------- */

static err_t collect_tenant(struct ctx *ctx, struct program *p, const struct tenant *tenant,
			    struct samples *samples)
{
	struct quota quota;
	TRY(quota_get(ctx, p->registry, QUOTA_TENANT, tenant->row.id, &quota));
	str name = tenant->row.name;
	PUT_OF(TENANT_USED, name, quota.used[QUOTA_STORAGE]);
	PUT_OF(TENANT_QUOTA, name, quota.limit[QUOTA_STORAGE]);
	PUT_OF(TENANT_REPOSITORIES, name, quota.used[QUOTA_REPOSITORIES]);
	PUT_OF(TENANT_PROJECTS, name, quota.used[QUOTA_PROJECTS]);
	return OK;
}

static str bool_text(bool value)
{
	return value ? STR("true") : STR("false");
}

static err_t collect_projects(struct ctx *ctx, struct program *p, const struct tenant *tenant,
			      struct samples *samples)
{
	const struct quota_query query = { .order = QUOTA_BY_ID, .limit = PROJECTS_MAX };
	struct quota *list;
	size_t count;
	int64_t total;
	ctx->tenant_id = tenant->row.id;
	TRY(quota_list(ctx, p->registry, &query, &list, &count, &total));
	str of = tenant->row.name;
	for (size_t i = 0; i < count; i++) {
		const int64_t *used = list[i].used;
		samples_add(samples, METRIC_ID_PROJECT_USED, list[i].name, of, used[QUOTA_STORAGE]);
		samples_add(samples, METRIC_ID_PROJECT_QUOTA, list[i].name, of,
			    list[i].limit[QUOTA_STORAGE]);
	}
	return OK;
}

/* Projects as Harbor's exporter counts them. */
static err_t collect_tallies(struct ctx *ctx, struct program *p, const struct tenant *tenant,
			     struct seen_counts *sum, struct samples *samples)
{
	struct seen_counts counts;
	struct project_tally *list;
	size_t count;
	str of = tenant->row.name;
	TRY(registry_tallies(ctx, p->registry, PROJECTS_MAX, &counts, &list, &count));
	for (size_t i = 0; i < count; i++) {
		samples_put(samples,
			    &(struct sample){
				    .id = METRIC_ID_PROJECT_REPOSITORIES,
				    .labels = { list[i].name, bool_text(list[i].is_public), of },
				    .value = list[i].repositories });
		samples_add(samples, METRIC_ID_PROJECT_MEMBERS, list[i].name, of, list[i].people);
		samples_add(samples, METRIC_ID_PROJECT_PULLS, list[i].name, of, list[i].pulls);
	}
	for (size_t is_public = 0; is_public < 2; is_public++) {
		sum->projects[is_public] += counts.projects[is_public];
		sum->repositories[is_public] += counts.repositories[is_public];
	}
	return OK;
}

static void put_sums(struct samples *samples, const struct seen_counts *sum)
{
	const int64_t *projects = sum->projects, *repositories = sum->repositories;
	PUT_OF(PROJECTS, bool_text(true), projects[true]);
	PUT_OF(PROJECTS, bool_text(false), projects[false]);
	PUT(ALL_PROJECTS, projects[true] + projects[false]);
	PUT(PUBLIC_PROJECTS, projects[true]);
	PUT(PRIVATE_PROJECTS, projects[false]);
	PUT(ALL_REPOSITORIES, repositories[true] + repositories[false]);
	PUT(PUBLIC_REPOSITORIES, repositories[true]);
	PUT(PRIVATE_REPOSITORIES, repositories[false]);
}

static err_t collect_usage(struct ctx *ctx, struct program *p, struct samples *samples)
{
	struct tenant_list tenants = {
		.query = { .state = TENANT_STATE_ANY, .order = TENANT_BY_ID, .limit = TENANTS_MAX },
	};
	struct seen_counts sum = { 0 };
	TRY(tenant_list(ctx, p->registry, &tenants));
	for (size_t i = 0; i < tenants.count; i++) {
		if (p->config.metrics_tenants)
			TRY(collect_tenant(ctx, p, &tenants.items[i], samples));
		if (!p->config.metrics_projects)
			continue;
		TRY(collect_projects(ctx, p, &tenants.items[i], samples));
		TRY(collect_tallies(ctx, p, &tenants.items[i], &sum, samples));
	}
	if (p->config.metrics_projects)
		put_sums(samples, &sum);
	return OK;
}

/* Without the database all the rest is still to be seen. */
static void try_usage(struct ctx *ctx, struct program *p, struct samples *samples)
{
	int64_t tenant_id = ctx->tenant_id;
	if (collect_usage(ctx, p, samples) != OK)
		LOG(LOG_WARN, "usage is not among the metrics",
		    LOG_CSTR("detail", ctx->failure.detail));
	ctx_forgive(ctx);
	ctx->tenant_id = tenant_id;
}

void program_collect(struct ctx *ctx, void *program, struct samples *samples)
{
	struct program *p = program;
	PUT_OF(BUILD_INFO, STR(BERTH_VERSION), 1);
	process_collect(samples);
	collect_server(p, samples);
	collect_database(p, samples);
	collect_caches(p, samples);
	collect_audit(ctx, p, samples);
	collect_jobs(ctx, p, samples);
	collect_garbage(ctx, p, samples);
	collect_webhooks(ctx, p, samples);
	collect_health(ctx, p, samples);
	if (p->tracer)
		PUT(TRACE_QUEUED, tracer_queued(p->tracer));
	if (p->config.metrics_tenants || p->config.metrics_projects)
		try_usage(ctx, p, samples);
}
