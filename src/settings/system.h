/* SPDX-License-Identifier: Apache-2.0 */
/*
 * system.h - what administrators change while the program runs: Harbor's system configuration.
 *
 * A row of the table is the only place where a setting is written down: its key in Harbor's
 * GET and PUT /configurations, type, default and limits. Whoever acts on one reads it from memory:
 *
 *	if (system_bool(settings, SYSTEM_READ_ONLY))
 *		return fail(ctx, ERR_READ_ONLY, "…");
 *	int64_t days = system_i64(settings, SYSTEM_ROBOT_TOKEN_DURATION);
 *	str prefix = system_text(ctx, settings, SYSTEM_ROBOT_NAME_PREFIX);
 *
 * A change counts in this process from the moment the call that made it returns. Other nodes of the
 * same database are told, and look by themselves within SYSTEM_AGE_MAX_MS; without a database a
 * node goes on with what it knows. How users log in elsewhere is not here but in
 * auth/identity_provider.h, though Harbor keeps it among the same keys.
 *
 * `settings` may be NULL everywhere where one is read: then all are at their defaults.
 *
 * To add a setting: one row.
 */
#pragma once

#include "base/ctx.h"
#include "codec/json.h"
#include "codec/json_writer.h"
#include "sql/sql.h"

#define SYSTEM_AGE_MAX_MS     2000
#define SETTING_BYTES_MAX     KIB(8) /* of a text */
#define SETTING_TOKEN_MIN_MAX 43200  /* 30 days: as long as a forgotten key still verifies */

#define SETTING_FREE		   .check = NULL
#define SETTING_RANGE(low_, high_) .low = (low_), .high = (high_)
#define SETTING_CHOICE(words_)	   .choices = (words_)
#define SETTING_CHECK(function_)   .check = (function_)
/* Of what Harbor has and this program has not: the default is taken, as its clients send all that
 * they read, and any other value refused with what is to be used instead. */
#define SETTING_INSTEAD(text_) .instead = (text_)
#define SETTING_UAA	       SETTING_INSTEAD("a UAA is an OIDC provider: use oidc_*, auth_mode oidc_auth")
#define SETTING_AUTHPROXY      SETTING_INSTEAD("use oidc_* or ldap_*, or the tokens of an issuer")

/*
 * X(type, enumerator, Harbor's key, default, limits)
 *	TEXT, CHOICE -> system_text(); BOOL -> system_bool(); INT -> system_i64(), which gives a
 *	CHOICE's position
 *	UNUSED   shown to nobody: a secret that nothing here would ever use
 */
#define SYSTEM_SETTINGS(X)                                                                         \
	/* For login pages, which read it from systeminfo: that they offer OIDC first. Harbor's */ \
	/* server does nothing else with it, either. */                                            \
	X(BOOL, PRIMARY_AUTH_MODE, "primary_auth_mode", "false", SETTING_FREE)                     \
	X(CHOICE, PROJECT_CREATION, "project_creation_restriction", "everyone",                    \
	  SETTING_CHOICE("everyone|adminonly"))                                                    \
	X(BOOL, READ_ONLY, "read_only", "false", SETTING_FREE)                                     \
	X(BOOL, SELF_REGISTRATION, "self_registration", "false", SETTING_FREE)                     \
	X(INT, TOKEN_EXPIRATION, "token_expiration", "30", /* minutes */                           \
	  SETTING_RANGE(1, SETTING_TOKEN_MIN_MAX))                                                 \
	X(INT, SESSION_TIMEOUT, "session_timeout", "60", SETTING_RANGE(1, 525600)) /* minutes */   \
	X(INT, ROBOT_TOKEN_DURATION, "robot_token_duration", "30",		   /* days */      \
	  SETTING_RANGE(1, 36500))                                                                 \
	X(TEXT, ROBOT_NAME_PREFIX, "robot_name_prefix", "robot$",                                  \
	  SETTING_CHECK(setting_check_prefix))                                                     \
	X(BOOL, NOTIFICATION_ENABLE, "notification_enable", "true", SETTING_FREE)                  \
	X(BOOL, QUOTA_PER_PROJECT_ENABLE, "quota_per_project_enable", "true", SETTING_FREE)        \
	X(INT, STORAGE_PER_PROJECT, "storage_per_project", "-1", /* bytes; -1: no limit */         \
	  SETTING_RANGE(-1, INT64_C(1) << 50), SETTING_CHECK(setting_check_quota))                 \
	X(TEXT, AUDIT_LOG_FORWARD_ENDPOINT, "audit_log_forward_endpoint", "",                      \
	  SETTING_CHECK(setting_check_endpoint))                                                   \
	X(BOOL, SKIP_AUDIT_LOG_DATABASE, "skip_audit_log_database", "false", SETTING_FREE)         \
	X(TEXT, DISABLED_AUDIT_EVENTS, "disabled_audit_log_event_types", "",                       \
	  SETTING_CHECK(setting_check_audit_types))                                                \
	X(BOOL, PULL_AUDIT_LOG_DISABLE, "pull_audit_log_disable", "false", SETTING_FREE)           \
	X(BOOL, PULL_COUNT_UPDATE_DISABLE, "pull_count_update_disable", "false", SETTING_FREE)     \
	X(BOOL, PULL_TIME_UPDATE_DISABLE, "pull_time_update_disable", "false", SETTING_FREE)       \
	X(BOOL, SCANNER_SKIP_UPDATE_PULLTIME, "scanner_skip_update_pulltime", "false",             \
	  SETTING_FREE)                                                                            \
	/* Whatever text: Harbor's portal writes JSON into it, others write words. */              \
	X(TEXT, BANNER_MESSAGE, "banner_message", "", SETTING_FREE)                                \
	/* Ways to log in that Harbor has and this program has not. */                             \
	X(TEXT, UAA_CLIENT_ID, "uaa_client_id", "", SETTING_UAA)                                   \
	X(UNUSED, UAA_CLIENT_SECRET, "uaa_client_secret", "", SETTING_UAA)                         \
	X(TEXT, UAA_ENDPOINT, "uaa_endpoint", "", SETTING_UAA)                                     \
	X(BOOL, UAA_VERIFY_CERT, "uaa_verify_cert", "false", SETTING_UAA)                          \
	X(TEXT, AUTHPROXY_ENDPOINT, "http_authproxy_endpoint", "", SETTING_AUTHPROXY)              \
	X(TEXT, AUTHPROXY_REVIEW, "http_authproxy_tokenreview_endpoint", "", SETTING_AUTHPROXY)    \
	X(TEXT, AUTHPROXY_ADMIN_GROUPS, "http_authproxy_admin_groups", "", SETTING_AUTHPROXY)      \
	X(TEXT, AUTHPROXY_ADMINS, "http_authproxy_admin_usernames", "", SETTING_AUTHPROXY)         \
	X(BOOL, AUTHPROXY_VERIFY_CERT, "http_authproxy_verify_cert", "true", SETTING_AUTHPROXY)    \
	X(BOOL, AUTHPROXY_SKIP_SEARCH, "http_authproxy_skip_search", "false", SETTING_AUTHPROXY)   \
	X(TEXT, AUTHPROXY_CERTIFICATE, "http_authproxy_server_certificate", "", SETTING_AUTHPROXY)

