/* SPDX-License-Identifier: Apache-2.0 */
/* webhook.c - see webhook.h: life, and looking at deliveries. */
#include "notify/webhook.h"
#include "base/mem.h"
#include "db/db.h"
#include "db/job.h"
#include "jobs/outbox.h"
#include "webhook_internal.h"

#include <stdatomic.h>

#include "base/banned.h"

#define CONNECTIONS_MAX 32
#define PURGE_AT_ONCE	1000

static void webhooks_done(struct webhooks **webhooks)
{
	webhooks_free(*webhooks);
}

static void keep_mail(struct webhooks *webhooks)
{
	struct webhook_mail *mail = &webhooks->options.mail;
	str *texts[] = { &mail->server.host,   &mail->server.user, &mail->server.password,
			 &mail->server.ca_pem, &mail->from,	   &mail->recipients };
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		*texts[i] = arena_copy(&webhooks->memory, *texts[i]);
}

err_t webhooks_new(struct ctx *ctx, const struct webhooks_options *options, struct webhooks **ret)
{
	CLEANUP(webhooks_done) struct webhooks *webhooks = NEW(struct webhooks);
	struct client_options client = {
		.purpose = CLIENT_FOR_WEBHOOK,
		.requests_max = CONNECTIONS_MAX,
		.request_timeout_ms = (int)options->timeout_ms,
		.connect_timeout_ms = (int)MIN(options->timeout_ms, 5000),
	};
	arena_init(&webhooks->memory, MIB(1));
	webhooks->options = *options;
	webhooks->master = *options->master;
	keep_mail(webhooks);
	TRY(client_new(ctx, &client, &webhooks->free));
	client.guard = true;
	client.allow = options->allow;
	TRY_CTX(ctx, client_new(ctx, &client, &webhooks->guarded), "webhooks.allow");
	*ret = take(webhooks);
	return OK;
}

void webhooks_free(struct webhooks *webhooks)
{
	if (!webhooks)
		return;
	client_free(webhooks->guarded);
	client_free(webhooks->free);
	secretbox_key_done(&webhooks->master);
	arena_done(&webhooks->memory);
	free(webhooks);
}

bool webhooks_can(const struct webhooks *webhooks, enum webhook_kind kind)
{
	return kind != WEBHOOK_EMAIL || webhooks->options.mail.server.host.len > 0;
}

/* --- deliveries ------------------------------------------------------------------------------- */

struct look {
	const struct webhook_delivery_query *query;
	int64_t policy_id, id, event;
	struct webhook_delivery *list, *one;
	struct webhook_attempt *attempts;
	size_t count;
	int64_t total, at_us;
};

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct look *look = arg;
	TRY(db_webhook_delivery_count(ctx, tx, look->query, &look->total));
	return db_webhook_delivery_page(ctx, tx, look->query, &look->list, &look->count);
}

err_t webhook_delivery_list(struct ctx *ctx, struct webhooks *webhooks,
			    const struct webhook_delivery_query *query,
			    struct webhook_delivery **ret, size_t *ret_count, int64_t *ret_total)
{
	struct look look = { .query = query };
	TRY(db_run(ctx, webhooks->options.db, SQL_READ, list_body, &look));
	*ret = look.list;
	*ret_count = look.count;
	*ret_total = look.total;
	return OK;
}

static err_t find_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct look *look = arg;
	return db_webhook_delivery_get(ctx, tx, look->id, look->one);
}

err_t webhook_delivery_find(struct ctx *ctx, struct webhooks *webhooks, int64_t policy_id,
			    int64_t id, struct webhook_delivery *ret)
{
	struct look look = { .id = id, .one = ret };
	err_t err = db_run(ctx, webhooks->options.db, SQL_READ, find_body, &look);
	if (err == ERR_ABSENT || (err == OK && ret->policy_id != policy_id))
		return fail(ctx, ERR_NOT_FOUND, "the policy has no delivery %lld", (long long)id);
	return err;
}

static err_t attempts_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct look *look = arg;
	return db_webhook_attempts(ctx, tx, look->id, &look->attempts, &look->count);
}

