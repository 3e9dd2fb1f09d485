/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harbor_webhook.c - a project's webhook policies and what they told, in the words of Harbor's REST
 * API v2.0. A delivery (notify/webhook.h) is an execution with one task of the same number.
 */
#include "api/audit.h"
#include "api/handlers_webhook.h"
#include "api/harbor.h"
#include "api/webhook_view.h"
#include "notify/webhook.h"
#include "notify/webhook_format.h"

#include "base/banned.h"

#define DESCRIPTION_MAX KIB(4)
#define LOG_MAX		KIB(256)

/* --- policies in ------------------------------------------------------------------------------ */

struct target_body {
	str type, address, auth_header, payload_format, secret, secret_before;
	bool skip_cert_verify;
};

static err_t read_target(struct ctx *ctx, const struct json_value *from, size_t at,
			 struct webhook_target *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct target_body, "type", type, 32),
		JSON_FIELD_STR(struct target_body, "address", address, WEBHOOK_ADDRESS_MAX),
		JSON_FIELD_STR(struct target_body, "auth_header", auth_header, WEBHOOK_SECRET_MAX),
		JSON_FIELD_STR(struct target_body, "payload_format", payload_format, 32),
		JSON_FIELD_STR(struct target_body, "secret", secret, WEBHOOK_SECRET_MAX),
		JSON_FIELD_STR(struct target_body, "secret_before", secret_before,
			       WEBHOOK_SECRET_MAX),
		JSON_FIELD_BOOL(struct target_body, "skip_cert_verify", skip_cert_verify),
	};
	struct target_body body = { 0 };
	TRY_CTX(ctx, body_shape(ctx, from, fields, COUNT_OF(fields), &body), "targets[%zu]", at);
	*ret = (struct webhook_target){
		.format = body.payload_format.len ? body.payload_format : STR("Default"),
		.address = body.address,
		.skip_cert_verify = body.skip_cert_verify,
		.auth_header = body.auth_header,
		.secret = body.secret,
		.secret_before = body.secret_before,
	};
	if (!webhook_kind_find(body.type, &ret->kind))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "targets[%zu].type: there is no type " STR_FMT, at, STR_ARG(body.type));
	return OK;
}

static err_t read_targets(struct ctx *ctx, const struct json_value *list,
			  struct webhook_policy *ret)
{
	size_t count = json_count(list);
	if (count > WEBHOOK_TARGETS_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "targets: more than %d", WEBHOOK_TARGETS_MAX);
	for (size_t i = 0; i < count; i++)
		TRY(read_target(ctx, json_element(list, i), i, &ret->targets[i]));
	ret->target_count = count;
	return OK;
}

static err_t read_events(struct ctx *ctx, const struct json_value *list, int64_t *ret)
{
	enum webhook_event event;
	*ret = 0;
	for (size_t i = 0; i < json_count(list); i++) {
		str name = json_value_str(json_element(list, i));
		if (!webhook_event_find(name, &event))
			return fail(ctx, ERR_REQUEST_INVALID,
				    "event_types[%zu]: there is no type " STR_FMT, i,
				    STR_ARG(str_take(name, 64)));
		*ret |= WEBHOOK_EVENT_BIT(event);
	}
	return OK;
}

static err_t read_filters(struct ctx *ctx, const struct json_value *filters, str *ret)
{
	str wrong;
	*ret = STR_NONE;
	if (!filters)
		return OK;
	if (!webhook_filter_check(ctx->arena, filters, &wrong))
		return fail(ctx, ERR_REQUEST_INVALID, STR_FMT, STR_ARG(wrong));
	size_t size = json_value_print(filters, NULL, 0);
	char *text = arena_alloc(ctx->arena, size + 1);
	(void)json_value_print(filters, text, size + 1);
	*ret = (str){ text, size };
	return OK;
}

struct policy_body {
	str name, description;
	bool enabled;
	const struct json_value *event_types, *targets, *filters;
};

