/* SPDX-License-Identifier: Apache-2.0 */
/* Old records go, and the trail still proves itself: what is left, and that a purge removed the
 * rest. */
#include "audit_fixture.h"

#include "base/clock.h"
#include "codec/json.h"
#include "notify/audit_chain.h"
#include "notify/audit_gap.h"
#include "notify/audit_purge.h"
#include "os/fault.h"

#define DAY_S  INT64_C(86400)
#define DAY_US (DAY_S * 1000000)

struct writing {
	struct audit_fixture *f;
	enum audit_type type;
	int days;
	int count;
};

static err_t write_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct writing *writing = arg;
	struct audit_event event = SOMEBODY;
	event.type = writing->type;
	event.time_us = clock_wall_us() - writing->days * DAY_US;
	for (int i = 0; i < writing->count; i++)
		TRY(audit_write(ctx, writing->f->audit, tx, &event));
	return OK;
}

static void write_old(struct audit_fixture *f, enum audit_type type, int days, int count)
{
	struct writing writing = { f, type, days, count };
	EXPECT_OK(f->ctx, db_run(f->ctx, f->db, SQL_WRITE, write_body, &writing));
}

static void seal_and_sign(struct audit_fixture *f)
{
	audit_fixture_seal(f);
	f->audit->unsigned_places = true;
	audit_fixture_sign(f);
}

static struct audit_types all_types(void)
{
	struct audit_types types = { 0 };
	for (unsigned type = 0; type < AUDIT_TYPE_COUNT; type++)
		audit_types_add(&types, type);
	return types;
}

static struct audit_types only(enum audit_type type)
{
	struct audit_types types = { 0 };
	audit_types_add(&types, type);
	return types;
}

/* What is older than ten days. */
static struct audit_purged purge(struct audit_fixture *f, struct audit_types types)
{
	const struct audit_purge wanted = { .types = types,
					    .older_than_s = 10 * DAY_S,
					    .by = &SOMEBODY };
	struct audit_purged purged = { 0 };
	EXPECT_OK(f->ctx, audit_purge(f->ctx, f->audit, &wanted, &purged));
	return purged;
}

#define PLACES_MAX 2100

static err_t gaps_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	int64_t *count = arg;
	for (int64_t seq = 1; seq < PLACES_MAX; seq++) {
		struct audit_gap gap;
		err_t err = db_audit_gap_find(ctx, tx, seq, &gap);
		if (err == ERR_ABSENT)
			continue;
		TRY(err);
		++*count;
		seq = gap.last;
	}
	return OK;
}

static int64_t count_gaps(struct audit_fixture *f)
{
	int64_t count = 0;
	EXPECT_OK(f->ctx, db_run(f->ctx, f->db, SQL_READ, gaps_body, &count));
	return count;
}

AUDIT_TEST(audit_purge, what_is_old_goes_and_one_gap_stands_for_it)
{
	write_old(f, AUDIT_PULL_ARTIFACT, 20, 300); /* more than a batch */
	write_old(f, AUDIT_CREATE_PROJECT, 15, 4);
	write_old(f, AUDIT_PULL_ARTIFACT, 2, 3);
	seal_and_sign(f);
	struct audit_purged purged = purge(f, all_types());
	cr_assert_eq(purged.records, 304);
	cr_assert_eq(purged.by_type[AUDIT_PULL_ARTIFACT], 300);
	cr_assert_eq(purged.by_type[AUDIT_CREATE_PROJECT], 4);
	cr_assert_eq(purged.differing, 0);
	struct audit_verdict verdict = EXPECT_INTACT(f);
	cr_assert_eq(verdict.purged, 304);
	cr_assert_eq(verdict.places, 3);
	cr_assert_eq(verdict.waiting, 2, "a purge has a record of its begin and one of its end");
	cr_assert_eq(count_gaps(f), 1);
	seal_and_sign(f);
	cr_assert_eq(EXPECT_INTACT(f).places, 5);
	cr_assert_eq(purge(f, all_types()).records, 0);
	cr_assert_eq(EXPECT_INTACT(f).waiting, 0, "what removes nothing has no record");
}

