/* SPDX-License-Identifier: Apache-2.0 */
/* audit_verify.c - see audit_verify.h. */
#include "notify/audit_verify.h"
#include "audit_chain.h"
#include "audit_gap.h"
#include "notify/audit_erase.h"
#include "audit_keys.h"

#include "codec/json_writer.h"
#include "crypto/secretbox.h"
#include "db/db.h"
#include "os/fault.h"
#include "os/file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/banned.h"

#define PAGE_ROWS	  500
#define TOKEN_BYTES_MAX	  KIB(8)
#define PAGE_BYTES_MAX	  MIB(64)
#define SIGNS_BYTES_MAX	  MIB(8)
#define ERASURE_BYTES_MAX MIB(16)

struct walk {
	const struct audit_verify_options *options;
	struct audit_verdict *verdict;
	struct ctx *ctx;  /* whose arena lives as long as the walk */
	struct ctx page;  /* of places at hand */
	struct ctx signs; /* of checkpoints at hand */
	struct ctx gaps;  /* of the gap at hand */
	struct jws_ring *keys, *own_keys;

	struct audit_chain end;
	struct audit_checkpoint_claims anchor; /* kept outside of the database; seq 0: none */
	int64_t seq;			       /* the last place seen, and its hash */
	char hash[AUDIT_HASH_BYTES];

	struct audit_checkpoint *checkpoints; /* the next ones, of one page */
	size_t checkpoint_at, checkpoint_count;
	int64_t checkpoint_seq; /* the last one of the page */

	struct audit_erasures erasures;
};

static void ring_done(struct jws_ring **ring)
{
	jws_ring_free(*ring);
}

PRINTF_LIKE(3, 4)
static void differs(struct walk *w, int64_t seq, const char *format, ...)
{
	if (!w->verdict->intact)
		return; /* the first one counts */
	va_list args;
	va_start(args, format);
	vsnprintf(w->verdict->difference, sizeof w->verdict->difference, format, args);
	va_end(args);
	w->verdict->intact = false;
	w->verdict->seq = seq;
}

/* --- checkpoints ---------------------------------------------------------------------------- */

static bool read_token(struct walk *w, str token, struct audit_checkpoint_claims *ret)
{
	str payload;
	if (!w->keys || jws_verify(&w->page, w->keys, token, &payload) != OK) {
		ctx_forgive(&w->page);
		return false;
	}
	return audit_checkpoint_read(w->page.arena, payload, ret);
}

static str hash_of(const struct walk *w)
{
	return (str){ w->hash, sizeof w->hash };
}

static void check_checkpoint(struct walk *w, const struct audit_checkpoint *checkpoint)
{
	struct audit_checkpoint_claims claims;
	w->verdict->checkpoints++;
	w->verdict->last_checkpoint = checkpoint->seq;
	if (!read_token(w, checkpoint->token, &claims))
		differs(w, checkpoint->seq, "the checkpoint's signature is wrong");
	else if (claims.seq != checkpoint->seq)
		differs(w, checkpoint->seq, "the checkpoint was signed for place %" PRId64,
			claims.seq);
	else if (!str_eq(claims.hash, hash_of(w)))
		differs(w, checkpoint->seq, "the chain is not the one that the checkpoint signed");
}

static err_t checkpoints_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct walk *w = arg;
	return db_audit_checkpoint_page(ctx, tx, w->checkpoint_seq, PAGE_ROWS, &w->checkpoints,
					&w->checkpoint_count);
}

/* Reads in a ctx whose arena holds only what is being read. */
static err_t read_page(struct walk *w, struct ctx *page,
		       err_t (*body)(struct ctx *ctx, struct sql_tx *tx, void *arg), void *arg)
{
	arena_reset(page->arena);
	if (FAULT("audit.verify"))
		return fail(w->ctx, ERR_DATABASE, "audit: a page could not be read");
	TRY(ctx_check(w->ctx));
	err_t err = db_run(page, w->options->db, SQL_READ, body, arg);
	if (err != OK)
		w->ctx->failure = page->failure;
	return err;
}

