/* SPDX-License-Identifier: Apache-2.0 */
/* audit_cloudevent.c - a record as a CloudEvent; see audit_format.h. */
#include "audit_format.h"
#include "base/clock.h"
#include "codec/json_writer.h"
#include "notify/audit_text.h"

#include "base/banned.h"

void audit_format_cloudevent(struct ctx *ctx, struct buf *b, const struct audit_sender *sender,
			     const struct audit_row *row, str id)
{
	CLEANUP(buf_done) struct buf data = BUF_INIT(AUDIT_TEXT_BYTES_MAX);
	struct json_writer w = JSON_WRITER(b);
	char time[CLOCK_RFC3339_MAX];
	str type = audit_type_name(row);
	audit_text_json(ctx, &data, row);
	b->overrun |= buf_overrun(&data);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "specversion", STR("1.0"));
	json_write_str(&w, "id", id);
	json_write_str(&w, "source", sender->source);
	json_write_str(&w, "type",
		       arena_printf(ctx->arena, "berth.audit." STR_FMT,
				    STR_ARG(type.len ? type : STR("unknown"))));
	json_write_str(&w, "time", clock_rfc3339(row->time_us, time));
	if (row->resource.len)
		json_write_str(&w, "subject", row->resource);
	json_write_str(&w, "datacontenttype", STR("application/json"));
	json_write_raw(&w, "data", buf_str(&data));
	json_write_object_end(&w);
}
