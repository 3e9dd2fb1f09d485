/* SPDX-License-Identifier: Apache-2.0 */
/* webhook_send.c - see webhook.h: one letter after the other to its receiver. */
#include "base/clock.h"
#include "base/mem.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/mask.h"
#include "crypto/hmac.h"
#include "db/db.h"
#include "jobs/outbox.h"
#include "webhook_format.h"
#include "webhook_internal.h"

#include "base/banned.h"

#define SEND_ARENA    MIB(2)
#define KEPT_ARENA    MIB(2)
#define FIELDS_MAX    5
#define SIGNATURE_MAX 256
#define SECRETS_MAX   6

/* One job: all that one target of a policy is told about a repository. */
struct round {
	struct webhooks *webhooks;
	struct job *job;
	struct webhook_policy policy;
	str request_id;	   /* in which happened what is told; may be empty */
	bool gone;	   /* the policy is */
	bool is_final;	   /* what failed will not do better */
	struct arena kept; /* what was told and is not written down */
	int64_t told[OUTBOX_TOGETHER_MAX];
	struct webhook_attempt attempts[OUTBOX_TOGETHER_MAX];
	size_t count;
};

/* --- one request ------------------------------------------------------------------------------ */

static void add_signature(struct buf *b, str secret, str signed_text)
{
	unsigned char mac[HMAC_SHA256_BYTES];
	char hex[2 * HMAC_SHA256_BYTES];
	if (!secret.len)
		return;
	hmac_sha256(secret, signed_text, mac);
	hex_encode((str){ (const char *)mac, sizeof mac }, hex);
	buf_add(b, STR(",v1="));
	buf_add(b, (str){ hex, sizeof hex });
}

/* "t=SECONDS,v1=HEX", once more for the secret before. */
static str sign(struct ctx *ctx, const struct webhook_target *target, str body)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(WEBHOOK_BODY_MAX + 32);
	CLEANUP(buf_done) struct buf signature = BUF_INIT(SIGNATURE_MAX);
	long long now_s = clock_wall_us() / 1000000;
	buf_printf(&text, "%lld.", now_s);
	buf_add(&text, body);
	buf_printf(&signature, "t=%lld", now_s);
	add_signature(&signature, target->secret, buf_str(&text));
	add_signature(&signature, target->secret_before, buf_str(&text));
	return arena_copy(ctx->arena, buf_str(&signature));
}

static str request_shown(struct ctx *ctx, const struct client_request *request)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(WEBHOOK_SHOWN_MAX + WEBHOOK_BODY_MAX + KIB(8));
	buf_printf(&b, "POST " STR_FMT "\n", STR_ARG(request->url));
	for (size_t i = 0; i < request->field_count; i++) {
		bool secret = str_eq(request->fields[i].name, STR("Authorization"));
		str value = secret ? STR(WEBHOOK_MASK) : request->fields[i].value;
		buf_printf(&b, STR_FMT ": " STR_FMT "\n", STR_ARG(request->fields[i].name),
			   STR_ARG(value));
	}
	buf_add_byte(&b, '\n');
	buf_add(&b, request->body);
	return arena_copy(ctx->arena, str_take(buf_str(&b), WEBHOOK_SHOWN_MAX));
}

/* What a receiver was told, and what it may know because of that. */
static size_t list_secrets(struct ctx *ctx, const struct webhook_target *target,
			   str ret[SECRETS_MAX])
{
	str scheme, credential = STR_NONE, login = STR_NONE, user, password = STR_NONE;
	if (str_cut(target->auth_header, ' ', &scheme, &credential)) {
		credential = str_trim(credential);
		if (str_eq_nocase(scheme, STR("Basic")) &&
		    base64_decode(ctx->arena, BASE64_STANDARD, credential, &login))
			(void)str_cut(login, ':', &user, &password);
	}
	const str all[] = { target->auth_header, credential,	       login, password,
			    target->secret,	 target->secret_before };
	size_t count = 0;
	for (size_t i = 0; i < COUNT_OF(all); i++)
		if (all[i].len)
			ret[count++] = all[i];
	return count;
}

/* What they answer is theirs: only text is kept, and no secret that it echoes. */
static str response_shown(struct ctx *ctx, const struct webhook_target *target,
			  const struct client_response *response)
{
	CLEANUP(buf_done) struct buf shown = BUF_INIT(WEBHOOK_SHOWN_MAX);
	str secrets[SECRETS_MAX];
	mask_add(&shown, secrets, list_secrets(ctx, target, secrets), response->body);
	str body = buf_str(&shown);
	while (body.len && ((unsigned char)body.ptr[body.len - 1] & 0x80) && !str_is_utf8(body))
		body.len--;
	bool is_text = str_is_utf8(body);
	for (size_t i = 0; is_text && i < body.len; i++)
		is_text = body.ptr[i] != '\0';
	return is_text ? arena_copy(ctx->arena, body) : STR("(not text)");
}

