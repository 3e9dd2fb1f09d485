/* SPDX-License-Identifier: Apache-2.0 */
/* audit_record.c - see audit_record.h. */
#include "audit_record.h"

#include "base/clock.h"
#include "codec/json.h"
#include "codec/json_writer.h"

#include <string.h>

#include "base/banned.h"

/* Both changes, five texts of control characters (six bytes each in JSON), and the rest. */
#define DETAIL_MAX (2 * AUDIT_CHANGE_MAX + 5 * 6 * AUDIT_TEXT_MAX + KIB(4))

static const struct json_limits change_limits = { .depth_max = 16, .values_max = 8192 };

/* --- text ----------------------------------------------------------------------------------- */

static bool is_storable(str text)
{
	return text.len <= AUDIT_TEXT_MAX && !str_has_byte(text, '\0') && str_is_utf8(text);
}

/* The length of the well-formed UTF-8 sequence that begins `text`, 0 when there is none. */
static size_t sequence_length(str text)
{
	for (size_t len = 1; len <= 4 && len <= text.len; len++)
		if (str_is_utf8(str_take(text, len)))
			return text.ptr[0] ? len : 0;
	return 0;
}

/* `text` itself when it can be stored, else a copy that can. */
static str storable(struct arena *arena, str text)
{
	if (is_storable(text))
		return text;
	CLEANUP(buf_done) struct buf b = BUF_INIT(AUDIT_TEXT_MAX + 4);
	while (text.len && b.len < AUDIT_TEXT_MAX - 4) {
		size_t len = sequence_length(text);
		buf_add(&b, len ? str_take(text, len) : STR("\xef\xbf\xbd"));
		text = str_skip(text, len ? len : 1);
	}
	return arena_copy(arena, buf_str(&b));
}

/* --- changes -------------------------------------------------------------------------------- */

bool audit_is_secret(str name)
{
	static const str words[] = {
		STR_INIT("password"),	STR_INIT("passwd"),	  STR_INIT("secret"),
		STR_INIT("token"),	STR_INIT("credential"),	  STR_INIT("private"),
		STR_INIT("access_key"), STR_INIT("accesskey"),	  STR_INIT("api_key"),
		STR_INIT("apikey"),	STR_INIT("passphrase"),	  STR_INIT("authorization"),
		STR_INIT("cookie"),	STR_INIT("database_url"),
	};
	char lower[128];
	if (name.len > sizeof lower)
		return true; /* no name of ours: rather hide it */
	for (size_t i = 0; i < name.len; i++)
		lower[i] = (char)(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? name.ptr[i] | 0x20
									   : name.ptr[i]);
	size_t at;
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_find((str){ lower, name.len }, words[i], &at))
			return true;
	return false;
}

static void write_scalar(struct json_writer *w, const struct json_value *v)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(AUDIT_CHANGE_MAX);
	size_t len = json_value_print(v, NULL, 0);
	char *into = len ? buf_reserve(&b, len) : NULL;
	if (into)
		json_value_print(v, into, len);
	json_write_raw(w, NULL, into ? (str){ into, len } : STR("null"));
}

/* A truth value says whether there is a secret, and `token_expiration` is a number: only what can
 * spell a secret is masked. */
static bool is_masked(str key, const struct json_value *v)
{
	bool can_spell = json_value_is_str(v) || json_value_is_object(v) || json_value_is_array(v);
	return can_spell && audit_is_secret(key) &&
	       !(json_value_is_str(v) && !json_value_str(v).len);
}

static void write_masked(struct json_writer *w, const struct json_value *v, unsigned depth);

static void write_member(struct json_writer *w, str key, const struct json_value *v, unsigned depth)
{
	json_write_key(w, key);
	if (is_masked(key, v))
		json_write_str(w, NULL, STR(AUDIT_MASK));
	else
		write_masked(w, v, depth);
}

/* As deep as change_limits lets the parser go. */
static void write_masked(struct json_writer *w, const struct json_value *v, unsigned depth)
{
	CHECK(depth <= change_limits.depth_max);
	if (json_value_is_object(v)) {
		str key;
		const struct json_value *value;
		json_write_object_begin(w, NULL);
		for (void *at = NULL; json_next_member(v, &at, &key, &value);)
			write_member(w, key, value, depth + 1);
		json_write_object_end(w);
	} else if (json_value_is_array(v)) {
		json_write_array_begin(w, NULL);
		for (size_t i = 0; i < json_count(v); i++)
			write_masked(w, json_element(v, i), depth + 1);
		json_write_array_end(w);
	} else {
		write_scalar(w, v);
	}
}