AUDIT_TEST(audit_purge, holes_of_one_type_become_one_with_the_next)
{
	for (int i = 0; i < 10; i++) {
		write_old(f, AUDIT_PULL_ARTIFACT, 30 - i, 1);
		write_old(f, AUDIT_CREATE_TAG, 30 - i, 2);
	}
	seal_and_sign(f);
	cr_assert_eq(purge(f, only(AUDIT_PULL_ARTIFACT)).records, 10);
	cr_assert_eq(EXPECT_INTACT(f).purged, 10);
	cr_assert_eq(count_gaps(f), 10);
	seal_and_sign(f);
	cr_assert_eq(EXPECT_INTACT(f).places, 22);
	cr_assert_eq(purge(f, all_types()).records, 20);
	cr_assert_eq(EXPECT_INTACT(f).purged, 30);
	cr_assert_eq(count_gaps(f), 1);
}

AUDIT_TEST(audit_purge, what_concerns_the_trail_itself_stays)
{
	write_old(f, AUDIT_EXPORT_AUDIT, 20, 2);
	write_old(f, AUDIT_PULL_ARTIFACT, 20, 2);
	seal_and_sign(f);
	cr_assert_eq(purge(f, all_types()).records, 2);
	struct audit_verdict verdict = EXPECT_INTACT(f);
	cr_assert_eq(verdict.places, 2);
	cr_assert_eq(verdict.purged, 2);
}

AUDIT_TEST(audit_purge, what_is_not_signed_yet_stays_until_it_is)
{
	write_old(f, AUDIT_PULL_ARTIFACT, 20, 4);
	cr_assert_eq(purge(f, all_types()).records, 0, "without a place");
	seal_and_sign(f);
	write_old(f, AUDIT_PULL_ARTIFACT, 20, 4);
	audit_fixture_seal(f);
	cr_assert_eq(purge(f, all_types()).records, 4, "behind the checkpoint");
	cr_assert_eq(EXPECT_INTACT(f).places, 4);
	seal_and_sign(f);
	cr_assert_eq(purge(f, all_types()).records, 4);
	cr_assert_eq(EXPECT_INTACT(f).purged, 8);
}

AUDIT_TEST(audit_purge, a_dry_run_counts_and_changes_nothing)
{
	write_old(f, AUDIT_PULL_ARTIFACT, 20, 260);
	write_old(f, AUDIT_CREATE_TAG, 20, 1);
	seal_and_sign(f);
	const struct audit_purge wanted = {
		.types = all_types(), .older_than_s = 10 * DAY_S, .dry_run = true, .by = &SOMEBODY
	};
	struct audit_purged purged;
	EXPECT_OK(f->ctx, audit_purge(f->ctx, f->audit, &wanted, &purged));
	cr_assert_eq(purged.records, 261);
	cr_assert_eq(purged.by_type[AUDIT_CREATE_TAG], 1);
	struct audit_verdict verdict = EXPECT_INTACT(f);
	cr_assert_eq(verdict.places, 261);
	cr_assert_eq(verdict.waiting, 0);
}

static void cancel(void *arg, const struct audit_purged *so_far)
{
	cr_assert_gt(so_far->records, 0);
	atomic_store((_Atomic(bool) *)arg, true);
}

