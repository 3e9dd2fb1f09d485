/* SPDX-License-Identifier: Apache-2.0 */
/* audit_cadf.c - a record as a CADF event (DMTF DSP0262); see audit_format.h. */
#include "audit_format.h"
#include "base/clock.h"
#include "codec/json_writer.h"
#include "notify/audit_text.h"

#include "base/banned.h"

#define TYPE_EVENT "http://schemas.dmtf.org/cloud/audit/1.0/event"

/* Appendix A.3: actions. What is not here is `unknown/OPERATION`. */
static const struct {
	str operation;
	str action;
} actions[] = {
	{ STR_INIT("create"), STR_INIT("create") },
	{ STR_INIT("pull"), STR_INIT("read/pull") },
	{ STR_INIT("update"), STR_INIT("update") },
	{ STR_INIT("delete"), STR_INIT("delete") },
	{ STR_INIT("login"), STR_INIT("authenticate/login") },
	{ STR_INIT("logout"), STR_INIT("authenticate/logout") },
	{ STR_INIT("issue"), STR_INIT("authenticate/issue") },
	{ STR_INIT("exchange"), STR_INIT("authenticate/exchange") },
	{ STR_INIT("revoke"), STR_INIT("revoke") },
	{ STR_INIT("rotate"), STR_INIT("renew") },
	{ STR_INIT("start"), STR_INIT("start") },
	{ STR_INIT("stop"), STR_INIT("stop") },
	{ STR_INIT("export"), STR_INIT("read/export") },
	{ STR_INIT("erase"), STR_INIT("delete/erase") },
};

/* Appendix A.2: resources. */
static const struct {
	str resource_type;
	str type;
} resources[] = {
	{ STR_INIT("artifact"), STR_INIT("storage/object/artifact") },
	{ STR_INIT("tag"), STR_INIT("storage/object/tag") },
	{ STR_INIT("repository"), STR_INIT("storage/container/repository") },
	{ STR_INIT("project"), STR_INIT("data/security/project") },
	{ STR_INIT("tenant"), STR_INIT("data/security/domain") },
	{ STR_INIT("user"), STR_INIT("data/security/account/user") },
	{ STR_INIT("login"), STR_INIT("data/security/account/user") },
	{ STR_INIT("robot"), STR_INIT("data/security/account/robot") },
	{ STR_INIT("user_group"), STR_INIT("data/security/group") },
	{ STR_INIT("member"), STR_INIT("data/security/role") },
	{ STR_INIT("role"), STR_INIT("data/security/role") },
	{ STR_INIT("token"), STR_INIT("data/security/credential") },
	{ STR_INIT("access_token"), STR_INIT("data/security/credential") },
	{ STR_INIT("key"), STR_INIT("data/security/key") },
	{ STR_INIT("federation"), STR_INIT("data/security/trust") },
	{ STR_INIT("identity_provider"), STR_INIT("data/security/trust") },
	{ STR_INIT("audit"), STR_INIT("data/log") },
	{ STR_INIT("access"), STR_INIT("service/storage/registry") },
	{ STR_INIT("configuration"), STR_INIT("data/config") },
};

static str action_of(struct ctx *ctx, const struct audit_row *row)
{
	if (str_eq(row->operation, STR("deny")))
		return str_eq(row->resource_type, STR("login")) ? STR("authenticate/login")
								: STR("deny");
	for (size_t i = 0; i < COUNT_OF(actions); i++)
		if (str_eq(row->operation, actions[i].operation))
			return actions[i].action;
	return arena_printf(ctx->arena, "unknown/" STR_FMT, STR_ARG(row->operation));
}

static str resource_type_of(struct ctx *ctx, const struct audit_row *row)
{
	for (size_t i = 0; i < COUNT_OF(resources); i++)
		if (str_eq(row->resource_type, resources[i].resource_type))
			return resources[i].type;
	return arena_printf(ctx->arena, "data/" STR_FMT, STR_ARG(row->resource_type));
}

