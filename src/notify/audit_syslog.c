/* SPDX-License-Identifier: Apache-2.0 */
/* audit_syslog.c - a record as a syslog message; see audit_format.h. */
#include "audit_format.h"
#include "codec/syslog.h"
#include "notify/audit_text.h"

#include "base/banned.h"

#define DATA_ID "audit@32473"

static enum syslog_severity severity_of(enum audit_result result)
{
	if (result == AUDIT_ALLOWED)
		return SYSLOG_INFORMATIONAL;
	return result == AUDIT_FAILED ? SYSLOG_NOTICE : SYSLOG_WARNING;
}

void audit_format_syslog(struct ctx *ctx, struct buf *b, const struct audit_sender *sender,
			 const struct audit_row *row, str id)
{
	CLEANUP(buf_done) struct buf json = BUF_INIT(AUDIT_TEXT_BYTES_MAX);
	audit_text_json(ctx, &json, row);
	b->overrun |= buf_overrun(&json);
	const struct syslog_param params[] = {
		{ "id", id },
		{ "result", row->result < AUDIT_RESULT_COUNT
				    ? str_from(audit_result_name(row->result))
				    : STR_NONE },
		{ "actor", row->actor },
		{ "actor_type", row->actor_type },
		{ "address", row->address },
		{ "resource", row->resource },
		{ "project", row->project },
		{ "request_id", row->request_id },
	};
	const struct syslog_message message = {
		.facility = sender->facility,
		.severity = severity_of(row->result),
		.time_us = row->time_us,
		.host = sender->host,
		.app = STR("berth"),
		.process = sender->process,
		.id = audit_type_name(row),
		.data_id = DATA_ID,
		.params = params,
		.param_count = COUNT_OF(params),
		.msg = buf_str(&json),
	};
	syslog_write_framed(b, AUDIT_FORMAT_BYTES_MAX, &message);
}