AUDIT_TEST(audit_purge, who_stops_it_keeps_what_was_done_and_it_goes_on_later)
{
	_Atomic(bool) cancelled = false;
	write_old(f, AUDIT_PULL_ARTIFACT, 20, 600);
	seal_and_sign(f);
	const struct audit_purge wanted = { .types = all_types(),
					    .older_than_s = 10 * DAY_S,
					    .by = &SOMEBODY,
					    .progress = cancel,
					    .arg = &cancelled };
	struct audit_purged purged;
	f->ctx->cancelled = &cancelled;
	EXPECT(f->ctx, audit_purge(f->ctx, f->audit, &wanted, &purged), ERR_CANCELLED);
	f->ctx->cancelled = NULL;
	int64_t first = EXPECT_INTACT(f).purged;
	cr_assert(first > 0 && first < 600);
	cr_assert_eq(purge(f, all_types()).records, 600 - first);
	cr_assert_eq(EXPECT_INTACT(f).purged, 600);
	cr_assert_eq(count_gaps(f), 1);
}

AUDIT_TEST(audit_purge, a_batch_that_fails_changes_nothing)
{
	if (!FAULTS_BUILT) {
		cr_skip_test("built without faults");
		return;
	}
	write_old(f, AUDIT_PULL_ARTIFACT, 20, 5);
	seal_and_sign(f);
	const struct audit_purge wanted = { .types = all_types(),
					    .older_than_s = 10 * DAY_S,
					    .by = &SOMEBODY };
	struct audit_purged purged;
	fault_setup("audit.purge:1=errno:5");
	EXPECT(f->ctx, audit_purge(f->ctx, f->audit, &wanted, &purged), ERR_DATABASE);
	fault_setup(NULL);
	struct audit_verdict verdict = EXPECT_INTACT(f);
	cr_assert_eq(verdict.places, 5);
	cr_assert_eq(verdict.waiting, 0, "not even its record");
}

AUDIT_TEST(audit_purge, without_a_key_nothing_is_purged)
{
	struct jws_ring *keys = f->audit->keys;
	f->audit->keys = NULL;
	const struct audit_purge wanted = { .types = all_types(), .by = &SOMEBODY };
	struct audit_purged purged;
	EXPECT(f->ctx, audit_purge(f->ctx, f->audit, &wanted, &purged), ERR_CONFIG);
	f->audit->keys = keys;
}

/* --- whoever changes something behind a purge's back ---------------------------------------------
 */

/* Places 1 to 6 are old, 7 to 9 are not; 10 and 11 are the purge's own records. */
static void make_purged(struct audit_fixture *f)
{
	write_old(f, AUDIT_PULL_ARTIFACT, 20, 6);
	write_old(f, AUDIT_PULL_ARTIFACT, 1, 3);
	seal_and_sign(f);
	cr_assert_eq(purge(f, all_types()).records, 6);
	seal_and_sign(f);
	EXPECT_INTACT(f);
}

