/* SPDX-License-Identifier: Apache-2.0 */
/* webhook_policy.c - see webhook.h: policies as rows, their secrets sealed. */
#include "codec/json.h"
#include "codec/json_shape.h"
#include "codec/json_writer.h"
#include "db/db.h"
#include "webhook_format.h"
#include "webhook_internal.h"

#include <string.h>

#include "base/banned.h"

#define TARGETS_BYTES_MAX (WEBHOOK_TARGETS_MAX * KIB(3))

/* --- rows ------------------------------------------------------------------------------------- */

/* Bound to where the policy is: a row has no id before it is inserted. */
static str seal_context(struct ctx *ctx, const struct webhook_policy_row *row)
{
	return arena_printf(ctx->arena, "webhook/%lld/%lld/" STR_FMT, (long long)row->tenant_id,
			    (long long)row->project_id, STR_ARG(row->creator));
}

static void write_target(struct json_writer *w, const struct webhook_target *target)
{
	json_write_object_begin(w, NULL);
	json_write_str(w, "type", webhook_kind_info(target->kind)->name);
	json_write_str(w, "format", target->format);
	json_write_str(w, "address", target->address);
	json_write_bool(w, "skip_cert_verify", target->skip_cert_verify);
	json_write_object_end(w);
}

static void write_secrets(struct json_writer *w, const struct webhook_target *target)
{
	json_write_object_begin(w, NULL);
	json_write_str(w, "auth_header", target->auth_header);
	json_write_str(w, "secret", target->secret);
	json_write_str(w, "secret_before", target->secret_before);
	json_write_object_end(w);
}

static err_t print(struct ctx *ctx, const struct webhook_policy *policy, bool secrets, str *ret)
{
	CLEANUP(buf_done)
	struct buf text = BUF_INIT(secrets ? SECRETBOX_SECRET_MAX : TARGETS_BYTES_MAX);
	struct json_writer w = JSON_WRITER(&text);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < policy->target_count; i++)
		(secrets ? write_secrets : write_target)(&w, &policy->targets[i]);
	json_write_array_end(&w);
	if (buf_overrun(&text))
		return fail(ctx, ERR_REQUEST_INVALID, "targets: too long in all");
	*ret = arena_copy(ctx->arena, buf_str(&text));
	if (secrets && text.len)
		explicit_bzero(text.ptr, text.len);
	return OK;
}

static bool has_secrets(const struct webhook_policy *policy)
{
	for (size_t i = 0; i < policy->target_count; i++) {
		const struct webhook_target *target = &policy->targets[i];
		if (target->auth_header.len || target->secret.len || target->secret_before.len)
			return true;
	}
	return false;
}

static err_t to_row(struct ctx *ctx, const struct webhooks *webhooks, struct webhook_policy *policy)
{
	str secrets;
	policy->row.secrets = STR_NONE;
	TRY(print(ctx, policy, false, &policy->row.targets));
	if (!has_secrets(policy))
		return OK;
	TRY(print(ctx, policy, true, &secrets));
	return secretbox_seal(ctx, &webhooks->master, seal_context(ctx, &policy->row), secrets,
			      &policy->row.secrets);
}

static str copied(struct ctx *ctx, const struct json_value *object, const char *key)
{
	str value = STR_NONE;
	(void)json_get_str(object, key, &value);
	return arena_copy(ctx->arena, value);
}

static err_t parse_list(struct ctx *ctx, str text, struct json_document *doc)
{
	struct json_problem problem;
	if (!json_parse(text, JSON_LIMITS_SMALL, doc, &problem))
		return fail(ctx, ERR_CORRUPT, "a webhook policy's targets: " JSON_PROBLEM_FMT,
			    JSON_PROBLEM_ARG(problem));
	return OK;
}

static err_t read_targets(struct ctx *ctx, str text, struct webhook_policy *policy)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	TRY(parse_list(ctx, text, &doc));
	policy->target_count = MIN(json_count(doc.root), WEBHOOK_TARGETS_MAX);
	for (size_t i = 0; i < policy->target_count; i++) {
		const struct json_value *from = json_element(doc.root, i);
		struct webhook_target *target = &policy->targets[i];
		if (!webhook_kind_find(copied(ctx, from, "type"), &target->kind))
			return fail(ctx, ERR_CORRUPT, "a webhook target of unknown type");
		target->format = copied(ctx, from, "format");
		target->address = copied(ctx, from, "address");
		(void)json_get_bool(from, "skip_cert_verify", &target->skip_cert_verify);
	}
	return OK;
}