static size_t fill_fields(struct ctx *ctx, const struct webhook_delivery *delivery,
			  const struct webhook_target *target, str body,
			  struct client_field fields[FIELDS_MAX])
{
	const struct webhook_format *format = webhook_format_find(target->kind, target->format);
	size_t n = 0;
	fields[n++] = (struct client_field){ STR("Content-Type"), format->content_type };
	fields[n++] = (struct client_field){
		STR("Berth-Event"), webhook_event_info((enum webhook_event)delivery->event)->name
	};
	fields[n++] =
		(struct client_field){ STR("Berth-Delivery"),
				       arena_printf(ctx->arena, "%lld", (long long)delivery->id) };
	if (target->auth_header.len)
		fields[n++] = (struct client_field){ STR("Authorization"), target->auth_header };
	if (target->secret.len || target->secret_before.len)
		fields[n++] =
			(struct client_field){ STR("Berth-Signature"), sign(ctx, target, body) };
	return n;
}

static err_t post(struct ctx *ctx, struct client *client, const struct webhook_target *target,
		  const struct client_request *request, struct webhook_attempt *ret)
{
	struct client_response response = { 0 };
	err_t err = client_send(ctx, client, request, &response);
	ret->status = response.status;
	ret->response = response_shown(ctx, target, &response);
	if (err == OK && (response.status < 200 || response.status > 299))
		return fail(ctx, ERR_UPSTREAM_INVALID, "the receiver answers %d", response.status);
	return err;
}

static err_t send_request(struct ctx *ctx, const struct webhooks *webhooks,
			  const struct webhook_policy *policy,
			  const struct webhook_delivery *delivery, struct webhook_attempt *ret)
{
	const struct webhook_target *target = &policy->targets[delivery->target];
	const struct webhook_source source = webhook_source_of(policy, delivery);
	CLEANUP(buf_done) struct buf body = BUF_INIT(WEBHOOK_BODY_MAX);
	struct client_field fields[FIELDS_MAX];
	TRY(webhook_format_find(target->kind, target->format)->write(ctx, &source, &body));
	if (buf_overrun(&body))
		return fail(ctx, ERR_LIMIT, "the body has more than %zu bytes",
			    (size_t)WEBHOOK_BODY_MAX);
	const struct client_request request = {
		.method = "POST",
		.url = target->address,
		.fields = fields,
		.field_count = fill_fields(ctx, delivery, target, buf_str(&body), fields),
		.body = buf_str(&body),
		.response_bytes_max = WEBHOOK_ANSWER_MAX,
		.skip_verify = target->skip_cert_verify,
	};
	ret->request = request_shown(ctx, &request);
	return post(ctx, policy->row.tenant_id ? webhooks->guarded : webhooks->free, target,
		    &request, ret);
}

err_t webhook_try(struct ctx *ctx, const struct webhooks *webhooks,
		  const struct webhook_policy *policy, const struct webhook_delivery *delivery,
		  struct webhook_attempt *ret, bool *ret_final)
{
	int64_t from_ns = clock_now_ns();
	err_t err;
	*ret_final = (size_t)delivery->target >= policy->target_count;
	if (*ret_final)
		err = fail(ctx, ERR_ABSENT, "the policy has no such target any more");
	else if (policy->targets[delivery->target].kind == WEBHOOK_EMAIL)
		err = webhook_mail_send(ctx, webhooks, policy, delivery, ret, ret_final);
	else
		err = send_request(ctx, webhooks, policy, delivery, ret);
	ret->took_us = (clock_now_ns() - from_ns) / 1000;
	return err;
}

/* --- what becomes of it ------------------------------------------------------------------------
 */

struct failed {
	const struct webhook_delivery *delivery;
	const struct webhook_attempt *attempt;
	enum webhook_state state;
};

static err_t failed_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct failed *failed = arg;
	return db_webhook_tried(ctx, tx, failed->delivery->id, failed->state, failed->attempt,
				WEBHOOK_ATTEMPTS_KEPT);
}

/* OK when it is given up: those behind it are next. */
static err_t judge_failure(struct ctx *ctx, struct round *round,
			   const struct webhook_delivery *delivery, struct webhook_attempt *attempt,
			   err_t why)
{
	struct failure failure = ctx->failure;
	int64_t age_us = delivery->now_us - delivery->queued_at_us + attempt->took_us;
	bool over = round->is_final || age_us >= round->webhooks->options.retry_for_ms * 1000;
	struct failed failed = { delivery, attempt, over ? WEBHOOK_DEAD : WEBHOOK_WAITS };
	if (why == ERR_CANCELLED)
		return why; /* the node stops; this was no attempt */
	attempt->error = arena_copy(ctx->arena, str_from(failure.detail));
	ctx_forgive(ctx);
	webhook_count(round->webhooks, &round->policy, delivery->target,
		      over ? WEBHOOK_RESULT_DEAD : WEBHOOK_RESULT_RETRIED);
	job_log(round->job, "delivery %lld of request " STR_FMT ": %s%s", (long long)delivery->id,
		STR_ARG(round->request_id), failure.detail, over ? ", given up" : "");
	err_t err = db_run(ctx, round->webhooks->options.db, SQL_WRITE, failed_body, &failed);
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	if (over)
		return OK;
	ctx->failure = failure;
	return why;
}

