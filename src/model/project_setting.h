/* SPDX-License-Identifier: Apache-2.0 */
/*
 * project_setting.h - what can be set for a project, under Harbor's names (its "metadata"), and
 * what a value may be.
 *
 * Values are texts, as in Harbor's API. One without a row is not set; who acts on it knows what
 * that means. `public` is a column of the project, and here only for its name and shape.
 */
#pragma once

#include "base/arena.h"

#define PROJECT_SETTING_BYTES_MAX 1024

/*
 * X(enumerator, name, kind, who sets it)
 *	BOOL "true" or "false", SEVERITY, NUMBER from -1, KIND of a pattern, TEXT
 *	ANYBODY who may change the project; PROXY: only a proxy cache has it, others do without;
 *	PROGRAM: another part of the program, never a request about the project
 */
#define PROJECT_SETTINGS(X)                                                                        \
	X(PUBLIC, "public", BOOL, ANYBODY)                                                         \
	X(CONTENT_TRUST, "enable_content_trust", BOOL, ANYBODY)                                    \
	X(CONTENT_TRUST_COSIGN, "enable_content_trust_cosign", BOOL, ANYBODY)                      \
	X(PREVENT_VULNERABLE, "prevent_vul", BOOL, ANYBODY)                                        \
	X(SEVERITY, "severity", SEVERITY, ANYBODY)                                                 \
	X(AUTO_SCAN, "auto_scan", BOOL, ANYBODY)                                                   \
	X(AUTO_SBOM, "auto_sbom_generation", BOOL, ANYBODY)                                        \
	X(REUSE_CVE_ALLOWLIST, "reuse_sys_cve_allowlist", BOOL, ANYBODY)                           \
	X(RETENTION, "retention_id", NUMBER, PROGRAM)                                              \
	X(PROXY_SPEED, "proxy_speed_kb", NUMBER, PROXY)                                            \
	X(PROXY_CONNECTIONS, "max_upstream_conn", NUMBER, PROXY)                                   \
	X(PROXY_LOCAL, "proxy_cache_local_on_not_found", BOOL, PROXY)                              \
	X(PROXY_PATTERN, "proxy_cache_filter_pattern", TEXT, PROXY)                                \
	X(PROXY_PATTERN_KIND, "proxy_cache_filter_kind", KIND, PROXY)                              \
	X(PROXY_REFERRERS, "proxy_referrer_api", BOOL, PROXY)

enum project_setting {
#define PROJECT_SETTING_ENUM(name, ...) PROJECT_SETTING_##name,
	PROJECT_SETTINGS(PROJECT_SETTING_ENUM)
#undef PROJECT_SETTING_ENUM
		PROJECT_SETTING_COUNT,
};

enum setting_setter { SETTER_ANYBODY, SETTER_PROXY, SETTER_PROGRAM };

str project_setting_name(enum project_setting setting);
enum setting_setter project_setting_setter(enum project_setting setting);

/* PROJECT_SETTING_COUNT when there is none of this name. */
enum project_setting project_setting_find(str name);

/* Whether the value can be; `*ret` is how it is kept ("True" as "true"): in the arena, or static.
 */
bool project_setting_read(struct arena *arena, enum project_setting setting, str value, str *ret);