err_t webhook_delivery_attempts(struct ctx *ctx, struct webhooks *webhooks, int64_t id,
				struct webhook_attempt **ret, size_t *ret_count)
{
	struct look look = { .id = id };
	TRY(db_run(ctx, webhooks->options.db, SQL_READ, attempts_body, &look));
	*ret = look.attempts;
	*ret_count = look.count;
	return OK;
}

static err_t last_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct look *look = arg;
	return db_webhook_delivery_last(ctx, tx, look->policy_id, look->event, &look->at_us);
}

err_t webhook_delivery_last(struct ctx *ctx, struct webhooks *webhooks, int64_t policy_id,
			    enum webhook_event event, int64_t *ret_us)
{
	struct look look = { .policy_id = policy_id, .event = event };
	TRY(db_run(ctx, webhooks->options.db, SQL_READ, last_body, &look));
	*ret_us = look.at_us;
	return OK;
}

static err_t again_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct webhook_delivery *delivery = arg;
	TRY(db_webhook_delivery_again(ctx, tx, delivery->id));
	const struct outbox_letter letter = {
		.kind = STR(WEBHOOK_JOB),
		.subject = delivery->subject,
		.lane = webhook_lane(ctx->arena, delivery->policy_id, delivery->target),
		.tenant_id = ctx->tenant_id,
		.payload = arena_printf(ctx->arena, "%lld", (long long)delivery->id),
	};
	return outbox_add(ctx, tx, &letter);
}

err_t webhook_redeliver(struct ctx *ctx, struct webhooks *webhooks,
			const struct webhook_delivery *delivery)
{
	struct webhook_delivery copy = *delivery;
	err_t err = db_run(ctx, webhooks->options.db, SQL_WRITE, again_body, &copy);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_EXISTS, "delivery %lld waits already", (long long)copy.id);
	return err;
}

static err_t purge_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	return db_webhook_purge(ctx, tx, WEBHOOK_KEEP_S * 1000000, PURGE_AT_ONCE, arg);
}

err_t webhooks_purge(struct ctx *ctx, struct webhooks *webhooks, int64_t *ret_count)
{
	int64_t count = PURGE_AT_ONCE;
	*ret_count = 0;
	while (count == PURGE_AT_ONCE) {
		TRY(ctx_check(ctx));
		TRY(db_run(ctx, webhooks->options.db, SQL_WRITE, purge_body, &count));
		*ret_count += count;
	}
	return OK;
}

static err_t dropped(struct ctx *ctx, struct sql_tx *tx, const struct outbox_row *letter, str why)
{
	uint64_t id;
	if (!str_to_u64(letter->payload, INT64_MAX, &id))
		return OK;
	return db_webhook_delivery_drop(ctx, tx, (int64_t)id, why);
}

err_t webhooks_sweep(struct ctx *ctx, struct webhooks *webhooks, int64_t *ret_count)
{
	const struct outbox_sweep sweep = { .kind = STR(WEBHOOK_JOB), .dropped = dropped };
	return outbox_sweep(ctx, webhooks->options.db, &sweep, ret_count);
}

/* --- numbers ---------------------------------------------------------------------------------- */

const char *const webhook_result_names[WEBHOOK_RESULT_COUNT] = {
	[WEBHOOK_RESULT_TOLD] = "told",
	[WEBHOOK_RESULT_RETRIED] = "retried",
	[WEBHOOK_RESULT_DEAD] = "dead",
};

void webhook_count(struct webhooks *webhooks, const struct webhook_policy *policy, int64_t target,
		   enum webhook_result result)
{
	if ((size_t)target < policy->target_count)
		atomic_fetch_add(&webhooks->results[policy->targets[target].kind][result], 1);
}

static err_t count_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	return db_outbox_count(ctx, tx, STR(WEBHOOK_JOB), arg);
}

err_t webhooks_waiting(struct ctx *ctx, struct webhooks *webhooks, struct outbox_count *ret)
{
	return db_run(ctx, webhooks->options.db, SQL_READ, count_body, ret);
}

void webhooks_stats(const struct webhooks *webhooks, struct webhook_stats *ret)
{
	for (size_t i = 0; i < WEBHOOK_KIND_COUNT; i++)
		for (size_t k = 0; k < WEBHOOK_RESULT_COUNT; k++)
			ret->results[i][k] = atomic_load(&webhooks->results[i][k]);
}
