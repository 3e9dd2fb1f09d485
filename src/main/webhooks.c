/* SPDX-License-Identifier: Apache-2.0 */
/* webhooks.c - webhooks as the options want them. */
#include "notify/webhook.h"
#include "auth/keys.h"
#include "program.h"
#include "registry/event.h"

#include "base/banned.h"

static void policies_changed(void *registry)
{
	event_policies_changed(registry);
}

static err_t read_mail(struct ctx *ctx, const struct program *p, struct webhook_mail *ret)
{
	const struct config *config = &p->config;
	*ret = (struct webhook_mail){
		.server = { .host = config->smtp_host,
			    .port = (unsigned)config->smtp_port,
			    .tls = (enum smtp_tls)config->smtp_tls,
			    .user = config->smtp_user,
			    .password = config->smtp_password,
			    .timeout_ms = (int)config->smtp_timeout_ms },
		.from = config->smtp_from,
		.recipients = config->smtp_recipients,
	};
	return program_read_pem(ctx, config->smtp_ca_certificate, "smtp.ca_certificate",
				&ret->server.ca_pem);
}

err_t program_open_webhooks(struct ctx *ctx, struct program *p)
{
	CLEANUP(secretbox_key_done) struct secretbox_key key;
	struct webhooks_options options = {
		.db = p->db,
		.master = &key,
		.allow = p->config.webhooks_allow,
		.timeout_ms = p->config.webhooks_timeout_ms,
		.retry_for_ms = p->config.webhooks_retry_for_ms,
		.changed = policies_changed,
		.arg = p->registry,
	};
	TRY(master_key_read(ctx, program_master_key_path(ctx, p), false, &key));
	TRY(read_mail(ctx, p, &options.mail));
	return webhooks_new(ctx, &options, &p->webhooks);
}