static str actor_type_of(const struct audit_row *row)
{
	if (str_eq(row->actor_type, STR("user")))
		return STR("service/security/account/user");
	return str_eq(row->actor_type, STR("robot")) ? STR("service/security/account/robot")
						     : STR("service/security/account");
}

static void write_text(struct json_writer *w, const char *key, str text)
{
	if (text.len)
		json_write_str(w, key, text);
}

static void write_initiator(struct ctx *ctx, struct json_writer *w, const struct audit_row *row,
			    const struct audit_detail *detail)
{
	json_write_object_begin(w, "initiator");
	json_write_str(w, "id",
		       arena_printf(ctx->arena, STR_FMT ":%lld", STR_ARG(row->actor_type),
				    (long long)row->actor_id));
	json_write_str(w, "typeURI", actor_type_of(row));
	write_text(w, "name", row->actor);
	write_text(w, "domain", detail->issuer);
	if (row->address.len || detail->user_agent.len) {
		json_write_object_begin(w, "host");
		write_text(w, "address", row->address);
		write_text(w, "agent", detail->user_agent);
		json_write_object_end(w);
	}
	json_write_object_end(w);
}

static void write_target(struct ctx *ctx, struct json_writer *w, const struct audit_row *row)
{
	str id = row->digest.len ? row->digest : row->resource;
	json_write_object_begin(w, "target");
	json_write_str(w, "id", id.len ? id : row->resource_type);
	json_write_str(w, "typeURI", resource_type_of(ctx, row));
	write_text(w, "name", row->resource);
	json_write_object_end(w);
}

static void write_observer(struct json_writer *w, const struct audit_sender *sender)
{
	json_write_object_begin(w, "observer");
	json_write_str(w, "id", sender->source);
	json_write_str(w, "typeURI", STR("service/storage/registry"));
	json_write_str(w, "name", STR("berth"));
	json_write_object_end(w);
}

static void write_reason(struct ctx *ctx, struct json_writer *w, const struct audit_detail *detail)
{
	if (!detail->status && !detail->reason.len)
		return;
	json_write_object_begin(w, "reason");
	if (detail->status) {
		json_write_str(w, "reasonType", STR("HTTP"));
		json_write_str(w, "reasonCode",
			       arena_printf(ctx->arena, "%lld", (long long)detail->status));
	} else {
		json_write_str(w, "reasonType", STR("berth"));
		json_write_str(w, "reasonCode", detail->reason);
	}
	json_write_object_end(w);
}

static void write_attachment(struct json_writer *w, str record)
{
	json_write_array_begin(w, "attachments");
	json_write_object_begin(w, NULL);
	json_write_str(w, "name", STR("record"));
	json_write_str(w, "typeURI", STR("application/json"));
	json_write_raw(w, "content", record);
	json_write_object_end(w);
	json_write_array_end(w);
}

void audit_format_cadf(struct ctx *ctx, struct buf *b, const struct audit_sender *sender,
		       const struct audit_row *row, str id)
{
	CLEANUP(buf_done) struct buf record = BUF_INIT(AUDIT_TEXT_BYTES_MAX);
	struct json_writer w = JSON_WRITER(b);
	struct audit_detail detail;
	char time[CLOCK_RFC3339_MAX];
	audit_text_json(ctx, &record, row);
	audit_detail_read(ctx, row, &detail);
	b->overrun |= buf_overrun(&record);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "typeURI", STR(TYPE_EVENT));
	json_write_str(&w, "id",
		       arena_printf(ctx->arena, STR_FMT "/audit/" STR_FMT, STR_ARG(sender->source),
				    STR_ARG(id)));
	json_write_str(&w, "eventType", STR("activity"));
	json_write_str(&w, "eventTime", clock_rfc3339(row->time_us, time));
	json_write_str(&w, "action", action_of(ctx, row));
	json_write_str(&w, "outcome",
		       row->result == AUDIT_ALLOWED ? STR("success") : STR("failure"));
	write_initiator(ctx, &w, row, &detail);
	write_target(ctx, &w, row);
	write_observer(&w, sender);
	write_reason(ctx, &w, &detail);
	write_attachment(&w, buf_str(&record));
	json_write_object_end(&w);
}
