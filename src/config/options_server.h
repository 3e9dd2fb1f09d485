/* SPDX-License-Identifier: Apache-2.0 */
/* options_server.h - the rows of options.h that are about the program as a server; see there. */
#pragma once

#define OPTION_TABLE_SERVER(X)                                                                     \
	X(LIST, listen, "listen", "127.0.0.1:5000", OPTION_CHECK(check_listen),                    \
	  "Addresses to serve on, up to 16: `127.0.0.1:5000`, `[::1]:5000`, `:5000` (all "         \
	  "addresses), `unix:/path`, or `fd:N` (a socket handed over by systemd). With a "         \
	  "certificate, TCP and `fd:` addresses speak TLS and `unix:` does not; `http:` or "       \
	  "`https:` in front of an address decides otherwise.")                                    \
	X(PATH, data_dir, "data_dir", "./data", OPTION_CHECK(check_given),                         \
	  "Directory of the master key and the SQLite database and, unless they are in an object " \
	  "store, of the "                                                                         \
	  "blobs and the uploads; made at the first start.")                                       \
	X(PATH, storage_root, "storage.root", "", OPTION_FREE,                                     \
	  "Directory below which the storages of tenants lie that are in files; made at the "      \
	  "start. It neither is "                                                                  \
	  "nor holds `data_dir`. Empty: `storages` in `data_dir`.")                                \
	X(CHOICE, storage_driver, "storage.driver", "filesystem",                                  \
	  OPTION_CHOICES("filesystem|s3|swift"),                                                   \
	  "Where the blobs and the uploads are: `filesystem` is `data_dir`, `s3` a bucket of "     \
	  "an S3 server, `swift` a container of OpenStack Swift or of Ceph's gateway. Tenants' "   \
	  "storages are there too, unless they have places of their own.")                         \
	X(STRING, storage_s3_endpoint, "storage.s3.endpoint", "", OPTION_CHECK(check_http_url),    \
	  "The S3 server: `https://s3.example.com`, `http://10.0.0.7:7480`. Empty: AWS's of "      \
	  "the region.")                                                                           \
	X(STRING, storage_s3_region, "storage.s3.region", "us-east-1", OPTION_FREE,                \
	  "Its region, which is part of each signature.")                                          \
	X(STRING, storage_s3_bucket, "storage.s3.bucket", "", OPTION_FREE,                         \
	  "The bucket. It must exist.")                                                            \
	X(STRING, storage_s3_prefix, "storage.s3.prefix", "", OPTION_FREE,                         \
	  "What all keys begin with, for a bucket that holds other things too: "                   \
	  "`berth/production`.")                                                                   \
	X(CHOICE, storage_s3_addressing, "storage.s3.addressing", "auto",                          \
	  OPTION_CHOICES("auto|path|virtual"),                                                     \
	  "How the bucket is named: in the path (`path`), or in the host's name (`virtual`). "     \
	  "`auto`: in the path if there is an endpoint, and in the host's name at AWS.")           \
	X(CHOICE, storage_s3_verify, "storage.s3.verify", "etag",                                  \
	  OPTION_CHOICES("etag|size|content"),                                                     \
	  "What is compared after each write, besides the SHA-256 that the server itself "         \
	  "checks: `etag`, the MD5 by which the server names what it stored, and the size; "       \
	  "`size`, for servers whose etags mean nothing; `content`, all of it read back.")         \
	X(STRING, storage_s3_access_key, "storage.s3.access_key", "", OPTION_FREE,                 \
	  "The access key. Empty: from the credentials' file, the metadata service, or "           \
	  "`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` in the "           \
	  "environment.")                                                                          \
	X(SECRET, storage_s3_secret_key, "storage.s3.secret_key", "", OPTION_FREE,                 \
	  "The secret key.")                                                                       \
	X(SECRET, storage_s3_session_token, "storage.s3.session_token", "", OPTION_FREE,           \
	  "The token of a key that expires.")                                                      \
	X(PATH, storage_s3_credentials_file, "storage.s3.credentials_file", "", OPTION_FREE,       \
	  "File with keys in sections, as AWS's tools keep it. Read again when it changes.")       \
	X(STRING, storage_s3_profile, "storage.s3.profile", "default", OPTION_FREE,                \
	  "Its section.")                                                                          \
	X(STRING, storage_s3_metadata_endpoint, "storage.s3.metadata_endpoint", "",                \
	  OPTION_CHECK(check_http_url),                                                            \
	  "Metadata service of the machine (IMDSv2) that is asked for keys: "                      \
	  "`http://169.254.169.254`. Empty: none.")                                                \
	X(PATH, storage_s3_ca_certificate, "storage.s3.ca_certificate", "", OPTION_FREE,           \
	  "PEM file of the authorities that the S3 server's certificate is verified by. Empty: "   \
	  "those of the system.")                                                                  \
	X(LIST, storage_s3_redirect_networks, "storage.s3.redirect_networks", "",                  \
	  OPTION_CHECK(check_address_ranges),                                                      \
	  "Networks whose clients are sent to the bucket itself for blobs that are not in "        \
	  "memory, with a presigned URL: `10.0.0.0/8, fd00::/64`. They must reach it, and trust "  \
	  "its certificate. Never for encrypted storages. Empty: nobody.")                         \
	X(DURATION, storage_s3_redirect_expiry_ms, "storage.s3.redirect_expiry", "15m",            \
	  OPTION_RANGE(OPTION_S(1), OPTION_DAYS(7)),                                               \
	  "How long such a URL can be used to begin a download.")                                  \
	X(STRING, storage_s3_redirect_endpoint, "storage.s3.redirect_endpoint", "",                \
	  OPTION_CHECK(check_http_url),                                                            \
	  "Where those clients reach the bucket, if not at `storage.s3.endpoint`: "                \
	  "`https://s3.example.com`.")                                                             \
	X(STRING, storage_swift_auth_url, "storage.swift.auth_url", "",                            \
	  OPTION_CHECK(check_http_url),                                                            \
	  "Where a token is asked for. With an application credential, Keystone: "                 \
	  "`https://keystone.example.com:5000/v3`. With a user and a key, all of the URL of"       \
	  " version 1, as Ceph's gateway has it: `http://10.0.0.7:7480/auth/v1.0`.")               \
	X(STRING, storage_swift_region, "storage.swift.region", "", OPTION_FREE,                   \
	  "Region of the object store in Keystone's catalog. Empty: the first.")                   \
	X(CHOICE, storage_swift_interface, "storage.swift.interface", "public",                    \
	  OPTION_CHOICES("public|internal|admin"), "Which of its endpoints there.")                \
	X(STRING, storage_swift_container, "storage.swift.container", "", OPTION_FREE,             \
	  "The container. It must exist.")                                                         \
	X(STRING, storage_swift_prefix, "storage.swift.prefix", "", OPTION_FREE,                   \
	  "What the names of all objects begin with, for a container that holds other "            \
	  "things too: `berth/production`.")                                                       \
	X(CHOICE, storage_swift_verify, "storage.swift.verify", "etag",                            \
	  OPTION_CHOICES("etag|content"),                                                          \
	  "What is compared after each write: `etag`, the MD5 by which the server names "          \
	  "what it stored, and the size; `content`, all of it read back as well.")                 \
	X(STRING, storage_swift_application_credential_id,                                         \
	  "storage.swift.application_credential_id", "", OPTION_FREE,                              \
	  "Id of an application credential of Keystone.")                                          \
	X(SECRET, storage_swift_application_credential_secret,                                     \
	  "storage.swift.application_credential_secret", "", OPTION_FREE, "Its secret.")           \
	X(STRING, storage_swift_user, "storage.swift.user", "", OPTION_FREE,                       \
	  "The user, for version 1: `account:user`.")                                              \
	X(SECRET, storage_swift_key, "storage.swift.key", "", OPTION_FREE, "Its key.")             \
	X(PATH, storage_swift_ca_certificate, "storage.swift.ca_certificate", "", OPTION_FREE,     \
	  "PEM file of the authorities that the certificates of both servers are verified "        \
	  "by. Empty: those of the system.")                                                       \
	X(STRING, external_url, "external_url", "", OPTION_CHECK(check_url),                       \
	  "How clients reach this server, for the realm of token challenges: "                     \
	  "`https://registry.example.com`. Empty: taken from each request.")                       \
	X(PATH, tls_certificate, "tls.certificate", "", OPTION_FREE,                               \
	  "PEM file of the certificate and its chain. Read again on SIGHUP.")                      \
	X(PATH, tls_key, "tls.key", "", OPTION_FREE, "PEM file of the certificate's key.")         \
	X(PATH, tls_client_ca, "tls.client_ca", "", OPTION_FREE,                                   \
	  "PEM file of the authorities whose client certificates are accepted, for robots that "   \
	  "have bindings to them. Empty: clients are not asked for one. Read again on SIGHUP.")    \
	X(PATH, tls_client_crl, "tls.client_crl", "", OPTION_FREE,                                 \
	  "PEM file of their revocation lists, one of each authority. Read again on SIGHUP.")      \
	X(PATH, tls_ca_certificate, "tls.ca_certificate", "", OPTION_FREE,                         \
	  "PEM file of the CA that clients need to trust this server; they may download it "       \
	  "(`/api/v2.0/systeminfo/getcert`).")                                                     \
	X(BOOL, confine, "confine", "true", OPTION_FREE,                                           \
	  "The running server gives up what it does not need, as far as the kernel can: new "      \
	  "privileges, core dumps, files outside (Landlock), other system calls (seccomp).")       \
	X(SECRET, admin_password, "admin.password", "", OPTION_FREE,                               \
	  "Password of `admin`, used when the account is made at the first start. Empty: a "       \
	  "random one is made and printed once.")                                                  \
	X(LIST, auth_methods, "auth.methods", "", OPTION_FREE,                                     \
	  "Who is asked about a name and a password, in this order: `token` (personal access "     \
	  "tokens), `workload` (tokens of trusted issuers), `robot` (robots' secrets), `local` "   \
	  "(accounts with a password here), `providers` (LDAP, Keystone). "                        \
	  "Empty: all, in this order. Local administrators can always log in.")                    \
	X(INT, auth_name_attempts, "auth.name_attempts", "10", OPTION_RANGE(0, 1000000),           \
	  "Wrong passwords for a name from one address before it has to wait; 0: no limit. Other " \
	  "addresses, and passwords that were right before, do not wait.")                         \
	X(DURATION, auth_name_interval_ms, "auth.name_interval", "6s",                             \
	  OPTION_RANGE(OPTION_MS(1), OPTION_H(24)), "After how long one more is allowed.")         \
	X(INT, auth_address_attempts, "auth.address_attempts", "100", OPTION_RANGE(0, 1000000),    \
	  "Wrong passwords for all names together from one address (of IPv6: from one /64) "       \
	  "before "                                                                                \
	  "it has to wait; 0: no limit.")                                                          \
	X(DURATION, auth_address_interval_ms, "auth.address_interval", "1s",                       \
	  OPTION_RANGE(OPTION_MS(1), OPTION_H(24)), "After how long one more is allowed.")         \
	X(LIST, outbound_tenants_allow, "outbound.tenants_allow", "",                              \
	  OPTION_CHECK(check_address_ranges),                                                      \
	  "Networks in which tenants' servers may be, besides the addresses that the whole world " \
	  "can reach: identity providers, directories, issuers of tokens. "                        \
	  "`10.1.0.0/16,fd00::/64`. "                                                              \
	  "The default tenant's may be anywhere.")                                                 \
	X(SECRET, database_url, "database.url", "", OPTION_CHECK(check_database_url),              \
	  "`postgresql://…` for PostgreSQL; of several hosts the primary is found. Empty: "      \
	  "SQLite in `data_dir`.")                                                                 \
	X(INT, database_connections, "database.connections", "8", OPTION_RANGE(1, 512),            \
	  "PostgreSQL connections of this node at most, beside the one that hears of other "       \
	  "nodes; or SQLite readers beside the one writer.")                                       \
	X(BOOL, database_migrate, "database.migrate", "false", OPTION_FREE,                        \
	  "Whether `berth serve` brings an older schema of PostgreSQL up to date by itself. "      \
	  "Otherwise it refuses until somebody ran `berth migrate`. A new database and SQLite "    \
	  "need neither.")                                                                         \
	X(DURATION, database_outage_ms, "database.outage", "15m",                                  \
	  OPTION_RANGE(OPTION_MS(0), OPTION_DAYS(7)),                                              \
	  "How long pulls are answered from memory while no server of the database answers: of "   \
	  "what was pulled before, to whoever has a token. Then 503.")                             \
	X(CHOICE, log_level, "log.level", "info", OPTION_CHOICES("debug|info|warn|error"),         \
	  "The least important lines to write.")                                                   \
	X(CHOICE, log_format, "log.format", "text", OPTION_CHOICES("text|json"),                   \
	  "Lines for people or for machines.")                                                     \
	X(INT, http_threads_max, "http.threads_max", "320", OPTION_RANGE(2, 10000),                \
	  "Threads that run requests. They are made when needed.")                                 \
	X(INT, http_transfers_max, "http.transfers_max", "256", OPTION_RANGE(1, 9999),             \
	  "How many of them may move large bodies at a time. Less than `http.threads_max`.")       \
	X(INT, http_connections_max, "http.connections_max", "16384", OPTION_RANGE(1, 1000000),    \
	  "Open connections; one more is answered 503 and closed.")                                \
	X(DURATION, http_head_timeout_ms, "http.head_timeout", "10s",                              \
	  OPTION_RANGE(OPTION_MS(10), OPTION_H(1)),                                                \
	  "Time for a request head, a TLS handshake and a PROXY header together.")                 \
	X(DURATION, http_idle_timeout_ms, "http.idle_timeout", "75s",                              \
	  OPTION_RANGE(OPTION_MS(10), OPTION_H(24)), "How long an idle connection is kept.")       \
	X(DURATION, http_body_timeout_ms, "http.body_timeout", "60s",                              \
	  OPTION_RANGE(OPTION_MS(10), OPTION_H(1)), "The longest silence inside a body.")          \
	X(DURATION, http_request_timeout_ms, "http.request_timeout", "60s",                        \
	  OPTION_RANGE(OPTION_MS(10), OPTION_H(1)),                                                \
	  "How long a request may go on without moving bytes of a body: it waits for the "         \
	  "database, for a lock, for its turn. Then 503.")                                         \
	X(SIZE, http_rate_min_bytes_per_s, "http.rate_min", "1KiB",                                \
	  OPTION_RANGE(0, OPTION_BYTES(MIB(1024))),                                                \
	  "Bytes per second below which a body is given up, averaged over a minute; 0: none.")     \
	X(SIZE, http_request_memory_bytes_max, "http.request_memory_max", "48MiB",                 \
	  OPTION_RANGE(OPTION_BYTES(MIB(16)), OPTION_BYTES(MIB(4096))),                            \
	  "Memory one request may use; bodies of blobs do not count.")                             \
	X(BOOL, http_proxy_protocol, "http.proxy_protocol", "false", OPTION_FREE,                  \
	  "Require a PROXY header (version 1 or 2) from the peers in `http.trusted_proxies`.")     \
	X(STRING, http_client_certificate_header, "http.client_certificate_header", "",            \
	  OPTION_FREE,                                                                             \
	  "Header in which a trusted proxy passes a client's certificate on, once it has "         \
	  "verified "                                                                              \
	  "it: as in RFC 9440, as base64, or as an escaped PEM. The proxy must remove what "       \
	  "clients "                                                                               \
	  "send under this name. Empty: none is believed.")                                        \
	X(LIST, http_trusted_proxies, "http.trusted_proxies", "", OPTION_CHECK(check_networks),    \
	  "Networks whose PROXY and X-Forwarded-* headers are believed: `10.0.0.0/8,::1`; "        \
	  "`unix` is every peer on a Unix socket.")                                                \
	X(DURATION, http_drain_timeout_ms, "http.drain_timeout", "30s",                            \
	  OPTION_RANGE(0, OPTION_H(1)),                                                            \
	  "How long running requests may take to finish after SIGTERM.")
