/* SPDX-License-Identifier: Apache-2.0 */
/* audit_check.c - see notify/audit_check.h. */
#include "notify/audit_check.h"
#include "internal.h"

#include "base/clock.h"
#include "base/log.h"

#include "base/banned.h"

#define ARENA_BYTES_MAX MIB(64)

static void tell(const struct ctx *ctx, err_t err, const struct audit_verdict *verdict)
{
	if (err != OK)
		LOG(LOG_WARN, "the audit trail could not be verified",
		    LOG_CSTR("detail", ctx->failure.detail));
	else if (!verdict->intact)
		LOG(LOG_ERROR, "the audit trail was changed",
		    LOG_CSTR("difference", verdict->difference), LOG_I64("place", verdict->seq));
}

static void *run(void *arg)
{
	struct audit *audit = arg;
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, ARENA_BYTES_MAX);
	struct ctx ctx;
	ctx_init(&ctx, &arena);
	ctx.cancelled = &audit->check_cancelled;
	const struct audit_verify_options options = {
		.db = audit->options.db,
		.keys = audit->keys,
		.checkpoint_path = str_from(audit->checkpoint_path ? audit->checkpoint_path : ""),
	};
	struct audit_verdict verdict = { 0 };
	err_t err = audit_verify(&ctx, &options, &verdict);
	tell(&ctx, err, &verdict);
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&audit->check_lock);
	audit->check.running = false;
	audit->check.finished_at_us = clock_wall_us();
	audit->check.failed = err != OK;
	audit->check.verdict = verdict;
	return NULL;
}

/* The thread that has ended, or is made to. */
static void join(struct audit *audit)
{
	if (audit->check_joinable)
		pthread_join(audit->check_thread, NULL);
	audit->check_joinable = false;
}

err_t audit_check_start(struct ctx *ctx, struct audit *audit)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&audit->check_lock);
	if (audit->check.running)
		return fail(ctx, ERR_EXISTS, "the trail is being verified");
	join(audit);
	struct audit_check last = audit->check;
	audit->check = (struct audit_check){ .running = true, .started_at_us = clock_wall_us() };
	err_t err = thread_start(ctx, "audit-verify", run, audit, &audit->check_thread);
	audit->check_joinable = err == OK;
	if (err != OK)
		audit->check = last; /* what never ran has found nothing */
	return err;
}

void audit_check_state(struct audit *audit, struct audit_check *ret)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&audit->check_lock);
	*ret = audit->check;
}

void audit_check_stop(struct audit *audit)
{
	atomic_store(&audit->check_cancelled, true);
	join(audit);
}