static err_t read_secrets(struct ctx *ctx, str text, struct webhook_policy *policy)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	TRY(parse_list(ctx, text, &doc));
	for (size_t i = 0; i < policy->target_count; i++) {
		const struct json_value *from = json_element(doc.root, i);
		struct webhook_target *target = &policy->targets[i];
		target->auth_header = copied(ctx, from, "auth_header");
		target->secret = copied(ctx, from, "secret");
		target->secret_before = copied(ctx, from, "secret_before");
	}
	return OK;
}

err_t webhook_policy_open(struct ctx *ctx, const struct webhooks *webhooks,
			  const struct webhook_policy_row *row, struct webhook_policy *ret)
{
	str secrets;
	*ret = (struct webhook_policy){ .row = *row };
	TRY(read_targets(ctx, row->targets, ret));
	if (!row->secrets.len)
		return OK;
	err_t err = secretbox_open(ctx, &webhooks->master, seal_context(ctx, row), row->secrets,
				   &secrets);
	if (err == ERR_CORRUPT) {
		ctx_forgive(ctx);
		return fail(ctx, ERR_CONFIG,
			    "master key does not open the secrets of webhook policy " STR_FMT,
			    STR_ARG(row->name));
	}
	TRY(err);
	return read_secrets(ctx, secrets, ret);
}

/* --- checking --------------------------------------------------------------------------------- */

static err_t check_address(struct ctx *ctx, const struct webhooks *webhooks,
			   const struct webhook_target *target, size_t at)
{
	if (target->address.len > WEBHOOK_ADDRESS_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "targets[%zu].address: more than %d bytes",
			    at, WEBHOOK_ADDRESS_MAX);
	if (target->kind == WEBHOOK_EMAIL)
		return webhook_mail_check(ctx, webhooks, target, at);
	if (!client_url_is_valid(target->address))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "targets[%zu].address: not an http or https URL without user info", at);
	return OK;
}

static err_t check_target(struct ctx *ctx, const struct webhooks *webhooks,
			  const struct webhook_policy *policy, size_t at)
{
	const struct webhook_target *target = &policy->targets[at];
	TRY(check_address(ctx, webhooks, target, at));
	if (!webhook_format_find(target->kind, target->format))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "targets[%zu].payload_format: " STR_FMT " has no such format", at,
			    STR_ARG(webhook_kind_info(target->kind)->name));
	const str secrets[] = { target->auth_header, target->secret, target->secret_before };
	for (size_t i = 0; i < COUNT_OF(secrets); i++)
		for (size_t k = 0; k < secrets[i].len; k++)
			if ((unsigned char)secrets[i].ptr[k] < ' ' || secrets[i].ptr[k] == 127)
				return fail(ctx, ERR_REQUEST_INVALID,
					    "targets[%zu]: a secret has control characters", at);
	return OK;
}

static err_t check(struct ctx *ctx, const struct webhooks *webhooks,
		   const struct webhook_policy *policy)
{
	const struct webhook_policy_row *row = &policy->row;
	if (!row->name.len || row->name.len > WEBHOOK_NAME_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "name has from 1 to %d bytes",
			    WEBHOOK_NAME_MAX);
	if (!row->events)
		return fail(ctx, ERR_REQUEST_INVALID, "event_types: there is none");
	if (!policy->target_count)
		return fail(ctx, ERR_REQUEST_INVALID, "targets: there is none");
	for (size_t i = 0; i < policy->target_count; i++)
		TRY(check_target(ctx, webhooks, policy, i));
	return OK;
}

/* --- saving ----------------------------------------------------------------------------------- */

static bool is_masked(str text)
{
	return str_eq(text, STR(WEBHOOK_MASK));
}

/* What was shown masked stays; of a target that was not there it is nothing. */
static void keep_masked(struct webhook_target *target, const struct webhook_target *before)
{
	if (is_masked(target->auth_header))
		target->auth_header = before->auth_header;
	if (is_masked(target->secret))
		target->secret = before->secret;
	if (is_masked(target->secret_before))
		target->secret_before = before->secret_before;
}