static err_t read_policy(struct ctx *ctx, struct request *rq, struct json_document *doc,
			 struct webhook_policy *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct policy_body, "name", name, WEBHOOK_NAME_MAX),
		JSON_FIELD_STR(struct policy_body, "description", description, DESCRIPTION_MAX),
		JSON_FIELD_BOOL(struct policy_body, "enabled", enabled),
		JSON_FIELD_ARRAY(struct policy_body, "event_types", event_types),
		JSON_FIELD_ARRAY(struct policy_body, "targets", targets),
		JSON_FIELD_OBJECT(struct policy_body, "filters", filters),
	};
	struct policy_body body = { 0 };
	TRY(body_read(ctx, rq, doc));
	TRY(body_shape(ctx, doc->root, fields, COUNT_OF(fields), &body));
	struct webhook_place place = webhook_view_place(rq);
	*ret = (struct webhook_policy){ .row = {
						.tenant_id = place.tenant_id,
						.project_id = place.project_id,
						.name = body.name,
						.description = body.description,
						.creator = rq->who.name,
						.enabled = body.enabled,
					} };
	TRY(read_events(ctx, body.event_types, &ret->row.events));
	TRY(read_filters(ctx, body.filters, &ret->row.filters));
	return read_targets(ctx, body.targets, ret);
}

/* --- policies out ----------------------------------------------------------------------------- */

static void write_masked(struct json_writer *w, const char *key, str secret)
{
	if (secret.len)
		json_write_str(w, key, STR(WEBHOOK_MASK));
}

static void write_targets(struct json_writer *w, const struct webhook_policy *policy)
{
	json_write_array_begin(w, "targets");
	for (size_t i = 0; i < policy->target_count; i++) {
		const struct webhook_target *target = &policy->targets[i];
		json_write_object_begin(w, NULL);
		json_write_str(w, "type", webhook_kind_info(target->kind)->name);
		json_write_str(w, "address", target->address);
		json_write_bool(w, "skip_cert_verify", target->skip_cert_verify);
		json_write_str(w, "payload_format", target->format);
		write_masked(w, "auth_header", target->auth_header);
		write_masked(w, "secret", target->secret);
		write_masked(w, "secret_before", target->secret_before);
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

static void write_policy(struct json_writer *w, const struct webhook_policy *policy)
{
	const struct webhook_policy_row *row = &policy->row;
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", row->id);
	json_write_str(w, "name", row->name);
	json_write_str(w, "description", row->description);
	json_write_i64(w, "project_id", row->project_id);
	write_targets(w, policy);
	json_write_array_begin(w, "event_types");
	for (unsigned i = 0; i < WEBHOOK_EVENT_COUNT; i++)
		if (row->events & WEBHOOK_EVENT_BIT(i))
			json_write_str(w, NULL, webhook_event_info((enum webhook_event)i)->name);
	json_write_array_end(w);
	if (row->filters.len)
		json_write_raw(w, "filters", row->filters);
	json_write_str(w, "creator", row->creator);
	json_write_time(w, "creation_time", row->created_at_us);
	json_write_time(w, "update_time", row->updated_at_us);
	json_write_bool(w, "enabled", row->enabled);
	json_write_object_end(w);
}

static str policy_json(struct ctx *ctx, const struct webhook_policy *policy)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(KIB(64));
	struct json_writer w = JSON_WRITER(&text);
	write_policy(&w, policy);
	return arena_copy(ctx->arena, buf_str(&text));
}

err_t harbor_webhook_create(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct webhook_policy policy;
	TRY(read_policy(ctx, rq, &doc, &policy));
	webhook_view_record(ctx, rq, AUDIT_CREATE_WEBHOOK, &policy)->after =
		policy_json(ctx, &policy);
	TRY(webhook_policy_save(ctx, webhook_view_of(rq), &policy));
	return answer_created(rq, policy.row.id);
}

err_t harbor_webhook_get(struct ctx *ctx, struct request *rq)
{
	struct webhook_policy policy;
	TRY(webhook_view_find(ctx, rq, &policy));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	write_policy(&w, &policy);
	return answer_object(ctx, rq, &body);
}

err_t harbor_webhook_update(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct webhook_policy before, policy;
	TRY(webhook_view_find(ctx, rq, &before));
	TRY(read_policy(ctx, rq, &doc, &policy));
	policy.row.id = before.row.id;
	struct audit_event *event = webhook_view_record(ctx, rq, AUDIT_UPDATE_WEBHOOK, &before);
	event->before = policy_json(ctx, &before);
	event->after = policy_json(ctx, &policy);
	TRY(webhook_policy_save(ctx, webhook_view_of(rq), &policy));
	return answer_empty(rq, 200);
}

err_t harbor_webhook_delete(struct ctx *ctx, struct request *rq)
{
	struct webhook_policy policy;
	TRY(webhook_view_find(ctx, rq, &policy));
	webhook_view_record(ctx, rq, AUDIT_DELETE_WEBHOOK, &policy)->before =
		policy_json(ctx, &policy);
	TRY(webhook_policy_delete(ctx, webhook_view_of(rq), policy.row.id));
	return answer_empty(rq, 200);
}

err_t harbor_webhook_list(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct webhook_policy *policies;
	size_t count;
	int64_t total;
	TRY(list_begin(ctx, rq, &list));
	TRY(webhook_policy_list(ctx, webhook_view_of(rq), webhook_view_place(rq),
				(struct webhook_page){ list.page_size, list.offset }, &policies,
				&count, &total));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++)
		write_policy(&w, &policies[i]);
	json_write_array_end(&w);
	return list_answer(rq, &list, total, &body);
}

