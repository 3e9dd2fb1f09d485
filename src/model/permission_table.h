/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permission_table.h - the whole policy, a row per permission; see permission.h for how it is read.
 *
 * Who holds it, a string of letters:
 *
 *	A M D G L   the project's administrator, maintainer, developer, guest, limited guest
 *	P           anybody, when the project is public
 *	U           whoever is logged in
 *	C           whoever is logged in, when everybody may create projects
 *	S           whom the object is about: one's own account
 *	T           the tenant's administrator (inside a project of the tenant: always)
 *	O           the auditor, who reads everything and changes nothing
 *	r           may be given to a robot for a project, s: to a robot for the system
 *
 * A system administrator holds all of them, and so no letter stands for him.
 */
#pragma once

/* X(name, place, resource, action, holders) */
#define PERMISSION_TABLE(X)                                                                        \
	X(NONE, ANYWHERE, "", "", "")                                                              \
	X(LOGIN, SYSTEM, "", "login", "U")                                                         \
	X(REGISTRY_PING, SYSTEM, "registry", "ping", "UTO")                                        \
	X(CATALOG_LIST, SYSTEM, "catalog", "read", "TOs")                                          \
                                                                                                   \
	X(REPOSITORY_PULL, PROJECT, "repository", "pull", "AMDGLPOr")                              \
	X(REPOSITORY_PUSH, PROJECT, "repository", "push", "AMDr")                                  \
	X(REPOSITORY_CREATE, PROJECT, "repository", "create", "AMD")                               \
	X(REPOSITORY_READ, PROJECT, "repository", "read", "AMDGLPOr")                              \
	X(REPOSITORY_UPDATE, PROJECT, "repository", "update", "AMDr")                              \
	X(REPOSITORY_DELETE, PROJECT, "repository", "delete", "AMr")                               \
	X(REPOSITORY_LIST, PROJECT, "repository", "list", "AMDGLPOr")                              \
	X(PROJECT_READ, PROJECT, "project", "read", "AMDGLPOr")                                    \
	X(PROJECT_UPDATE, PROJECT, "project", "update", "Ar")                                      \
	X(PROJECT_DELETE, PROJECT, "project", "delete", "Ar")                                      \
	X(MEMBER_CREATE, PROJECT, "member", "create", "Ar")                                        \
	X(MEMBER_READ, PROJECT, "member", "read", "AMDGOr")                                        \
	X(MEMBER_UPDATE, PROJECT, "member", "update", "Ar")                                        \
	X(MEMBER_DELETE, PROJECT, "member", "delete", "Ar")                                        \
	X(MEMBER_LIST, PROJECT, "member", "list", "AMDGOr")                                        \
	X(METADATA_CREATE, PROJECT, "metadata", "create", "Ar")                                    \
	X(METADATA_READ, PROJECT, "metadata", "read", "AMOr")                                      \
	X(METADATA_LIST, PROJECT, "metadata", "list", "AMOr")                                      \
	X(METADATA_UPDATE, PROJECT, "metadata", "update", "Ar")                                    \
	X(METADATA_DELETE, PROJECT, "metadata", "delete", "Ar")                                    \
	X(LOG_LIST, PROJECT, "log", "list", "AOr")                                                 \
	X(LABEL_CREATE, PROJECT, "label", "create", "AMr")                                         \
	X(LABEL_READ, PROJECT, "label", "read", "AMDGPOr")                                         \
	X(LABEL_UPDATE, PROJECT, "label", "update", "AMr")                                         \
	X(LABEL_DELETE, PROJECT, "label", "delete", "AMr")                                         \
	X(LABEL_LIST, PROJECT, "label", "list", "AMDGPOr")                                         \
	X(QUOTA_READ, PROJECT, "quota", "read", "AMDGLOr")                                         \
	X(RETENTION_CREATE, PROJECT, "tag-retention", "create", "AMDr")                            \
	X(RETENTION_READ, PROJECT, "tag-retention", "read", "AMDOr")                               \
	X(RETENTION_UPDATE, PROJECT, "tag-retention", "update", "AMDr")                            \
	X(RETENTION_DELETE, PROJECT, "tag-retention", "delete", "AMDr")                            \
	X(RETENTION_LIST, PROJECT, "tag-retention", "list", "AMDOr")                               \
	X(RETENTION_OPERATE, PROJECT, "tag-retention", "operate", "AMD")                           \
	X(IMMUTABLE_CREATE, PROJECT, "immutable-tag", "create", "AMr")                             \
	X(IMMUTABLE_UPDATE, PROJECT, "immutable-tag", "update", "AMr")                             \
	X(IMMUTABLE_DELETE, PROJECT, "immutable-tag", "delete", "AMr")                             \
	X(IMMUTABLE_LIST, PROJECT, "immutable-tag", "list", "AMOr")                                \
	X(SETTING_READ, PROJECT, "configuration", "read", "AMDGLO")                                \
	X(SETTING_UPDATE, PROJECT, "configuration", "update", "A")                                 \
	X(ROBOT_CREATE, PROJECT, "robot", "create", "Ar")                                          \
	X(ROBOT_READ, PROJECT, "robot", "read", "AMDGOr")                                          \
	X(ROBOT_UPDATE, PROJECT, "robot", "update", "A")                                           \
	X(ROBOT_DELETE, PROJECT, "robot", "delete", "Ar")                                          \
	X(ROBOT_LIST, PROJECT, "robot", "list", "AMDGOr")                                          \
	X(NOTIFICATION_CREATE, PROJECT, "notification-policy", "create", "Ar")                     \
	X(NOTIFICATION_READ, PROJECT, "notification-policy", "read", "AMOr")                       \
	X(NOTIFICATION_UPDATE, PROJECT, "notification-policy", "update", "Ar")                     \
	X(NOTIFICATION_DELETE, PROJECT, "notification-policy", "delete", "Ar")                     \
	X(NOTIFICATION_LIST, PROJECT, "notification-policy", "list", "AMOr")                       \
	X(SCAN_CREATE, PROJECT, "scan", "create", "AMr")                                           \
	X(SCAN_READ, PROJECT, "scan", "read", "AMDGLPOr")                                          \
	X(SCAN_STOP, PROJECT, "scan", "stop", "AMr")                                               \
	X(SBOM_CREATE, PROJECT, "sbom", "create", "AMr")                                           \
	X(SBOM_READ, PROJECT, "sbom", "read", "AMDGLPOr")                                          \
	X(SBOM_STOP, PROJECT, "sbom", "stop", "AMr")                                               \
	X(SCANNER_READ, PROJECT, "scanner", "read", "AMDGLPOr")                                    \
	X(SCANNER_CREATE, PROJECT, "scanner", "create", "Ar")                                      \
	X(ARTIFACT_CREATE, PROJECT, "artifact", "create", "AMDr")                                  \
	X(ARTIFACT_READ, PROJECT, "artifact", "read", "AMDGLPOr")                                  \
	X(ARTIFACT_DELETE, PROJECT, "artifact", "delete", "AMr")                                   \
	X(ARTIFACT_LIST, PROJECT, "artifact", "list", "AMDGLPOr")                                  \
	X(ADDITION_READ, PROJECT, "artifact-addition", "read", "AMDGLPOr")                         \
	X(TAG_LIST, PROJECT, "tag", "list", "AMDGLPOr")                                            \
	X(TAG_CREATE, PROJECT, "tag", "create", "AMDr")                                            \
	X(TAG_DELETE, PROJECT, "tag", "delete", "AMr")                                             \
	X(ACCESSORY_LIST, PROJECT, "accessory", "list", "AMDGLPOr")                                \
	X(ARTIFACT_LABEL_CREATE, PROJECT, "artifact-label", "create", "AMDr")                      \
	X(ARTIFACT_LABEL_DELETE, PROJECT, "artifact-label", "delete", "AMDr")                      \
	X(PREHEAT_CREATE, PROJECT, "preheat-policy", "create", "Ar")                               \
	X(PREHEAT_READ, PROJECT, "preheat-policy", "read", "AOr")                                  \
	X(PREHEAT_UPDATE, PROJECT, "preheat-policy", "update", "Ar")                               \
	X(PREHEAT_DELETE, PROJECT, "preheat-policy", "delete", "Ar")                               \
	X(PREHEAT_LIST, PROJECT, "preheat-policy", "list", "AOr")                                  \
	X(EXPORT_CREATE, PROJECT, "export-cve", "create", "AMDr")                                  \
	X(EXPORT_READ, PROJECT, "export-cve", "read", "AMDOr")                                     \
	X(EXPORT_LIST, PROJECT, "export-cve", "list", "AMDO")                                      \
                                                                                                   \
	X(PROJECT_LIST, SYSTEM, "project", "list", "PUTOs")                                        \
	X(PROJECT_CREATE, SYSTEM, "project", "create", "CTs")                                      \
	X(PROJECT_AUTO_CREATE, SYSTEM, "project", "auto-create", "T")                              \
	X(PROJECT_LIST_ALL, SYSTEM, "project", "list-all", "TOs")                                  \
	X(USER_CREATE, SYSTEM, "user", "create", "Ts")                                             \
	X(USER_READ, SYSTEM, "user", "read", "STOs")                                               \
	X(USER_UPDATE, SYSTEM, "user", "update", "STs")                                            \
	X(USER_DELETE, SYSTEM, "user", "delete", "Ts")                                             \
	X(USER_ADMIN, SYSTEM, "user", "admin", "")                                                 \
	X(USER_LIST, SYSTEM, "user", "list", "TOs")                                                \
	X(GROUP_CREATE, SYSTEM, "user-group", "create", "Ts")                                      \
	X(GROUP_READ, SYSTEM, "user-group", "read", "TOs")                                         \
	X(GROUP_UPDATE, SYSTEM, "user-group", "update", "Ts")                                      \
	X(GROUP_DELETE, SYSTEM, "user-group", "delete", "Ts")                                      \
	X(GROUP_LIST, SYSTEM, "user-group", "list", "TOs")                                         \
	X(SYSTEM_ROBOT_CREATE, SYSTEM, "robot", "create", "Ts")                                    \
	X(SYSTEM_ROBOT_READ, SYSTEM, "robot", "read", "TOs")                                       \
	X(SYSTEM_ROBOT_UPDATE, SYSTEM, "robot", "update", "T")                                     \
	X(SYSTEM_ROBOT_DELETE, SYSTEM, "robot", "delete", "Ts")                                    \
	X(SYSTEM_ROBOT_LIST, SYSTEM, "robot", "list", "TOs")                                       \
	X(AUDIT_LIST, SYSTEM, "audit-log", "list", "TOs")                                          \
	X(CONFIGURATION_READ, SYSTEM, "configuration", "read", "O")                                \
	X(CONFIGURATION_UPDATE, SYSTEM, "configuration", "update", "")                             \
	X(LDAP_USER_CREATE, SYSTEM, "ldap-user", "create", "s")                                    \
	X(LDAP_USER_LIST, SYSTEM, "ldap-user", "list", "s")                                        \
	X(SYSTEM_LABEL_CREATE, SYSTEM, "label", "create", "Ts")                                    \
	X(SYSTEM_LABEL_READ, SYSTEM, "label", "read", "UTOs")                                      \
	X(SYSTEM_LABEL_UPDATE, SYSTEM, "label", "update", "Ts")                                    \
	X(SYSTEM_LABEL_DELETE, SYSTEM, "label", "delete", "Ts")                                    \
	X(SYSTEM_QUOTA_READ, SYSTEM, "quota", "read", "TOs")                                       \
	X(SYSTEM_QUOTA_LIST, SYSTEM, "quota", "list", "TOs")                                       \
	X(SYSTEM_QUOTA_UPDATE, SYSTEM, "quota", "update", "s")                                     \
	X(VOLUMES_READ, SYSTEM, "system-volumes", "read", "Os")                                    \
	X(PREHEAT_INSTANCE_CREATE, SYSTEM, "preheat-instance", "create", "s")                      \
	X(PREHEAT_INSTANCE_READ, SYSTEM, "preheat-instance", "read", "Os")                         \
	X(PREHEAT_INSTANCE_UPDATE, SYSTEM, "preheat-instance", "update", "s")                      \
	X(PREHEAT_INSTANCE_DELETE, SYSTEM, "preheat-instance", "delete", "s")                      \
	X(PREHEAT_INSTANCE_LIST, SYSTEM, "preheat-instance", "list", "Os")                         \
	X(REMOTE_CREATE, SYSTEM, "registry", "create", "s")                                        \
	X(REMOTE_READ, SYSTEM, "registry", "read", "Os")                                           \
	X(REMOTE_UPDATE, SYSTEM, "registry", "update", "s")                                        \
	X(REMOTE_DELETE, SYSTEM, "registry", "delete", "s")                                        \
	X(REMOTE_LIST, SYSTEM, "registry", "list", "Os")                                           \
	X(REPLICATION_CREATE, SYSTEM, "replication", "create", "s")                                \
	X(REPLICATION_READ, SYSTEM, "replication", "read", "Os")                                   \
	X(REPLICATION_LIST, SYSTEM, "replication", "list", "Os")                                   \
	X(REPLICATION_ADAPTER_LIST, SYSTEM, "replication-adapter", "list", "Os")                   \
	X(REPLICATION_POLICY_CREATE, SYSTEM, "replication-policy", "create", "s")                  \
	X(REPLICATION_POLICY_READ, SYSTEM, "replication-policy", "read", "Os")                     \
	X(REPLICATION_POLICY_UPDATE, SYSTEM, "replication-policy", "update", "s")                  \
	X(REPLICATION_POLICY_DELETE, SYSTEM, "replication-policy", "delete", "s")                  \
	X(REPLICATION_POLICY_LIST, SYSTEM, "replication-policy", "list", "Os")                     \
	X(GC_CREATE, SYSTEM, "garbage-collection", "create", "s")                                  \
	X(GC_READ, SYSTEM, "garbage-collection", "read", "Os")                                     \
	X(GC_UPDATE, SYSTEM, "garbage-collection", "update", "s")                                  \
	X(GC_LIST, SYSTEM, "garbage-collection", "list", "Os")                                     \
	X(GC_STOP, SYSTEM, "garbage-collection", "stop", "s")                                      \
	X(INVENTORY_REPORT, SYSTEM, "inventory", "create", "Ts")                                   \
	X(INVENTORY_LIST, SYSTEM, "inventory", "list", "TOs")                                      \
	X(INVENTORY_DELETE, SYSTEM, "inventory", "delete", "Ts")                                   \
	X(PURGE_CREATE, SYSTEM, "purge-audit", "create", "s")                                      \
	X(PURGE_READ, SYSTEM, "purge-audit", "read", "Os")                                         \
	X(PURGE_UPDATE, SYSTEM, "purge-audit", "update", "s")                                      \
	X(PURGE_LIST, SYSTEM, "purge-audit", "list", "Os")                                         \
	X(PURGE_STOP, SYSTEM, "purge-audit", "stop", "s")                                          \
	X(SCAN_ALL_CREATE, SYSTEM, "scan-all", "create", "s")                                      \
	X(SCAN_ALL_READ, SYSTEM, "scan-all", "read", "Os")                                         \
	X(SCAN_ALL_UPDATE, SYSTEM, "scan-all", "update", "s")                                      \
	X(SCAN_ALL_STOP, SYSTEM, "scan-all", "stop", "s")                                          \
	X(SYSTEM_SCANNER_CREATE, SYSTEM, "scanner", "create", "s")                                 \
	X(SYSTEM_SCANNER_READ, SYSTEM, "scanner", "read", "Os")                                    \
	X(SYSTEM_SCANNER_UPDATE, SYSTEM, "scanner", "update", "s")                                 \
	X(SYSTEM_SCANNER_DELETE, SYSTEM, "scanner", "delete", "s")                                 \
	X(SYSTEM_SCANNER_LIST, SYSTEM, "scanner", "list", "Os")                                    \
	X(JOBS_LIST, SYSTEM, "jobservice-monitor", "list", "Os")                                   \
	X(JOBS_STOP, SYSTEM, "jobservice-monitor", "stop", "s")                                    \
	X(SECURITY_READ, SYSTEM, "security-hub", "read", "Os")                                     \
	X(SECURITY_LIST, SYSTEM, "security-hub", "list", "Os")                                     \
	X(TENANT_CREATE, SYSTEM, "tenant", "create", "")                                           \
	X(TENANT_READ, SYSTEM, "tenant", "read", "TO")                                             \
	X(TENANT_UPDATE, SYSTEM, "tenant", "update", "")                                           \
	X(TENANT_DELETE, SYSTEM, "tenant", "delete", "")                                           \
	X(TENANT_LIST, SYSTEM, "tenant", "list", "O")                                              \
	X(TENANT_MANAGE, SYSTEM, "tenant", "manage", "T")                                          \
	X(TENANT_NOTIFICATION_READ, SYSTEM, "notification-policy", "read", "TO")                   \
	X(TENANT_NOTIFICATION_UPDATE, SYSTEM, "notification-policy", "update", "T")                \
	X(ISSUER_READ, SYSTEM, "issuer", "read", "TO")                                             \
	X(ISSUER_UPDATE, SYSTEM, "issuer", "update", "T")                                          \
	X(PROVIDER_READ, SYSTEM, "identity-provider", "read", "TO")                                \
	X(PROVIDER_UPDATE, SYSTEM, "identity-provider", "update", "T")                             \
	X(ROLE_LIST, SYSTEM, "role", "list", "UTO")                                                \
	X(ROLE_CREATE, SYSTEM, "role", "create", "T")                                              \
	X(ROLE_UPDATE, SYSTEM, "role", "update", "T")                                              \
	X(ROLE_DELETE, SYSTEM, "role", "delete", "T")                                              \
	X(DEBUG_READ, SYSTEM, "debug", "read", "")                                                 \
	X(METRICS_READ, SYSTEM, "metrics", "read", "Os")                                           \
	X(EXPLAIN, SYSTEM, "authz", "explain", "TO")
