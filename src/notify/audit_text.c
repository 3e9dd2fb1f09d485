/* SPDX-License-Identifier: Apache-2.0 */
/* audit_text.c - see notify/audit_text.h. */
#include "notify/audit_text.h"

#include "base/clock.h"
#include "codec/json.h"
#include "codec/json_writer.h"

#include <inttypes.h>
#include <string.h>

#include "base/banned.h"

static const struct json_limits detail_limits = { .depth_max = 20, .values_max = 32768 };

enum cell_kind { CELL_TEXT, CELL_NUMBER, CELL_TIME, CELL_JSON };

struct cell {
	const char *name;
	enum cell_kind kind;
	str text;
	int64_t number; /* TIME: microseconds */
};

/* All members of a record, in their order. */
enum { CELLS_MAX = 32 };
struct cells {
	struct cell items[CELLS_MAX];
	size_t count;
};

static void add(struct cells *cells, struct cell cell)
{
	CHECK(cells->count < CELLS_MAX);
	cells->items[cells->count++] = cell;
}

static void add_text(struct cells *cells, const char *name, str text)
{
	add(cells, (struct cell){ .name = name, .kind = CELL_TEXT, .text = text });
}

static void add_number(struct cells *cells, const char *name, int64_t number)
{
	add(cells, (struct cell){ .name = name, .kind = CELL_NUMBER, .number = number });
}

static void add_time(struct cells *cells, const char *name, int64_t time_us)
{
	add(cells, (struct cell){ .name = name, .kind = CELL_TIME, .number = time_us });
}

static void add_json(struct cells *cells, const char *name, str json)
{
	add(cells, (struct cell){ .name = name, .kind = CELL_JSON, .text = json });
}

/* --- detail --------------------------------------------------------------------------------- */

static str detail_text(struct ctx *ctx, const struct json_value *detail, const char *name)
{
	str text = STR_NONE;
	(void)json_get_str(detail, name, &text);
	return arena_copy(ctx->arena, text);
}

static int64_t detail_number(const struct json_value *detail, const char *name)
{
	int64_t number = 0;
	(void)json_get_i64(detail, name, &number);
	return number;
}

static str detail_object(struct ctx *ctx, const struct json_value *detail, const char *name)
{
	const struct json_value *value = NULL;
	if (json_get_object(detail, name, &value) != JSON_FOUND)
		return STR_NONE;
	size_t len = json_value_print(value, NULL, 0);
	char *into = arena_alloc(ctx->arena, len + 1);
	json_value_print(value, into, len);
	return (str){ into, len };
}

void audit_detail_read(struct ctx *ctx, const struct audit_row *row, struct audit_detail *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	(void)json_parse(row->detail, detail_limits, &doc, &problem);
	*ret = (struct audit_detail){
		.status = detail_number(doc.root, "status"),
		.count = MAX(detail_number(doc.root, "count"), 1),
		.last_us = detail_number(doc.root, "last_us"),
		.reason = detail_text(ctx, doc.root, "reason"),
		.issuer = detail_text(ctx, doc.root, "issuer"),
		.on_behalf_of = detail_text(ctx, doc.root, "on_behalf_of"),
		.token_id = detail_text(ctx, doc.root, "token_id"),
		.user_agent = detail_text(ctx, doc.root, "user_agent"),
		.erased = detail_text(ctx, doc.root, "erased"),
		.before = detail_object(ctx, doc.root, "before"),
		.after = detail_object(ctx, doc.root, "after"),
	};
}

/* --- cells ---------------------------------------------------------------------------------- */

str audit_type_name(const struct audit_row *row)
{
	enum audit_type type;
	return audit_type_find_by(row->operation, row->resource_type, &type)
		       ? audit_type_info(type)->name
		       : STR_NONE;
}

static void add_what(struct cells *cells, const struct audit_row *row)
{
	add_number(cells, "id", row->id);
	add_time(cells, "time", row->time_us);
	add_text(cells, "type", audit_type_name(row));
	add_text(cells, "operation", row->operation);
	add_text(cells, "resource_type", row->resource_type);
	add_text(cells, "resource", row->resource);
	add_text(cells, "digest", row->digest);
	add_text(cells, "result",
		 row->result < AUDIT_RESULT_COUNT ? str_from(audit_result_name(row->result))
						  : STR("unknown"));
}