#define PURGED_TEST(name, place, text, ...)                                                        \
	AUDIT_TEST(audit_purge, shows_##name)                                                      \
	{                                                                                          \
		static const char *const statements[] = { __VA_ARGS__ };                           \
		make_purged(f);                                                                    \
		for (size_t i = 0; i < COUNT_OF(statements); i++)                                  \
			audit_fixture_tamper(f, statements[i]);                                    \
		EXPECT_DIFFERENCE(f, place, text);                                                 \
	}

PURGED_TEST(a_record_that_was_deleted_without_a_purge, 7, "record 7 was removed",
	    "DELETE FROM audit_record WHERE id = 7")
PURGED_TEST(a_record_that_was_deleted_with_its_place, 7, "the place is missing",
	    "DELETE FROM audit_record WHERE id = 7", "DELETE FROM audit_seal WHERE seq = 7")
PURGED_TEST(a_gap_that_was_made_larger, 1, "is not signed", "DELETE FROM audit_record WHERE id = 7",
	    "DELETE FROM audit_seal WHERE seq = 7", "UPDATE audit_gap SET last_seq = 7")
PURGED_TEST(
	a_gap_of_somebody_without_the_key, 7, "is not signed",
	"DELETE FROM audit_record WHERE id = 7", "DELETE FROM audit_seal WHERE seq = 7",
	"INSERT INTO audit_gap (first_seq, last_seq, signed) SELECT 7, 7, signed FROM audit_gap")
PURGED_TEST(a_gap_that_was_taken_away, 1, "the place is missing", "DELETE FROM audit_gap")
PURGED_TEST(a_record_that_was_changed, 8, "record 8 was changed",
	    "UPDATE audit_record SET actor = 'eve' WHERE id = 8")
PURGED_TEST(a_place_that_came_back, 3, "was purged, and is there",
	    "INSERT INTO audit_seal (seq, record_id, salt, personal, hash) "
	    "SELECT 3, -3, salt, personal, hash FROM audit_seal WHERE seq = 7")
PURGED_TEST(a_record_that_came_back, 0, "record 3 was inserted",
	    "INSERT INTO audit_record (id, time_us, tenant_id, project_id, project, actor_type, "
	    "actor_id, actor, operation, resource_type, resource, address, result, detail) VALUES "
	    "(3, 1, 1, 0, '', 'user', 1, 'eve', 'pull', 'artifact', 'x', '', 0, '{}')")
PURGED_TEST(that_the_record_of_a_purge_was_deleted, 10, "record 10 was removed",
	    "DELETE FROM audit_record WHERE id = 10")

/* What was changed before is kept, and told. */
AUDIT_TEST(audit_purge, a_changed_record_is_evidence)
{
	write_old(f, AUDIT_PULL_ARTIFACT, 20, 9);
	seal_and_sign(f);
	audit_fixture_tamper(f, "UPDATE audit_record SET actor = 'eve' WHERE id = 4");
	struct audit_purged purged = purge(f, all_types());
	cr_assert_eq(purged.records, 8);
	cr_assert_eq(purged.differing, 1);
	cr_assert_eq(purged.first_differing, 4);
	EXPECT_DIFFERENCE(f, 4, "record 4 was changed");
	cr_assert_eq(purge(f, all_types()).differing, 1, "however often");
	EXPECT_DIFFERENCE(f, 4, "record 4 was changed");
}

AUDIT_TEST(audit_purge, a_missing_record_is_not_passed_off_as_purged)
{
	write_old(f, AUDIT_PULL_ARTIFACT, 20, 9);
	seal_and_sign(f);
	audit_fixture_tamper(f, "DELETE FROM audit_record WHERE id = 4");
	audit_fixture_tamper(f, "DELETE FROM audit_seal WHERE seq = 4");
	struct audit_purged purged = purge(f, all_types());
	cr_assert_eq(purged.first_differing, 5, "of which nobody knows what was before");
	EXPECT_DIFFERENCE(f, 4, "the place is missing");
}

static err_t reseal_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct audit_sealed *sealed;
	size_t count;
	str hash = audit_hash_none;
	TRY(db_audit_seal_page(ctx, tx, 0, 100, &sealed, &count));
	TRY(audit_fixture_tamper_body(ctx, tx, arg));
	for (size_t i = 0; i < count; i++) {
		struct audit_seal *seal = &sealed[i].seal;
		seal->personal = audit_hash_personal(ctx->arena, seal->salt, &sealed[i].row);
		seal->hash = hash = audit_hash_chain(ctx->arena, hash, seal->seq, &sealed[i].row,
						     seal->personal);
		TRY(db_audit_seal_insert(ctx, tx, seal));
	}
	return db_audit_chain_set(ctx, tx, (int64_t)count, hash, (int64_t)count);
}

/* Somebody changes a record, computes the chain anew, and waits for a purge to remove the traces.
 */
