/* SPDX-License-Identifier: Apache-2.0 */
/* webhook_internal.h - what the files of webhooks share. */
#pragma once

#include "crypto/secretbox.h"
#include "http/client.h"
#include "notify/webhook.h"

struct webhooks {
	struct arena memory; /* of the options */
	struct webhooks_options options;
	struct secretbox_key master;
	struct client *guarded; /* for receivers that projects and tenants name */
	struct client *free;	/* for the system's own */
	_Atomic(uint64_t) results[WEBHOOK_KIND_COUNT][WEBHOOK_RESULT_COUNT];
};

/* One attempt, whatever the kind of target. `*ret_final`: as below. */
err_t webhook_try(struct ctx *ctx, const struct webhooks *webhooks,
		  const struct webhook_policy *policy, const struct webhook_delivery *delivery,
		  struct webhook_attempt *ret, bool *ret_final);

/* What came of it, for the metrics; of a target that is gone nothing. */
void webhook_count(struct webhooks *webhooks, const struct webhook_policy *policy, int64_t target,
		   enum webhook_result result);

/* One attempt by e-mail. `*ret_final`: it failed, and will not do better. */
err_t webhook_mail_send(struct ctx *ctx, const struct webhooks *webhooks,
			const struct webhook_policy *policy,
			const struct webhook_delivery *delivery, struct webhook_attempt *ret,
			bool *ret_final);
/* ERR_REQUEST_INVALID with what is wrong, when nothing can be sent to such a target. */
err_t webhook_mail_check(struct ctx *ctx, const struct webhooks *webhooks,
			 const struct webhook_target *target, size_t at);
