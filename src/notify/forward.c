/* SPDX-License-Identifier: Apache-2.0 */
/* forward.c - see notify/forward.h: all targets together. */
#include "notify/forward.h"

#include "base/clock.h"
#include "base/mem.h"
#include "crypto/random.h"
#include "forward_stream.h"
#include "forward_target.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

#define OPTIONS_BYTES_MAX	  KIB(512)
#define QUEUE_BYTES_MAX_DEFAULT	  MIB(16)
#define QUEUE_RECORDS_MAX_DEFAULT 100000
#define HOST_BYTES_MAX		  256

enum { TARGET_SYSLOG, TARGET_SETTING, TARGET_CLOUDEVENTS, TARGET_CADF, TARGET_COUNT };
_Static_assert(TARGET_COUNT == FORWARD_TARGETS_MAX, "a report has room for all");

static const struct {
	const char *name;
	const struct forward_driver *driver;
	size_t address, authorization; /* in the options; 0: none */
} table[TARGET_COUNT] = {
	[TARGET_SYSLOG] = { "syslog", &forward_syslog, offsetof(struct forward_options, syslog),
			    0 },
	[TARGET_SETTING] = { "setting", &forward_syslog, 0, 0 },
	[TARGET_CLOUDEVENTS] = { "cloudevents", &forward_cloudevents,
				 offsetof(struct forward_options, cloudevents),
				 offsetof(struct forward_options, cloudevents_authorization) },
	[TARGET_CADF] = { "cadf", &forward_cadf, offsetof(struct forward_options, cadf),
			  offsetof(struct forward_options, cadf_authorization) },
};

struct forward {
	struct arena memory; /* of the options and the sender */
	struct forward_options options;
	struct audit_sender sender;
	struct forward_target targets[TARGET_COUNT];
};

/* --- life ----------------------------------------------------------------------------------- */

static str *option_at(struct forward_options *options, size_t offset)
{
	return (str *)(void *)((char *)options + offset);
}

static void keep_options(struct forward *forward, const struct forward_options *given)
{
	static const size_t texts[] = {
		offsetof(struct forward_options, syslog),
		offsetof(struct forward_options, cloudevents),
		offsetof(struct forward_options, cloudevents_authorization),
		offsetof(struct forward_options, cadf),
		offsetof(struct forward_options, cadf_authorization),
		offsetof(struct forward_options, ca_pem),
		offsetof(struct forward_options, certificate_path),
		offsetof(struct forward_options, key_path),
		offsetof(struct forward_options, source),
	};
	struct forward_options *options = &forward->options;
	*options = *given;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		str *text = option_at(options, texts[i]);
		*text = arena_copy(&forward->memory, *text);
	}
	if (!options->queue_bytes_max)
		options->queue_bytes_max = QUEUE_BYTES_MAX_DEFAULT;
	if (!options->queue_records_max)
		options->queue_records_max = QUEUE_RECORDS_MAX_DEFAULT;
}

static void make_sender(struct forward *forward)
{
	char host[HOST_BYTES_MAX] = "";
	struct arena *memory = &forward->memory;
	str source = forward->options.source;
	(void)gethostname(host, sizeof host - 1);
	forward->sender = (struct audit_sender){
		.source = source.len ? source : arena_printf(memory, "berth://%s", host),
		.host = arena_copy(memory, str_from(host)),
		.process = arena_printf(memory, "%d", (int)getpid()),
		.facility = forward->options.facility,
	};
}

struct forward *forward_new(const struct forward_options *options)
{
	struct forward *forward = NEW(struct forward);
	arena_init(&forward->memory, OPTIONS_BYTES_MAX);
	keep_options(forward, options);
	make_sender(forward);
	for (size_t i = 0; i < TARGET_COUNT; i++) {
		struct forward_target *target = &forward->targets[i];
		forward_target_init(target, table[i].name, table[i].driver, &forward->options);
		if (table[i].authorization)
			target->link.authorization =
				*option_at(&forward->options, table[i].authorization);
		if (i != TARGET_SETTING)
			forward_target_aim(target, *option_at(&forward->options, table[i].address));
	}
	return forward;
}

void forward_free(struct forward *forward)
{
	if (!forward)
		return;
	for (size_t i = 0; i < TARGET_COUNT; i++)
		forward_target_done(&forward->targets[i]);
	arena_done(&forward->memory);
	free(forward);
}

err_t forward_start(struct ctx *ctx, struct forward *forward)
{
	for (size_t i = 0; i < TARGET_COUNT; i++)
		if (forward_target_is_on(&forward->targets[i]))
			TRY(forward_target_start(ctx, &forward->targets[i]));
	return OK;
}

void forward_stop(struct forward *forward)
{
	if (!forward)
		return;
	int64_t until_ns = clock_now_ns() + forward->options.drain_timeout_ms * CLOCK_MS;
	for (size_t i = 0; i < TARGET_COUNT; i++)
		forward_target_stop_begin(&forward->targets[i], until_ns);
	for (size_t i = 0; i < TARGET_COUNT; i++)
		forward_target_stop_end(&forward->targets[i]);
}

/* --- records -------------------------------------------------------------------------------- */

bool forward_wanted(struct forward *forward)
{
	for (size_t i = 0; i < TARGET_COUNT; i++)
		if (forward_target_is_on(&forward->targets[i]))
			return true;
	return false;
}

/* A record that is kept nowhere has no number. */
static str make_id(struct ctx *ctx, const struct audit_row *row)
{
	char uuid[UUID_TEXT_LEN + 1];
	if (row->id)
		return arena_printf(ctx->arena, "%" PRId64, row->id);
	random_uuid(uuid);
	return arena_copy(ctx->arena, str_from(uuid));
}

bool forward_record(struct ctx *ctx, struct forward *forward, const struct audit_row *row)
{
	str id = make_id(ctx, row);
	bool all = true;
	for (size_t i = 0; i < TARGET_COUNT; i++) {
		struct forward_target *target = &forward->targets[i];
		if (!forward_target_is_on(target))
			continue;
		CLEANUP(buf_done) struct buf message = BUF_INIT(AUDIT_FORMAT_BYTES_MAX + 16);
		target->driver->format(ctx, &message, &forward->sender, row, id);
		all &= forward_target_put(target, &message);
	}
	return all;
}

/* --- Harbor's setting ----------------------------------------------------------------------- */

err_t forward_set_endpoint(struct ctx *ctx, struct forward *forward, str endpoint)
{
	struct forward_target *target = &forward->targets[TARGET_SETTING];
	if (endpoint.len)
		TRY(forward_target_start(ctx, target));
	forward_target_aim(target, endpoint);
	return OK;
}

err_t forward_probe(struct ctx *ctx, struct forward *forward, str endpoint)
{
	CLEANUP(stream_close) struct stream *stream = NULL;
	return forward_stream_open(ctx, &forward->options, endpoint, &stream);
}

/* --- looking -------------------------------------------------------------------------------- */

size_t forward_list(struct ctx *ctx, struct forward *forward,
		    struct forward_report ret[FORWARD_TARGETS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < TARGET_COUNT; i++) {
		forward_target_report(ctx, &forward->targets[i], &ret[count]);
		count += ret[count].state != FORWARD_OFF;
	}
	return count;
}

const char *forward_state_name(enum forward_state state)
{
	static const char *const names[] = { "off", "idle", "connected", "failing" };
	return names[state];
}