enum system_setting {
#define SYSTEM_SETTING(type, name, ...) SYSTEM_##name,
	SYSTEM_SETTINGS(SYSTEM_SETTING)
#undef SYSTEM_SETTING
		SYSTEM_SETTING_COUNT,
};

/* The positions of project_creation_restriction. */
enum { PROJECT_CREATION_EVERYONE, PROJECT_CREATION_ADMIN_ONLY };

struct system_settings;

struct system_options {
	struct sql *db; /* not owned */
	str fixed;	/* a JSON object of settings that cannot be changed; may be empty */
};

/* Reads them. ERR_CONFIG when a value of `fixed` cannot be. */
err_t system_new(struct ctx *ctx, const struct system_options *options,
		 struct system_settings **ret);
void system_free(struct system_settings *settings); /* stops; NULL is fine */

/* Another default than the table's, from the program's options. Before anybody reads. */
void system_set_default(struct system_settings *settings, enum system_setting setting,
			int64_t number);

/* Starts the thread that looks for what other nodes changed. */
err_t system_start(struct ctx *ctx, struct system_settings *settings);

/* Another node says that it changed some: they are read again at once. Does not wait. */
void system_told(struct system_settings *settings);

/* Ends it, and who watches is told no more. NULL is fine, and so is one that never started. */
void system_stop(struct system_settings *settings);

/* --- reading, from memory ------------------------------------------------------------------------
 */

bool system_bool(const struct system_settings *settings, enum system_setting setting);
int64_t system_i64(const struct system_settings *settings, enum system_setting setting);
str system_text(struct ctx *ctx, struct system_settings *settings, enum system_setting setting);

/* Somebody chose this value, be it the default; false: nobody did. */
bool system_is_set(const struct system_settings *settings, enum system_setting setting);

/* --- Harbor's configuration ----------------------------------------------------------------------
 */

/* Whether it is one that a PUT changes. */
bool system_owns_key(str key);

/* Members `"read_only":{"value":…,"editable":…}` of all but the secrets. */
void system_write(struct ctx *ctx, struct json_writer *w, struct system_settings *settings);

/*
 * Takes over those members of a flat PUT /configurations that are settings, in the caller's
 * transaction; he calls system_refresh() after its commit. Unknown and null members are ignored.
 * ERR_REQUEST_INVALID for a value that cannot be, ERR_DENIED for a fixed one.
 */
err_t system_put(struct ctx *ctx, struct sql_tx *tx, const struct system_settings *settings,
		 const struct json_value *flat);

/*
 * Somebody who cannot look each time: called with `arg` once now, and whenever values were read
 * that may be new, one call at a time, by whoever read them. To be told before system_start(); one
 * only.
 */
void system_watch(struct ctx *ctx, struct system_settings *settings,
		  void (*changed)(struct ctx *ctx, struct system_settings *settings, void *arg),
		  void *arg);

/* Reads them again. What could not be read stays as it was. */
err_t system_refresh(struct ctx *ctx, struct system_settings *settings);
