/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - see audit.h: life, writing and noting. */
#include "notify/audit.h"
#include "internal.h"

#include "base/clock.h"
#include "base/mem.h"

#include "base/banned.h"

#define QUEUE_BYTES_MAX_DEFAULT MIB(4)
#define FLUSH_DEFAULT_MS	1000
#define CHECKPOINT_DEFAULT_S	60

static void audit_done(struct audit **audit)
{
	audit_free(*audit);
}

err_t audit_new(struct ctx *ctx, const struct audit_options *options, struct audit **ret)
{
	CLEANUP(audit_done) struct audit *audit = NEW(struct audit);
	audit->options = *options;
	struct audit_options *o = &audit->options;
	o->queue_bytes_max = o->queue_bytes_max ? o->queue_bytes_max : QUEUE_BYTES_MAX_DEFAULT;
	o->flush_ms = o->flush_ms ? o->flush_ms : FLUSH_DEFAULT_MS;
	o->checkpoint_s = o->checkpoint_s ? o->checkpoint_s : CHECKPOINT_DEFAULT_S;
	audit->unsigned_places = true; /* who knows what was left */
	if (o->checkpoint_path.len)
		audit->checkpoint_path = mem_copy(o->checkpoint_path);
	audit_queue_init(&audit->queue, o->queue_bytes_max);
	pthread_mutex_init(&audit->lock, NULL);
	pthread_mutex_init(&audit->check_lock, NULL);
	thread_condition_init(&audit->wake);
	audit_disable(audit, &(struct audit_types){ 0 });
	atomic_init(&audit->skip_since_us, INT64_MAX);
	audit->forward = forward_new(&o->forward);
	o->forward = (struct forward_options){ 0 };
	if (o->master_key)
		TRY_CTX(ctx, audit_keys_open(ctx, o->db, o->master_key, true, &audit->keys),
			"audit keys");
	o->master_key = NULL;
	o->checkpoint_path = STR_NONE;
	*ret = take(audit);
	return OK;
}

void audit_free(struct audit *audit)
{
	if (!audit)
		return;
	CHECK(!audit->started);
	while (audit->taken) {
		struct audit_note *note = audit->taken;
		audit->taken = note->next;
		audit_queue_release(&audit->queue, note);
	}
	audit_queue_done(&audit->queue);
	forward_free(audit->forward);
	jws_ring_free(audit->keys);
	free(audit->checkpoint_path);
	pthread_cond_destroy(&audit->wake);
	pthread_mutex_destroy(&audit->check_lock);
	pthread_mutex_destroy(&audit->lock);
	free(audit);
}

bool audit_wants(const struct audit *audit, enum audit_type type)
{
	return audit && !(atomic_load_explicit(&audit->disabled[AUDIT_TYPE_WORD(type)],
					       memory_order_relaxed) &
			  AUDIT_TYPE_BIT(type));
}

void audit_disable(struct audit *audit, const struct audit_types *types)
{
	struct audit_types disabled = { 0 };
	for (unsigned type = 0; type < AUDIT_TYPE_COUNT; type++)
		if (audit_type_info(type)->optional &&
		    (audit_types_has(types, type) ||
		     audit_types_has(&audit->options.disabled, type)))
			audit_types_add(&disabled, type);
	for (size_t i = 0; i < AUDIT_TYPE_WORDS; i++)
		atomic_store_explicit(&audit->disabled[i], disabled.words[i], memory_order_relaxed);
}

void audit_skip_database(struct audit *audit, bool skip)
{
	int64_t since_us = atomic_load(&audit->skip_since_us);
	if (skip != (since_us != INT64_MAX))
		atomic_store(&audit->skip_since_us, skip ? clock_wall_us() : INT64_MAX);
}

struct forward *audit_forward(struct audit *audit)
{
	return audit->forward;
}

static bool is_always_kept(const struct audit_row *row)
{
	enum audit_type type;
	return !audit_type_find_by(row->operation, row->resource_type, &type) ||
	       !audit_type_info(type)->optional || type == AUDIT_UPDATE_CONFIGURATION;
}

bool audit_skips(struct audit *audit, const struct audit_row *row)
{
	return row->time_us >= atomic_load(&audit->skip_since_us) && !is_always_kept(row) &&
	       forward_wanted(audit->forward);
}

err_t audit_write(struct ctx *ctx, struct audit *audit, struct sql_tx *tx,
		  const struct audit_event *event)
{
	if (!audit_wants(audit, event->type))
		return OK;
	struct audit_row row = audit_record_make(ctx, event, 0);
	TRY_CTX(ctx, db_audit_insert(ctx, tx, &row), "audit");
	atomic_fetch_add_explicit(&audit->written, 1, memory_order_relaxed);
	return OK;
}

void audit_note(struct audit *audit, const struct audit_event *event)
{
	if (audit_wants(audit, event->type) && audit_queue_put(&audit->queue, event))
		audit_wake(audit);
}

void audit_stats(struct audit *audit, struct audit_stats *ret)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&audit->queue.lock);
	*ret = (struct audit_stats){
		.written = atomic_load_explicit(&audit->written, memory_order_relaxed),
		.noted = audit->queue.noted,
		.dropped = audit->queue.dropped,
		.queued_bytes = audit->queue.bytes,
	};
}
