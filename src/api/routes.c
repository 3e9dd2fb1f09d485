/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routes.c - every endpoint of the program, in one table; route_find.c finds a path's row.
 *
 * The permission is a column: an endpoint without a decision cannot be written. Where it says
 * LOGIN, what the object is decides, and the handler asks for the real permission
 * (request_require()) once it knows the object.
 */
#include "api/background.h"
#include "api/handlers.h"
#include "api/handlers_retention.h"
#include "api/handlers_robot.h"
#include "api/handlers_tenant.h"
#include "api/handlers_webhook.h"

#include "base/banned.h"

#define JSON_BODY_MAX	   KIB(64)
#define INVENTORY_BODY_MAX KIB(512)

const struct route api_routes[] = {
#define OCI(method, pattern, operation_, action, handler)                                          \
	{                                                                                          \
		HTTP_##method, pattern, ACTION_##action, ROUTE_OCI, 0, handler,                    \
			.operation = "v2_" operation_                                              \
	}
	OCI(GET, "/v2/{name}/manifests/{reference}", "manifest", REPOSITORY_PULL, oci_manifest_get),
	OCI(GET, "/v2/{name}/blobs/{digest}", "blob", REPOSITORY_PULL, oci_blob_get),
	OCI(GET, "/v2/", "others", REGISTRY_PING, oci_ping),
	OCI(GET, "/v2", "others", REGISTRY_PING, oci_ping),
	OCI(POST, "/v2/{name}/blobs/uploads/", "blob_upload", REPOSITORY_PUSH, oci_upload_post),
	OCI(POST, "/v2/{name}/blobs/uploads", "blob_upload", REPOSITORY_PUSH, oci_upload_post),
	OCI(PATCH, "/v2/{name}/blobs/uploads/{upload}", "blob_upload", REPOSITORY_PUSH,
	    oci_upload_patch),
	OCI(PUT, "/v2/{name}/blobs/uploads/{upload}", "blob_upload", REPOSITORY_PUSH,
	    oci_upload_put),
	OCI(GET, "/v2/{name}/blobs/uploads/{upload}", "blob_upload", REPOSITORY_PUSH,
	    oci_upload_get),
	OCI(DELETE, "/v2/{name}/blobs/uploads/{upload}", "blob_upload", REPOSITORY_PUSH,
	    oci_upload_delete),
	OCI(PUT, "/v2/{name}/manifests/{reference}", "manifest", REPOSITORY_PUSH, oci_manifest_put),
	OCI(DELETE, "/v2/{name}/manifests/{reference}", "manifest", REPOSITORY_DELETE,
	    oci_manifest_delete),
	OCI(DELETE, "/v2/{name}/blobs/{digest}", "blob", REPOSITORY_DELETE, oci_blob_delete),
	OCI(GET, "/v2/{name}/tags/list", "tags", REPOSITORY_PULL, oci_tags_get),
	OCI(GET, "/v2/{name}/referrers/{digest}", "referrers", REPOSITORY_PULL, oci_referrers_get),
	OCI(GET, "/v2/_catalog", "catalog", CATALOG_LIST, oci_catalog_get),
	OCI(GET, "/v2/_oci/ext/discover", "others", REGISTRY_PING, oci_discover_get),
	OCI(GET, "/v2/{name}/_oci/ext/discover", "others", REPOSITORY_PULL, oci_discover_get),
#undef OCI
	{ HTTP_GET, "/service/token", ACTION_NONE, ROUTE_TOKEN, 0, token_get },
	{ HTTP_POST, "/service/token", ACTION_NONE, ROUTE_TOKEN, JSON_BODY_MAX, token_post },
#define PORTAL(method, pattern, handler)                                                           \
	{                                                                                          \
		HTTP_##method, "/c" pattern, ACTION_NONE, ROUTE_PORTAL, JSON_BODY_MAX, handler     \
	}
	PORTAL(POST, "/login", portal_login),
	PORTAL(GET, "/log_out", portal_log_out),
	PORTAL(POST, "/userExists", portal_user_exists),
	PORTAL(GET, "/oidc/providers", portal_oidc_providers),
	PORTAL(GET, "/oidc/login", portal_oidc_login),
	PORTAL(GET, "/oidc/callback", portal_oidc_callback),
	PORTAL(POST, "/oidc/onboard", portal_oidc_onboard),
	PORTAL(GET, "/oidc/logout", portal_oidc_logout),
#undef PORTAL
	/* No browser sends this one, so it has no token of ours. */
	{ HTTP_POST, "/c/oidc/backchannel", ACTION_NONE, ROUTE_HARBOR, JSON_BODY_MAX,
	  portal_oidc_backchannel },
	{ HTTP_GET, "/api/version", ACTION_NONE, ROUTE_HARBOR, 0, harbor_version_get },
	{ HTTP_GET, "/metrics", ACTION_METRICS_READ, ROUTE_SIGHT, 0, metrics_get },
	{ HTTP_GET, "/debug", ACTION_DEBUG_READ, ROUTE_HARBOR, 0, debug_get },
	{ HTTP_GET, "/debug/{word}", ACTION_DEBUG_READ, ROUTE_HARBOR, 0, debug_get },
	{ HTTP_GET, "/livez", ACTION_NONE, ROUTE_SIGHT, 0, probe_live },
	{ HTTP_GET, "/readyz", ACTION_NONE, ROUTE_SIGHT, 0, probe_ready },
	{ HTTP_GET, "/startupz", ACTION_NONE, ROUTE_SIGHT, 0, probe_live },
#define HARBOR(method, pattern, operation_, action, handler)                                       \
	{                                                                                          \
		HTTP_##method, "/api/v2.0" pattern, ACTION_##action, ROUTE_HARBOR, JSON_BODY_MAX,  \
			handler, .operation = #operation_                                          \
	}
	/* health */
	{ HTTP_GET, "/api/v2.0/health", ACTION_NONE, ROUTE_HARBOR, 0, harbor_health_get,
	  .of_nobody = true, .operation = "GetHealth" },
	/* search */
	HARBOR(GET, "/search", Search, PROJECT_LIST, harbor_search),
	/* statistic */
	HARBOR(GET, "/statistics", GetStatistic, LOGIN, harbor_statistics),
	/* Ldap */
	HARBOR(POST, "/ldap/ping", PingLdap, CONFIGURATION_UPDATE, harbor_ldap_ping),
	HARBOR(GET, "/ldap/users/search", SearchLdapUser, LDAP_USER_LIST, harbor_ldap_user_search),
	HARBOR(POST, "/ldap/users/import", ImportLdapUser, LDAP_USER_CREATE,
	       harbor_ldap_user_import),
	HARBOR(GET, "/ldap/groups/search", SearchLdapGroup, LDAP_USER_LIST,
	       harbor_ldap_group_search),
	/* configure */
	HARBOR(GET, "/internalconfig", GetInternalconfig, CONFIGURATION_READ,
	       harbor_configuration_get_internal),
	HARBOR(GET, "/configurations", GetConfigurations, CONFIGURATION_READ,
	       harbor_configuration_get),
	HARBOR(PUT, "/configurations", UpdateConfigurations, CONFIGURATION_UPDATE,
	       harbor_configuration_put),
	/* project */
	HARBOR(HEAD, "/projects", HeadProject, LOGIN, harbor_project_head),
	HARBOR(GET, "/projects", ListProjects, PROJECT_LIST, harbor_project_list),
	HARBOR(POST, "/projects", CreateProject, PROJECT_CREATE, harbor_project_create),
	HARBOR(GET, "/projects/{project}/_deletable", GetProjectDeletable, PROJECT_DELETE,
	       harbor_project_deletable),
	HARBOR(GET, "/projects/{project}/summary", GetProjectSummary, PROJECT_READ,
	       harbor_project_summary),
	HARBOR(GET, "/projects/{project}/artifacts", ListArtifactsOfProject, ARTIFACT_LIST,
	       harbor_artifact_list_of_project),
	HARBOR(GET, "/projects/{project}/scanner", GetScannerOfProject, SCANNER_READ,
	       harbor_scanner_of_project),
	HARBOR(PUT, "/projects/{project}/scanner", SetScannerOfProject, SCANNER_CREATE,
	       harbor_later),
	HARBOR(GET, "/projects/{project}/scanner/candidates", ListScannerCandidatesOfProject,
	       SCANNER_CREATE, harbor_scanner_candidates),
	HARBOR(GET, "/projects/{project_name}/logs", GetLogs, LOG_LIST, harbor_project_logs),
	HARBOR(GET, "/projects/{project_name}/auditlog-exts", GetLogExts, LOG_LIST,
	       harbor_project_log_exts),
	HARBOR(GET, "/projects/{project}", GetProject, PROJECT_READ, harbor_project_get),
	HARBOR(PUT, "/projects/{project}", UpdateProject, PROJECT_UPDATE, harbor_project_update),
	HARBOR(DELETE, "/projects/{project}", DeleteProject, PROJECT_DELETE, harbor_project_delete),
	/* member */
	HARBOR(GET, "/projects/{project}/members", ListProjectMembers, MEMBER_LIST,
	       harbor_member_list),
	HARBOR(POST, "/projects/{project}/members", CreateProjectMember, MEMBER_CREATE,
	       harbor_member_create),
	HARBOR(GET, "/projects/{project}/members/{id}", GetProjectMember, MEMBER_READ,
	       harbor_member_get),
	HARBOR(PUT, "/projects/{project}/members/{id}", UpdateProjectMember, MEMBER_UPDATE,
	       harbor_member_update),
	HARBOR(DELETE, "/projects/{project}/members/{id}", DeleteProjectMember, MEMBER_DELETE,
	       harbor_member_delete),
	/* projectMetadata */
	HARBOR(GET, "/projects/{project}/metadatas", ListProjectMetadatas, METADATA_LIST,
	       harbor_metadata_list),
	HARBOR(POST, "/projects/{project}/metadatas", AddProjectMetadatas, METADATA_CREATE,
	       harbor_metadata_add),
	HARBOR(GET, "/projects/{project}/metadatas/{word}", GetProjectMetadata, METADATA_READ,
	       harbor_metadata_get),
	HARBOR(PUT, "/projects/{project}/metadatas/{word}", UpdateProjectMetadata, METADATA_UPDATE,
	       harbor_metadata_update),
	HARBOR(DELETE, "/projects/{project}/metadatas/{word}", DeleteProjectMetadata,
	       METADATA_DELETE, harbor_metadata_delete),
	/* repository */
	HARBOR(GET, "/repositories", ListAllRepositories, PROJECT_LIST, harbor_repository_list_all),
	HARBOR(GET, "/projects/{project_name}/repositories", ListRepositories, REPOSITORY_LIST,
	       harbor_repository_list),
	HARBOR(GET, "/projects/{project_name}/repositories/{repository}", GetRepository,
	       REPOSITORY_READ, harbor_repository_get),
	HARBOR(PUT, "/projects/{project_name}/repositories/{repository}", UpdateRepository,
	       REPOSITORY_UPDATE, harbor_repository_update),
	HARBOR(DELETE, "/projects/{project_name}/repositories/{repository}", DeleteRepository,
	       REPOSITORY_DELETE, harbor_repository_delete),
	/* artifact */
	HARBOR(GET, "/projects/{project_name}/repositories/{repository}/artifacts", ListArtifacts,
	       ARTIFACT_LIST, harbor_artifact_list),
	HARBOR(POST, "/projects/{project_name}/repositories/{repository}/artifacts", CopyArtifact,
	       ARTIFACT_CREATE, harbor_artifact_copy),
	HARBOR(POST,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/tags",
	       CreateTag, TAG_CREATE, harbor_tag_create),
	HARBOR(GET, "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/tags",
	       ListTags, TAG_LIST, harbor_tag_list),
	HARBOR(GET,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/"
	       "accessories",
	       ListAccessories, ACCESSORY_LIST, harbor_accessory_list),
	HARBOR(GET,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/additions/"
	       "vulnerabilities",
	       GetVulnerabilitiesAddition, ADDITION_READ, harbor_later),
	HARBOR(POST,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/labels",
	       AddLabel, ARTIFACT_LABEL_CREATE, harbor_artifact_label_add),
	HARBOR(GET, "/projects/{project_name}/repositories/{repository}/artifacts/{reference}",
	       GetArtifact, ARTIFACT_READ, harbor_artifact_get),
	HARBOR(DELETE, "/projects/{project_name}/repositories/{repository}/artifacts/{reference}",
	       DeleteArtifact, ARTIFACT_DELETE, harbor_artifact_delete),
	HARBOR(DELETE,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/tags/"
	       "{tag}",
	       DeleteTag, TAG_DELETE, harbor_tag_delete),
	HARBOR(GET,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/additions/"
	       "{word}",
	       GetAddition, ADDITION_READ, harbor_addition_get),
	HARBOR(DELETE,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/labels/"
	       "{id}",
	       RemoveLabel, ARTIFACT_LABEL_DELETE, harbor_artifact_label_remove),
	/* scan */
	HARBOR(POST,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/scan",
	       ScanArtifact, SCAN_CREATE, harbor_later),
	HARBOR(POST,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/scan/stop",
	       StopScanArtifact, SCAN_STOP, harbor_later),
	HARBOR(GET,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/scan/"
	       "{word}/log",
	       GetReportLog, SCAN_READ, harbor_later),
	/* auditlog */
	HARBOR(GET, "/audit-logs", ListAuditLogs, LOGIN, harbor_audit_logs),
	HARBOR(GET, "/auditlog-exts", ListAuditLogExts, LOGIN, harbor_audit_exts),
	HARBOR(GET, "/auditlog-exts/events", ListAuditLogEventTypes, LOGIN, harbor_audit_events),
	/* preheat */
	HARBOR(GET, "/p2p/preheat/providers", ListProviders, PREHEAT_INSTANCE_LIST, harbor_later),
	HARBOR(POST, "/p2p/preheat/instances/ping", PingInstances, PREHEAT_INSTANCE_CREATE,
	       harbor_later),
	HARBOR(GET, "/p2p/preheat/instances", ListInstances, PREHEAT_INSTANCE_LIST, harbor_later),
	HARBOR(POST, "/p2p/preheat/instances", CreateInstance, PREHEAT_INSTANCE_CREATE,
	       harbor_later),
	HARBOR(POST, "/projects/{project_name}/preheat/policies", CreatePolicy, PREHEAT_CREATE,
	       harbor_later),
	HARBOR(GET, "/projects/{project_name}/preheat/policies", ListPolicies, PREHEAT_LIST,
	       harbor_later),
	HARBOR(GET, "/projects/{project_name}/preheat/policies/{word}/executions", ListExecutions,
	       PREHEAT_LIST, harbor_later),
	HARBOR(GET, "/projects/{project_name}/preheat/policies/{word}/executions/{id}/tasks",
	       ListTasks, PREHEAT_READ, harbor_later),
	HARBOR(GET,
	       "/projects/{project_name}/preheat/policies/{word}/executions/{id}/tasks/{sub}/logs",
	       GetPreheatLog, PREHEAT_READ, harbor_later),
	HARBOR(GET, "/projects/{project_name}/preheat/providers", ListProvidersUnderProject,
	       PREHEAT_LIST, harbor_later),
	HARBOR(GET, "/p2p/preheat/instances/{word}", GetInstance, PREHEAT_INSTANCE_READ,
	       harbor_later),
	HARBOR(DELETE, "/p2p/preheat/instances/{word}", DeleteInstance, PREHEAT_INSTANCE_DELETE,
	       harbor_later),
	HARBOR(PUT, "/p2p/preheat/instances/{word}", UpdateInstance, PREHEAT_INSTANCE_UPDATE,
	       harbor_later),
	HARBOR(GET, "/projects/{project_name}/preheat/policies/{word}", GetPolicy, PREHEAT_READ,
	       harbor_later),
	HARBOR(PUT, "/projects/{project_name}/preheat/policies/{word}", UpdatePolicy,
	       PREHEAT_UPDATE, harbor_later),
	HARBOR(POST, "/projects/{project_name}/preheat/policies/{word}", ManualPreheat,
	       PREHEAT_UPDATE, harbor_later),
	HARBOR(DELETE, "/projects/{project_name}/preheat/policies/{word}", DeletePolicy,
	       PREHEAT_DELETE, harbor_later),
	HARBOR(GET, "/projects/{project_name}/preheat/policies/{word}/executions/{id}",
	       GetExecution, PREHEAT_READ, harbor_later),
	HARBOR(PATCH, "/projects/{project_name}/preheat/policies/{word}/executions/{id}",
	       StopExecution, PREHEAT_UPDATE, harbor_later),
	/* immutable */
	HARBOR(GET, "/projects/{project}/immutabletagrules", ListImmuRules, IMMUTABLE_LIST,
	       harbor_immutable_list),
	HARBOR(POST, "/projects/{project}/immutabletagrules", CreateImmuRule, IMMUTABLE_CREATE,
	       harbor_immutable_create),
	HARBOR(PUT, "/projects/{project}/immutabletagrules/{id}", UpdateImmuRule, IMMUTABLE_UPDATE,
	       harbor_immutable_update),
	HARBOR(DELETE, "/projects/{project}/immutabletagrules/{id}", DeleteImmuRule,
	       IMMUTABLE_DELETE, harbor_immutable_delete),
	/* webhook */
	HARBOR(GET, "/projects/{project}/webhook/policies", ListWebhookPoliciesOfProject,
	       NOTIFICATION_LIST, harbor_webhook_list),
	HARBOR(POST, "/projects/{project}/webhook/policies", CreateWebhookPolicyOfProject,
	       NOTIFICATION_CREATE, harbor_webhook_create),
	HARBOR(GET, "/projects/{project}/webhook/policies/{id}/executions",
	       ListExecutionsOfWebhookPolicy, NOTIFICATION_READ, harbor_webhook_executions),
	HARBOR(GET, "/projects/{project}/webhook/policies/{id}/executions/{sub}/tasks",
	       ListTasksOfWebhookExecution, NOTIFICATION_READ, harbor_webhook_tasks),
	HARBOR(GET, "/projects/{project}/webhook/policies/{id}/executions/{sub}/tasks/{task}/log",
	       GetLogsOfWebhookTask, NOTIFICATION_READ, harbor_webhook_log),
	HARBOR(GET, "/projects/{project}/webhook/lasttrigger", LastTrigger, NOTIFICATION_LIST,
	       harbor_webhook_last),
	HARBOR(GET, "/projects/{project}/webhook/events", GetSupportedEventTypes, NOTIFICATION_LIST,
	       harbor_webhook_events),
	HARBOR(GET, "/projects/{project}/webhook/policies/{id}", GetWebhookPolicyOfProject,
	       NOTIFICATION_READ, harbor_webhook_get),
	HARBOR(PUT, "/projects/{project}/webhook/policies/{id}", UpdateWebhookPolicyOfProject,
	       NOTIFICATION_UPDATE, harbor_webhook_update),
	HARBOR(DELETE, "/projects/{project}/webhook/policies/{id}", DeleteWebhookPolicyOfProject,
	       NOTIFICATION_DELETE, harbor_webhook_delete),
	/* webhookjob */
	HARBOR(GET, "/projects/{project}/webhook/jobs", ListWebhookJobs, NOTIFICATION_LIST,
	       harbor_webhook_jobs),
	/* usergroup */
	HARBOR(GET, "/usergroups", ListUserGroups, GROUP_LIST, harbor_group_list),
	HARBOR(POST, "/usergroups", CreateUserGroup, GROUP_CREATE, harbor_group_create),
	HARBOR(GET, "/usergroups/search", SearchUserGroups, LOGIN, harbor_group_search),
	HARBOR(GET, "/usergroups/{id}", GetUserGroup, GROUP_READ, harbor_group_get),
	HARBOR(PUT, "/usergroups/{id}", UpdateUserGroup, GROUP_UPDATE, harbor_group_update),
	HARBOR(DELETE, "/usergroups/{id}", DeleteUserGroup, GROUP_DELETE, harbor_group_delete),
	/* icon */
	HARBOR(GET, "/icons/{digest}", GetIcon, NONE, harbor_icon_get),
	/* robot */
	HARBOR(GET, "/robots", ListRobot, LOGIN, harbor_robot_list),
	HARBOR(POST, "/robots", CreateRobot, LOGIN, harbor_robot_create),
	HARBOR(GET, "/robots/{id}", GetRobotByID, LOGIN, harbor_robot_get),
	HARBOR(PUT, "/robots/{id}", UpdateRobot, LOGIN, harbor_robot_update),
	HARBOR(PATCH, "/robots/{id}", RefreshSec, LOGIN, harbor_robot_refresh),
	HARBOR(DELETE, "/robots/{id}", DeleteRobot, LOGIN, harbor_robot_delete),
	/* quota */
	HARBOR(GET, "/quotas", ListQuotas, SYSTEM_QUOTA_LIST, harbor_quota_list),
	HARBOR(GET, "/quotas/{id}", GetQuota, SYSTEM_QUOTA_READ, harbor_quota_get),
	HARBOR(PUT, "/quotas/{id}", UpdateQuota, SYSTEM_QUOTA_UPDATE, harbor_quota_update),
	/* replication */
	HARBOR(GET, "/replication/policies", ListReplicationPolicies, REPLICATION_POLICY_LIST,
	       harbor_later),
	HARBOR(POST, "/replication/policies", CreateReplicationPolicy, REPLICATION_POLICY_CREATE,
	       harbor_later),
	HARBOR(GET, "/replication/executions", ListReplicationExecutions, REPLICATION_LIST,
	       harbor_later),
	HARBOR(POST, "/replication/executions", StartReplication, REPLICATION_CREATE, harbor_later),
	HARBOR(GET, "/replication/executions/{id}/tasks", ListReplicationTasks, REPLICATION_LIST,
	       harbor_later),
	HARBOR(GET, "/replication/executions/{id}/tasks/{sub}/log", GetReplicationLog,
	       REPLICATION_READ, harbor_later),
	HARBOR(GET, "/replication/policies/{id}", GetReplicationPolicy, REPLICATION_POLICY_READ,
	       harbor_later),
	HARBOR(DELETE, "/replication/policies/{id}", DeleteReplicationPolicy,
	       REPLICATION_POLICY_DELETE, harbor_later),
	HARBOR(PUT, "/replication/policies/{id}", UpdateReplicationPolicy,
	       REPLICATION_POLICY_UPDATE, harbor_later),
	HARBOR(GET, "/replication/executions/{id}", GetReplicationExecution, REPLICATION_READ,
	       harbor_later),
	HARBOR(PUT, "/replication/executions/{id}", StopReplication, REPLICATION_CREATE,
	       harbor_later),
	/* registry */
	HARBOR(GET, "/replication/adapters", ListRegistryProviderTypes, REPLICATION_ADAPTER_LIST,
	       harbor_later),
	HARBOR(GET, "/replication/adapterinfos", ListRegistryProviderInfos,
	       REPLICATION_ADAPTER_LIST, harbor_later),
	HARBOR(POST, "/registries", CreateRegistry, REMOTE_CREATE, harbor_later),
	HARBOR(GET, "/registries", ListRegistries, REMOTE_LIST, harbor_later),
	HARBOR(POST, "/registries/ping", PingRegistry, REMOTE_READ, harbor_later),
	HARBOR(GET, "/registries/{id}/info", GetRegistryInfo, REMOTE_READ, harbor_later),
	HARBOR(GET, "/registries/{id}", GetRegistry, REMOTE_READ, harbor_later),
	HARBOR(DELETE, "/registries/{id}", DeleteRegistry, REMOTE_DELETE, harbor_later),
	HARBOR(PUT, "/registries/{id}", UpdateRegistry, REMOTE_UPDATE, harbor_later),
	/* scanAll */
	HARBOR(GET, "/scans/all/metrics", GetLatestScanAllMetrics, SCAN_ALL_READ, harbor_later),
	HARBOR(GET, "/scans/schedule/metrics", GetLatestScheduledScanAllMetrics, SCAN_ALL_READ,
	       harbor_later),
	HARBOR(GET, "/system/scanAll/schedule", GetScanAllSchedule, SCAN_ALL_READ, harbor_later),
	HARBOR(PUT, "/system/scanAll/schedule", UpdateScanAllSchedule, SCAN_ALL_UPDATE,
	       harbor_later),
	HARBOR(POST, "/system/scanAll/schedule", CreateScanAllSchedule, SCAN_ALL_CREATE,
	       harbor_later),
	HARBOR(POST, "/system/scanAll/stop", StopScanAll, SCAN_ALL_STOP, harbor_later),
	/* systeminfo */
	HARBOR(GET, "/systeminfo", GetSystemInfo, NONE, harbor_systeminfo_get),
	HARBOR(GET, "/systeminfo/volumes", GetVolumes, VOLUMES_READ, harbor_volumes_get),
	HARBOR(GET, "/systeminfo/getcert", GetCert, NONE, harbor_ca_get),
	/* oidc */
	HARBOR(POST, "/system/oidc/ping", PingOIDC, CONFIGURATION_UPDATE, harbor_oidc_ping),
#define BACKGROUND(method, pattern, operation_, action, handler, of)                               \
	{                                                                                          \
		HTTP_##method, "/api/v2.0" pattern, ACTION_##action, ROUTE_HARBOR, JSON_BODY_MAX,  \
			handler, .operation = #operation_, .background = &(of)                     \
	}
	/* gc */
	BACKGROUND(GET, "/system/gc", GetGCHistory, GC_LIST, background_history, harbor_gc),
	BACKGROUND(GET, "/system/gc/{id}/log", GetGCLog, GC_READ, background_get_log, harbor_gc),
	BACKGROUND(GET, "/system/gc/schedule", GetGCSchedule, GC_READ, background_schedule_get,
		   harbor_gc),
	BACKGROUND(POST, "/system/gc/schedule", CreateGCSchedule, GC_CREATE,
		   background_schedule_put, harbor_gc),
	BACKGROUND(PUT, "/system/gc/schedule", UpdateGCSchedule, GC_UPDATE, background_schedule_put,
		   harbor_gc),
	BACKGROUND(GET, "/system/gc/{id}", GetGC, GC_READ, background_get, harbor_gc),
	BACKGROUND(PUT, "/system/gc/{id}", StopGC, GC_STOP, background_stop, harbor_gc),
	/* purge */
	BACKGROUND(GET, "/system/purgeaudit", GetPurgeHistory, PURGE_LIST, background_history,
		   harbor_purge),
	BACKGROUND(GET, "/system/purgeaudit/{id}/log", GetPurgeJobLog, PURGE_READ,
		   background_get_log, harbor_purge),
	BACKGROUND(GET, "/system/purgeaudit/schedule", GetPurgeSchedule, PURGE_READ,
		   background_schedule_get, harbor_purge),
	BACKGROUND(POST, "/system/purgeaudit/schedule", CreatePurgeSchedule, PURGE_CREATE,
		   background_schedule_put, harbor_purge),
	BACKGROUND(PUT, "/system/purgeaudit/schedule", UpdatePurgeSchedule, PURGE_UPDATE,
		   background_schedule_put, harbor_purge),
	BACKGROUND(GET, "/system/purgeaudit/{id}", GetPurgeJob, PURGE_READ, background_get,
		   harbor_purge),
	BACKGROUND(PUT, "/system/purgeaudit/{id}", StopPurge, PURGE_STOP, background_stop,
		   harbor_purge),
#undef BACKGROUND
	/* SystemCVEAllowlist */
	HARBOR(GET, "/system/CVEAllowlist", GetSystemCVEAllowlist, LOGIN, harbor_cve_allowlist_get),
	HARBOR(PUT, "/system/CVEAllowlist", PutSystemCVEAllowlist, CONFIGURATION_UPDATE,
	       harbor_cve_allowlist_put),
	/* jobservice */
	HARBOR(GET, "/jobservice/pools", GetWorkerPools, JOBS_LIST, harbor_pool_list),
	HARBOR(GET, "/jobservice/pools/{word}/workers", GetWorkers, JOBS_LIST, harbor_worker_list),
	HARBOR(GET, "/jobservice/jobs/{word}/log", ActionGetJobLog, JOBS_LIST, harbor_job_log),
	HARBOR(GET, "/jobservice/queues", ListJobQueues, JOBS_LIST, harbor_queue_list),
	HARBOR(PUT, "/jobservice/jobs/{word}", StopRunningJob, JOBS_STOP, harbor_job_stop),
	HARBOR(PUT, "/jobservice/queues/{word}", ActionPendingJobs, JOBS_STOP, harbor_queue_act),
	/* schedule */
	HARBOR(GET, "/schedules", ListSchedules, JOBS_LIST, harbor_schedule_list),
	HARBOR(GET, "/schedules/{word}/paused", GetSchedulePaused, LOGIN, harbor_schedule_paused),
	/* ping */
	HARBOR(GET, "/ping", GetPing, NONE, harbor_ping),
	/* Retention */
	HARBOR(GET, "/retentions/metadatas", GetRentenitionMetadata, LOGIN,
	       harbor_retention_metadata),
	HARBOR(POST, "/retentions", CreateRetention, LOGIN, harbor_retention_create),
	HARBOR(POST, "/retentions/{id}/executions", TriggerRetentionExecution, LOGIN,
	       harbor_retention_execute),
	HARBOR(GET, "/retentions/{id}/executions", ListRetentionExecutions, LOGIN,
	       harbor_retention_executions),
	HARBOR(GET, "/retentions/{id}/executions/{sub}/tasks", ListRetentionTasks, LOGIN,
	       harbor_retention_tasks),
	HARBOR(GET, "/retentions/{id}", GetRetention, LOGIN, harbor_retention_get),
	HARBOR(PUT, "/retentions/{id}", UpdateRetention, LOGIN, harbor_retention_update),
	HARBOR(DELETE, "/retentions/{id}", DeleteRetention, LOGIN, harbor_retention_delete),
	HARBOR(PATCH, "/retentions/{id}/executions/{sub}", OperateRetentionExecution, LOGIN,
	       harbor_retention_operate),
	HARBOR(GET, "/retentions/{id}/executions/{sub}/tasks/{task}", GetRetentionTaskLog, LOGIN,
	       harbor_retention_task_log),
	/* scanner */
	HARBOR(GET, "/scanners", ListScanners, SYSTEM_SCANNER_LIST, harbor_later),
	HARBOR(POST, "/scanners", CreateScanner, SYSTEM_SCANNER_CREATE, harbor_later),
	HARBOR(POST, "/scanners/ping", PingScanner, SYSTEM_SCANNER_READ, harbor_later),
	HARBOR(GET, "/scanners/{word}/metadata", GetScannerMetadata, SYSTEM_SCANNER_READ,
	       harbor_later),
	HARBOR(GET, "/scanners/{word}", GetScanner, SYSTEM_SCANNER_READ, harbor_later),
	HARBOR(PUT, "/scanners/{word}", UpdateScanner, SYSTEM_SCANNER_UPDATE, harbor_later),
	HARBOR(DELETE, "/scanners/{word}", DeleteScanner, SYSTEM_SCANNER_DELETE, harbor_later),
	HARBOR(PATCH, "/scanners/{word}", SetScannerAsDefault, SYSTEM_SCANNER_UPDATE, harbor_later),
	/* user */
	HARBOR(GET, "/users", ListUsers, USER_LIST, harbor_user_list),
	HARBOR(POST, "/users", CreateUser, NONE, harbor_user_create),
	HARBOR(GET, "/users/current", GetCurrentUserInfo, LOGIN, harbor_user_current),
	HARBOR(GET, "/users/search", SearchUsers, LOGIN, harbor_user_search),
	HARBOR(PUT, "/users/{user}/sysadmin", SetUserSysAdmin, USER_ADMIN, harbor_user_sysadmin),
	HARBOR(PUT, "/users/{user}/password", UpdateUserPassword, USER_UPDATE,
	       harbor_user_password),
	HARBOR(GET, "/users/current/permissions", GetCurrentUserPermissions, LOGIN,
	       harbor_permission_mine),
	HARBOR(PUT, "/users/{user}/cli_secret", SetCliSecret, USER_UPDATE, harbor_user_cli_secret),
	HARBOR(GET, "/users/{user}", GetUser, USER_READ, harbor_user_get),
	HARBOR(PUT, "/users/{user}", UpdateUserProfile, USER_UPDATE, harbor_user_update),
	HARBOR(DELETE, "/users/{user}", DeleteUser, USER_DELETE, harbor_user_delete),
	/* label */
	HARBOR(GET, "/labels", ListLabels, LOGIN, harbor_label_list),
	HARBOR(POST, "/labels", CreateLabel, LOGIN, harbor_label_create),
	HARBOR(GET, "/labels/{id}", GetLabelByID, LOGIN, harbor_label_get),
	HARBOR(PUT, "/labels/{id}", UpdateLabel, LOGIN, harbor_label_update),
	HARBOR(DELETE, "/labels/{id}", DeleteLabel, LOGIN, harbor_label_delete),
	/* scan data export */
	HARBOR(POST, "/export/cve", ExportScanData, LOGIN, harbor_later),
	HARBOR(GET, "/export/cve/executions", GetScanDataExportExecutionList, LOGIN, harbor_later),
	HARBOR(GET, "/export/cve/execution/{id}", GetScanDataExportExecution, LOGIN, harbor_later),
	HARBOR(GET, "/export/cve/download/{id}", DownloadScanData, LOGIN, harbor_later),
	/* securityhub */
	HARBOR(GET, "/security/summary", GetSecuritySummary, SECURITY_READ, harbor_later),
	HARBOR(GET, "/security/vul", ListVulnerabilities, SECURITY_LIST, harbor_later),
	/* permissions */
	HARBOR(GET, "/permissions", GetPermissions, LOGIN, harbor_permission_list),
#undef HARBOR
#define BERTH(method, pattern, action, handler)                                                    \
	{                                                                                          \
		HTTP_##method, "/api/berth/v1" pattern, ACTION_##action, ROUTE_HARBOR,             \
			JSON_BODY_MAX, handler                                                     \
	}
	BERTH(GET, "/openapi.json", NONE, berth_openapi_get),
	BERTH(GET, "/identity-providers", PROVIDER_READ, berth_provider_list),
	BERTH(POST, "/identity-providers", PROVIDER_UPDATE, berth_provider_create),
	BERTH(GET, "/identity-providers/{id}", PROVIDER_READ, berth_provider_get),
	BERTH(PUT, "/identity-providers/{id}", PROVIDER_UPDATE, berth_provider_update),
	BERTH(DELETE, "/identity-providers/{id}", PROVIDER_UPDATE, berth_provider_delete),
	BERTH(GET, "/access-tokens", LOGIN, berth_token_list),
	BERTH(POST, "/access-tokens", LOGIN, berth_token_create),
	BERTH(DELETE, "/access-tokens/{id}", LOGIN, berth_token_delete),
	BERTH(GET, "/sessions", LOGIN, berth_session_list),
	BERTH(DELETE, "/sessions", LOGIN, berth_session_delete_all),
	BERTH(DELETE, "/sessions/{id}", LOGIN, berth_session_delete),
	BERTH(GET, "/users/{user}", USER_READ, berth_user_get),
	BERTH(PUT, "/users/{user}", USER_DELETE, berth_user_update),
	BERTH(GET, "/users/{user}/access-tokens", USER_UPDATE, berth_token_list),
	BERTH(DELETE, "/users/{user}/access-tokens/{id}", USER_UPDATE, berth_token_delete),
	BERTH(GET, "/users/{user}/sessions", USER_UPDATE, berth_session_list),
	BERTH(DELETE, "/users/{user}/sessions", USER_UPDATE, berth_session_delete_all),
	BERTH(DELETE, "/users/{user}/sessions/{id}", USER_UPDATE, berth_session_delete),
	BERTH(GET, "/issuers", ISSUER_READ, berth_issuer_list),
	BERTH(POST, "/issuers", ISSUER_UPDATE, berth_issuer_create),
	BERTH(GET, "/issuers/{id}", ISSUER_READ, berth_issuer_get),
	BERTH(PUT, "/issuers/{id}", ISSUER_UPDATE, berth_issuer_update),
	BERTH(DELETE, "/issuers/{id}", ISSUER_UPDATE, berth_issuer_delete),
	BERTH(GET, "/issuers/{id}/bindings", ISSUER_READ, berth_binding_list),
	BERTH(POST, "/issuers/{id}/bindings", ISSUER_UPDATE, berth_binding_create),
	BERTH(GET, "/issuers/{id}/bindings/{sub}", ISSUER_READ, berth_binding_get),
	BERTH(PUT, "/issuers/{id}/bindings/{sub}", ISSUER_UPDATE, berth_binding_update),
	BERTH(DELETE, "/issuers/{id}/bindings/{sub}", ISSUER_UPDATE, berth_binding_delete),
	BERTH(POST, "/token-exchange", NONE, berth_token_exchange),
	BERTH(GET, "/certificate-bindings", ISSUER_READ, berth_certificate_list),
	BERTH(POST, "/certificate-bindings", ISSUER_UPDATE, berth_certificate_create),
	BERTH(GET, "/certificate-bindings/{id}", ISSUER_READ, berth_certificate_get),
	BERTH(PUT, "/certificate-bindings/{id}", ISSUER_UPDATE, berth_certificate_update),
	BERTH(DELETE, "/certificate-bindings/{id}", ISSUER_UPDATE, berth_certificate_delete),
	BERTH(GET, "/robots/{id}", LOGIN, berth_robot_get),
	BERTH(GET, "/robots/{id}/secrets", LOGIN, berth_robot_secret_list),
	BERTH(POST, "/robots/{id}/secrets", LOGIN, berth_robot_secret_create),
	BERTH(DELETE, "/robots/{id}/secrets/{sub}", LOGIN, berth_robot_secret_delete),
	/* members of projects, with what Harbor does not know of them */
	BERTH(GET, "/projects/{project}/members", MEMBER_LIST, berth_member_list),
	BERTH(POST, "/projects/{project}/members", MEMBER_CREATE, berth_member_create),
	BERTH(GET, "/projects/{project}/members/{id}", MEMBER_READ, berth_member_get),
	BERTH(PUT, "/projects/{project}/members/{id}", MEMBER_UPDATE, berth_member_update),
	BERTH(DELETE, "/projects/{project}/members/{id}", MEMBER_DELETE, harbor_member_delete),
/* other names */
#define HOOK(method, of, pattern, action, handler, system)                                         \
	{                                                                                          \
		HTTP_##method, "/api/berth/v1" of "/webhooks" pattern, ACTION_##action,            \
			ROUTE_HARBOR, JSON_BODY_MAX, handler, .of_system = system                  \
	}
#define HOOK_POLICIES(of, read, update, system)                                                    \
	HOOK(GET, of, "", read, harbor_webhook_list, system),                                      \
		HOOK(POST, of, "", update, harbor_webhook_create, system),                         \
		HOOK(GET, of, "/{id}", read, harbor_webhook_get, system),                          \
		HOOK(PUT, of, "/{id}", update, harbor_webhook_update, system),                     \
		HOOK(DELETE, of, "/{id}", update, harbor_webhook_delete, system)
#define HOOK_DELIVERIES(of, read, update, system)                                                  \
	HOOK(GET, of, "/{id}/deliveries", read, berth_webhook_deliveries, system),                 \
		HOOK(GET, of, "/{id}/deliveries/{sub}", read, berth_webhook_delivery, system),     \
		HOOK(POST, of, "/{id}/deliveries/{sub}/redeliver", update,                         \
		     berth_webhook_redeliver, system),                                             \
		HOOK(POST, of, "/{id}/ping", update, berth_webhook_ping, system)
	HOOK_DELIVERIES("/projects/{project}", NOTIFICATION_READ, NOTIFICATION_UPDATE, false),
	HOOK_POLICIES("", TENANT_NOTIFICATION_READ, TENANT_NOTIFICATION_UPDATE, false),
	HOOK_DELIVERIES("", TENANT_NOTIFICATION_READ, TENANT_NOTIFICATION_UPDATE, false),
	HOOK_POLICIES("/system", CONFIGURATION_READ, CONFIGURATION_UPDATE, true),
	HOOK_DELIVERIES("/system", CONFIGURATION_READ, CONFIGURATION_UPDATE, true),
#undef HOOK_DELIVERIES
#undef HOOK_POLICIES
#undef HOOK
	BERTH(POST, "/projects/{project}/rename", PROJECT_UPDATE, berth_project_rename),
	BERTH(GET, "/projects/{project}/aliases", PROJECT_READ, berth_project_aliases),
	BERTH(DELETE, "/projects/{project}/aliases/{word}", PROJECT_DELETE,
	      berth_project_alias_delete),
	BERTH(POST, "/projects/{project_name}/repositories/{repository}/rename", REPOSITORY_UPDATE,
	      berth_repository_rename),
	BERTH(GET, "/projects/{project_name}/repositories/{repository}/aliases", REPOSITORY_READ,
	      berth_repository_aliases),
	BERTH(DELETE, "/projects/{project_name}/repositories/{repository}/aliases/{word}",
	      REPOSITORY_DELETE, berth_repository_alias_delete),
	/* what happened to tags */
	BERTH(GET, "/projects/{project_name}/repositories/{repository}/tags/{tag}/history",
	      REPOSITORY_PUSH, berth_tag_history),
	BERTH(POST, "/projects/{project_name}/repositories/{repository}/tags/{tag}/revert",
	      REPOSITORY_PUSH, berth_tag_revert),
	/* what was deleted */
	BERTH(GET, "/trash", TENANT_MANAGE, berth_trash_list),
	BERTH(DELETE, "/trash/{id}", TENANT_MANAGE, berth_trash_delete),
	BERTH(POST, "/trash/{id}/restore", TENANT_MANAGE, berth_trash_restore),
	BERTH(GET, "/trash-window", TENANT_READ, berth_trash_window_get),
	BERTH(PUT, "/trash-window", TENANT_UPDATE, berth_trash_window_put),
	BERTH(GET, "/projects/{project}/trash", REPOSITORY_DELETE, berth_trash_list),
	BERTH(DELETE, "/projects/{project}/trash/{id}", REPOSITORY_DELETE, berth_trash_delete),
	BERTH(POST, "/projects/{project}/trash/{id}/restore", REPOSITORY_DELETE,
	      berth_trash_restore),
	BERTH(GET, "/projects/{project}/trash-window", PROJECT_READ, berth_trash_window_get),
	BERTH(PUT, "/projects/{project}/trash-window", SYSTEM_QUOTA_UPDATE, berth_trash_window_put),
	/* roles */
	BERTH(GET, "/projects/{project}/quota", QUOTA_READ, berth_project_quota_get),
	BERTH(PUT, "/projects/{project}/quota", SYSTEM_QUOTA_UPDATE, berth_project_quota_update),
	BERTH(GET, "/tenants/{id}/quota", TENANT_READ, berth_tenant_quota_get),
	BERTH(PUT, "/tenants/{id}/quota", TENANT_UPDATE, berth_tenant_quota_update),
	BERTH(POST, "/quotas/recount", TENANT_UPDATE, berth_quota_recount),
	BERTH(GET, "/gc/{id}/items", GC_READ, berth_gc_items),
	BERTH(GET, "/roles", ROLE_LIST, berth_role_list),
	BERTH(POST, "/roles", ROLE_CREATE, berth_role_create),
	BERTH(GET, "/roles/{id}", ROLE_LIST, berth_role_get),
	BERTH(PUT, "/roles/{id}", ROLE_UPDATE, berth_role_update),
	BERTH(DELETE, "/roles/{id}", ROLE_DELETE, berth_role_delete),
	BERTH(GET, "/tenants", TENANT_LIST, berth_tenant_list),
	BERTH(POST, "/tenants", TENANT_CREATE, berth_tenant_create),
	BERTH(GET, "/tenants/current", TENANT_READ, berth_tenant_current),
	BERTH(GET, "/tenants/{id}", TENANT_READ, berth_tenant_get),
	BERTH(PUT, "/tenants/{id}", TENANT_MANAGE, berth_tenant_update),
	BERTH(DELETE, "/tenants/{id}", TENANT_DELETE, berth_tenant_delete),
	BERTH(POST, "/tenants/{id}/hosts", TENANT_UPDATE, berth_tenant_host_add),
	BERTH(DELETE, "/tenants/{id}/hosts/{word}", TENANT_UPDATE, berth_tenant_host_remove),
	BERTH(PUT, "/tenants/{id}/storage", TENANT_UPDATE, berth_tenant_storage_update),
	BERTH(POST, "/tenants/{id}/storage/erasure", TENANT_DELETE, berth_tenant_storage_erase),
	BERTH(GET, "/tenants/{id}/administrators", TENANT_READ, berth_tenant_admin_list),
	BERTH(POST, "/tenants/{id}/administrators", TENANT_MANAGE, berth_tenant_admin_add),
	BERTH(DELETE, "/tenants/{id}/administrators/users/{sub}", TENANT_MANAGE,
	      berth_tenant_admin_remove_user),
	BERTH(DELETE, "/tenants/{id}/administrators/groups/{sub}", TENANT_MANAGE,
	      berth_tenant_admin_remove_group),
	/* what goes by itself, and what does not */
	BERTH(GET, "/projects/{project}/retention", RETENTION_READ, berth_retention_get),
	BERTH(PUT, "/projects/{project}/retention", RETENTION_UPDATE, berth_retention_put),
	BERTH(DELETE, "/projects/{project}/retention", RETENTION_DELETE, berth_retention_delete),
	BERTH(GET, "/projects/{project}/retention/runs", RETENTION_LIST, berth_retention_runs),
	BERTH(POST, "/projects/{project}/retention/runs", RETENTION_UPDATE, berth_retention_start),
	BERTH(POST, "/projects/{project}/retention/preview", RETENTION_UPDATE,
	      berth_retention_preview),
	BERTH(GET, "/projects/{project}/retention/runs/{id}", RETENTION_READ, berth_retention_run),
	BERTH(DELETE, "/projects/{project}/retention/runs/{id}", RETENTION_UPDATE,
	      berth_retention_stop),
	BERTH(GET, "/projects/{project}/retention/runs/{id}/tasks/{sub}", RETENTION_READ,
	      berth_retention_lines),
	BERTH(GET, "/projects/{project}/expiring", ARTIFACT_LIST, berth_expiry_list),
	BERTH(GET, "/inventory", INVENTORY_LIST, berth_inventory_list),
	{ HTTP_POST, "/api/berth/v1/inventory", ACTION_INVENTORY_REPORT, ROUTE_HARBOR,
	  INVENTORY_BODY_MAX, berth_inventory_report },
	BERTH(DELETE, "/inventory/{word}", INVENTORY_DELETE, berth_inventory_delete),
	BERTH(POST, "/authz/explain", LOGIN, berth_authz_explain),
	BERTH(GET, "/audit/records", LOGIN, berth_audit_list),
	BERTH(GET, "/audit/export", LOGIN, berth_audit_export),
	BERTH(GET, "/audit/status", CONFIGURATION_READ, berth_audit_status),
	BERTH(GET, "/audit/forwarding", CONFIGURATION_READ, berth_audit_forwarding),
	BERTH(GET, "/audit/verification", CONFIGURATION_READ, berth_audit_check_get),
	BERTH(POST, "/audit/verification", CONFIGURATION_READ, berth_audit_check_start),
	BERTH(POST, "/audit/erasures", CONFIGURATION_UPDATE, berth_audit_erase),
#undef BERTH
};

const size_t api_route_count = COUNT_OF(api_routes);
