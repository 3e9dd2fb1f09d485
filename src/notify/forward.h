/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forward.h - passing audit records on to other systems: syslog, CloudEvents, CADF.
 *
 * A target is one receiver with a queue of its own, bounded in bytes and in records, and a thread
 * of its own. Whoever has a record puts it into all queues and never waits: a full queue drops what
 * comes, and counts it. So a receiver that hangs costs memory up to its bound, and no request a
 * moment.
 *
 * A target keeps the order of its records, and keeps each until the receiver has it: over syslog,
 * which has no answers, until the other machine has acknowledged its bytes and a second later still
 * holds the connection, over HTTP until a 2xx. What could not be sent
 * is tried again after 0.2 s, then twice as long each time up to 30 s, give or take a half; or when
 * `Retry-After` says. So a record may arrive twice, with the same id. Lost, and counted, is: what
 * finds no room, what the receiver refuses (an answer of 300 to 499 but for 408 and 429), and what
 * is left when the program ends and `drain_timeout_ms` was not enough.
 *
 * Records come from the sealer (audit_seal.h), which only one node is at a time, once they are
 * committed.
 *
 * The targets:
 *	syslog       the option audit_forward.syslog
 *	setting      Harbor's audit_log_forward_endpoint, syslog too; changes while the program runs
 *	cloudevents  the option audit_forward.cloudevents
 *	cadf         the option audit_forward.cadf
 *
 * Threads: forward_record from one thread at a time; the rest from any.
 */
#pragma once

#include "base/ctx.h"

#define FORWARD_TARGETS_MAX 4
#define FORWARD_ERROR_MAX   256

struct audit_row; /* db/audit.h */
struct forward;

/* Its strs are copied; empty ones switch off what they are for. */
struct forward_options {
	str syslog;	   /* codec/syslog.h says what an endpoint is */
	unsigned facility; /* of syslog */
	str cloudevents, cloudevents_authorization;
	str cadf, cadf_authorization; /* URLs, and the values of Authorization */

	/* For TLS to any of them. */
	str ca_pem;
	str certificate_path, key_path; /* for syslog */

	size_t queue_bytes_max;	  /* of each target; default 16 MiB */
	size_t queue_records_max; /* of each target; default 100,000 */
	int64_t drain_timeout_ms; /* at the end, for all targets together; 0: not at all */
	str source;		  /* a URI that stands for this registry; default berth://HOST */
};

struct forward *forward_new(const struct forward_options *options);
void forward_free(struct forward *forward); /* stopped or never started; NULL is fine */

/* Starts the threads of the targets that there are. */
err_t forward_start(struct ctx *ctx, struct forward *forward);
/* Sends what waits, for the drain timeout at most, and ends the threads. NULL is fine. */
void forward_stop(struct forward *forward);

/* Whether there is any target. */
bool forward_wanted(struct forward *forward);

/* Puts a committed record, or one that is kept nowhere else (`row->id` 0), into every queue. False
 * when a queue had no room. */
bool forward_record(struct ctx *ctx, struct forward *forward, const struct audit_row *row);

/* Where the target `setting` sends to from now on; empty: nowhere, and what waits is dropped.
 * ERR_BUSY when there is no thread for it. */
err_t forward_set_endpoint(struct ctx *ctx, struct forward *forward, str endpoint);

/* Connects there and hangs up. ERR_UPSTREAM_UNREACHABLE with the reason. */
err_t forward_probe(struct ctx *ctx, struct forward *forward, str endpoint);

enum forward_state { FORWARD_OFF, FORWARD_IDLE, FORWARD_CONNECTED, FORWARD_FAILING };

struct forward_report {
	const char *name; /* "syslog", "setting", … */
	const char *kind; /* "syslog", "cloudevents", "cadf" */
	str address;	  /* without secrets; in the arena */
	enum forward_state state;
	size_t queued, queued_bytes, queue_max, queue_bytes_max;
	uint64_t sent, dropped; /* records, since the start */
	str last_error;		/* in the arena; empty: none */
	int64_t last_error_at_us, last_sent_at_us;
};

/* Those that are there. */
size_t forward_list(struct ctx *ctx, struct forward *forward,
		    struct forward_report ret[FORWARD_TARGETS_MAX]);

const char *forward_state_name(enum forward_state state);