static void make_cells(struct ctx *ctx, const struct audit_row *row, struct cells *ret)
{
	struct audit_detail detail;
	audit_detail_read(ctx, row, &detail);
	*ret = (struct cells){ 0 };
	add_what(ret, row);
	add_number(ret, "status", detail.status);
	add_text(ret, "reason", detail.reason);
	add_text(ret, "actor_type", row->actor_type);
	add_number(ret, "actor_id", row->actor_id);
	add_text(ret, "actor", row->actor);
	add_text(ret, "issuer", detail.issuer);
	add_text(ret, "on_behalf_of", detail.on_behalf_of);
	add_text(ret, "token_id", detail.token_id);
	add_text(ret, "address", row->address);
	add_text(ret, "user_agent", detail.user_agent);
	add_text(ret, "request_id", row->request_id);
	add_number(ret, "tenant_id", row->tenant_id);
	add_number(ret, "project_id", row->project_id);
	add_text(ret, "project", row->project);
	add_number(ret, "count", detail.count);
	add_time(ret, "last_time", detail.last_us);
	add_json(ret, "before", detail.before);
	add_json(ret, "after", detail.after);
	add_text(ret, "erased", detail.erased);
}

/* --- JSON ----------------------------------------------------------------------------------- */

static void write_json(struct json_writer *w, const struct cell *cell)
{
	char time[CLOCK_RFC3339_MAX];
	switch (cell->kind) {
	case CELL_TEXT:
		if (cell->text.len)
			json_write_str(w, cell->name, cell->text);
		break;
	case CELL_NUMBER:
		if (cell->number)
			json_write_i64(w, cell->name, cell->number);
		break;
	case CELL_TIME:
		if (cell->number)
			json_write_str(w, cell->name, clock_rfc3339(cell->number, time));
		break;
	case CELL_JSON:
		if (cell->text.len)
			json_write_raw(w, cell->name, cell->text);
		break;
	}
}

void audit_text_json(struct ctx *ctx, struct buf *b, const struct audit_row *row)
{
	struct cells cells;
	struct json_writer w = JSON_WRITER(b);
	make_cells(ctx, row, &cells);
	json_write_object_begin(&w, NULL);
	for (size_t i = 0; i < cells.count; i++)
		write_json(&w, &cells.items[i]);
	json_write_object_end(&w);
}

/* --- CSV ------------------------------------------------------------------------------------ */

static void write_quoted(struct buf *b, str text, bool is_text)
{
	buf_add_byte(b, '"');
	if (is_text && text.len && strchr("=+-@\t\r", text.ptr[0]))
		buf_add_byte(b, '\'');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"')
			buf_add_byte(b, '"');
		buf_add_byte(b, text.ptr[i]);
	}
	buf_add_byte(b, '"');
}

static void write_csv(struct buf *b, const struct cell *cell)
{
	char time[CLOCK_RFC3339_MAX];
	if (cell->kind == CELL_NUMBER && cell->number)
		buf_printf(b, "%" PRId64, cell->number);
	else if (cell->kind == CELL_TIME && cell->number)
		buf_add(b, clock_rfc3339(cell->number, time));
	else if (cell->text.len)
		write_quoted(b, cell->text, cell->kind == CELL_TEXT);
}

void audit_text_csv(struct ctx *ctx, struct buf *b, const struct audit_row *row)
{
	struct cells cells;
	make_cells(ctx, row, &cells);
	for (size_t i = 0; i < cells.count; i++) {
		if (i)
			buf_add_byte(b, ',');
		write_csv(b, &cells.items[i]);
	}
	buf_add(b, STR("\r\n"));
}

void audit_text_csv_head(struct buf *b)
{
	static const struct audit_row none = { .detail = STR_INIT("{}") };
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, KIB(64));
	struct ctx ctx;
	struct cells cells;
	ctx_init(&ctx, &arena);
	make_cells(&ctx, &none, &cells);
	for (size_t i = 0; i < cells.count; i++)
		buf_printf(b, "%s%s", i ? "," : "", cells.items[i].name);
	buf_add(b, STR("\r\n"));
}