static bool same_value(const struct json_value *a, const struct json_value *b)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(2 * AUDIT_CHANGE_MAX);
	size_t len = json_value_print(a, NULL, 0);
	if (len == 0 || len != json_value_print(b, NULL, 0))
		return false;
	char *into = buf_reserve(&text, 2 * len);
	if (!into)
		return false;
	json_value_print(a, into, len);
	json_value_print(b, into + len, len);
	return memcmp(into, into + len, len) == 0;
}

static const struct json_value *member_of(const struct json_value *object, str wanted)
{
	str key;
	const struct json_value *value;
	if (!json_value_is_object(object))
		return NULL;
	for (void *at = NULL; json_next_member(object, &at, &key, &value);)
		if (str_eq(key, wanted))
			return value;
	return NULL;
}

static bool write_difference(struct json_writer *w, const struct json_value *v,
			     const struct json_value *other)
{
	bool differs = false;
	str key;
	const struct json_value *value;
	json_write_object_begin(w, NULL);
	for (void *at = NULL; json_next_member(v, &at, &key, &value);) {
		const struct json_value *there = member_of(other, key);
		if (there && same_value(value, there))
			continue;
		write_member(w, key, value, 1);
		differs = true;
	}
	json_write_object_end(w);
	return differs;
}

str audit_change_make(struct arena *arena, str json, str other)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	CLEANUP(json_done) struct json_document other_doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	if (json.len > AUDIT_CHANGE_MAX)
		return STR(AUDIT_CHANGE_TOO_LARGE);
	if (!json_parse(json, change_limits, &doc, &problem) || !json_value_is_object(doc.root))
		return STR(AUDIT_CHANGE_MALFORMED);
	if (other.len && other.len <= AUDIT_CHANGE_MAX)
		(void)json_parse(other, change_limits, &other_doc, &problem);

	CLEANUP(buf_done) struct buf b = BUF_INIT(AUDIT_CHANGE_MAX);
	struct json_writer w = JSON_WRITER(&b);
	if (!write_difference(&w, doc.root, other_doc.root))
		return STR_NONE;
	return buf_overrun(&b) ? STR(AUDIT_CHANGE_TOO_LARGE) : arena_copy(arena, buf_str(&b));
}

static void write_change(struct ctx *ctx, struct json_writer *w, const char *key, str json,
			 str other)
{
	str change = json.len ? audit_change_make(ctx->arena, json, other) : STR_NONE;
	if (change.len)
		json_write_raw(w, key, change);
}

/* --- the row -------------------------------------------------------------------------------- */

static void write_text(struct ctx *ctx, struct json_writer *w, const char *key, str text)
{
	if (text.len)
		json_write_str(w, key, storable(ctx->arena, text));
}

static str make_detail(struct ctx *ctx, const struct audit_event *event, int64_t last_us)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(DETAIL_MAX);
	struct json_writer w = JSON_WRITER(&b);
	json_write_object_begin(&w, NULL);
	if (event->count > 1)
		json_write_i64(&w, "count", event->count);
	if (event->count > 1 && last_us)
		json_write_i64(&w, "last_us", last_us);
	if (event->status)
		json_write_i64(&w, "status", event->status);
	write_text(ctx, &w, "reason", event->reason);
	write_text(ctx, &w, "issuer", event->issuer);
	write_text(ctx, &w, "on_behalf_of", event->on_behalf_of);
	write_text(ctx, &w, "token_id", event->token_id);
	write_text(ctx, &w, "user_agent", event->user_agent);
	write_change(ctx, &w, "before", event->before, event->after);
	write_change(ctx, &w, "after", event->after, event->before);
	json_write_object_end(&w);
	CHECK(!buf_overrun(&b));
	return arena_copy(ctx->arena, buf_str(&b));
}

struct audit_row audit_record_make(struct ctx *ctx, const struct audit_event *event,
				   int64_t last_us)
{
	const struct audit_type_info *type = audit_type_info(event->type);
	return (struct audit_row){
		.time_us = event->time_us ? event->time_us : clock_wall_us(),
		.tenant_id = event->tenant_id,
		.project_id = event->project_id,
		.project = storable(ctx->arena, event->project),
		.actor_type = event->actor_type.len ? event->actor_type : STR("system"),
		.actor_id = event->actor_id,
		.actor = storable(ctx->arena, event->actor.len ? event->actor : STR("berth")),
		.operation = type->operation,
		.resource_type = type->resource_type,
		.resource = storable(ctx->arena, event->resource),
		.digest = storable(ctx->arena, event->digest),
		.address = storable(ctx->arena, event->address),
		.request_id = storable(ctx->arena,
				       event->request_id.len ? event->request_id : ctx->request_id),
		.result = event->result,
		.detail = make_detail(ctx, event, last_us),
	};
}