/* Those at the place the walk has reached. */
static err_t check_checkpoints(struct walk *w)
{
	for (;;) {
		if (w->checkpoint_at == w->checkpoint_count) {
			if (w->checkpoint_count < PAGE_ROWS)
				return OK;
			w->checkpoint_at = 0;
			TRY(read_page(w, &w->signs, checkpoints_body, w));
			continue;
		}
		const struct audit_checkpoint *next = &w->checkpoints[w->checkpoint_at];
		if (next->seq > w->seq)
			return OK;
		if (next->seq < w->seq)
			differs(w, next->seq, "a checkpoint is for no place");
		else
			check_checkpoint(w, next);
		w->checkpoint_seq = next->seq;
		w->checkpoint_at++;
	}
}

/* --- places --------------------------------------------------------------------------------- */

static void check_personal(struct walk *w, const struct audit_sealed *sealed)
{
	const struct audit_seal *seal = &sealed->seal;
	if (!seal->salt.len) {
		w->verdict->erased++;
		if (!audit_erasures_add_record(&w->erasures, &sealed->row))
			differs(w, seal->seq,
				"personal data is gone, and the record does not say why");
		return;
	}
	str personal = audit_hash_personal(w->page.arena, seal->salt, &sealed->row);
	if (!str_eq(personal, seal->personal))
		differs(w, seal->seq, "record %" PRId64 " was changed", sealed->row.id);
}

/* The walk has reached a place whose hash is this. */
static void arrive(struct walk *w, int64_t seq, str hash)
{
	w->seq = seq;
	memcpy(w->hash, hash.ptr, sizeof w->hash);
	if (seq == w->anchor.seq && !str_eq(w->anchor.hash, hash))
		differs(w, seq, "the chain is not the one that this node signed last");
}

static void check_place(struct walk *w, const struct audit_sealed *sealed)
{
	const struct audit_seal *seal = &sealed->seal;
	if (seal->seq != w->seq + 1) {
		differs(w, w->seq + 1, "the place is missing");
		return;
	}
	if (!sealed->has_row) {
		differs(w, seal->seq, "record %" PRId64 " was removed", seal->record_id);
		return;
	}
	check_personal(w, sealed);
	str hash = audit_hash_chain(w->page.arena, hash_of(w), seal->seq, &sealed->row,
				    seal->personal);
	if (!str_eq(hash, seal->hash))
		differs(w, seal->seq, "record %" PRId64 " was changed or is not in its place",
			sealed->row.id);
	audit_erasures_add_event(&w->erasures, &sealed->row);
	w->verdict->places++;
	arrive(w, seal->seq, hash);
}

/* --- gaps ----------------------------------------------------------------------------------- */

struct gap_read {
	int64_t seq; /* which it is to have in it */
	bool found;
	struct audit_gap gap;
	struct audit_sealed *inside; /* a place at or behind its beginning */
	size_t inside_count;
};

static err_t gap_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct gap_read *read = arg;
	err_t err = db_audit_gap_find(ctx, tx, read->seq, &read->gap);
	read->found = err == OK;
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	return db_audit_seal_page(ctx, tx, read->gap.first - 1, 1, &read->inside,
				  &read->inside_count);
}

/* A purge that goes on beside us may have made the gap larger at its front: then we come from
 * inside of it, and its signature is all there is. */
static void check_gap(struct walk *w, const struct gap_read *read)
{
	struct audit_gap_claims claims;
	int64_t first = read->gap.first, last = read->gap.last;
	if (!audit_gap_verify(&w->gaps, w->keys, &read->gap, &claims)) {
		differs(w, first, "what says that records were purged is not signed");
		return;
	}
	if (read->inside_count && read->inside[0].seal.seq <= last)
		differs(w, read->inside[0].seal.seq, "the place was purged, and is there");
	else if (first == w->seq + 1 && !str_eq(claims.before, hash_of(w)))
		differs(w, first, "the chain is not the one of which records were purged");
	w->verdict->purged += last - w->seq;
	arrive(w, last, claims.hash);
	w->checkpoint_seq = last - 1; /* those inside went along */
	w->checkpoint_at = w->checkpoint_count = PAGE_ROWS;
}

