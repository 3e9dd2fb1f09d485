/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metric_asked.h - the metrics that are read where they are kept when somebody wants to know; what
 * a row means says metric_table.h, which is what to include. Who answers is main/collect.c.
 */
#pragma once

#define METRIC_ASKED_TABLE(X)                                                                      \
	X(BUILD_INFO, GAUGE, "berth_build_info", "", "version", NULL, NULL,                        \
	  "1, with the version.")                                                                  \
	X(START_TIME, GAUGE, "process_start_time_seconds", "seconds", NULL, NULL, NULL,            \
	  "When the process began, since 1970.")                                                   \
	X(CPU, COUNTER, "process_cpu_seconds", "seconds", NULL, NULL, NULL,                        \
	  "Processor time, user and system.")                                                      \
	X(RESIDENT, GAUGE, "process_resident_memory_bytes", "bytes", NULL, NULL, NULL,             \
	  "Memory that is resident.")                                                              \
	X(VIRTUAL, GAUGE, "process_virtual_memory_bytes", "bytes", NULL, NULL, NULL,               \
	  "Memory that is mapped.")                                                                \
	X(FDS, GAUGE, "process_open_fds", "", NULL, NULL, NULL, "Open file descriptors.")          \
	X(FDS_MAX, GAUGE, "process_max_fds", "", NULL, NULL, NULL, "How many there may be.")       \
	X(PROCESS_THREADS, GAUGE, "process_threads", "", NULL, NULL, NULL,                         \
	  "Threads of the process.")                                                               \
	X(CONNECTIONS, GAUGE, "berth_http_connections", "", NULL, NULL, NULL, "Open connections.") \
	X(CONNECTIONS_MAX, GAUGE, "berth_http_connections_max", "", NULL, NULL, NULL,              \
	  "How many there may be.")                                                                \
	X(THREADS, GAUGE, "berth_http_threads", "", NULL, NULL, NULL,                              \
	  "Threads that run requests.")                                                            \
	X(THREADS_IDLE, GAUGE, "berth_http_threads_idle", "", NULL, NULL, NULL,                    \
	  "Those of them that wait for one.")                                                      \
	X(THREADS_MAX, GAUGE, "berth_http_threads_max", "", NULL, NULL, NULL,                      \
	  "How many there may be.")                                                                \
	X(TRANSFERS, GAUGE, "berth_http_transfers", "", NULL, NULL, NULL,                          \
	  "Large bodies that are moved.")                                                          \
	X(TRANSFERS_MAX, GAUGE, "berth_http_transfers_max", "", NULL, NULL, NULL,                  \
	  "How many there may be.")                                                                \
	X(INFLIGHT, GAUGE, "harbor_core_http_inflight_requests", "", NULL, NULL, NULL,             \
	  "Requests under way: threads that are not idle.")                                        \
	X(OPERATIONS, COUNTER, "harbor_core_http_request", "", "method", "code", "operation",      \
	  "Requests as Harbor counts them: `v2_manifest` and the like, the name of an operation "  \
	  "of its API, or `unknown`; not those that got no answer, nor metrics and probes.")       \
	X(OPERATION_SECONDS, SUMMARY, "harbor_core_http_request_duration_seconds", "seconds",      \
	  "method", "operation", NULL, "How long those took; no quantiles.")                       \
	X(POOL_SIZE, GAUGE, "berth_sql_connections_max", "", "pool", NULL, NULL,                   \
	  "Connections to the database that there may be.")                                        \
	X(POOL_USED, GAUGE, "berth_sql_connections_used", "", "pool", NULL, NULL, "Those in use.") \
	X(POOL_WAITING, GAUGE, "berth_sql_connections_waiting", "", "pool", NULL, NULL,            \
	  "Threads that wait for one.")                                                            \
	X(SQL_OPENED, COUNTER, "berth_sql_connections_opened", "", NULL, NULL, NULL,               \
	  "Connections to the database that were opened.")                                         \
	X(SQL_COMMITS, COUNTER, "berth_sql_commits", "", NULL, NULL, NULL,                         \
	  "Transactions that wrote and were committed.")                                           \
	X(SQL_BATCHES, COUNTER, "berth_sql_batches", "", NULL, NULL, NULL,                         \
	  "Commits of the engine; on SQLite one for many transactions.")                           \
	X(SQL_SYNCS, COUNTER, "berth_sql_syncs", "", NULL, NULL, NULL, "Batches made durable.")    \
	X(CACHE_HITS, COUNTER, "berth_cache_hits", "", "cache", NULL, NULL,                        \
	  "Look-ups that found something.")                                                        \
	X(CACHE_MISSES, COUNTER, "berth_cache_misses", "", "cache", NULL, NULL,                    \
	  "Look-ups that found nothing.")                                                          \
	X(CACHE_EVICTIONS, COUNTER, "berth_cache_evictions", "", "cache", NULL, NULL,              \
	  "Values that made room for others.")                                                     \
	X(CACHE_BYTES, GAUGE, "berth_cache_bytes", "bytes", "cache", NULL, NULL,                   \
	  "What is in the cache, keys included.")                                                  \
	X(CACHE_ENTRIES, GAUGE, "berth_cache_entries", "", "cache", NULL, NULL,                    \
	  "How many values.")                                                                      \
	X(AUDIT_RECORDS, COUNTER, "berth_audit_records", "", NULL, NULL, NULL,                     \
	  "Audit records written.")                                                                \
	X(AUDIT_NOTED, COUNTER, "berth_audit_events_queued", "", NULL, NULL, NULL,                 \
	  "Events queued before they became records; alike ones become one.")                      \
	X(AUDIT_DROPPED, COUNTER, "berth_audit_events_dropped", "", NULL, NULL, NULL,              \
	  "Events that found no room in the queue.")                                               \
	X(AUDIT_QUEUED, GAUGE, "berth_audit_queue_bytes", "bytes", NULL, NULL, NULL,               \
	  "Events that wait to be written.")                                                       \
	X(FORWARD_SENT, COUNTER, "berth_audit_forwarded_records", "", "target", NULL, NULL,        \
	  "Audit records passed on.")                                                              \
	X(FORWARD_DROPPED, COUNTER, "berth_audit_forward_dropped_records", "", "target", NULL,     \
	  NULL, "Audit records that a target did not get.")                                        \
	X(FORWARD_QUEUED, GAUGE, "berth_audit_forward_queued_records", "", "target", NULL, NULL,   \
	  "Audit records that wait for a target.")                                                 \
	X(FORWARD_FAILING, GAUGE, "berth_audit_forward_failing", "", "target", NULL, NULL,         \
	  "1 while a target cannot be reached.")                                                   \
	X(STORAGE_SIZE, GAUGE, "berth_storage_size_bytes", "bytes", NULL, NULL, NULL,              \
	  "Room of the default storage, where it has a bound.")                                    \
	X(STORAGE_FREE, GAUGE, "berth_storage_free_bytes", "bytes", NULL, NULL, NULL,              \
	  "What is left of it.")                                                                   \
	X(JOBS, GAUGE, "berth_jobs", "", "kind", "state", NULL,                                    \
	  "Jobs that are not finished, in the whole cluster; 10000: so many or more.")             \
	X(JOBS_WAITING, GAUGE, "berth_jobs_waiting_seconds", "seconds", "kind", NULL, NULL,        \
	  "How long the oldest job that is ready has waited for a worker.")                        \
	X(JOBS_FINISHED, COUNTER, "berth_jobs_attempts", "", "kind", "result", NULL,               \
	  "Attempts at jobs at this node: done, retried, failed, cancelled, lost to another "      \
	  "node.")                                                                                 \
	X(GC_FREED, COUNTER, "berth_gc_freed_items", "", "kind", NULL, NULL,                       \
	  "What garbage collection removed at this node: blobs, links of repositories to blobs, "  \
	  "untagged artifacts, remains of uploads.")                                               \
	X(GC_FREED_BYTES, COUNTER, "berth_gc_freed_bytes", "bytes", NULL, NULL, NULL,              \
	  "How large those blobs were.")                                                           \
	X(GC_PUT_OFF, COUNTER, "berth_gc_put_off_items", "", NULL, NULL, NULL,                     \
	  "What was looked at later, because somebody relied on it just then.")                    \
	X(GC_FAILED, COUNTER, "berth_gc_failed_removals", "", NULL, NULL, NULL,                    \
	  "Blobs whose bytes could not be removed; each is tried again.")                          \
	X(GC_ENDED, GAUGE, "berth_gc_last_end_seconds", "seconds", NULL, NULL, NULL,               \
	  "When a collection last got to its end at this node, since 1970; 0: none has.")          \
	X(GC_DUE, GAUGE, "berth_gc_due_items", "", NULL, NULL, NULL,                               \
	  "What was let go and is due to be looked at; 100000: so many or more.")                  \
	X(GC_LATE, GAUGE, "berth_gc_late_seconds", "seconds", NULL, NULL, NULL,                    \
	  "How long the oldest of it has been due.")                                               \
	X(WEBHOOK_ATTEMPTS, COUNTER, "berth_webhook_attempts", "", "type", "result", NULL,         \
	  "Attempts of this node to tell targets of webhooks, by their types: told, retried "      \
	  "later, dead (given up).")                                                               \
	X(WEBHOOK_WAITING, GAUGE, "berth_webhook_waiting", "", NULL, NULL, NULL,                   \
	  "Deliveries of webhooks that wait, in the whole cluster; 10000: so many or more.")       \
	X(WEBHOOK_OLDEST, GAUGE, "berth_webhook_waiting_seconds", "seconds", NULL, NULL, NULL,     \
	  "How long the oldest of them has waited.")                                               \
	X(QUEUE_SIZE, GAUGE, "harbor_task_queue_size", "", "type", NULL, NULL,                     \
	  "Jobs that are ready and not begun, by our kinds; 10000: so many or more.")              \
	X(QUEUE_LATENCY, GAUGE, "harbor_task_queue_latency", "", "type", NULL, NULL,               \
	  "How many seconds the next of them has waited.")                                         \
	X(TASKS, COUNTER, "harbor_jobservice_task", "", "type", "status", NULL,                    \
	  "Attempts at jobs at this node: `success`, `fail`, `stop`.")                             \
	X(TRACE_QUEUED, GAUGE, "berth_trace_queued_spans", "", NULL, NULL, NULL,                   \
	  "Spans that wait to be passed on.")                                                      \
	X(READY, GAUGE, "berth_ready", "", NULL, NULL, NULL,                                       \
	  "1 while this node takes requests, as `/readyz` says.")                                  \
	X(HEALTH, GAUGE, "harbor_health", "", NULL, NULL, NULL,                                    \
	  "1 while all components are healthy.")                                                   \
	X(UP, GAUGE, "harbor_up", "", "component", NULL, NULL,                                     \
	  "1 while the component is healthy, as `/api/v2.0/health` says.")                         \
	X(TENANT_USED, GAUGE, "berth_tenant_used_bytes", "bytes", "tenant", NULL, NULL,            \
	  "What a tenant stores. Only with `metrics.tenants`.")                                    \
	X(TENANT_QUOTA, GAUGE, "berth_tenant_quota_bytes", "bytes", "tenant", NULL, NULL,          \
	  "What it may store; -1: no limit.")                                                      \
	X(TENANT_REPOSITORIES, GAUGE, "berth_tenant_repositories", "", "tenant", NULL, NULL,       \
	  "Its repositories.")                                                                     \
	X(TENANT_PROJECTS, GAUGE, "berth_tenant_projects", "", "tenant", NULL, NULL,               \
	  "Its projects.")                                                                         \
	X(PROJECT_USED, GAUGE, "harbor_project_quota_usage_byte", "", "project_name", "tenant",    \
	  NULL, "What a project stores. Only with `metrics.projects`.")                            \
	X(PROJECT_QUOTA, GAUGE, "harbor_project_quota_byte", "", "project_name", "tenant", NULL,   \
	  "What it may store; -1: no limit.")                                                      \
	X(PROJECT_REPOSITORIES, GAUGE, "harbor_project_repo_total", "", "project_name", "public",  \
	  "tenant", "Its repositories.")                                                           \
	X(PROJECT_MEMBERS, GAUGE, "harbor_project_member_total", "", "project_name", "tenant",     \
	  NULL, "Its members that are people.")                                                    \
	X(PROJECT_PULLS, GAUGE, "harbor_artifact_pulled", "", "project_name", "tenant", NULL,      \
	  "How often what is in its repositories was pulled.")                                     \
	X(PROJECTS, GAUGE, "harbor_project_total", "", "public", NULL, NULL,                       \
	  "Projects of all tenants. Only with `metrics.projects`, as the rest.")                   \
	X(ALL_PROJECTS, GAUGE, "harbor_statistics_total_project_amount", "", NULL, NULL, NULL,     \
	  "All of them.")                                                                          \
	X(PUBLIC_PROJECTS, GAUGE, "harbor_statistics_public_project_amount", "", NULL, NULL, NULL, \
	  "The public ones.")                                                                      \
	X(PRIVATE_PROJECTS, GAUGE, "harbor_statistics_private_project_amount", "", NULL, NULL,     \
	  NULL, "The others.")                                                                     \
	X(ALL_REPOSITORIES, GAUGE, "harbor_statistics_total_repo_amount", "", NULL, NULL, NULL,    \
	  "Repositories of all tenants.")                                                          \
	X(PUBLIC_REPOSITORIES, GAUGE, "harbor_statistics_public_repo_amount", "", NULL, NULL,      \
	  NULL, "Those of public projects.")                                                       \
	X(PRIVATE_REPOSITORIES, GAUGE, "harbor_statistics_private_repo_amount", "", NULL, NULL,    \
	  NULL, "The others.")