/* --- what there is ---------------------------------------------------------------------------- */

static void write_formats(struct json_writer *w, const struct webhooks *webhooks)
{
	json_write_array_begin(w, "payload_formats");
	for (unsigned i = 0; i < WEBHOOK_KIND_COUNT; i++) {
		const struct webhook_kind_info *info = webhook_kind_info((enum webhook_kind)i);
		if (!webhooks_can(webhooks, (enum webhook_kind)i))
			continue;
		json_write_object_begin(w, NULL);
		json_write_str(w, "notify_type", info->name);
		json_write_array_begin(w, "formats");
		for (size_t k = 0; k < info->format_count; k++)
			json_write_str(w, NULL, info->formats[k].name);
		json_write_array_end(w);
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

err_t harbor_webhook_events(struct ctx *ctx, struct request *rq)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_array_begin(&w, "event_type");
	for (unsigned i = 0; i < WEBHOOK_EVENT_COUNT; i++)
		json_write_str(&w, NULL, webhook_event_info((enum webhook_event)i)->name);
	json_write_array_end(&w);
	json_write_array_begin(&w, "notify_type");
	for (unsigned i = 0; i < WEBHOOK_KIND_COUNT; i++)
		if (webhooks_can(webhook_view_of(rq), (enum webhook_kind)i))
			json_write_str(&w, NULL, webhook_kind_info((enum webhook_kind)i)->name);
	json_write_array_end(&w);
	write_formats(&w, webhook_view_of(rq));
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

/* --- deliveries ------------------------------------------------------------------------------- */

static const char *status_of(const struct webhook_delivery *delivery)
{
	switch (delivery->state) {
	case WEBHOOK_TOLD:
		return "Success";
	case WEBHOOK_DEAD:
		return "Error";
	case WEBHOOK_WAITS:
	case WEBHOOK_STATE_COUNT:
		break;
	}
	return delivery->attempts ? "Scheduled" : "Pending";
}

static str vendor_of(const struct webhook_policy *policy, const struct webhook_delivery *delivery)
{
	if ((size_t)delivery->target < policy->target_count &&
	    policy->targets[delivery->target].kind == WEBHOOK_SLACK)
		return STR("SLACK");
	return STR("WEBHOOK");
}

static void write_metrics(struct json_writer *w, const struct webhook_delivery *delivery)
{
	static const char *const members[WEBHOOK_STATE_COUNT] = {
		[WEBHOOK_WAITS] = "pending_task_count",
		[WEBHOOK_TOLD] = "success_task_count",
		[WEBHOOK_DEAD] = "error_task_count",
	};
	json_write_object_begin(w, "metrics");
	json_write_i64(w, "task_count", 1);
	json_write_i64(w, members[delivery->state], 1);
	json_write_object_end(w);
}

static void write_extra(struct json_writer *w, const struct webhook_delivery *delivery)
{
	json_write_object_begin(w, "extra_attrs");
	json_write_str(w, "event_type",
		       webhook_event_info((enum webhook_event)delivery->event)->name);
	json_write_raw(w, "payload", delivery->payload);
	json_write_object_end(w);
}

static void write_execution(struct json_writer *w, const struct webhook_policy *policy,
			    const struct webhook_delivery *delivery)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", delivery->id);
	json_write_str(w, "vendor_type", vendor_of(policy, delivery));
	json_write_i64(w, "vendor_id", policy->row.id);
	json_write_str(w, "status", str_from(status_of(delivery)));
	json_write_str(w, "status_message", delivery->error);
	write_metrics(w, delivery);
	json_write_str(w, "trigger", STR("EVENT"));
	write_extra(w, delivery);
	json_write_time(w, "start_time", delivery->created_at_us);
	json_write_time(w, "end_time", delivery->finished_at_us);
	json_write_object_end(w);
}

static int64_t updated_us(const struct webhook_delivery *delivery)
{
	return MAX(delivery->created_at_us, MAX(delivery->tried_at_us, delivery->finished_at_us));
}

static void write_task(struct json_writer *w, const struct webhook_delivery *delivery)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", delivery->id);
	json_write_i64(w, "execution_id", delivery->id);
	json_write_str(w, "status", str_from(status_of(delivery)));
	json_write_str(w, "status_message", delivery->error);
	json_write_i64(w, "run_count", delivery->attempts);
	write_extra(w, delivery);
	json_write_time(w, "creation_time", delivery->created_at_us);
	json_write_time(w, "update_time", updated_us(delivery));
	json_write_time(w, "start_time", delivery->tried_at_us);
	json_write_time(w, "end_time", delivery->finished_at_us);
	json_write_object_end(w);
}