AUDIT_TEST(audit_purge, a_chain_computed_anew_is_not_washed_clean)
{
	write_old(f, AUDIT_PULL_ARTIFACT, 20, 6);
	seal_and_sign(f);
	write_old(f, AUDIT_PULL_ARTIFACT, 20, 3);
	seal_and_sign(f);
	audit_fixture_tamper(f, "UPDATE audit_record SET actor = 'eve' WHERE id = 4");
	struct audit_tampering tampering = { "DELETE FROM audit_seal",
					     db_statement_count() + f->tamperings++ };
	EXPECT_OK(f->ctx, db_run(f->ctx, f->db, SQL_WRITE, reseal_body, &tampering));
	struct audit_purged purged = purge(f, all_types());
	cr_assert_eq(purged.differing, 2, "both checkpoints say otherwise");
	cr_assert_eq(purged.first_differing, 6);
	EXPECT_DIFFERENCE(f, 6, "the chain is not the one that the checkpoint signed");
}

/* --- beside each other
 * ---------------------------------------------------------------------------- */

static void *purge_all(void *arg)
{
	struct audit_fixture *f = arg;
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, MIB(32));
	struct ctx ctx;
	ctx_init(&ctx, &arena);
	const struct audit_types kinds[] = { only(AUDIT_PULL_ARTIFACT), only(AUDIT_CREATE_TAG) };
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		const struct audit_purge wanted = { .types = kinds[i],
						    .older_than_s = 10 * DAY_S,
						    .by = &SOMEBODY };
		struct audit_purged purged;
		err_t err = audit_purge(&ctx, f->audit, &wanted, &purged);
		cr_assert_eq(err, OK, "%s", ctx.failure.detail);
		cr_assert_eq(purged.records, 1000);
	}
	return NULL;
}

AUDIT_TEST(audit_purge, verifying_beside_it_finds_nothing)
{
	for (int i = 0; i < 4; i++) {
		write_old(f, AUDIT_PULL_ARTIFACT, 40 - i, 250);
		write_old(f, AUDIT_CREATE_TAG, 40 - i, 250);
		seal_and_sign(f);
	}
	pthread_t thread;
	EXPECT_OK(f->ctx, thread_start(f->ctx, "purge", purge_all, f, &thread));
	for (int i = 0, more = 1; i < 1000 && more; i++) {
		more = EXPECT_INTACT(f).purged < 2000;
		arena_reset(f->ctx->arena);
	}
	pthread_join(thread, NULL);
	cr_assert_eq(count_gaps(f), 1);
}

/* --- what is asked for, and what is signed
 * -------------------------------------------------------- */

static err_t read_text(struct ctx *ctx, const char *text, struct audit_purge *ret, str *ret_print)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	cr_assert(json_parse(str_from(text), JSON_LIMITS_SMALL, &doc, &problem), "%s", text);
	TRY(audit_purge_read(ctx, doc.root, ret));
	return audit_purge_print(ctx, doc.root, ret_print);
}

Test(audit_purge, parameters_name_types_and_operations)
{
	CLEANUP(arena_done) struct arena arena;
	struct ctx ctx;
	struct audit_purge purge = { 0 };
	str print;
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
	static const char text[] =
		"{\"audit_retention_hour\":168,\"dry_run\":true,\"include_event_types\":"
		"\"create_tag, pull_artifact,\",\"include_operations\":\"logout\"}";
	EXPECT_OK(&ctx, read_text(&ctx, text, &purge, &print));
	cr_assert_eq(purge.older_than_s, 168 * 3600);
	cr_assert(purge.dry_run);
	for (unsigned type = 0; type < AUDIT_TYPE_COUNT; type++)
		cr_assert_eq(audit_types_has(&purge.types, type),
			     type == AUDIT_CREATE_TAG || type == AUDIT_PULL_ARTIFACT ||
				     type == AUDIT_LOGOUT_USER);
	cr_assert(str_eq(print, str_from(text)), STR_FMT, STR_ARG(print));
	EXPECT_OK(&ctx,
		  read_text(&ctx, "{\"audit_retention_hour\":1,\"include_event_types\":\"*\"}",
			    &purge, &print));
	for (unsigned type = 0; type < AUDIT_TYPE_COUNT; type++)
		cr_assert_eq(audit_types_has(&purge.types, type), audit_type_info(type)->optional);
	EXPECT_OK(&ctx, read_text(&ctx, "{\"audit_retention_hour\":240000}", &purge, &print));
	cr_assert_eq(purge.types.words[0], 0, "nothing is nothing");
}

