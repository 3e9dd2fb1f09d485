/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_event.h - what the audit trail knows of one event, and the table of its types.
 *
 * A type is an operation on a kind of resource, in Harbor's words where Harbor has them
 * (`create_artifact`). Every type but those that concern the trail itself can be switched off; what
 * is denied has types of its own, so that switching pulls off does not hide refused pulls.
 */
#pragma once

#include "base/str.h"

/* X(NAME, operation, resource type, can be switched off, what was done) - one row per type. The
 * last column begins the description that people read: "push artifact: library/app:v1". */
#define AUDIT_TYPE_TABLE(X)                                                                        \
	X(CREATE_ARTIFACT, "create", "artifact", true, "push artifact")                            \
	X(PULL_ARTIFACT, "pull", "artifact", true, "pull artifact")                                \
	X(UPDATE_ARTIFACT, "update", "artifact", true, "change artifact")                          \
	X(DELETE_ARTIFACT, "delete", "artifact", true, "delete artifact")                          \
	X(CREATE_TAG, "create", "tag", true, "create tag")                                         \
	X(UPDATE_TAG, "update", "tag", true, "move tag back")                                      \
	X(DELETE_TAG, "delete", "tag", true, "delete tag")                                         \
	X(CREATE_IMMUTABLE_TAG, "create", "immutable_tag", true, "create rule of immutability")    \
	X(UPDATE_IMMUTABLE_TAG, "update", "immutable_tag", true, "change rule of immutability")    \
	X(DELETE_IMMUTABLE_TAG, "delete", "immutable_tag", true, "delete rule of immutability")    \
	X(UPDATE_REPOSITORY, "update", "repository", true, "change repository")                    \
	X(DELETE_REPOSITORY, "delete", "repository", true, "delete repository")                    \
	X(RESTORE_TRASH, "restore", "trash", true, "restore what was deleted")                     \
	X(DELETE_TRASH, "delete", "trash", true, "delete for good")                                \
	X(CREATE_PROJECT, "create", "project", true, "create project")                             \
	X(UPDATE_PROJECT, "update", "project", true, "change project")                             \
	X(DELETE_PROJECT, "delete", "project", true, "delete project")                             \
	X(CREATE_MEMBER, "create", "member", true, "add member")                                   \
	X(UPDATE_MEMBER, "update", "member", true, "change member")                                \
	X(DELETE_MEMBER, "delete", "member", true, "remove member")                                \
	X(CREATE_ROLE, "create", "role", true, "create role")                                      \
	X(UPDATE_ROLE, "update", "role", true, "change role")                                      \
	X(DELETE_ROLE, "delete", "role", true, "delete role")                                      \
	X(CREATE_WEBHOOK, "create", "webhook", true, "create webhook policy")                      \
	X(UPDATE_WEBHOOK, "update", "webhook", true, "change webhook policy")                      \
	X(REDELIVER_WEBHOOK, "redeliver", "webhook", true, "send webhook once more")               \
	X(PING_WEBHOOK, "ping", "webhook", true, "send a test to a webhook")                       \
	X(DELETE_WEBHOOK, "delete", "webhook", true, "delete webhook policy")                      \
	X(CREATE_LABEL, "create", "label", true, "create label")                                   \
	X(UPDATE_LABEL, "update", "label", true, "change label")                                   \
	X(DELETE_LABEL, "delete", "label", true, "delete label")                                   \
	X(UPDATE_QUOTA, "update", "quota", true, "change quota")                                   \
	X(PASS_QUOTA, "pass", "quota", true, "pass a threshold of a quota")                        \
	X(CREATE_RETENTION, "create", "retention", true, "create retention policy")                \
	X(UPDATE_RETENTION, "update", "retention", true, "change retention policy")                \
	X(DELETE_RETENTION, "delete", "retention", true, "delete retention policy")                \
	X(UPDATE_INVENTORY, "update", "inventory", true, "report what a cluster runs")             \
	X(DELETE_INVENTORY, "delete", "inventory", true, "forget what a cluster runs")             \
	X(CREATE_USER, "create", "user", true, "create user")                                      \
	X(UPDATE_USER, "update", "user", true, "change user")                                      \
	X(DELETE_USER, "delete", "user", true, "delete user")                                      \
	X(LOGIN_USER, "login", "user", true, "log in")                                             \
	X(LOGOUT_USER, "logout", "user", true, "log out")                                          \
	X(CREATE_USER_GROUP, "create", "user_group", true, "create user group")                    \
	X(UPDATE_USER_GROUP, "update", "user_group", true, "change user group")                    \
	X(DELETE_USER_GROUP, "delete", "user_group", true, "delete user group")                    \
	X(CREATE_ROBOT, "create", "robot", true, "create robot")                                   \
	X(UPDATE_ROBOT, "update", "robot", true, "change robot")                                   \
	X(DELETE_ROBOT, "delete", "robot", true, "delete robot")                                   \
	X(ISSUE_TOKEN, "issue", "token", true, "issue token")                                      \
	X(EXCHANGE_TOKEN, "exchange", "token", true, "exchange federated token")                   \
	X(REVOKE_TOKEN, "revoke", "token", true, "revoke token or session")                        \
	X(CREATE_ACCESS_TOKEN, "create", "access_token", true, "create personal access token")     \
	X(DELETE_ACCESS_TOKEN, "delete", "access_token", true, "delete personal access token")     \
	X(CREATE_FEDERATION, "create", "federation", true, "trust a token issuer")                 \
	X(UPDATE_FEDERATION, "update", "federation", true, "change a trusted token issuer")        \
	X(DELETE_FEDERATION, "delete", "federation", true, "trust a token issuer no longer")       \
	X(CREATE_IDENTITY_PROVIDER, "create", "identity_provider", true,                           \
	  "create identity provider")                                                              \
	X(UPDATE_IDENTITY_PROVIDER, "update", "identity_provider", true,                           \
	  "change identity provider")                                                              \
	X(DELETE_IDENTITY_PROVIDER, "delete", "identity_provider", true,                           \
	  "delete identity provider")                                                              \
	X(CREATE_TENANT, "create", "tenant", true, "create tenant")                                \
	X(UPDATE_TENANT, "update", "tenant", true, "change tenant")                                \
	X(DELETE_TENANT, "delete", "tenant", true, "delete tenant")                                \
	X(UPDATE_CONFIGURATION, "update", "configuration", true, "change configuration")           \
	X(UPDATE_SCHEDULE, "update", "schedule", true, "change schedule")                          \
	X(START_JOB, "start", "job", true, "start job")                                            \
	X(STOP_JOB, "stop", "job", true, "stop job")                                               \
	X(ROTATE_KEY, "rotate", "key", true, "rotate key")                                         \
	X(DENY_LOGIN, "deny", "login", true, "refuse credentials")                                 \
	X(DENY_ACCESS, "deny", "access", true, "deny access")                                      \
	/* The trail itself. */                                                                    \
	X(START_AUDIT, "start", "audit", false, "start the audit trail")                           \
	X(STOP_AUDIT, "stop", "audit", false, "stop the audit trail")                              \
	X(UPDATE_AUDIT, "update", "audit", false, "change what the audit trail records")           \
	X(EXPORT_AUDIT, "export", "audit", false, "export the audit trail")                        \
	X(ERASE_AUDIT, "erase", "audit", false, "erase personal data from the audit trail")        \
	X(PURGE_AUDIT, "purge", "audit", false, "remove old records from the audit trail")         \
	X(DROP_AUDIT, "drop", "audit", false, "audit events were lost for want of room")

