/* SPDX-License-Identifier: Apache-2.0 */
/* options_sight.h - the rows of options.h that are about watching the server; see there. */
#pragma once

#define OPTION_TABLE_SIGHT(X)                                                                      \
	X(STRING, metrics_listen, "metrics.listen", "", OPTION_CHECK(check_listen_one),            \
	  "An address of its own for `/metrics`, `/livez`, `/readyz` and `/startupz`, open to "    \
	  "whoever reaches it: `10.0.0.5:9090`, `unix:/path`; `https:` in front makes it speak "   \
	  "TLS. Empty: they are at `listen` only.")                                                \
	X(LIST, metrics_networks, "metrics.networks", "", OPTION_CHECK(check_networks),            \
	  "Networks that may read `/metrics` at `listen` without logging in: `10.0.0.0/8,::1`; "   \
	  "`unix` is every peer on a Unix socket. Others need the permission `metrics:read`, "     \
	  "which administrators, auditors and robots that got it have.")                           \
	X(BOOL, metrics_tenants, "metrics.tenants", "false", OPTION_FREE,                          \
	  "Metrics of each tenant: bytes, quota, repositories, projects; of the first 1,000.")     \
	X(BOOL, metrics_projects, "metrics.projects", "false", OPTION_FREE,                        \
	  "Metrics of each project, under Harbor's names; of the first 1,000 of each tenant.")     \
	X(DURATION, http_drain_delay_ms, "http.drain_delay", "0s", OPTION_RANGE(0, OPTION_H(1)),   \
	  "How long `/readyz` answers 503 after SIGTERM while requests are still taken, so that "  \
	  "load balancers send no more of them. Then the server drains.")                          \
	X(STRING, traces_endpoint, "traces.endpoint", "", OPTION_CHECK(check_http_url),            \
	  "Where traces go, by OTLP over HTTP: `http://127.0.0.1:4318/v1/traces`. Empty: there "   \
	  "are none.")                                                                             \
	X(SECRET, traces_authorization, "traces.authorization", "",                                \
	  OPTION_CHECK(check_field_value),                                                         \
	  "What the collector wants as `Authorization`: `Bearer …`. Empty: nothing.")              \
	X(PATH, traces_ca, "traces.ca", "", OPTION_FREE,                                           \
	  "PEM file of the authorities that the collector's certificate is verified by. Empty: "   \
	  "the system's.")                                                                         \
	X(INT, traces_per_million, "traces.per_million", "10000", OPTION_RANGE(0, 1000000),        \
	  "How many are recorded of a million requests that come without a trace of their own, "   \
	  "and of a million runs of jobs.")                                                        \
	X(BOOL, traces_follow, "traces.follow", "true", OPTION_FREE,                               \
	  "A request whose `traceparent` says that it is recorded elsewhere is recorded here "     \
	  "too. "                                                                                  \
	  "Off where clients are not to decide that.")