static void write_job(struct json_writer *w, const struct webhook_policy *policy,
		      const struct webhook_delivery *delivery)
{
	bool there = (size_t)delivery->target < policy->target_count;
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", delivery->id);
	json_write_i64(w, "policy_id", policy->row.id);
	json_write_str(w, "event_type",
		       webhook_event_info((enum webhook_event)delivery->event)->name);
	if (there)
		json_write_str(w, "notify_type",
			       webhook_kind_info(policy->targets[delivery->target].kind)->name);
	json_write_str(w, "status", str_from(status_of(delivery)));
	json_write_str(w, "job_detail", delivery->payload);
	json_write_time(w, "creation_time", delivery->created_at_us);
	json_write_time(w, "update_time", updated_us(delivery));
	json_write_object_end(w);
}

/* `status` as Harbor's lists take it. */
static err_t read_state(struct ctx *ctx, str status, enum webhook_state *ret)
{
	static const struct {
		str word;
		enum webhook_state state;
	} words[] = {
		{ STR_INIT(""), WEBHOOK_STATE_COUNT },	  { STR_INIT("Success"), WEBHOOK_TOLD },
		{ STR_INIT("success"), WEBHOOK_TOLD },	  { STR_INIT("Error"), WEBHOOK_DEAD },
		{ STR_INIT("error"), WEBHOOK_DEAD },	  { STR_INIT("Pending"), WEBHOOK_WAITS },
		{ STR_INIT("pending"), WEBHOOK_WAITS },	  { STR_INIT("Scheduled"), WEBHOOK_WAITS },
		{ STR_INIT("scheduled"), WEBHOOK_WAITS },
	};
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_eq(status, words[i].word)) {
			*ret = words[i].state;
			return OK;
		}
	return fail(ctx, ERR_REQUEST_INVALID,
		    "status is one of Success, Error, Pending and Scheduled");
}

typedef void delivery_writer(struct json_writer *w, const struct webhook_policy *policy,
			     const struct webhook_delivery *delivery);

static err_t answer_deliveries(struct ctx *ctx, struct request *rq, str status,
			       delivery_writer *write)
{
	struct webhook_view_page page;
	TRY(list_begin(ctx, rq, &page.list));
	TRY(webhook_view_find(ctx, rq, &page.policy));
	TRY(read_state(ctx, status.len ? status : list_text(&page.list, "status"), &page.state));
	return webhook_view_deliveries(ctx, rq, &page, write);
}