static void keep_success(struct round *round, const struct webhook_delivery *delivery,
			 const struct webhook_attempt *attempt)
{
	struct webhook_attempt *kept = &round->attempts[round->count];
	webhook_count(round->webhooks, &round->policy, delivery->target, WEBHOOK_RESULT_TOLD);
	round->told[round->count++] = delivery->id;
	*kept = *attempt;
	kept->request = arena_copy(&round->kept, attempt->request);
	kept->response = arena_copy(&round->kept, attempt->response);
}

static err_t told(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct round *round = arg;
	for (size_t i = 0; i < round->count; i++) {
		err_t err = db_webhook_tried(ctx, tx, round->told[i], WEBHOOK_TOLD,
					     &round->attempts[i], WEBHOOK_ATTEMPTS_KEPT);
		if (err != OK && err != ERR_ABSENT)
			return err;
	}
	return OK;
}

static err_t load_policy(struct ctx *ctx, struct sql_tx *tx, struct round *round, int64_t policy_id)
{
	struct webhook_policy_row row;
	err_t err = db_webhook_policy_get(ctx, tx, policy_id, &row);
	round->gone = err == ERR_ABSENT;
	if (round->gone)
		return OK;
	TRY(err);
	return webhook_policy_open(ctx, round->webhooks, &row, &round->policy);
}

struct fetch {
	struct round *round;
	int64_t id;
	struct webhook_delivery *delivery;
};

static err_t fetch_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct fetch *fetch = arg;
	TRY(db_webhook_delivery_get(ctx, tx, fetch->id, fetch->delivery));
	return load_policy(ctx, tx, fetch->round, fetch->delivery->policy_id);
}

/* The receiver gets the id of the request that he is told of, and that one's trace goes on with
 * him, not the job's, which tells of many. */
static err_t try_as_asked(struct ctx *ctx, struct round *round,
			  const struct webhook_delivery *delivery, struct webhook_attempt *ret)
{
	struct webhook_origin origin = webhook_origin_of(ctx, delivery);
	struct trace *own = ctx->trace;
	str own_id = ctx->request_id;
	if (origin.request_id.len)
		ctx->request_id = origin.request_id;
	if (origin.has_trace) {
		origin.trace.by = own;
		ctx->trace = &origin.trace;
	}
	round->request_id = origin.request_id;
	err_t err =
		webhook_try(ctx, round->webhooks, &round->policy, delivery, ret, &round->is_final);
	ctx->trace = own;
	ctx->request_id = own_id;
	return err;
}

/* In an arena of its own, so that ten thousand letters need as much as one. */
static err_t tell_in(struct ctx *ctx, struct round *round, int64_t id)
{
	struct webhook_delivery delivery;
	struct webhook_attempt attempt = { 0 };
	const struct fetch fetch = { round, id, &delivery };
	struct fetch work = fetch;
	err_t err = db_run(ctx, round->webhooks->options.db, SQL_READ, fetch_body, &work);
	if (err == ERR_ABSENT)
		return OK; /* its policy was deleted, and it with that */
	TRY(err);
	if (round->gone || delivery.state != WEBHOOK_WAITS)
		return OK;
	err = try_as_asked(ctx, round, &delivery, &attempt);
	if (err != OK)
		return judge_failure(ctx, round, &delivery, &attempt, err);
	keep_success(round, &delivery, &attempt);
	return OK;
}

static err_t tell(struct ctx *ctx, const struct outbox_row *letter, void *arg)
{
	struct round *round = arg;
	CLEANUP(arena_done) struct arena own;
	struct arena *before = ctx->arena;
	uint64_t id;
	if (!str_to_u64(letter->payload, INT64_MAX, &id))
		return OK;
	arena_init(&own, SEND_ARENA);
	ctx->arena = &own;
	err_t err = tell_in(ctx, round, (int64_t)id);
	ctx->arena = before;
	return err;
}

static void removed(void *arg)
{
	struct round *round = arg;
	round->count = 0;
	arena_reset(&round->kept);
}

static void round_free(struct round **round)
{
	arena_done(&(*round)->kept);
	free(*round);
}

err_t webhooks_run(struct ctx *ctx, struct job *job, struct webhooks *webhooks)
{
	CLEANUP(round_free) struct round *round = NEW(struct round);
	round->webhooks = webhooks;
	round->job = job;
	arena_init(&round->kept, KEPT_ARENA);
	const struct outbox_teller teller = {
		.tell = tell, .told = told, .removed = removed, .arg = round
	};
	return outbox_drain(ctx, job, &teller);
}
