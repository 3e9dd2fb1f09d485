/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity_provider.h - who vouches for users besides ourselves, as configured: several at once, in
 * an order, for each tenant its own.
 *
 * A provider is a row (db/identity_provider.h). What its kind needs to know is a table here: the
 * name in the row's JSON, the key of Harbor's configuration that means the same, the type and the
 * default. Secrets are sealed under the master key and bound to the row's tenant and kind.
 *
 * Harbor knows one provider of each kind, by flat keys (oidc_*, ldap_*, auth_mode). Here these
 * describe the first provider of that kind in the tenant; reading and writing them is below, the
 * HTTP of it is api's.
 *
 *	struct identity_provider *list;
 *	TRY(identity_provider_list(ctx, auth, TENANT_DEFAULT, &list, &count));
 *	str url = provider_text(&list[0], PROVIDER_OIDC_ENDPOINT);
 *
 * To add a setting: one row.
 */
#pragma once

#include "base/ctx.h"
#include "codec/json.h"
#include "codec/json_writer.h"
#include "crypto/secretbox.h"
#include "sql/sql.h"

/* X(enumerator, name in rows) */
#define PROVIDER_KINDS(X)                                                                          \
	X(OIDC, "oidc")                                                                            \
	X(LDAP, "ldap")                                                                            \
	X(KEYSTONE, "keystone")

enum provider_kind {
#define PROVIDER_KIND(name, text) PROVIDER_##name,
	PROVIDER_KINDS(PROVIDER_KIND)
#undef PROVIDER_KIND
		PROVIDER_KIND_COUNT,
};

enum setting_type {
	SETTING_TEXT,
	SETTING_BOOL, /* "true", "false" */
	SETTING_INT,  /* decimal, not negative */
	SETTING_SECRET,
	SETTING_JSON, /* an array or object, as JSON text */
};