Test(audit_purge, parameters_that_are_wrong_say_where)
{
	static const struct {
		const char *text, *detail;
	} wrong[] = {
		{ "{}", "audit_retention_hour: a number of hours from 1" },
		{ "{\"audit_retention_hour\":0}", "audit_retention_hour: a number of hours" },
		{ "{\"audit_retention_hour\":240001}", "from 1 to 240000" },
		{ "{\"audit_retention_hour\":\"7\"}", "audit_retention_hour is not an integer" },
		{ "{\"audit_retention_hour\":7,\"dry_run\":1}", "dry_run is not a boolean" },
		{ "{\"audit_retention_hour\":7,\"include_event_types\":\"create_tag,eat_cake\"}",
		  "no event type \"eat_cake\"" },
		{ "{\"audit_retention_hour\":7,\"include_event_types\":\"erase_audit\"}",
		  "erase_audit concerns the trail itself" },
		{ "{\"audit_retention_hour\":7,\"include_operations\":\"create,eat\"}",
		  "no operation \"eat\"" },
		{ "{\"audit_retention_hour\":7,\"include_operations\":\"erase\"}",
		  "no operation \"erase\"" },
	};
	CLEANUP(arena_done) struct arena arena;
	struct ctx ctx;
	struct audit_purge purge;
	str print;
	arena_init(&arena, MIB(1));
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		ctx_init(&ctx, &arena);
		cr_assert_eq(read_text(&ctx, wrong[i].text, &purge, &print), ERR_REQUEST_INVALID);
		cr_assert(strstr(ctx.failure.detail, wrong[i].detail) != NULL, "%s: %s",
			  wrong[i].text, ctx.failure.detail);
	}
	ctx_init(&ctx, &arena);
	cr_assert_eq(audit_purge_read(&ctx, NULL, &purge), ERR_REQUEST_INVALID);
}

Test(audit_purge, a_gap_is_read_back_and_nothing_else_is_one)
{
#define HASH "\"0000000000000000000000000000000000000000000000000000000000000000\""
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, MIB(1));
	const struct audit_gap_claims claims = { 3, 9, audit_hash_none, audit_hash_none, 7 };
	struct audit_gap_claims read;
	cr_assert(audit_gap_read(&arena, audit_gap_write(&arena, &claims), &read));
	cr_assert(read.first == 3 && read.last == 9 && read.time_us == 7);
	cr_assert(str_eq(read.before, audit_hash_none) && str_eq(read.hash, audit_hash_none));
	static const char *const wrong[] = {
		"",
		"{}",
		"{\"type\":\"berth-audit-checkpoint\",\"first\":3,\"last\":9,\"before\":" HASH
		",\"hash\":" HASH ",\"time_us\":7}",
		"{\"type\":\"berth-audit-gap\",\"first\":0,\"last\":9,\"before\":" HASH
		",\"hash\":" HASH ",\"time_us\":7}",
		"{\"type\":\"berth-audit-gap\",\"first\":9,\"last\":3,\"before\":" HASH
		",\"hash\":" HASH ",\"time_us\":7}",
		"{\"type\":\"berth-audit-gap\",\"first\":3,\"last\":9,\"before\":\"00\""
		",\"hash\":" HASH ",\"time_us\":7}",
		"{\"type\":\"berth-audit-gap\",\"first\":3,\"last\":9,\"before\":" HASH
		",\"time_us\":7}",
	};
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		cr_assert(!audit_gap_read(&arena, str_from(wrong[i]), &read), "%s", wrong[i]);
}
