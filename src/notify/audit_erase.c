/* SPDX-License-Identifier: Apache-2.0 */
/* audit_erase.c - see audit_erase.h. */
#include "notify/audit_erase.h"
#include "internal.h"

#include "codec/hex.h"
#include "codec/json.h"
#include "codec/json_writer.h"
#include "crypto/random.h"
#include "db/audit_chain.h"
#include "db/db.h"

#include "base/banned.h"

#define PAGE_ROWS	200
#define DETAIL_MAX	KIB(1)
#define PSEUDONYM_BYTES 6

static const struct json_limits detail_limits = { .depth_max = 20, .values_max = 32768 };

/* --- erasing -------------------------------------------------------------------------------- */

struct erasing {
	struct audit *audit;
	const struct audit_event *by;
	str name, pseudonym;
	int64_t after_id;
	size_t count;
};

/* What is left of `detail`: numbers, which say nothing of a person. */
static str rest_of(struct arena *arena, str detail, str pseudonym)
{
	static const char *const kept[] = { "count", "last_us", "status" };
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	(void)json_parse(detail, detail_limits, &doc, &problem);

	CLEANUP(buf_done) struct buf b = BUF_INIT(DETAIL_MAX);
	struct json_writer w = JSON_WRITER(&b);
	json_write_object_begin(&w, NULL);
	for (size_t i = 0; i < COUNT_OF(kept); i++) {
		int64_t number;
		if (json_get_i64(doc.root, kept[i], &number) == JSON_FOUND)
			json_write_i64(&w, kept[i], number);
	}
	json_write_str(&w, "erased", pseudonym);
	json_write_object_end(&w);
	return arena_copy(arena, buf_str(&b));
}

static err_t erase_row(struct ctx *ctx, struct sql_tx *tx, const struct erasing *work,
		       const struct audit_row *row)
{
	struct audit_row erased = *row;
	if (str_eq(row->actor, work->name)) {
		erased.actor = work->pseudonym;
		erased.actor_id = 0;
		erased.address = STR_NONE;
	}
	if (str_eq(row->resource, work->name))
		erased.resource = work->pseudonym;
	erased.detail = rest_of(ctx->arena, row->detail, work->pseudonym);
	return db_audit_erase(ctx, tx, &erased);
}

static err_t tell(struct ctx *ctx, struct sql_tx *tx, const struct erasing *work)
{
	struct audit_event event = *work->by;
	event.type = AUDIT_ERASE_AUDIT;
	event.resource = work->pseudonym;
	event.after = arena_printf(ctx->arena, "{\"pseudonym\":\"" STR_FMT "\",\"records\":%zu}",
				   STR_ARG(work->pseudonym), work->count);
	return audit_write(ctx, work->audit, tx, &event);
}

static err_t erase_page(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct erasing *work = arg;
	struct audit_chain chain;
	struct audit_row *rows;
	/* Or a sealer would give a place to what it read before. */
	TRY(db_audit_chain_wait(ctx, tx, &chain));
	TRY(db_audit_erase_page(ctx, tx, work->name, work->after_id, PAGE_ROWS, &rows,
				&work->count));
	for (size_t i = 0; i < work->count; i++)
		TRY(erase_row(ctx, tx, work, &rows[i]));
	if (work->count)
		TRY(tell(ctx, tx, work));
	return OK;
}

err_t audit_erase(struct ctx *ctx, struct audit *audit, str name, const struct audit_event *by,
		  struct audit_erased *ret)
{
	char random[PSEUDONYM_BYTES], hex[2 * PSEUDONYM_BYTES];
	random_bytes(random, sizeof random);
	hex_encode((str){ random, sizeof random }, hex);
	struct erasing work = {
		.audit = audit,
		.by = by,
		.name = name,
		.pseudonym = arena_printf(ctx->arena, "erased-" STR_FMT, (int)sizeof hex, hex),
	};
	int64_t records = 0;
	do {
		TRY(db_run(ctx, audit->options.db, SQL_WRITE, erase_page, &work));
		records += (int64_t)work.count;
	} while (work.count == PAGE_ROWS);
	if (!records)
		return ERR_ABSENT;
	*ret = (struct audit_erased){ work.pseudonym, records };
	return OK;
}

/* --- verifying ------------------------------------------------------------------------------ */

static struct audit_erasure *entry(struct audit_erasures *erasures, str pseudonym)
{
	struct audit_erasure *at = erasures->first;
	while (at && !str_eq(at->pseudonym, pseudonym))
		at = at->next;
	if (at)
		return at;
	at = ARENA_NEW(erasures->arena, struct audit_erasure);
	at->pseudonym = arena_copy(erasures->arena, pseudonym);
	at->next = erasures->first;
	return erasures->first = at;
}

bool audit_erasures_add_record(struct audit_erasures *erasures, const struct audit_row *row)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	str pseudonym;
	if (!json_parse(row->detail, detail_limits, &doc, &problem) ||
	    json_get_str(doc.root, "erased", &pseudonym) != JSON_FOUND)
		return false;
	entry(erasures, pseudonym)->found++;
	return true;
}

void audit_erasures_add_event(struct audit_erasures *erasures, const struct audit_row *row)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	const struct json_value *after;
	struct json_problem problem;
	int64_t records;
	str pseudonym;
	if (!str_eq(row->operation, STR("erase")) || !str_eq(row->resource_type, STR("audit")))
		return;
	if (json_parse(row->detail, detail_limits, &doc, &problem) &&
	    json_get_object(doc.root, "after", &after) == JSON_FOUND &&
	    json_get_str(after, "pseudonym", &pseudonym) == JSON_FOUND &&
	    json_get_i64(after, "records", &records) == JSON_FOUND)
		entry(erasures, pseudonym)->told += records;
}

bool audit_erasures_add_up(const struct audit_erasures *erasures, str *ret_pseudonym)
{
	for (const struct audit_erasure *at = erasures->first; at; at = at->next)
		if (at->found > at->told) {
			*ret_pseudonym = at->pseudonym;
			return false;
		}
	return true;
}