/* X(kind, type, enumerator, name, Harbor's key or NULL, default) */
#define PROVIDER_SETTINGS(X)                                                                       \
	X(OIDC, TEXT, OIDC_NAME, "display_name", "oidc_name", "")                                  \
	X(OIDC, TEXT, OIDC_ENDPOINT, "endpoint", "oidc_endpoint", "")                              \
	X(OIDC, TEXT, OIDC_CLIENT_ID, "client_id", "oidc_client_id", "")                           \
	X(OIDC, SECRET, OIDC_CLIENT_SECRET, "client_secret", "oidc_client_secret", "")             \
	X(OIDC, TEXT, OIDC_GROUPS_CLAIM, "groups_claim", "oidc_groups_claim", "")                  \
	X(OIDC, TEXT, OIDC_ADMIN_GROUP, "admin_group", "oidc_admin_group", "")                     \
	X(OIDC, TEXT, OIDC_GROUP_FILTER, "group_filter", "oidc_group_filter", "")                  \
	X(OIDC, TEXT, OIDC_SCOPE, "scope", "oidc_scope", "")                                       \
	X(OIDC, TEXT, OIDC_USER_CLAIM, "user_claim", "oidc_user_claim", "")                        \
	X(OIDC, BOOL, OIDC_VERIFY_CERT, "verify_cert", "oidc_verify_cert", "true")                 \
	X(OIDC, BOOL, OIDC_AUTO_ONBOARD, "auto_onboard", "oidc_auto_onboard", "false")             \
	X(OIDC, TEXT, OIDC_EXTRA, "extra_parameters", "oidc_extra_redirect_parms", "{}")           \
	X(OIDC, BOOL, OIDC_LOGOUT, "logout", "oidc_logout", "false")                               \
	X(OIDC, TEXT, OIDC_CA, "ca_pem", NULL, "")                                                 \
	X(LDAP, TEXT, LDAP_URL, "url", "ldap_url", "")                                             \
	X(LDAP, TEXT, LDAP_BASE_DN, "base_dn", "ldap_base_dn", "")                                 \
	X(LDAP, TEXT, LDAP_SEARCH_DN, "search_dn", "ldap_search_dn", "")                           \
	X(LDAP, SECRET, LDAP_SEARCH_PASSWORD, "search_password", "ldap_search_password", "")       \
	X(LDAP, TEXT, LDAP_UID, "uid", "ldap_uid", "cn")                                           \
	X(LDAP, TEXT, LDAP_FILTER, "filter", "ldap_filter", "")                                    \
	X(LDAP, INT, LDAP_SCOPE, "scope", "ldap_scope", "2")                                       \
	X(LDAP, INT, LDAP_TIMEOUT_S, "timeout", "ldap_timeout", "5")                               \
	X(LDAP, BOOL, LDAP_VERIFY_CERT, "verify_cert", "ldap_verify_cert", "true")                 \
	X(LDAP, TEXT, LDAP_CA, "ca_pem", NULL, "")                                                 \
	X(LDAP, BOOL, LDAP_STARTTLS, "starttls", NULL, "false")                                    \
	X(LDAP, TEXT, LDAP_GROUP_BASE_DN, "group_base_dn", "ldap_group_base_dn", "")               \
	X(LDAP, TEXT, LDAP_GROUP_ADMIN_DN, "group_admin_dn", "ldap_group_admin_dn", "")            \
	X(LDAP, TEXT, LDAP_GROUP_NAME, "group_attribute_name", "ldap_group_attribute_name", "")    \
	X(LDAP, TEXT, LDAP_GROUP_FILTER, "group_search_filter", "ldap_group_search_filter", "")    \
	X(LDAP, INT, LDAP_GROUP_SCOPE, "group_search_scope", "ldap_group_search_scope", "2")       \
	X(LDAP, TEXT, LDAP_MEMBERSHIP, "group_membership_attribute",                               \
	  "ldap_group_membership_attribute", "memberof")                                           \
	X(LDAP, BOOL, LDAP_GROUP_PARALLEL, "group_attach_parallel", "ldap_group_attach_parallel",  \
	  "false")                                                                                 \
	X(LDAP, INT, LDAP_NESTING_MAX, "group_nesting_max", NULL, "10")                            \
	X(KEYSTONE, TEXT, KEYSTONE_URL, "url", NULL, "")                                           \
	X(KEYSTONE, BOOL, KEYSTONE_VERIFY_CERT, "verify_cert", NULL, "true")                       \
	X(KEYSTONE, TEXT, KEYSTONE_CA, "ca_pem", NULL, "")                                         \
	X(KEYSTONE, TEXT, KEYSTONE_DOMAIN, "domain", NULL, "")                                     \
	X(KEYSTONE, INT, KEYSTONE_TIMEOUT_S, "timeout", NULL, "10")                                \
	X(KEYSTONE, INT, KEYSTONE_REMEMBER_S, "remember", NULL, "60")                              \
	X(KEYSTONE, JSON, KEYSTONE_ROLES, "roles", NULL, "[]")

enum provider_setting {
#define PROVIDER_SETTING(kind, type, name, ...) PROVIDER_##name,
	PROVIDER_SETTINGS(PROVIDER_SETTING)
#undef PROVIDER_SETTING
		PROVIDER_SETTING_COUNT,
};

#define PROVIDER_NAME_MAX     127
#define PROVIDER_VALUE_MAX    KIB(32)
#define PROVIDER_SETTINGS_MAX KIB(64) /* of a row's JSON */
#define PROVIDERS_MAX	      64      /* of a tenant */

struct identity_provider {
	int64_t id; /* 0: not yet a row */
	int64_t tenant_id;
	str name;
	enum provider_kind kind;
	int64_t position; /* the smallest is asked first */
	bool enabled;
	str values[PROVIDER_SETTING_COUNT]; /* in the arena; of other kinds: empty */
};

struct outbound;