err_t harbor_webhook_executions(struct ctx *ctx, struct request *rq)
{
	return answer_deliveries(ctx, rq, STR_NONE, write_execution);
}

err_t harbor_webhook_jobs(struct ctx *ctx, struct request *rq)
{
	TRY(query_i64(ctx, rq, STR("policy_id"), 0, &rq->id));
	if (!rq->id)
		return fail(ctx, ERR_REQUEST_INVALID, "policy_id: the policy's number is wanted");
	return answer_deliveries(ctx, rq, request_query(rq, STR("status")), write_job);
}

err_t harbor_webhook_tasks(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct webhook_policy policy;
	struct webhook_delivery delivery;
	TRY(list_begin(ctx, rq, &list));
	TRY(webhook_view_find_delivery(ctx, rq, &policy, &delivery));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	if (!list.offset)
		write_task(&w, &delivery);
	json_write_array_end(&w);
	return list_answer(rq, &list, 1, &body);
}

static void print_attempt(struct buf *b, const struct webhook_attempt *attempt)
{
	CLEANUP(buf_done) struct buf time = BUF_INIT(64);
	struct json_writer w = JSON_WRITER(&time);
	json_write_object_begin(&w, NULL);
	json_write_time(&w, "at", attempt->at_us);
	json_write_object_end(&w);
	buf_printf(b, "attempt %lld ", (long long)attempt->number);
	buf_add(b, buf_str(&time));
	buf_printf(b, ", %lld ms: ", (long long)(attempt->took_us / 1000));
	if (attempt->status)
		buf_printf(b, "status %lld ", (long long)attempt->status);
	buf_add(b, attempt->error);
	buf_add(b, STR("\n\n"));
	buf_add(b, attempt->request);
	buf_add(b, STR("\n\n"));
	buf_add(b, attempt->response);
	buf_add(b, STR("\n\n"));
}

err_t harbor_webhook_log(struct ctx *ctx, struct request *rq)
{
	struct webhook_policy policy;
	struct webhook_delivery delivery;
	struct webhook_attempt *attempts;
	size_t count;
	TRY(webhook_view_find_delivery(ctx, rq, &policy, &delivery));
	if (rq->task_id != delivery.id)
		return fail(ctx, ERR_NOT_FOUND, "execution %lld has no task %lld",
			    (long long)delivery.id, (long long)rq->task_id);
	TRY(webhook_delivery_attempts(ctx, webhook_view_of(rq), delivery.id, &attempts, &count));
	CLEANUP(buf_done) struct buf text = BUF_INIT(LOG_MAX);
	for (size_t i = 0; i < count; i++)
		print_attempt(&text, &attempts[i]);
	return answer_text(rq, 200, buf_str(&text));
}

static err_t write_last(struct ctx *ctx, struct request *rq, struct json_writer *w,
			const struct webhook_policy *policy)
{
	int64_t at_us;
	for (unsigned i = 0; i < WEBHOOK_EVENT_COUNT; i++) {
		if (!(policy->row.events & WEBHOOK_EVENT_BIT(i)))
			continue;
		TRY(webhook_delivery_last(ctx, webhook_view_of(rq), policy->row.id,
					  (enum webhook_event)i, &at_us));
		json_write_object_begin(w, NULL);
		json_write_str(w, "policy_name", policy->row.name);
		json_write_str(w, "event_type", webhook_event_info((enum webhook_event)i)->name);
		json_write_bool(w, "enabled", policy->row.enabled);
		json_write_time(w, "creation_time", policy->row.created_at_us);
		json_write_time(w, "last_trigger_time", at_us);
		json_write_object_end(w);
	}
	return OK;
}

err_t harbor_webhook_last(struct ctx *ctx, struct request *rq)
{
	struct webhook_policy *policies;
	size_t count;
	int64_t total;
	TRY(webhook_policy_list(ctx, webhook_view_of(rq), webhook_view_place(rq),
				(struct webhook_page){ HARBOR_PAGE_SIZE_MAX, 0 }, &policies, &count,
				&total));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++)
		TRY(write_last(ctx, rq, &w, &policies[i]));
	json_write_array_end(&w);
	return answer_object(ctx, rq, &body);
}