enum audit_type {
#define AUDIT_TYPE_ENUM(name, ...) AUDIT_##name,
	AUDIT_TYPE_TABLE(AUDIT_TYPE_ENUM)
#undef AUDIT_TYPE_ENUM
		AUDIT_TYPE_COUNT,
};

/* A set of types; zeros: none. */
#define AUDIT_TYPE_WORDS      ((AUDIT_TYPE_COUNT + 63) / 64)
#define AUDIT_TYPE_WORD(type) ((type) / 64)
#define AUDIT_TYPE_BIT(type)  (UINT64_C(1) << ((type) % 64))
struct audit_types {
	uint64_t words[AUDIT_TYPE_WORDS];
};
static inline bool audit_types_has(const struct audit_types *types, enum audit_type type)
{
	return types->words[AUDIT_TYPE_WORD(type)] & AUDIT_TYPE_BIT(type);
}
static inline void audit_types_add(struct audit_types *types, enum audit_type type)
{
	types->words[AUDIT_TYPE_WORD(type)] |= AUDIT_TYPE_BIT(type);
}

enum audit_result { AUDIT_ALLOWED, AUDIT_DENIED, AUDIT_FAILED, AUDIT_RESULT_COUNT };

/* Whose JSON comes from a request has its secrets masked: audit_mask_json() in notify. */
struct audit_event {
	enum audit_type type;
	int64_t time_us; /* UTC; 0: when it is recorded */
	int64_t count;	 /* how many alike this record stands for; 0 means 1 */

	int64_t tenant_id; /* whose trail it belongs to; 0: the system's */
	int64_t project_id;
	str project;  /* its name at the time */
	str resource; /* "library/app:v1", "alice", a path: what it was done to */
	str digest;

	str actor_type; /* "user", "robot", "anonymous", "system" */
	int64_t actor_id;
	str actor; /* name; "anonymous" for nobody */
	str issuer;
	str on_behalf_of;
	str token_id;

	str address;
	str user_agent;
	str request_id;

	enum audit_result result;
	int status; /* HTTP; 0: not by HTTP */
	str reason; /* of a denial or failure */

	str before, after; /* JSON objects, only the members that changed; empty: none */
};

struct audit_type_info {
	str name; /* "create_artifact" */
	str operation;
	str resource_type;
	bool optional; /* can be switched off */
	str text;
};
const struct audit_type_info *audit_type_info(enum audit_type type);

/* False when there is no such type. */
bool audit_type_find(str name, enum audit_type *ret);
bool audit_type_find_by(str operation, str resource_type, enum audit_type *ret);

/*
 * Reads a list of names separated by commas (blanks around them are fine) into a set.
 * False, with the offending name, when one is unknown or cannot be switched off.
 */
bool audit_types_parse(str list, struct audit_types *ret, str *ret_wrong);

const char *audit_result_name(enum audit_result result); /* "allowed", "denied", "failed" */
bool audit_result_find(str name, enum audit_result *ret);