/* Over what was purged behind the place that the walk has reached, if there is any. */
static err_t pass_gap(struct walk *w, bool *ret_passed)
{
	struct gap_read read = { .seq = w->seq + 1 };
	TRY(read_page(w, &w->gaps, gap_body, &read));
	*ret_passed = read.found;
	if (!read.found)
		return OK;
	check_gap(w, &read);
	return w->verdict->intact ? check_checkpoints(w) : OK;
}

struct place_page {
	struct walk *walk;
	struct audit_sealed *sealed;
	size_t count;
};

static err_t places_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct place_page *page = arg;
	return db_audit_seal_page(ctx, tx, page->walk->seq, PAGE_ROWS, &page->sealed, &page->count);
}

static err_t walk_page(struct walk *w, const struct place_page *page)
{
	for (size_t i = 0; i < page->count && w->verdict->intact && w->seq < w->end.seq; i++) {
		int64_t seq = page->sealed[i].seal.seq;
		for (bool on = true; on && w->verdict->intact && seq > w->seq + 1;)
			TRY(pass_gap(w, &on));
		if (seq <= w->seq || !w->verdict->intact)
			continue;
		check_place(w, &page->sealed[i]);
		TRY(check_checkpoints(w));
	}
	return OK;
}

/* From the last place seen to the end of the chain as it was read. */
static err_t walk_places(struct walk *w)
{
	while (w->verdict->intact && w->seq < w->end.seq) {
		struct place_page page = { .walk = w };
		bool passed = false;
		TRY(read_page(w, &w->page, places_body, &page));
		TRY(walk_page(w, &page));
		if (page.count)
			continue;
		TRY(pass_gap(w, &passed));
		if (!passed)
			differs(w, w->seq + 1, "the place is missing");
	}
	if (w->verdict->intact && w->seq == w->end.seq && !str_eq(hash_of(w), w->end.hash))
		differs(w, w->seq, "the chain does not end as its last record says");
	return OK;
}

/* --- the ends ------------------------------------------------------------------------------- */

static err_t last_checkpoint_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct audit_checkpoint *last = arg;
	err_t err = db_audit_checkpoint_find_last(ctx, tx, last);
	if (err == ERR_ABSENT)
		last->seq = 0;
	return err == ERR_ABSENT ? OK : err;
}

static err_t end_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct walk *w = arg;
	TRY(db_audit_chain_find(ctx, tx, &w->end));
	return db_audit_unsealed_count(ctx, tx, &w->verdict->waiting);
}

static err_t read_anchor(struct walk *w)
{
	str path = w->options->checkpoint_path, token;
	if (!path.len)
		return OK;
	err_t err = file_read_all(w->ctx, AT_FDCWD, arena_cstr(w->ctx->arena, path),
				  TOKEN_BYTES_MAX, &token);
	if (err == ERR_ABSENT) {
		ctx_forgive(w->ctx);
		return OK;
	}
	TRY(err);
	struct audit_checkpoint_claims claims;
	if (!read_token(w, token, &claims)) {
		differs(w, 0, "the checkpoint in " STR_FMT " is not signed by a key of this trail",
			STR_ARG(path));
		return OK;
	}
	w->anchor = claims;
	w->anchor.hash = arena_copy(w->ctx->arena, claims.hash);
	return OK;
}

/* What may grow while we walk is read in such an order that growth is no difference: first the last
 * checkpoint, then the chain's end, which is never behind it. */