/* The database and the key that seals secrets; see auth.h for who owns them. */
struct identity_providers {
	struct sql *db;
	const struct secretbox_key *master;
	const struct outbound *outbound; /* http/outbound.h; NULL: every URL may be saved */
};

str provider_text(const struct identity_provider *p, enum provider_setting setting);
bool provider_bool(const struct identity_provider *p, enum provider_setting setting);
int64_t provider_i64(const struct identity_provider *p, enum provider_setting setting);

const char *provider_kind_name(enum provider_kind kind);
bool provider_kind_parse(str name, enum provider_kind *ret);

/* A provider with all defaults. */
void identity_provider_init(struct identity_provider *p, enum provider_kind kind, int64_t tenant_id,
			    str name);

/* --- rows ------------------------------------------------------------------------------------- */

/* All of a tenant's, in their order; `only_enabled` leaves out the others. ERR_CONFIG when the
 * master key does not open a secret. */
err_t identity_provider_list(struct ctx *ctx, const struct identity_providers *ips,
			     int64_t tenant_id, bool only_enabled, struct identity_provider **ret,
			     size_t *ret_count);
err_t identity_provider_find(struct ctx *ctx, const struct identity_providers *ips,
			     int64_t tenant_id, int64_t id, struct identity_provider *ret);

/* Inserts (id 0: filled) or updates, after identity_provider_check(). ERR_EXISTS for a name that is
 * taken, ERR_ABSENT, ERR_LIMIT for one provider too many. */
err_t identity_provider_save(struct ctx *ctx, const struct identity_providers *ips,
			     struct identity_provider *p);
err_t identity_provider_delete(struct ctx *ctx, const struct identity_providers *ips,
			       int64_t tenant_id, int64_t id);

/* ERR_REQUEST_INVALID, naming the setting, when an enabled provider could not work or a value is
 * malformed. */
err_t identity_provider_check(struct ctx *ctx, const struct identity_provider *p);

/* --- as JSON: our own API ----------------------------------------------------------------------
 */

/* Takes over the members of `settings` (by the rows' names) and leaves what is absent; secrets too.
 * ERR_REQUEST_INVALID for an unknown member or a wrong type. */
err_t identity_provider_read_settings(struct ctx *ctx, const struct json_value *settings,
				      struct identity_provider *p);

/* Writes all settings but the secrets as members of the object begun. */
void identity_provider_write_settings(struct json_writer *w, const struct identity_provider *p);

/* --- as Harbor's configuration ------------------------------------------------------------------
 */

/* True for keys that the functions below read and write ("auth_mode", "oidc_…", "ldap_…"). */
bool identity_provider_owns_key(str key);

/*
 * Takes over those members of a flat PUT /configurations that belong to this provider's kind;
 * `*ret_touched` says whether there was one. ERR_REQUEST_INVALID for a wrong type.
 */
err_t identity_provider_from_configuration(struct ctx *ctx, const struct json_value *flat,
					   struct identity_provider *p, bool *ret_touched);

/* Members `"oidc_name":{"value":…,"editable":…}` of this provider's kind, without secrets. */
void identity_provider_to_configuration(struct json_writer *w, const struct identity_provider *p,
					bool editable);

/* The whole of PUT: providers made, changed, enabled as `auth_mode` says ("db_auth" disables both).
 * One transaction. */
err_t identity_provider_put_configuration(struct ctx *ctx, const struct identity_providers *ips,
					  int64_t tenant_id, const struct json_value *flat);

/* The whole of GET: `auth_mode` and all keys of OIDC and LDAP, with defaults where there is no
 * provider. */
err_t identity_provider_get_configuration(struct ctx *ctx, const struct identity_providers *ips,
					  int64_t tenant_id, bool editable, struct json_writer *w);

/* Harbor's name for what comes first: "oidc_auth", "ldap_auth" or "db_auth". */
const char *identity_provider_auth_mode(const struct identity_provider *list, size_t count);
