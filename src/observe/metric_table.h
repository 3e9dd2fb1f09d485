/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metric_table.h - every metric of the program; docs/metrics.md is printed from here.
 *
 * Counted ones have cells (metric.h) that the code adds to. Asked ones (metric_asked.h) are read
 * where they are kept when somebody wants to know (exposition.h). Names that begin with `harbor_`
 * are Harbor's, where ours mean the same.
 *
 * X(id, type, name, unit, label, label, label, help)
 *	type	COUNTER, GAUGE, HISTOGRAM (of durations: nanoseconds here, seconds outside),
 *		SUMMARY (of an asked one: their sum and their number)
 *	name	without `_total`, which counters get
 *	unit	seconds, bytes, or nothing; what the name ends in
 *	labels	of the lists in metric_labels.h, or NONE; of asked ones names, or NULL
 *
 * To add one: a row, the code that adds to it or answers (main/collect.c); `berth metrics >
 * docs/metrics.md`.
 */
#pragma once

#include "observe/metric_asked.h"
#include "observe/metric_labels.h"

/* --- counted ---------------------------------------------------------------------------------- */

#define METRIC_COUNTED_TABLE(X)                                                                    \
	X(HTTP_REQUESTS, COUNTER, "berth_http_requests", "", ROUTE, METHOD, STATUS,                \
	  "Requests, by the class of their status; `cut`: the answer was not finished.")           \
	X(HTTP_SECONDS, HISTOGRAM, "berth_http_request_seconds", "seconds", ROUTE, NONE, NONE,     \
	  "How long requests took, from their head to the last byte of the answer.")               \
	X(HTTP_RECEIVED, COUNTER, "berth_http_received_bytes", "bytes", ROUTE, NONE, NONE,         \
	  "Bytes of bodies received.")                                                             \
	X(HTTP_SENT, COUNTER, "berth_http_sent_bytes", "bytes", ROUTE, NONE, NONE,                 \
	  "Bytes of bodies sent.")                                                                 \
	X(HTTP_REFUSED, COUNTER, "berth_http_refused", "", NONE, NONE, NONE,                       \
	  "Requests that never began: a head that is none, too many connections.")                 \
	X(RATE_LIMITED, COUNTER, "berth_rate_limited_requests", "", WHO, CLASS, NONE,              \
	  "Requests refused by a rate limit.")                                                     \
	X(BLOB_REDIRECTS, COUNTER, "berth_blob_redirects", "", NONE, NONE, NONE,                   \
	  "Pulls of blobs that were sent on to the storage's own server.")                         \
	X(SQL_WAIT_SECONDS, HISTOGRAM, "berth_sql_wait_seconds", "seconds", MODE, NONE, NONE,      \
	  "How long transactions waited to begin: for a connection, or their turn to write.")      \
	X(SQL_TRANSACTION_SECONDS, HISTOGRAM, "berth_sql_transaction_seconds", "seconds", MODE,    \
	  NONE, NONE, "How long transactions were open, with their commit.")                       \
	X(SQL_COMMIT_SECONDS, HISTOGRAM, "berth_sql_commit_seconds", "seconds", MODE, NONE, NONE,  \
	  "How long commits took, until they were durable.")                                       \
	X(SQL_STATEMENT_SECONDS, HISTOGRAM, "berth_sql_statement_seconds", "seconds", NONE, NONE,  \
	  NONE, "How long statements took.")                                                       \
	X(STORAGE_SECONDS, HISTOGRAM, "berth_storage_seconds", "seconds", OPERATION, NONE, NONE,   \
	  "How long calls of storages took.")                                                      \
	X(UPSTREAM_SECONDS, HISTOGRAM, "berth_upstream_seconds", "seconds", PURPOSE, NONE, NONE,   \
	  "How long requests to other servers took, with the wait for their turn.")                \
	X(STEP_ERRORS, COUNTER, "berth_errors", "", STEP, NONE, NONE,                              \
	  "What failed of the above; not what was absent or existed already.")                     \
	X(TRACE_SPANS, COUNTER, "berth_trace_spans", "", NONE, NONE, NONE,                         \
	  "Spans of traces passed on.")                                                            \
	X(TRACE_DROPPED, COUNTER, "berth_trace_spans_dropped", "", REASON, NONE, NONE,             \
	  "Spans of traces that nobody got: the queue was full, the collector refused a batch or " \
	  "rejected some of it, or could not be reached.")
