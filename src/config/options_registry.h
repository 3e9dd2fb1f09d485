/* SPDX-License-Identifier: Apache-2.0 */
/* options_registry.h - the rows of options.h that are about what is served, to whom; see there. */
#pragma once

#define OPTION_TABLE_REGISTRY(X)                                                                   \
	X(BOOL, projects_auto_create, "projects.auto_create", "true", OPTION_FREE,                 \
	  "A push by an administrator makes the project it names.")                                \
	X(BOOL, projects_auto_create_public, "projects.auto_create_public", "false", OPTION_FREE,  \
	  "Projects made that way are public.")                                                    \
	X(BOOL, projects_anonymous, "projects.anonymous", "true", OPTION_FREE,                     \
	  "Who has not logged in may see public projects. Otherwise nothing is open to him but "   \
	  "logging in, and what a login page needs to know.")                                      \
	X(BOOL, projects_anonymous_pull, "projects.anonymous_pull", "true", OPTION_FREE,           \
	  "Public projects can be pulled from without logging in.")                                \
	X(SIZE, manifests_size_bytes_max, "manifests.size_max", "4MiB",                            \
	  OPTION_RANGE(OPTION_BYTES(MIB(4)), OPTION_BYTES(MIB(64))), "The largest manifest.")      \
	X(BOOL, manifests_require_blobs, "manifests.require_blobs", "true", OPTION_FREE,           \
	  "A manifest is accepted only when its config and layers are in the repository.")         \
	X(BOOL, manifests_require_children, "manifests.require_children", "true", OPTION_FREE,     \
	  "An index is accepted only when its children are in the repository.")                    \
	X(BOOL, registry_delete, "registry.delete", "true", OPTION_FREE,                           \
	  "Tags, manifests and blobs can be deleted; otherwise 405.")                              \
	X(DURATION, uploads_expiry_ms, "uploads.expiry", "24h",                                    \
	  OPTION_RANGE(OPTION_S(1), OPTION_DAYS(365)),                                             \
	  "An upload nobody continued for so long is thrown away.")                                \
	X(DURATION, tag_history_ms, "tag_history.keep", "90d",                                     \
	  OPTION_RANGE(OPTION_MS(0), OPTION_DAYS(3650)),                                           \
	  "How long it is remembered who moved which tag from what to what. 0: it is not "         \
	  "written down.")                                                                         \
	X(DURATION, garbage_window_ms, "garbage.window", "2h",                                     \
	  OPTION_RANGE(OPTION_MS(0), OPTION_DAYS(365)),                                            \
	  "What nothing refers to any more is removed after so long. A client that was told that " \
	  "a blob is there may push a manifest that refers to it for three quarters of it.")       \
	X(INT, garbage_per_second_max, "garbage.per_second_max", "1000", OPTION_RANGE(0, 1000000), \
	  "Blobs and untagged artifacts that are removed in a second at most, so that requests "   \
	  "have the machine. 0: as fast as it goes. A run that somebody asks for may say "         \
	  "another.")                                                                              \
	X(DURATION, trash_window_ms, "trash.window", "0",                                          \
	  OPTION_RANGE(OPTION_MS(0), OPTION_DAYS(3650)),                                           \
	  "For so long deleted tags, artifacts, repositories and projects can be restored, and "   \
	  "their bytes stay. 0: not at all. Tenants and projects may have windows of their own.")  \
	X(INT, quota_warning_percent, "quota.warning_percent", "85", OPTION_RANGE(1, 99),          \
	  "When so much of the bytes a project or tenant may hold is used, that is recorded, and " \
	  "again when it is all used.")                                                            \
	X(INT, jobs_workers, "jobs.workers", "4", OPTION_RANGE(0, 256),                            \
	  "Jobs that this node runs at once in the background. 0: none, for nodes that only "      \
	  "serve; at least one node of a cluster must run some.")                                  \
	X(DURATION, jobs_lease_ms, "jobs.lease", "30s", OPTION_RANGE(OPTION_S(1), OPTION_H(1)),    \
	  "When a node dies, others take over its jobs after so long.")                            \
	X(DURATION, jobs_keep_ms, "jobs.keep", "30d",                                              \
	  OPTION_RANGE(OPTION_S(1), OPTION_DAYS(3650)),                                            \
	  "How long finished jobs are kept with their logs; those of the server's own "            \
	  "housekeeping, which come every few minutes, an hour.")                                  \
	X(LIST, webhooks_allow, "webhooks.allow", "", OPTION_CHECK(check_address_ranges),          \
	  "Networks in which receivers of webhooks may be, besides the addresses that the whole "  \
	  "world can reach: `10.1.0.0/16,fd00::/64`. Those of the whole system may be anywhere.")  \
	X(DURATION, webhooks_timeout_ms, "webhooks.timeout", "10s",                                \
	  OPTION_RANGE(OPTION_MS(100), OPTION_S(300)),                                             \
	  "How long a receiver of webhooks may take for one.")                                     \
	X(DURATION, webhooks_retry_for_ms, "webhooks.retry_for", "72h",                            \
	  OPTION_RANGE(0, OPTION_H(720)),                                                          \
	  "How long a webhook that fails is tried again, after longer and longer pauses.")         \
	X(STRING, smtp_host, "smtp.host", "", OPTION_CHECK(check_host_name),                       \
	  "Mail server that webhooks of type `email` go by. Empty: there are none. It is the "     \
	  "operator's, and may be inside of his network.")                                         \
	X(INT, smtp_port, "smtp.port", "587", OPTION_RANGE(1, 65535), "Its port.")                 \
	X(CHOICE, smtp_tls, "smtp.tls", "starttls", OPTION_CHOICES("none|starttls|tls"),           \
	  "`starttls`: the connection is encrypted before anything is said, or nothing is said. "  \
	  "`tls`: from its first byte, as on port 465. `none`: not at all, the login neither.")    \
	X(PATH, smtp_ca_certificate, "smtp.ca_certificate", "", OPTION_FREE,                       \
	  "PEM file of the authorities that its certificate is verified by. Empty: those of the "  \
	  "system.")                                                                               \
	X(STRING, smtp_user, "smtp.user", "", OPTION_FREE, "Login there. Empty: none.")            \
	X(SECRET, smtp_password, "smtp.password", "", OPTION_FREE, "Its password.")                \
	X(STRING, smtp_from, "smtp.from", "", OPTION_CHECK(check_mail_address),                    \
	  "Whom mail is from: `berth@example.com`. Its domain is in the mail's ids, too.")         \
	X(LIST, smtp_recipients, "smtp.recipients", "", OPTION_CHECK(check_patterns),              \
	  "Patterns of the addresses that may get mail: `*@example.com,ops@example.org`. Empty: "  \
	  "whatever administrators of projects name.")                                             \
	X(DURATION, smtp_timeout_ms, "smtp.timeout", "30s",                                        \
	  OPTION_RANGE(OPTION_MS(100), OPTION_S(300)),                                             \
	  "How long the mail server may take for one message.")                                    \
	X(DURATION, pulls_write_interval_ms, "pulls.write_interval", "10s",                        \
	  OPTION_RANGE(OPTION_MS(100), OPTION_H(1)),                                               \
	  "How often the times and numbers of pulls are written down. A crash loses so much.")     \
	X(DURATION, tokens_lifetime_ms, "tokens.lifetime", "30m",                                  \
	  OPTION_RANGE(OPTION_S(1), OPTION_H(24)), "How long an access token is valid.")           \
	X(DURATION, tokens_key_lifetime_ms, "tokens.key_lifetime", "30d",                          \
	  OPTION_RANGE(OPTION_H(1), OPTION_DAYS(3650)),                                            \
	  "How long a key signs tokens before a new one is made.")                                 \
	X(STRING, settings_fixed, "settings.fixed", "", OPTION_FREE,                               \
	  "Settings of Harbor's `/configurations` that nobody can change by the API, as a JSON "   \
	  "object: `{\"project_creation_restriction\": \"adminonly\"}`.")                          \
	X(LIST, audit_disable, "audit.disable", "", OPTION_FREE,                                   \
	  "Types of events that the audit trail does not record, like `pull_artifact,"             \
	  "issue_token`. What is denied, and what concerns the trail itself, always is.")          \
	X(SIZE, audit_queue_bytes_max, "audit.queue_size", "4MiB",                                 \
	  OPTION_RANGE(OPTION_BYTES(KIB(64)), OPTION_BYTES(MIB(1024))),                            \
	  "Memory for events that wait to be written. What finds no room is counted, and the "     \
	  "count is recorded.")                                                                    \
	X(DURATION, audit_checkpoint_ms, "audit.checkpoint_interval", "1m",                        \
	  OPTION_RANGE(OPTION_S(1), OPTION_DAYS(1)),                                               \
	  "How often the end of the trail's hash chain is signed, when it has grown.")             \
	X(STRING, audit_forward_syslog, "audit_forward.syslog", "", OPTION_CHECK(check_syslog),    \
	  "Syslog server that gets every audit record (RFC 5424): `logs.example.com:514` or "      \
	  "`tcp://…` by TCP, `tls://logs.example.com:6514` by TLS. Empty: none.")                  \
	X(INT, audit_forward_facility, "audit_forward.facility", "13", OPTION_RANGE(0, 23),        \
	  "Facility of these messages; 13 is log audit, 16 to 23 are for local use.")              \
	X(STRING, audit_forward_cloudevents, "audit_forward.cloudevents", "",                      \
	  OPTION_CHECK(check_http_url),                                                            \
	  "URL that gets every audit record as a CloudEvent by POST, many at a time as a batch.")  \
	X(SECRET, audit_forward_cloudevents_authorization,                                         \
	  "audit_forward.cloudevents_authorization", "", OPTION_CHECK(check_field_value),          \
	  "The value of `Authorization` in these requests: `Bearer …`, `Splunk …`.")               \
	X(STRING, audit_forward_cadf, "audit_forward.cadf", "", OPTION_CHECK(check_http_url),      \
	  "URL that gets every audit record as a CADF event (DMTF DSP0262) by POST.")              \
	X(SECRET, audit_forward_cadf_authorization, "audit_forward.cadf_authorization", "",        \
	  OPTION_CHECK(check_field_value), "The value of `Authorization` in these requests.")      \
	X(PATH, audit_forward_ca_certificate, "audit_forward.ca_certificate", "", OPTION_FREE,     \
	  "PEM file of the authorities that these receivers' certificates are verified by. "       \
	  "Empty: those of the system.")                                                           \
	X(PATH, audit_forward_certificate, "audit_forward.certificate", "", OPTION_FREE,           \
	  "PEM file of a certificate to show to syslog servers.")                                  \
	X(PATH, audit_forward_key, "audit_forward.key", "", OPTION_FREE,                           \
	  "PEM file of that certificate's key.")                                                   \
	X(SIZE, audit_forward_queue_bytes_max, "audit_forward.queue_size", "16MiB",                \
	  OPTION_RANGE(OPTION_BYTES(KIB(64)), OPTION_BYTES(MIB(1024))),                            \
	  "Memory for records that wait for one receiver. What finds no room is dropped and "      \
	  "counted.")                                                                              \
	X(INT, audit_forward_queue_records_max, "audit_forward.queue_records", "100000",           \
	  OPTION_RANGE(1, 10000000), "How many of them may wait.")                                 \
	X(DURATION, audit_forward_drain_timeout_ms, "audit_forward.drain_timeout", "5s",           \
	  OPTION_RANGE(OPTION_MS(0), OPTION_H(1)),                                                 \
	  "How long the end of the program waits for receivers that do not have all yet.")         \
	X(SIZE, cache_size_bytes, "cache.size", "32MiB",                                           \
	  OPTION_RANGE(OPTION_BYTES(MIB(1)), OPTION_BYTES(MIB(1048576))),                          \
	  "Memory for the caches that answer warm pulls.")                                         \
	X(INT, catalog_page_max, "catalog.page_max", "1000", OPTION_RANGE(1, 100000),              \
	  "Repositories in one page of the catalog.")                                              \
	X(INT, tags_page_max, "tags.page_max", "10000", OPTION_RANGE(1, 100000),                   \
	  "Tags in one page of a tag list.")                                                       \
	X(LIST, rate_limits_address, "rate_limits.address", "", OPTION_CHECK(check_rates),         \
	  "How often one address (of IPv6 a /64) may ask, whoever it is, before anything of it "   \
	  "is verified: `pull=100/s:500, push=600/m, login=20/10s` is 100 pulls a second and 500 " \
	  "at once, 600 pushes a minute, 20 logins in ten seconds. Without a burst it is the "     \
	  "count. `pull` is reading below `/v2/`, `push` writing there (but never the bytes of "   \
	  "an upload that has begun), `login` the token service and sessions, `read` and "         \
	  "`write` the API. A class that is not named has no limit. Each node counts for itself.") \
	X(LIST, rate_limits_anonymous, "rate_limits.anonymous", "", OPTION_CHECK(check_rates),     \
	  "The same for those at one address who have not logged in.")                             \
	X(LIST, rate_limits_user, "rate_limits.user", "", OPTION_CHECK(check_rates),               \
	  "The same for each user, wherever he asks from.")                                        \
	X(LIST, rate_limits_robot, "rate_limits.robot", "", OPTION_CHECK(check_rates),             \
	  "The same for each robot.")                                                              \
	X(LIST, rate_limits_tenant, "rate_limits.tenant", "", OPTION_CHECK(check_rates),           \
	  "The same for all users and robots of a tenant together.")