struct work {
	struct webhooks *webhooks;
	struct webhook_policy *policy, *list;
	struct webhook_place place;
	struct webhook_page page;
	int64_t id, total;
	size_t count;
};

static err_t update(struct ctx *ctx, struct sql_tx *tx, const struct work *work)
{
	struct webhook_policy *policy = work->policy, before;
	const struct webhook_place place = { policy->row.tenant_id, policy->row.project_id };
	struct webhook_policy_row row;
	TRY(db_webhook_policy_find(ctx, tx, place, policy->row.id, &row));
	TRY(webhook_policy_open(ctx, work->webhooks, &row, &before));
	policy->row.creator = row.creator;
	for (size_t i = 0; i < policy->target_count; i++)
		keep_masked(&policy->targets[i], &before.targets[i]);
	TRY(to_row(ctx, work->webhooks, policy));
	return db_webhook_policy_update(ctx, tx, &policy->row);
}

static err_t save_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	static const struct webhook_target nothing;
	const struct work *work = arg;
	struct webhook_policy *policy = work->policy;
	if (policy->row.id)
		return update(ctx, tx, work);
	for (size_t i = 0; i < policy->target_count; i++)
		keep_masked(&policy->targets[i], &nothing);
	TRY(to_row(ctx, work->webhooks, policy));
	int64_t id;
	TRY(db_webhook_policy_insert(ctx, tx, &policy->row, &id));
	policy->row.id = id;
	return OK;
}

static err_t run(struct ctx *ctx, enum sql_mode mode,
		 err_t (*body)(struct ctx *ctx, struct sql_tx *tx, void *arg), struct work *work)
{
	struct webhooks *webhooks = work->webhooks;
	err_t err = db_run(ctx, webhooks->options.db, mode, body, work);
	if (err == ERR_EXISTS)
		return fail(ctx, ERR_EXISTS, "there is a webhook policy of that name");
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NOT_FOUND, "there is no such webhook policy");
	TRY(err);
	if (mode != SQL_READ)
		webhooks->options.changed(webhooks->options.arg);
	return OK;
}

err_t webhook_policy_save(struct ctx *ctx, struct webhooks *webhooks, struct webhook_policy *policy)
{
	struct work work = { .webhooks = webhooks, .policy = policy };
	TRY(check(ctx, webhooks, policy));
	return run(ctx, SQL_WRITE, save_body, &work);
}

static err_t find_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct work *work = arg;
	struct webhook_policy_row row;
	TRY(db_webhook_policy_find(ctx, tx, work->place, work->id, &row));
	return webhook_policy_open(ctx, work->webhooks, &row, work->policy);
}

err_t webhook_policy_find(struct ctx *ctx, struct webhooks *webhooks, struct webhook_place place,
			  int64_t id, struct webhook_policy *ret)
{
	struct work work = { .webhooks = webhooks, .policy = ret, .place = place, .id = id };
	return run(ctx, SQL_READ, find_body, &work);
}

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct work *work = arg;
	struct webhook_policy_row *rows;
	TRY(db_webhook_policy_count(ctx, tx, work->place, &work->total));
	TRY(db_webhook_policy_list(ctx, tx, work->place, work->page, &rows, &work->count));
	work->list = ARENA_ARRAY(ctx->arena, struct webhook_policy, work->count);
	for (size_t i = 0; i < work->count; i++)
		TRY(webhook_policy_open(ctx, work->webhooks, &rows[i], &work->list[i]));
	return OK;
}

err_t webhook_policy_list(struct ctx *ctx, struct webhooks *webhooks, struct webhook_place place,
			  struct webhook_page page, struct webhook_policy **ret, size_t *ret_count,
			  int64_t *ret_total)
{
	struct work work = { .webhooks = webhooks, .place = place, .page = page };
	TRY(run(ctx, SQL_READ, list_body, &work));
	*ret = work.list;
	*ret_count = work.count;
	*ret_total = work.total;
	return OK;
}

static err_t delete_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct work *work = arg;
	return db_webhook_policy_delete(ctx, tx, work->id);
}

err_t webhook_policy_delete(struct ctx *ctx, struct webhooks *webhooks, int64_t id)
{
	struct work work = { .webhooks = webhooks, .id = id };
	return run(ctx, SQL_WRITE, delete_body, &work);
}
