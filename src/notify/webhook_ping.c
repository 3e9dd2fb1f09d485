/* SPDX-License-Identifier: Apache-2.0 */
/* webhook_ping.c - see webhook.h: whether a target can be reached. */
#include "base/clock.h"
#include "codec/json_writer.h"
#include "crypto/random.h"
#include "db/db.h"
#include "webhook_internal.h"

#include "base/banned.h"

#define TEXT_MAX KIB(8)

static str write_payload(struct ctx *ctx, const struct webhook_policy *policy)
{
	CLEANUP(buf_done) struct buf details = BUF_INIT(TEXT_MAX);
	CLEANUP(buf_done) struct buf text = BUF_INIT(2 * TEXT_MAX);
	struct json_writer d = JSON_WRITER(&details), w = JSON_WRITER(&text);
	json_write_object_begin(&d, NULL);
	json_write_str(&d, "Details",
		       arena_printf(ctx->arena, "a test of the webhook policy " STR_FMT,
				    STR_ARG(policy->row.name)));
	json_write_object_end(&d);
	const struct webhook_facts facts = {
		.event = WEBHOOK_EVENT_PING,
		.at_us = clock_wall_us(),
		.operator_name = ctx->actor.name,
		.host = ctx->asked_at,
		.details = buf_str(&details),
	};
	webhook_payload_write(&w, &facts);
	return arena_copy(ctx->arena, buf_str(&text));
}

static str write_extra(struct ctx *ctx)
{
	char id[UUID_TEXT_LEN + 1];
	unique_uuid(id);
	return webhook_extra(ctx, (str){ id, UUID_TEXT_LEN }, NULL, 0);
}

struct work {
	struct webhook_delivery delivery;
	struct webhook_attempt attempt;
	enum webhook_state state;
};

static err_t insert_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct work *work = arg;
	int64_t id;
	TRY(db_webhook_delivery_insert_ping(ctx, tx, &work->delivery, &id));
	return db_webhook_delivery_get(ctx, tx, id, &work->delivery);
}

static err_t tried_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct work *work = arg;
	return db_webhook_tried(ctx, tx, work->delivery.id, work->state, &work->attempt,
				WEBHOOK_ATTEMPTS_KEPT);
}

err_t webhook_ping(struct ctx *ctx, struct webhooks *webhooks, const struct webhook_policy *policy,
		   int64_t target, int64_t *ret_id)
{
	struct work work = { .state = WEBHOOK_TOLD };
	bool is_final;
	if (target < 0 || (size_t)target >= policy->target_count)
		return fail(ctx, ERR_REQUEST_INVALID, "target: the policy has %zu, from 0 on",
			    policy->target_count);
	str lane = webhook_lane(ctx->arena, policy->row.id, target);
	work.delivery = (struct webhook_delivery){
		.policy_id = policy->row.id,
		.target = target,
		.subject = arena_printf(ctx->arena, STR_FMT ".0", STR_ARG(lane)),
		.event = WEBHOOK_EVENT_PING,
		.payload = write_payload(ctx, policy),
		.extra = write_extra(ctx),
	};
	TRY(db_run(ctx, webhooks->options.db, SQL_WRITE, insert_body, &work));
	err_t err = webhook_try(ctx, webhooks, policy, &work.delivery, &work.attempt, &is_final);
	if (err == ERR_CANCELLED || err == ERR_DEADLINE)
		return err;
	if (err != OK) {
		work.state = WEBHOOK_DEAD;
		work.attempt.error = arena_copy(ctx->arena, str_from(ctx->failure.detail));
		ctx_forgive(ctx);
	}
	webhook_count(webhooks, policy, target,
		      err == OK ? WEBHOOK_RESULT_TOLD : WEBHOOK_RESULT_DEAD);
	TRY(db_run(ctx, webhooks->options.db, SQL_WRITE, tried_body, &work));
	*ret_id = work.delivery.id;
	return OK;
}
