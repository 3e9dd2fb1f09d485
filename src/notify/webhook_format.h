/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webhook_format.h - a delivery as each kind of receiver reads it; pure.
 *
 * All are made of Harbor's default payload (model/webhook.h) and of what a delivery says besides.
 */
#pragma once

#include "codec/traceparent.h"
#include "notify/webhook.h"

#define WEBHOOK_BODY_MAX    KIB(64)
#define WEBHOOK_FORMATS_MAX 2

struct webhook_source {
	str payload, extra; /* of the delivery */
	enum webhook_event event;
	int64_t policy_id, project_id;
};

struct webhook_source webhook_source_of(const struct webhook_policy *policy,
					const struct webhook_delivery *delivery);

/* In what a delivery's event happened: the request, and its trace. Rows of before have none. */
struct webhook_origin {
	str request_id; /* may be empty */
	bool has_trace;
	struct trace trace;
};
/* Its strs are in the arena. */
struct webhook_origin webhook_origin_of(struct ctx *ctx, const struct webhook_delivery *delivery);

struct webhook_format {
	str name;
	str content_type;
	/* ERR_CORRUPT when the payload is none. */
	err_t (*write)(struct ctx *ctx, const struct webhook_source *source, struct buf *b);
};

/* What the subject of an e-mail says: "PUSH_ARTIFACT library/app:v1". */
err_t webhook_subject(struct ctx *ctx, const struct webhook_source *source, str *ret);

/*
 * The whole message (RFC 5322, MIME): what people read as text, and Harbor's default payload as
 * `event.json`.
 */
struct webhook_message {
	str from;
	const struct mail_list *to;
	str policy_name, request_id; /* the second may be empty */
	int64_t delivery_id, at_us;
	struct webhook_source source;
};
err_t webhook_message_write(struct ctx *ctx, const struct webhook_message *message, struct buf *b);

struct webhook_kind_info {
	str name; /* Harbor's notify_type */
	struct webhook_format formats[WEBHOOK_FORMATS_MAX];
	size_t format_count;
};
const struct webhook_kind_info *webhook_kind_info(enum webhook_kind kind);
bool webhook_kind_find(str name, enum webhook_kind *ret);
/* NULL when the kind has no such format; the first one for an empty name. */
const struct webhook_format *webhook_format_find(enum webhook_kind kind, str name);