static err_t read_ends(struct walk *w)
{
	struct audit_checkpoint last;
	TRY(read_anchor(w));
	TRY(db_run(w->ctx, w->options->db, SQL_READ, last_checkpoint_body, &last));
	TRY(db_run(w->ctx, w->options->db, SQL_READ, end_body, w));
	int64_t known = MAX(last.seq, w->anchor.seq);
	if (known > w->end.seq)
		differs(w, w->end.seq + 1,
			"the chain ends here, but a checkpoint was signed for place %" PRId64,
			known);
	return OK;
}

static err_t strays_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	static const struct {
		err_t (*find)(struct ctx *ctx, struct sql_tx *tx, int64_t *ret);
		const char *what, *text;
	} strays[] = {
		{ db_audit_stray_find, "record", "was inserted: it has no place" },
		{ db_audit_stray_find_unsealed, "record", "was removed before it was sealed" },
		{ db_audit_stray_find_seal, "place", "is behind the end of the chain" },
	};
	struct walk *w = arg;
	for (size_t i = 0; i < COUNT_OF(strays); i++) {
		int64_t found;
		err_t err = strays[i].find(ctx, tx, &found);
		if (err != OK && err != ERR_ABSENT)
			return err;
		if (err == OK)
			differs(w, 0, "%s %" PRId64 " %s", strays[i].what, found, strays[i].text);
	}
	return OK;
}

static err_t open_keys(struct walk *w)
{
	const struct audit_verify_options *o = w->options;
	w->keys = o->keys;
	if (o->keys)
		return OK;
	err_t err = audit_keys_open(w->ctx, o->db, o->master_key, false, &w->own_keys);
	w->keys = w->own_keys;
	return err == ERR_ABSENT ? OK : err;
}

static err_t walk_all(struct walk *w)
{
	TRY(open_keys(w));
	TRY(read_ends(w));
	w->checkpoint_count = PAGE_ROWS; /* so that the first page is read */
	w->checkpoint_at = PAGE_ROWS;
	TRY(walk_places(w));
	TRY(db_run(w->ctx, w->options->db, SQL_READ, strays_body, w));
	str pseudonym;
	if (!audit_erasures_add_up(&w->erasures, &pseudonym))
		differs(w, 0, "more records were erased as " STR_FMT " than the trail says",
			STR_ARG(pseudonym));
	return OK;
}

err_t audit_verify(struct ctx *ctx, const struct audit_verify_options *options,
		   struct audit_verdict *ret)
{
	CLEANUP(arena_done) struct arena page, signs, gaps, erasures;
	arena_init(&page, PAGE_BYTES_MAX);
	arena_init(&signs, SIGNS_BYTES_MAX);
	arena_init(&gaps, SIGNS_BYTES_MAX);
	arena_init(&erasures, ERASURE_BYTES_MAX);
	struct audit_verdict verdict = { .intact = true };
	struct walk w = { .options = options, .verdict = &verdict, .ctx = ctx };
	ctx_init(&w.page, &page);
	ctx_init(&w.signs, &signs);
	ctx_init(&w.gaps, &gaps);
	w.erasures.arena = &erasures;
	err_t err = walk_all(&w);
	CLEANUP(ring_done) UNUSED struct jws_ring *keys = w.own_keys;
	TRY(err);
	*ret = verdict;
	return OK;
}

void audit_verdict_write(struct buf *b, const struct audit_verdict *verdict)
{
	struct json_writer w = JSON_WRITER(b);
	json_write_object_begin(&w, NULL);
	json_write_bool(&w, "intact", verdict->intact);
	if (!verdict->intact)
		json_write_str(&w, "difference", str_from(verdict->difference));
	if (!verdict->intact && verdict->seq)
		json_write_i64(&w, "place", verdict->seq);
	json_write_i64(&w, "places", verdict->places);
	json_write_i64(&w, "waiting", verdict->waiting);
	json_write_i64(&w, "erased", verdict->erased);
	json_write_i64(&w, "purged", verdict->purged);
	json_write_i64(&w, "checkpoints", verdict->checkpoints);
	json_write_i64(&w, "last_checkpoint", verdict->last_checkpoint);
	json_write_object_end(&w);
}
