/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routes.c - every endpoint of the program, in one table; route_find.c finds a path's row.
 *
 * The permission is a column: an endpoint without a decision cannot be written. Where it says
 * LOGIN, what the object is decides, and the handler asks for the real permission
 * (request_require()) once it knows the object.
 */
#include "api/handlers.h"
#include "api/handlers_robot.h"
#include "api/handlers_tenant.h"

#include "base/banned.h"

#define JSON_BODY_MAX KIB(64)

const struct route api_routes[] = {
#define OCI(method, pattern, action, handler)                                                      \
	{                                                                                          \
		HTTP_##method, pattern, ACTION_##action, ROUTE_OCI, 0, handler                     \
	}
	OCI(GET, "/v2/{name}/manifests/{reference}", REPOSITORY_PULL, oci_manifest_get),
	OCI(GET, "/v2/{name}/blobs/{digest}", REPOSITORY_PULL, oci_blob_get),
	OCI(GET, "/v2/", REGISTRY_PING, oci_ping),
	OCI(GET, "/v2", REGISTRY_PING, oci_ping),
	OCI(POST, "/v2/{name}/blobs/uploads/", REPOSITORY_PUSH, oci_upload_post),
	OCI(POST, "/v2/{name}/blobs/uploads", REPOSITORY_PUSH, oci_upload_post),
	OCI(PATCH, "/v2/{name}/blobs/uploads/{upload}", REPOSITORY_PUSH, oci_upload_patch),
	OCI(PUT, "/v2/{name}/blobs/uploads/{upload}", REPOSITORY_PUSH, oci_upload_put),
	OCI(GET, "/v2/{name}/blobs/uploads/{upload}", REPOSITORY_PUSH, oci_upload_get),
	OCI(DELETE, "/v2/{name}/blobs/uploads/{upload}", REPOSITORY_PUSH, oci_upload_delete),
	OCI(PUT, "/v2/{name}/manifests/{reference}", REPOSITORY_PUSH, oci_manifest_put),
	OCI(DELETE, "/v2/{name}/manifests/{reference}", REPOSITORY_DELETE, oci_manifest_delete),
	OCI(DELETE, "/v2/{name}/blobs/{digest}", REPOSITORY_DELETE, oci_blob_delete),
	OCI(GET, "/v2/{name}/tags/list", REPOSITORY_PULL, oci_tags_get),
	OCI(GET, "/v2/{name}/referrers/{digest}", REPOSITORY_PULL, oci_referrers_get),
	OCI(GET, "/v2/_catalog", CATALOG_LIST, oci_catalog_get),
	OCI(GET, "/v2/_oci/ext/discover", REGISTRY_PING, oci_discover_get),
	OCI(GET, "/v2/{name}/_oci/ext/discover", REPOSITORY_PULL, oci_discover_get),
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
#define HARBOR(method, pattern, action, handler)                                                   \
	{                                                                                          \
		HTTP_##method, "/api/v2.0" pattern, ACTION_##action, ROUTE_HARBOR, JSON_BODY_MAX,  \
			handler                                                                    \
	}
	/* health */
	HARBOR(GET, "/health", NONE, harbor_health_get),
	/* search */
	HARBOR(GET, "/search", PROJECT_LIST, harbor_search),
	/* statistic */
	HARBOR(GET, "/statistics", LOGIN, harbor_statistics),
	/* Ldap */
	HARBOR(POST, "/ldap/ping", CONFIGURATION_UPDATE, harbor_ldap_ping),
	HARBOR(GET, "/ldap/users/search", LDAP_USER_LIST, harbor_ldap_user_search),
	HARBOR(POST, "/ldap/users/import", LDAP_USER_CREATE, harbor_ldap_user_import),
	HARBOR(GET, "/ldap/groups/search", LDAP_USER_LIST, harbor_ldap_group_search),
	/* configure */
	HARBOR(GET, "/internalconfig", CONFIGURATION_READ, harbor_configuration_get_internal),
	HARBOR(GET, "/configurations", CONFIGURATION_READ, harbor_configuration_get),
	HARBOR(PUT, "/configurations", CONFIGURATION_UPDATE, harbor_configuration_put),
	/* project */
	HARBOR(HEAD, "/projects", LOGIN, harbor_project_head),
	HARBOR(GET, "/projects", PROJECT_LIST, harbor_project_list),
	HARBOR(POST, "/projects", PROJECT_CREATE, harbor_project_create),
	HARBOR(GET, "/projects/{project}/_deletable", PROJECT_DELETE, harbor_project_deletable),
	HARBOR(GET, "/projects/{project}/summary", PROJECT_READ, harbor_project_summary),
	HARBOR(GET, "/projects/{project}/artifacts", ARTIFACT_LIST,
	       harbor_artifact_list_of_project),
	HARBOR(GET, "/projects/{project}/scanner", SCANNER_READ, harbor_scanner_of_project),
	HARBOR(PUT, "/projects/{project}/scanner", SCANNER_CREATE, harbor_later),
	HARBOR(GET, "/projects/{project}/scanner/candidates", SCANNER_CREATE,
	       harbor_scanner_candidates),
	HARBOR(GET, "/projects/{project_name}/logs", LOG_LIST, harbor_project_logs),
	HARBOR(GET, "/projects/{project_name}/auditlog-exts", LOG_LIST, harbor_project_log_exts),
	HARBOR(GET, "/projects/{project}", PROJECT_READ, harbor_project_get),
	HARBOR(PUT, "/projects/{project}", PROJECT_UPDATE, harbor_project_update),
	HARBOR(DELETE, "/projects/{project}", PROJECT_DELETE, harbor_project_delete),
	/* member */
	HARBOR(GET, "/projects/{project}/members", MEMBER_LIST, harbor_member_list),
	HARBOR(POST, "/projects/{project}/members", MEMBER_CREATE, harbor_member_create),
	HARBOR(GET, "/projects/{project}/members/{id}", MEMBER_READ, harbor_member_get),
	HARBOR(PUT, "/projects/{project}/members/{id}", MEMBER_UPDATE, harbor_member_update),
	HARBOR(DELETE, "/projects/{project}/members/{id}", MEMBER_DELETE, harbor_member_delete),
	/* projectMetadata */
	HARBOR(GET, "/projects/{project}/metadatas", METADATA_LIST, harbor_metadata_list),
	HARBOR(POST, "/projects/{project}/metadatas", METADATA_CREATE, harbor_metadata_add),
	HARBOR(GET, "/projects/{project}/metadatas/{word}", METADATA_READ, harbor_metadata_get),
	HARBOR(PUT, "/projects/{project}/metadatas/{word}", METADATA_UPDATE,
	       harbor_metadata_update),
	HARBOR(DELETE, "/projects/{project}/metadatas/{word}", METADATA_DELETE,
	       harbor_metadata_delete),
	/* repository */
	HARBOR(GET, "/repositories", PROJECT_LIST, harbor_repository_list_all),
	HARBOR(GET, "/projects/{project_name}/repositories", REPOSITORY_LIST,
	       harbor_repository_list),
	HARBOR(GET, "/projects/{project_name}/repositories/{repository}", REPOSITORY_READ,
	       harbor_repository_get),
	HARBOR(PUT, "/projects/{project_name}/repositories/{repository}", REPOSITORY_UPDATE,
	       harbor_repository_update),
	HARBOR(DELETE, "/projects/{project_name}/repositories/{repository}", REPOSITORY_DELETE,
	       harbor_repository_delete),
	/* artifact */
	HARBOR(GET, "/projects/{project_name}/repositories/{repository}/artifacts", ARTIFACT_LIST,
	       harbor_artifact_list),
	HARBOR(POST, "/projects/{project_name}/repositories/{repository}/artifacts",
	       ARTIFACT_CREATE, harbor_artifact_copy),
	HARBOR(POST,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/tags",
	       TAG_CREATE, harbor_tag_create),
	HARBOR(GET, "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/tags",
	       TAG_LIST, harbor_tag_list),
	HARBOR(GET,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/"
	       "accessories",
	       ACCESSORY_LIST, harbor_accessory_list),
	HARBOR(GET,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/additions/"
	       "vulnerabilities",
	       ADDITION_READ, harbor_later),
	HARBOR(POST,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/labels",
	       ARTIFACT_LABEL_CREATE, harbor_artifact_label_add),
	HARBOR(GET, "/projects/{project_name}/repositories/{repository}/artifacts/{reference}",
	       ARTIFACT_READ, harbor_artifact_get),
	HARBOR(DELETE, "/projects/{project_name}/repositories/{repository}/artifacts/{reference}",
	       ARTIFACT_DELETE, harbor_artifact_delete),
	HARBOR(DELETE,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/tags/"
	       "{tag}",
	       TAG_DELETE, harbor_tag_delete),
	HARBOR(GET,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/additions/"
	       "{word}",
	       ADDITION_READ, harbor_addition_get),
	HARBOR(DELETE,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/labels/"
	       "{id}",
	       ARTIFACT_LABEL_DELETE, harbor_artifact_label_remove),
	/* scan */
	HARBOR(POST,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/scan",
	       SCAN_CREATE, harbor_later),
	HARBOR(POST,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/scan/stop",
	       SCAN_STOP, harbor_later),
	HARBOR(GET,
	       "/projects/{project_name}/repositories/{repository}/artifacts/{reference}/scan/"
	       "{word}/log",
	       SCAN_READ, harbor_later),
	/* auditlog */
	HARBOR(GET, "/audit-logs", LOGIN, harbor_audit_logs),
	HARBOR(GET, "/auditlog-exts", LOGIN, harbor_audit_exts),
	HARBOR(GET, "/auditlog-exts/events", LOGIN, harbor_audit_events),
	/* preheat */
	HARBOR(GET, "/p2p/preheat/providers", PREHEAT_INSTANCE_LIST, harbor_later),
	HARBOR(POST, "/p2p/preheat/instances/ping", PREHEAT_INSTANCE_CREATE, harbor_later),
	HARBOR(GET, "/p2p/preheat/instances", PREHEAT_INSTANCE_LIST, harbor_later),
	HARBOR(POST, "/p2p/preheat/instances", PREHEAT_INSTANCE_CREATE, harbor_later),
	HARBOR(POST, "/projects/{project_name}/preheat/policies", PREHEAT_CREATE, harbor_later),
	HARBOR(GET, "/projects/{project_name}/preheat/policies", PREHEAT_LIST, harbor_later),
	HARBOR(GET, "/projects/{project_name}/preheat/policies/{word}/executions", PREHEAT_LIST,
	       harbor_later),
	HARBOR(GET, "/projects/{project_name}/preheat/policies/{word}/executions/{id}/tasks",
	       PREHEAT_READ, harbor_later),
	HARBOR(GET,
	       "/projects/{project_name}/preheat/policies/{word}/executions/{id}/tasks/{sub}/logs",
	       PREHEAT_READ, harbor_later),
	HARBOR(GET, "/projects/{project_name}/preheat/providers", PREHEAT_LIST, harbor_later),
	HARBOR(GET, "/p2p/preheat/instances/{word}", PREHEAT_INSTANCE_READ, harbor_later),
	HARBOR(DELETE, "/p2p/preheat/instances/{word}", PREHEAT_INSTANCE_DELETE, harbor_later),
	HARBOR(PUT, "/p2p/preheat/instances/{word}", PREHEAT_INSTANCE_UPDATE, harbor_later),
	HARBOR(GET, "/projects/{project_name}/preheat/policies/{word}", PREHEAT_READ, harbor_later),
	HARBOR(PUT, "/projects/{project_name}/preheat/policies/{word}", PREHEAT_UPDATE,
	       harbor_later),
	HARBOR(POST, "/projects/{project_name}/preheat/policies/{word}", PREHEAT_UPDATE,
	       harbor_later),
	HARBOR(DELETE, "/projects/{project_name}/preheat/policies/{word}", PREHEAT_DELETE,
	       harbor_later),
	HARBOR(GET, "/projects/{project_name}/preheat/policies/{word}/executions/{id}",
	       PREHEAT_READ, harbor_later),
	HARBOR(PATCH, "/projects/{project_name}/preheat/policies/{word}/executions/{id}",
	       PREHEAT_UPDATE, harbor_later),
	/* immutable */
	HARBOR(GET, "/projects/{project}/immutabletagrules", IMMUTABLE_LIST, harbor_later),
	HARBOR(POST, "/projects/{project}/immutabletagrules", IMMUTABLE_CREATE, harbor_later),
	HARBOR(PUT, "/projects/{project}/immutabletagrules/{id}", IMMUTABLE_UPDATE, harbor_later),
	HARBOR(DELETE, "/projects/{project}/immutabletagrules/{id}", IMMUTABLE_DELETE,
	       harbor_later),
	/* webhook */
	HARBOR(GET, "/projects/{project}/webhook/policies", NOTIFICATION_LIST, harbor_later),
	HARBOR(POST, "/projects/{project}/webhook/policies", NOTIFICATION_CREATE, harbor_later),
	HARBOR(GET, "/projects/{project}/webhook/policies/{id}/executions", NOTIFICATION_READ,
	       harbor_later),
	HARBOR(GET, "/projects/{project}/webhook/policies/{id}/executions/{sub}/tasks",
	       NOTIFICATION_READ, harbor_later),
	HARBOR(GET, "/projects/{project}/webhook/policies/{id}/executions/{sub}/tasks/{task}/log",
	       NOTIFICATION_READ, harbor_later),
	HARBOR(GET, "/projects/{project}/webhook/lasttrigger", NOTIFICATION_LIST, harbor_later),
	HARBOR(GET, "/projects/{project}/webhook/events", NOTIFICATION_LIST, harbor_later),
	HARBOR(GET, "/projects/{project}/webhook/policies/{id}", NOTIFICATION_READ, harbor_later),
	HARBOR(PUT, "/projects/{project}/webhook/policies/{id}", NOTIFICATION_UPDATE, harbor_later),
	HARBOR(DELETE, "/projects/{project}/webhook/policies/{id}", NOTIFICATION_DELETE,
	       harbor_later),
	/* webhookjob */
	HARBOR(GET, "/projects/{project}/webhook/jobs", NOTIFICATION_LIST, harbor_later),
	/* usergroup */
	HARBOR(GET, "/usergroups", GROUP_LIST, harbor_group_list),
	HARBOR(POST, "/usergroups", GROUP_CREATE, harbor_group_create),
	HARBOR(GET, "/usergroups/search", LOGIN, harbor_group_search),
	HARBOR(GET, "/usergroups/{id}", GROUP_READ, harbor_group_get),
	HARBOR(PUT, "/usergroups/{id}", GROUP_UPDATE, harbor_group_update),
	HARBOR(DELETE, "/usergroups/{id}", GROUP_DELETE, harbor_group_delete),
	/* icon */
	HARBOR(GET, "/icons/{digest}", NONE, harbor_icon_get),
	/* robot */
	HARBOR(GET, "/robots", LOGIN, harbor_robot_list),
	HARBOR(POST, "/robots", LOGIN, harbor_robot_create),
	HARBOR(GET, "/robots/{id}", LOGIN, harbor_robot_get),
	HARBOR(PUT, "/robots/{id}", LOGIN, harbor_robot_update),
	HARBOR(PATCH, "/robots/{id}", LOGIN, harbor_robot_refresh),
	HARBOR(DELETE, "/robots/{id}", LOGIN, harbor_robot_delete),
	/* quota */
	HARBOR(GET, "/quotas", SYSTEM_QUOTA_LIST, harbor_later),
	HARBOR(GET, "/quotas/{id}", SYSTEM_QUOTA_READ, harbor_later),
	HARBOR(PUT, "/quotas/{id}", SYSTEM_QUOTA_UPDATE, harbor_later),
	/* replication */
	HARBOR(GET, "/replication/policies", REPLICATION_POLICY_LIST, harbor_later),
	HARBOR(POST, "/replication/policies", REPLICATION_POLICY_CREATE, harbor_later),
	HARBOR(GET, "/replication/executions", REPLICATION_LIST, harbor_later),
	HARBOR(POST, "/replication/executions", REPLICATION_CREATE, harbor_later),
	HARBOR(GET, "/replication/executions/{id}/tasks", REPLICATION_LIST, harbor_later),
	HARBOR(GET, "/replication/executions/{id}/tasks/{sub}/log", REPLICATION_READ, harbor_later),
	HARBOR(GET, "/replication/policies/{id}", REPLICATION_POLICY_READ, harbor_later),
	HARBOR(DELETE, "/replication/policies/{id}", REPLICATION_POLICY_DELETE, harbor_later),
	HARBOR(PUT, "/replication/policies/{id}", REPLICATION_POLICY_UPDATE, harbor_later),
	HARBOR(GET, "/replication/executions/{id}", REPLICATION_READ, harbor_later),
	HARBOR(PUT, "/replication/executions/{id}", REPLICATION_CREATE, harbor_later),
	/* registry */
	HARBOR(GET, "/replication/adapters", REPLICATION_ADAPTER_LIST, harbor_later),
	HARBOR(GET, "/replication/adapterinfos", REPLICATION_ADAPTER_LIST, harbor_later),
	HARBOR(POST, "/registries", REMOTE_CREATE, harbor_later),
	HARBOR(GET, "/registries", REMOTE_LIST, harbor_later),
	HARBOR(POST, "/registries/ping", REMOTE_READ, harbor_later),
	HARBOR(GET, "/registries/{id}/info", REMOTE_READ, harbor_later),
	HARBOR(GET, "/registries/{id}", REMOTE_READ, harbor_later),
	HARBOR(DELETE, "/registries/{id}", REMOTE_DELETE, harbor_later),
	HARBOR(PUT, "/registries/{id}", REMOTE_UPDATE, harbor_later),
	/* scanAll */
	HARBOR(GET, "/scans/all/metrics", SCAN_ALL_READ, harbor_later),
	HARBOR(GET, "/scans/schedule/metrics", SCAN_ALL_READ, harbor_later),
	HARBOR(GET, "/system/scanAll/schedule", SCAN_ALL_READ, harbor_later),
	HARBOR(PUT, "/system/scanAll/schedule", SCAN_ALL_UPDATE, harbor_later),
	HARBOR(POST, "/system/scanAll/schedule", SCAN_ALL_CREATE, harbor_later),
	HARBOR(POST, "/system/scanAll/stop", SCAN_ALL_STOP, harbor_later),
	/* systeminfo */
	HARBOR(GET, "/systeminfo", NONE, harbor_systeminfo_get),
	HARBOR(GET, "/systeminfo/volumes", VOLUMES_READ, harbor_volumes_get),
	HARBOR(GET, "/systeminfo/getcert", NONE, harbor_ca_get),
	/* oidc */
	HARBOR(POST, "/system/oidc/ping", CONFIGURATION_UPDATE, harbor_oidc_ping),
	/* gc */
	HARBOR(GET, "/system/gc", GC_LIST, harbor_later),
	HARBOR(GET, "/system/gc/{id}/log", GC_READ, harbor_later),
	HARBOR(GET, "/system/gc/schedule", GC_READ, harbor_later),
	HARBOR(POST, "/system/gc/schedule", GC_CREATE, harbor_later),
	HARBOR(PUT, "/system/gc/schedule", GC_UPDATE, harbor_later),
	HARBOR(GET, "/system/gc/{id}", GC_READ, harbor_later),
	HARBOR(PUT, "/system/gc/{id}", GC_STOP, harbor_later),
	/* purge */
	HARBOR(GET, "/system/purgeaudit", PURGE_LIST, harbor_later),
	HARBOR(GET, "/system/purgeaudit/{id}/log", PURGE_READ, harbor_later),
	HARBOR(GET, "/system/purgeaudit/schedule", PURGE_READ, harbor_later),
	HARBOR(POST, "/system/purgeaudit/schedule", PURGE_CREATE, harbor_later),
	HARBOR(PUT, "/system/purgeaudit/schedule", PURGE_UPDATE, harbor_later),
	HARBOR(GET, "/system/purgeaudit/{id}", PURGE_READ, harbor_later),
	HARBOR(PUT, "/system/purgeaudit/{id}", PURGE_STOP, harbor_later),
	/* SystemCVEAllowlist */
	HARBOR(GET, "/system/CVEAllowlist", LOGIN, harbor_cve_allowlist_get),
	HARBOR(PUT, "/system/CVEAllowlist", CONFIGURATION_UPDATE, harbor_cve_allowlist_put),
	/* jobservice */
	HARBOR(GET, "/jobservice/pools", JOBS_LIST, harbor_later),
	HARBOR(GET, "/jobservice/pools/{word}/workers", JOBS_LIST, harbor_later),
	HARBOR(GET, "/jobservice/jobs/{word}/log", JOBS_LIST, harbor_later),
	HARBOR(GET, "/jobservice/queues", JOBS_LIST, harbor_later),
	HARBOR(PUT, "/jobservice/jobs/{word}", JOBS_STOP, harbor_later),
	HARBOR(PUT, "/jobservice/queues/{word}", JOBS_STOP, harbor_later),
	/* schedule */
	HARBOR(GET, "/schedules", JOBS_LIST, harbor_later),
	HARBOR(GET, "/schedules/{word}/paused", LOGIN, harbor_later),
	/* ping */
	HARBOR(GET, "/ping", NONE, harbor_ping),
	/* Retention */
	HARBOR(GET, "/retentions/metadatas", LOGIN, harbor_later),
	HARBOR(POST, "/retentions", LOGIN, harbor_later),
	HARBOR(POST, "/retentions/{id}/executions", LOGIN, harbor_later),
	HARBOR(GET, "/retentions/{id}/executions", LOGIN, harbor_later),
	HARBOR(GET, "/retentions/{id}/executions/{sub}/tasks", LOGIN, harbor_later),
	HARBOR(GET, "/retentions/{id}", LOGIN, harbor_later),
	HARBOR(PUT, "/retentions/{id}", LOGIN, harbor_later),
	HARBOR(DELETE, "/retentions/{id}", LOGIN, harbor_later),
	HARBOR(PATCH, "/retentions/{id}/executions/{sub}", LOGIN, harbor_later),
	HARBOR(GET, "/retentions/{id}/executions/{sub}/tasks/{task}", LOGIN, harbor_later),
	/* scanner */
	HARBOR(GET, "/scanners", SYSTEM_SCANNER_LIST, harbor_later),
	HARBOR(POST, "/scanners", SYSTEM_SCANNER_CREATE, harbor_later),
	HARBOR(POST, "/scanners/ping", SYSTEM_SCANNER_READ, harbor_later),
	HARBOR(GET, "/scanners/{word}/metadata", SYSTEM_SCANNER_READ, harbor_later),
	HARBOR(GET, "/scanners/{word}", SYSTEM_SCANNER_READ, harbor_later),
	HARBOR(PUT, "/scanners/{word}", SYSTEM_SCANNER_UPDATE, harbor_later),
	HARBOR(DELETE, "/scanners/{word}", SYSTEM_SCANNER_DELETE, harbor_later),
	HARBOR(PATCH, "/scanners/{word}", SYSTEM_SCANNER_UPDATE, harbor_later),
	/* user */
	HARBOR(GET, "/users", USER_LIST, harbor_user_list),
	HARBOR(POST, "/users", NONE, harbor_user_create),
	HARBOR(GET, "/users/current", LOGIN, harbor_user_current),
	HARBOR(GET, "/users/search", LOGIN, harbor_user_search),
	HARBOR(PUT, "/users/{user}/sysadmin", USER_ADMIN, harbor_user_sysadmin),
	HARBOR(PUT, "/users/{user}/password", USER_UPDATE, harbor_user_password),
	HARBOR(GET, "/users/current/permissions", LOGIN, harbor_permission_mine),
	HARBOR(PUT, "/users/{user}/cli_secret", USER_UPDATE, harbor_user_cli_secret),
	HARBOR(GET, "/users/{user}", USER_READ, harbor_user_get),
	HARBOR(PUT, "/users/{user}", USER_UPDATE, harbor_user_update),
	HARBOR(DELETE, "/users/{user}", USER_DELETE, harbor_user_delete),
	/* label */
	HARBOR(GET, "/labels", LOGIN, harbor_label_list),
	HARBOR(POST, "/labels", LOGIN, harbor_label_create),
	HARBOR(GET, "/labels/{id}", LOGIN, harbor_label_get),
	HARBOR(PUT, "/labels/{id}", LOGIN, harbor_label_update),
	HARBOR(DELETE, "/labels/{id}", LOGIN, harbor_label_delete),
	/* scan data export */
	HARBOR(POST, "/export/cve", LOGIN, harbor_later),
	HARBOR(GET, "/export/cve/executions", LOGIN, harbor_later),
	HARBOR(GET, "/export/cve/execution/{id}", LOGIN, harbor_later),
	HARBOR(GET, "/export/cve/download/{id}", LOGIN, harbor_later),
	/* securityhub */
	HARBOR(GET, "/security/summary", SECURITY_READ, harbor_later),
	HARBOR(GET, "/security/vul", SECURITY_LIST, harbor_later),
	/* permissions */
	HARBOR(GET, "/permissions", LOGIN, harbor_permission_list),
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
	/* roles */
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
