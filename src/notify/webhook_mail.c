/* SPDX-License-Identifier: Apache-2.0 */
/* webhook_mail.c - see webhook_format.h and webhook_internal.h: a delivery as an e-mail. */
#include "base/clock.h"
#include "base/glob.h"
#include "codec/json.h"
#include "webhook_format.h"
#include "webhook_internal.h"

#include "base/banned.h"

/* Neither of the two encodings in its parts can have "=_". */
#define BOUNDARY "=_event"

/* --- the message ------------------------------------------------------------------------------ */

static str domain_of(str address)
{
	str local, domain = STR_NONE;
	(void)str_cut_last(address, '@', &local, &domain);
	return domain;
}

/* RFC 5322 §3.3, whose zone is a number now. */
static void write_date(struct buf *b, int64_t at_us)
{
	char text[CLOCK_HTTP_MAX];
	str date = clock_http_date(at_us, text);
	buf_add(b, STR("Date: "));
	buf_add(b, str_take(date, date.len - 3)); /* "GMT" */
	buf_add(b, STR("+0000\r\n"));
}

/* Not what a payload says, which may be anything: a delivery is the same letter every time. */
static void write_ids(struct buf *b, const struct webhook_message *message)
{
	str domain = domain_of(message->from);
	buf_printf(b, "Message-ID: <delivery-%lld.%lld@" STR_FMT ">\r\n",
		   (long long)message->delivery_id, (long long)message->at_us, STR_ARG(domain));
	buf_printf(b, "List-Id: <policy-%lld.webhooks." STR_FMT ">\r\n",
		   (long long)message->source.policy_id, STR_ARG(domain));
	buf_printf(b, "Berth-Delivery: %lld\r\n", (long long)message->delivery_id);
}

static err_t write_head(struct ctx *ctx, const struct webhook_message *message, struct buf *b)
{
	str subject;
	const struct mail_list from = { { message->from }, 1 };
	TRY(webhook_subject(ctx, &message->source, &subject));
	write_date(b, message->at_us);
	mail_write_addresses(b, "From", &from);
	mail_write_addresses(b, "To", message->to);
	mail_write_field(b, "Subject", subject);
	write_ids(b, message);
	mail_write_field(b, "Berth-Event", webhook_event_info(message->source.event)->name);
	mail_write_field(b, "Berth-Policy", message->policy_name);
	if (message->request_id.len)
		mail_write_field(b, "Berth-Request", message->request_id);
	buf_add(b, STR("Auto-Submitted: auto-generated\r\n"
		       "MIME-Version: 1.0\r\n"
		       "Content-Type: multipart/mixed; boundary=\"" BOUNDARY "\"\r\n\r\n"));
	return OK;
}

err_t webhook_message_write(struct ctx *ctx, const struct webhook_message *message, struct buf *b)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(WEBHOOK_BODY_MAX);
	TRY(write_head(ctx, message, b));
	TRY(webhook_format_find(WEBHOOK_EMAIL, STR_NONE)->write(ctx, &message->source, &text));
	buf_add(b, STR("--" BOUNDARY "\r\n"
		       "Content-Type: text/plain; charset=utf-8\r\n"
		       "Content-Transfer-Encoding: quoted-printable\r\n\r\n"));
	mail_write_text(b, buf_str(&text));
	buf_add(b, STR("--" BOUNDARY "\r\n"
		       "Content-Type: application/json\r\n"
		       "Content-Disposition: attachment; filename=\"event.json\"\r\n"
		       "Content-Transfer-Encoding: base64\r\n\r\n"));
	mail_write_bytes(b, message->source.payload);
	buf_add(b, STR("--" BOUNDARY "--\r\n"));
	if (buf_overrun(b))
		return fail(ctx, ERR_LIMIT, "the message has more than %zu bytes", b->max);
	return OK;
}

/* --- sending ---------------------------------------------------------------------------------- */

static bool may_get_mail(const struct webhooks *webhooks, str address)
{
	str patterns = webhooks->options.mail.recipients, pattern;
	if (!patterns.len)
		return true;
	while (str_next(&patterns, ',', &pattern))
		if (glob_match(str_trim(pattern), address))
			return true;
	return false;
}

/* Looked at when it is sent, too: what an operator forbids ends for policies that are there. */
static err_t read_recipients(struct ctx *ctx, const struct webhooks *webhooks, str address,
			     struct mail_list *ret)
{
	if (!webhooks_can(webhooks, WEBHOOK_EMAIL))
		return fail(ctx, ERR_REQUEST_INVALID, "this registry has no mail server");
	if (!mail_list_parse(address, ret))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "not a list of 1 to %d addresses as mailto:a@example.com,b@example.com",
			    MAIL_RECIPIENTS_MAX);
	for (size_t i = 0; i < ret->count; i++)
		if (!may_get_mail(webhooks, ret->addresses[i]))
			return fail(ctx, ERR_REQUEST_INVALID,
				    STR_FMT " is not among those who may get mail",
				    STR_ARG(ret->addresses[i]));
	return OK;
}

err_t webhook_mail_check(struct ctx *ctx, const struct webhooks *webhooks,
			 const struct webhook_target *target, size_t at)
{
	struct mail_list to;
	TRY_CTX(ctx, read_recipients(ctx, webhooks, target->address, &to), "targets[%zu].address",
		at);
	if (target->auth_header.len || target->secret.len || target->secret_before.len ||
	    target->skip_cert_verify)
		return fail(ctx, ERR_REQUEST_INVALID,
			    "targets[%zu]: e-mail has neither secrets nor skip_cert_verify", at);
	return OK;
}

err_t webhook_mail_send(struct ctx *ctx, const struct webhooks *webhooks,
			const struct webhook_policy *policy,
			const struct webhook_delivery *delivery, struct webhook_attempt *ret,
			bool *ret_final)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(2 * WEBHOOK_BODY_MAX);
	const struct webhook_mail *mail = &webhooks->options.mail;
	struct mail_list to;
	struct smtp_answer answer;
	*ret_final = false;
	TRY(read_recipients(ctx, webhooks, policy->targets[delivery->target].address, &to));
	const struct webhook_message message = {
		.from = mail->from,
		.to = &to,
		.policy_name = policy->row.name,
		.request_id = webhook_origin_of(ctx, delivery).request_id,
		.delivery_id = delivery->id,
		.at_us = delivery->created_at_us,
		.source = webhook_source_of(policy, delivery),
	};
	TRY(webhook_message_write(ctx, &message, &text));
	ret->request = arena_copy(ctx->arena, str_take(buf_str(&text), WEBHOOK_SHOWN_MAX));
	err_t err = smtp_send(ctx, &mail->server, mail->from, &to, buf_str(&text), &answer);
	ret->status = answer.status;
	ret->response = answer.dialog;
	*ret_final = err != OK && answer.is_final;
	return err;
}
