/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webhook.h - who is told of what happens in the registry: policies, and sending what they want.
 *
 * A policy is a project's, a tenant's (for all its projects) or the whole system's. It names types
 * of events (model/webhook.h), filters, and targets. registry/event.h writes a delivery and a
 * letter for each target in the transaction of what happened; the job "webhook" of each policy,
 * target and repository (jobs/outbox.h) sends them here, in order, each until it is accepted with a
 * status of 2xx. One that fails holds up those behind it and nobody else's: it is tried again
 * after longer and longer pauses, up to retry_for_ms, and is given up then, to be sent again by
 * hand. A delivery may come twice (its "id" is the same), never out of order.
 *
 * A request has `Berth-Event`, `Berth-Delivery` (the delivery's number), the target's auth_header
 * as `Authorization`, and, when the target has a secret, `Berth-Signature: t=SECONDS,v1=HEX`:
 * HMAC-SHA256 of "SECONDS.BODY" under it. While a secret is changed there are two v1, the old
 * one's too.
 *
 * It is asked in the name of what happened, not of the job: X-Request-Id and `traceparent` are
 * those of the request that is told of, which the delivery remembers (http/client.h).
 *
 * Receivers of projects and tenants are where the whole world can reach, or in `allow`: looked at
 * when a connection is made (http/client.h). Redirects are not followed; time and answer are
 * bounded, and all that is for one receiver is in one lane (jobs/jobs.h), of which one job runs at
 * a time. So the worst of receivers costs one worker for timeout_ms, however many repositories wait
 * for it, and the other policies of its tenant go on.
 *
 * E-mail goes by the operator's server, when there is one, to the addresses of the target. Its
 * Message-ID stays the same however often it is tried. What the server refuses for now is tried
 * again as above, what it refuses for good is given up at once (http/smtp.h).
 *
 * What of a target is secret is sealed, and shown as WEBHOOK_MASK; who saves that keeps what there
 * is.
 *
 * Errors: ERR_NOT_FOUND, ERR_EXISTS, ERR_REQUEST_INVALID with what is wrong and where.
 */
#pragma once

#include "codec/mask.h"
#include "db/webhook.h"
#include "http/smtp.h"
#include "model/webhook.h"

#define WEBHOOK_NAME_MAX      255
#define WEBHOOK_TARGETS_MAX   8
#define WEBHOOK_ADDRESS_MAX   2048
#define WEBHOOK_SECRET_MAX    1024
#define WEBHOOK_ATTEMPTS_KEPT 10
#define WEBHOOK_SHOWN_MAX     KIB(4) /* of a request and of a response that are kept */
#define WEBHOOK_ANSWER_MAX    KIB(64)
#define WEBHOOK_MASK	      MASK
#define WEBHOOK_KEEP_S	      (INT64_C(30) * 86400) /* what ended */

struct job;
struct secretbox_key;
struct webhooks;

struct webhooks_options {
	struct sql *db;			    /* not owned */
	const struct secretbox_key *master; /* copied */
	str allow;			    /* CIDR list */
	int64_t timeout_ms, retry_for_ms;
	struct webhook_mail {
		struct smtp_server server; /* the operator's; copied */
		str from;
		str recipients; /* patterns of those who may get any, by commas; empty: all */
	} mail;
	void (*changed)(void *arg); /* a policy was */
	void *arg;
};
err_t webhooks_new(struct ctx *ctx, const struct webhooks_options *options, struct webhooks **ret);
void webhooks_free(struct webhooks *webhooks); /* NULL is fine */

/* --- policies --------------------------------------------------------------------------------- */

enum webhook_kind { /* X-macros of their formats: webhook_format.h */
		    WEBHOOK_HTTP,
		    WEBHOOK_SLACK,
		    WEBHOOK_MATTERMOST,
		    WEBHOOK_TEAMS,
		    WEBHOOK_DISTRIBUTION,
		    WEBHOOK_EMAIL,
		    WEBHOOK_KIND_COUNT
};

struct webhook_target {
	enum webhook_kind kind;
	str format;  /* "Default", "CloudEvents" */
	str address; /* a URL; of e-mail codec/mail.h's list of addresses */
	bool skip_cert_verify;
	str auth_header, secret, secret_before; /* WEBHOOK_MASK: as it was */
};

struct webhook_policy {
	struct webhook_policy_row row; /* without targets and secrets */
	struct webhook_target targets[WEBHOOK_TARGETS_MAX];
	size_t target_count;
};

/* Whether targets of this kind can be told anything here. */
bool webhooks_can(const struct webhooks *webhooks, enum webhook_kind kind);

/* Checks it; sets row.id. */
err_t webhook_policy_save(struct ctx *ctx, struct webhooks *webhooks,
			  struct webhook_policy *policy);
err_t webhook_policy_find(struct ctx *ctx, struct webhooks *webhooks, struct webhook_place place,
			  int64_t id, struct webhook_policy *ret);
err_t webhook_policy_list(struct ctx *ctx, struct webhooks *webhooks, struct webhook_place place,
			  struct webhook_page page, struct webhook_policy **ret, size_t *ret_count,
			  int64_t *ret_total);
err_t webhook_policy_delete(struct ctx *ctx, struct webhooks *webhooks, int64_t id);

/* From a row, its secrets open. */
err_t webhook_policy_open(struct ctx *ctx, const struct webhooks *webhooks,
			  const struct webhook_policy_row *row, struct webhook_policy *ret);

/* --- deliveries ------------------------------------------------------------------------------- */

err_t webhook_delivery_list(struct ctx *ctx, struct webhooks *webhooks,
			    const struct webhook_delivery_query *query,
			    struct webhook_delivery **ret, size_t *ret_count, int64_t *ret_total);
/* ERR_NOT_FOUND when it is another policy's. */
err_t webhook_delivery_find(struct ctx *ctx, struct webhooks *webhooks, int64_t policy_id,
			    int64_t id, struct webhook_delivery *ret);
err_t webhook_delivery_attempts(struct ctx *ctx, struct webhooks *webhooks, int64_t id,
				struct webhook_attempt **ret, size_t *ret_count);
err_t webhook_delivery_last(struct ctx *ctx, struct webhooks *webhooks, int64_t policy_id,
			    enum webhook_event event, int64_t *ret_us);

/* Once more, behind what waits for the same target and repository; the caller wakes the jobs.
 * ERR_EXISTS when it waits. */
err_t webhook_redeliver(struct ctx *ctx, struct webhooks *webhooks,
			const struct webhook_delivery *delivery);

/*
 * Tells one target of a PING now, beside what waits and once: to see whether it can be reached.
 * What came of it is in the delivery `*ret_id` and its attempt; OK also when it could not be told.
 * ERR_REQUEST_INVALID: there is no such target.
 */
err_t webhook_ping(struct ctx *ctx, struct webhooks *webhooks, const struct webhook_policy *policy,
		   int64_t target, int64_t *ret_id);

/* Sends all that waits about the job's subject: the handler of the job. */
err_t webhooks_run(struct ctx *ctx, struct job *job, struct webhooks *webhooks);
/* Gives up what a stopped job was to send, and what it was at that took a node along three times;
 * asks for jobs for what else has none. `*ret_count` were given up. */
err_t webhooks_sweep(struct ctx *ctx, struct webhooks *webhooks, int64_t *ret_count);
/* Forgets what ended WEBHOOK_KEEP_S ago. */
err_t webhooks_purge(struct ctx *ctx, struct webhooks *webhooks, int64_t *ret_count);

/* --- numbers ---------------------------------------------------------------------------------- */

enum webhook_result { /* of an attempt */
		      WEBHOOK_RESULT_TOLD,
		      WEBHOOK_RESULT_RETRIED, /* it is to be made again */
		      WEBHOOK_RESULT_DEAD,
		      WEBHOOK_RESULT_COUNT
};
extern const char *const webhook_result_names[WEBHOOK_RESULT_COUNT];

/* Attempts at this node since it began. */
struct webhook_stats {
	uint64_t results[WEBHOOK_KIND_COUNT][WEBHOOK_RESULT_COUNT];
};
void webhooks_stats(const struct webhooks *webhooks, struct webhook_stats *ret);

/* How many wait in all of the cluster, up to 10,000, and how long the oldest has. */
struct outbox_count;
err_t webhooks_waiting(struct ctx *ctx, struct webhooks *webhooks, struct outbox_count *ret);
