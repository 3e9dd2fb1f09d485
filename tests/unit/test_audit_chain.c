/* SPDX-License-Identifier: Apache-2.0 */
/* The trail proves itself: whoever can write to the database cannot change what it says unseen. */
#include "audit_fixture.h"

#include "codec/hex.h"
#include "notify/audit_chain.h"
#include "notify/audit_check.h"
#include "os/fault.h"

#include <poll.h>

static const struct audit_row SAMPLE = {
	.id = 12,
	.time_us = 1764000000000000,
	.tenant_id = 1,
	.project_id = 3,
	.project = STR_INIT("library"),
	.actor_type = STR_INIT("user"),
	.actor_id = 7,
	.actor = STR_INIT("alice"),
	.operation = STR_INIT("create"),
	.resource_type = STR_INIT("artifact"),
	.resource = STR_INIT("library/app:v1"),
	.digest = STR_INIT("sha256:00"),
	.address = STR_INIT("192.0.2.1"),
	.request_id = STR_INIT("r"),
	.result = AUDIT_DENIED,
	.detail = STR_INIT("{}"),
};

static void expect_hex(str bytes, const char *expected)
{
	char hex[2 * AUDIT_HASH_BYTES + 1] = { 0 };
	cr_assert_eq(bytes.len, AUDIT_HASH_BYTES);
	hex_encode(bytes, hex);
	cr_assert_str_eq(hex, expected);
}

/* Computed from the words of audit_chain.h with Python's hashlib. */
Test(audit_chain, hashes_are_those_of_the_definition)
{
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, MIB(1));
	char salt[AUDIT_SALT_BYTES];
	memset(salt, 's', sizeof salt);
	str personal = audit_hash_personal(&arena, (str){ salt, sizeof salt }, &SAMPLE);
	expect_hex(personal, "2d3d63a0980d438a1abf81e048c2893b309e79c1dfffb44045d2d739e5af1a13");
	expect_hex(audit_hash_chain(&arena, audit_hash_none, 1, &SAMPLE, personal),
		   "bdd31fb3b32a69a3c786214be29dadeba7834ef46f731a48d74f150d5d53c733");
}

Test(audit_chain, every_field_of_a_record_is_hashed)
{
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, MIB(1));
	str salt = audit_hash_none, other = STR("x");
	struct audit_row changed[] = { SAMPLE, SAMPLE, SAMPLE, SAMPLE, SAMPLE, SAMPLE,
				       SAMPLE, SAMPLE, SAMPLE, SAMPLE, SAMPLE, SAMPLE,
				       SAMPLE, SAMPLE, SAMPLE, SAMPLE };
	changed[0].id++;
	changed[1].time_us++;
	changed[2].tenant_id++;
	changed[3].project_id++;
	changed[4].project = other;
	changed[5].actor_type = other;
	changed[6].actor_id++;
	changed[7].actor = other;
	changed[8].operation = other;
	changed[9].resource_type = other;
	changed[10].resource = other;
	changed[11].digest = other;
	changed[12].address = other;
	changed[13].request_id = other;
	changed[14].result = AUDIT_ALLOWED;
	changed[15].detail = other;
	str before = audit_hash_chain(&arena, audit_hash_none, 1, &SAMPLE,
				      audit_hash_personal(&arena, salt, &SAMPLE));
	for (size_t i = 0; i < COUNT_OF(changed); i++) {
		str after = audit_hash_chain(&arena, audit_hash_none, 1, &changed[i],
					     audit_hash_personal(&arena, salt, &changed[i]));
		cr_assert(!str_eq(before, after), "field %zu", i);
	}
}

Test(audit_chain, a_checkpoint_is_read_back_and_nothing_else_is_one)
{
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, MIB(1));
	const struct audit_checkpoint_claims claims = { 12, audit_hash_none, 1764000000000000 };
	struct audit_checkpoint_claims read;
	str text = audit_checkpoint_write(&arena, &claims);
	cr_assert(audit_checkpoint_read(&arena, text, &read));
	cr_assert_eq(read.seq, 12);
	cr_assert_eq(read.time_us, claims.time_us);
	cr_assert(str_eq(read.hash, claims.hash));
	static const char *const wrong[] = {
		"",
		"{}",
		"[]",
		"{\"type\":\"other\",\"seq\":1,\"hash\":\"00\",\"time_us\":1}",
		"{\"type\":\"berth-audit-checkpoint\",\"seq\":1,\"hash\":\"00\",\"time_us\":1}",
		"{\"type\":\"berth-audit-checkpoint\",\"seq\":\"1\",\"hash\":\"\",\"time_us\":1}",
	};
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		cr_assert(!audit_checkpoint_read(&arena, str_from(wrong[i]), &read), "%s",
			  wrong[i]);
}

AUDIT_TEST(audit_verify, an_empty_trail_is_intact)
{
	struct audit_verdict verdict = EXPECT_INTACT(f);
	cr_assert_eq(verdict.places, 0);
}

AUDIT_TEST(audit_verify, what_was_written_is_intact_over_restarts)
{
	audit_fixture_write(f, 250); /* more than one batch */
	cr_assert_eq(EXPECT_INTACT(f).waiting, 250);
	audit_fixture_seal(f);
	audit_fixture_sign(f);
	audit_free(f->audit);
	f->audit = audit_fixture_open(f);
	audit_fixture_write(f, 3);
	audit_fixture_seal(f);
	audit_fixture_sign(f);
	audit_fixture_write(f, 1);
	struct audit_verdict verdict = EXPECT_INTACT(f);
	cr_assert_eq(verdict.places, 253);
	cr_assert_eq(verdict.waiting, 1);
	cr_assert_eq(verdict.checkpoints, 2);
	cr_assert_eq(verdict.last_checkpoint, 253);
}

/* Twelve records in their places, signed at ten. */
static void make_trail(struct audit_fixture *f)
{
	audit_fixture_write(f, 10);
	audit_fixture_seal(f);
	audit_fixture_sign(f);
	audit_fixture_write(f, 2);
	audit_fixture_seal(f);
	EXPECT_INTACT(f);
}

#define TAMPER_TEST(name, sql_text, place, text)                                                   \
	AUDIT_TEST(audit_verify, finds_##name)                                                     \
	{                                                                                          \
		make_trail(f);                                                                     \
		audit_fixture_tamper(f, sql_text);                                                 \
		EXPECT_DIFFERENCE(f, place, text);                                                 \
	}

TAMPER_TEST(a_changed_actor, "UPDATE audit_record SET actor = 'bob' WHERE id = 4", 4,
	    "record 4 was changed")
TAMPER_TEST(a_changed_result, "UPDATE audit_record SET result = 1 WHERE id = 4", 4,
	    "record 4 was changed")
TAMPER_TEST(a_changed_time, "UPDATE audit_record SET time_us = time_us + 1 WHERE id = 12", 12,
	    "record 12 was changed")
TAMPER_TEST(a_changed_reason, "UPDATE audit_record SET detail = '{}' WHERE id = 1", 1,
	    "record 1 was changed")
TAMPER_TEST(a_removed_record, "DELETE FROM audit_record WHERE id = 6", 6, "record 6 was removed")
TAMPER_TEST(a_removed_place, "DELETE FROM audit_seal WHERE seq = 6", 6, "the place is missing")
TAMPER_TEST(an_inserted_record,
	    "INSERT INTO audit_record (id, time_us, tenant_id, project_id, project, actor_type, "
	    "actor_id, actor, operation, resource_type, resource, address, result, detail) VALUES "
	    "(0, 1, 1, 0, '', 'user', 1, 'eve', 'pull', 'artifact', 'x', '', 0, '{}')",
	    0, "record 0 was inserted")
TAMPER_TEST(a_forged_end,
	    "UPDATE audit_chain SET hash = (SELECT hash FROM audit_seal WHERE seq = 2)", 12,
	    "does not end as its last record says")
TAMPER_TEST(a_place_behind_the_end, "UPDATE audit_chain SET seq = 11", 11,
	    "does not end as its last record says")
TAMPER_TEST(a_forged_checkpoint, "UPDATE audit_checkpoint SET signed = signed || 'x'", 10,
	    "signature is wrong")
TAMPER_TEST(a_checkpoint_for_another_place, "UPDATE audit_checkpoint SET seq = 9", 9,
	    "was signed for place 10")

AUDIT_TEST(audit_verify, finds_reordered_records)
{
	make_trail(f);
	audit_fixture_tamper(f, "UPDATE audit_seal SET record_id = -record_id WHERE seq IN (3, 4)");
	audit_fixture_tamper(f,
			     "UPDATE audit_seal SET record_id = 7 + record_id WHERE seq IN (3, 4)");
	EXPECT_DIFFERENCE(f, 3, "record 4 was changed");
}

/* Removed with its place, and the places behind it moved up. */
AUDIT_TEST(audit_verify, finds_a_removed_record_whose_gap_was_closed)
{
	make_trail(f);
	audit_fixture_tamper(f, "DELETE FROM audit_record WHERE id = 11");
	audit_fixture_tamper(f, "DELETE FROM audit_seal WHERE seq = 11");
	audit_fixture_tamper(f, "UPDATE audit_seal SET seq = 11 WHERE seq = 12");
	audit_fixture_tamper(f, "UPDATE audit_chain SET seq = 11");
	EXPECT_DIFFERENCE(f, 11, "record 12 was changed or is not in its place");
}

static void cut_tail(struct audit_fixture *f, int keep)
{
	char text[160];
	snprintf(text, sizeof text, "DELETE FROM audit_seal WHERE seq > %d", keep);
	audit_fixture_tamper(f, text);
	snprintf(text, sizeof text, "DELETE FROM audit_record WHERE id > %d", keep);
	audit_fixture_tamper(f, text);
	snprintf(text, sizeof text,
		 "UPDATE audit_chain SET seq = %d, record_id = %d, checkpoint_seq = 0, hash = "
		 "(SELECT "
		 "hash FROM audit_seal WHERE seq = %d)",
		 keep, keep, keep);
	audit_fixture_tamper(f, text);
}

AUDIT_TEST(audit_verify, finds_a_tail_cut_off)
{
	make_trail(f);
	cut_tail(f, 8);
	EXPECT_DIFFERENCE(f, 9, "a checkpoint was signed for place 10");
}

AUDIT_TEST(audit_verify, finds_a_tail_cut_off_together_with_its_checkpoints)
{
	make_trail(f);
	cut_tail(f, 8);
	audit_fixture_tamper(f, "DELETE FROM audit_checkpoint");
	EXPECT_DIFFERENCE(f, 9, "a checkpoint was signed for place 10");
}

AUDIT_TEST(audit_verify, finds_a_trail_begun_anew)
{
	make_trail(f);
	static const char *const tables[] = { "audit_record", "audit_seal", "audit_checkpoint",
					      "audit_key" };
	audit_fixture_tamper(f, "UPDATE audit_chain SET seq = 0, record_id = 0");
	for (size_t i = 0; i < COUNT_OF(tables); i++)
		audit_fixture_tamper(f,
				     arena_printf(f->ctx->arena, "DELETE FROM %s", tables[i]).ptr);
	EXPECT_DIFFERENCE(f, 0, "is not signed by a key of this trail");
}

static err_t reseal_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct audit_sealed *sealed;
	struct audit_chain chain;
	size_t count;
	str hash = audit_hash_none;
	TRY(db_audit_seal_page(ctx, tx, 0, 100, &sealed, &count));
	for (size_t i = 0; i < count; i++) {
		struct audit_seal *seal = &sealed[i].seal;
		seal->personal = audit_hash_personal(ctx->arena, seal->salt, &sealed[i].row);
		seal->hash = hash = audit_hash_chain(ctx->arena, hash, seal->seq, &sealed[i].row,
						     seal->personal);
	}
	TRY(db_audit_chain_find(ctx, tx, &chain));
	TRY(audit_fixture_tamper_body(ctx, tx, arg));
	for (size_t i = 0; i < count; i++)
		TRY(db_audit_seal_insert(ctx, tx, &sealed[i].seal));
	return db_audit_chain_set(ctx, tx, chain.seq, hash, (int64_t)count);
}

/* Somebody who has read audit_chain.h, but has not the key. */
AUDIT_TEST(audit_verify, finds_a_chain_computed_anew)
{
	make_trail(f);
	audit_fixture_tamper(f, "UPDATE audit_record SET actor = 'bob' WHERE id = 4");
	struct audit_tampering tampering = { "DELETE FROM audit_seal",
					     db_statement_count() + f->tamperings++ };
	EXPECT_OK(f->ctx, db_run(f->ctx, f->db, SQL_WRITE, reseal_body, &tampering));
	EXPECT_DIFFERENCE(f, 10, "the chain is not the one");
	audit_fixture_tamper(f, "DELETE FROM audit_checkpoint");
	EXPECT_DIFFERENCE(f, 10, "the chain is not the one that this node signed last");
}

AUDIT_TEST(audit_verify, the_wrong_master_key_is_no_verdict)
{
	make_trail(f);
	f->master.bytes[0] ^= 1;
	const struct audit_verify_options options = { .db = f->db, .master_key = &f->master };
	struct audit_verdict verdict;
	EXPECT(f->ctx, audit_verify(f->ctx, &options, &verdict), ERR_CONFIG);
}

static void *seal_much(void *arg)
{
	struct audit_fixture *f = arg;
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, MIB(32));
	struct ctx ctx;
	ctx_init(&ctx, &arena);
	struct audit *audit = audit_fixture_open(
		&(struct audit_fixture){ .ctx = &ctx, .db = f->db, .master = f->master });
	for (int i = 0; i < 20; i++) {
		bool more;
		err_t err = audit_seal_batch(&ctx, audit, &more);
		if (err == OK)
			err = audit_seal_checkpoint(&ctx, audit, true);
		cr_assert_eq(err, OK, "%s", ctx.failure.detail);
		arena_reset(&arena);
	}
	audit_free(audit);
	return NULL;
}

/* Several nodes seal while others write. */
AUDIT_TEST(audit_verify, sealers_do_not_fork_the_chain)
{
	pthread_t threads[3];
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		pthread_create(&threads[i], NULL, seal_much, f);
	audit_fixture_write(f, 60);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		pthread_join(threads[i], NULL);
	audit_fixture_seal(f);
	cr_assert_eq(EXPECT_INTACT(f).places, 60);
}

/* --- erasing -------------------------------------------------------------------------------- */

static const struct audit_event ERASER = {
	.tenant_id = 1,
	.actor_type = STR_INIT("user"),
	.actor_id = 1,
	.actor = STR_INIT("admin"),
};

AUDIT_TEST(audit_erase, a_person_goes_and_the_chain_stays)
{
	make_trail(f);
	struct audit_erased erased;
	EXPECT_OK(f->ctx, audit_erase(f->ctx, f->audit, STR("alice"), &ERASER, &erased));
	cr_assert_eq(erased.records, 12);
	audit_fixture_seal(f);
	struct audit_verdict verdict = EXPECT_INTACT(f);
	cr_assert_eq(verdict.erased, 12);
	cr_assert_eq(verdict.places, 13);
	EXPECT(f->ctx, audit_erase(f->ctx, f->audit, STR("alice"), &ERASER, &erased), ERR_ABSENT);
}

AUDIT_TEST(audit_erase, more_records_than_a_page)
{
	audit_fixture_write(f, 450);
	audit_fixture_seal(f);
	struct audit_erased erased;
	EXPECT_OK(f->ctx, audit_erase(f->ctx, f->audit, STR("alice"), &ERASER, &erased));
	cr_assert_eq(erased.records, 450);
	audit_fixture_seal(f);
	cr_assert_eq(EXPECT_INTACT(f).erased, 450);
}

AUDIT_TEST(audit_erase, records_that_wait_for_their_place_too)
{
	audit_fixture_write(f, 3);
	struct audit_erased erased;
	EXPECT_OK(f->ctx, audit_erase(f->ctx, f->audit, STR("alice"), &ERASER, &erased));
	audit_fixture_seal(f);
	EXPECT_INTACT(f);
}

static err_t waits_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	err_t err = db_audit_unsealed_exists(ctx, tx);
	*(bool *)arg = err == OK;
	return err == ERR_ABSENT ? OK : err;
}

/* Another node, which takes its time before it commits. It leaves the chain to whoever looks at it,
 * and comes again. */
struct sealer {
	struct audit_fixture *f;
	pthread_t thread;
	_Atomic(bool) done;
};

static void *seal_slowly(void *arg)
{
	struct sealer *sealer = arg;
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, MIB(32));
	struct ctx ctx;
	ctx_init(&ctx, &arena);
	for (bool waits = true; waits; arena_reset(&arena)) {
		bool more;
		err_t err = audit_seal_batch(&ctx, sealer->f->audit, &more);
		if (err == OK)
			err = db_run(&ctx, sealer->f->db, SQL_READ, waits_body, &waits);
		cr_assert_eq(err, OK, "%s", ctx.failure.detail);
	}
	atomic_store(&sealer->done, true);
	return NULL;
}

static err_t look_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct audit_chain chain;
	err_t err = db_audit_chain_take(ctx, tx, &chain);
	*(bool *)arg = err == ERR_ABSENT;
	return err == ERR_ABSENT ? OK : err;
}

AUDIT_TEST(audit_erase, records_that_get_their_place_at_the_same_moment_too)
{
	if (!FAULTS_BUILT)
		cr_skip_test("needs a build with faults");
	audit_fixture_write(f, 5);
	fault_setup("audit.seal:1=wait:500");
	struct sealer sealer = { .f = f };
	pthread_create(&sealer.thread, NULL, seal_slowly, &sealer);
	bool taken = f->sql.engine == SQL_SQLITE; /* which has one writer */
	for (; !taken && !atomic_load(&sealer.done); poll(NULL, 0, 1))
		EXPECT_OK(f->ctx, db_run(f->ctx, f->db, SQL_WRITE, look_body, &taken));
	struct audit_erased erased;
	EXPECT_OK(f->ctx, audit_erase(f->ctx, f->audit, STR("alice"), &ERASER, &erased));
	pthread_join(sealer.thread, NULL);
	fault_setup(NULL);
	cr_assert_eq(erased.records, 5);
	audit_fixture_seal(f);
	EXPECT_INTACT(f);
}

AUDIT_TEST(audit_erase, a_change_cannot_pass_for_an_erasure)
{
	make_trail(f);
	struct audit_erased erased;
	EXPECT_OK(f->ctx, audit_erase(f->ctx, f->audit, STR("alice"), &ERASER, &erased));
	audit_fixture_write(f, 1);
	audit_fixture_seal(f);
	EXPECT_INTACT(f);
	audit_fixture_tamper(f, "UPDATE audit_record SET detail = (SELECT detail FROM audit_record "
				"WHERE id = 1), actor = 'mallory' WHERE id = 14");
	audit_fixture_tamper(f, "UPDATE audit_seal SET salt = NULL WHERE record_id = 14");
	EXPECT_DIFFERENCE(f, 0, "more records were erased as");
}

AUDIT_TEST(audit_erase, a_salt_thrown_away_is_no_erasure)
{
	make_trail(f);
	audit_fixture_tamper(f, "UPDATE audit_seal SET salt = NULL WHERE record_id = 5");
	EXPECT_DIFFERENCE(f, 5, "personal data is gone");
}

/* A verification that never ran was shown as finished, and the trail as changed. */
AUDIT_TEST(audit_check, without_a_thread_the_last_one_stays)
{
	struct audit_check check;
	make_trail(f);
	fault_setup("thread.start:1=errno:11");
	cr_expect_eq(audit_check_start(f->ctx, f->audit), ERR_BUSY);
	fault_setup(NULL);
	ctx_forgive(f->ctx);
	audit_check_state(f->audit, &check);
	cr_expect_eq(check.started_at_us, 0);
	cr_expect_not(check.running);

	EXPECT_OK(f->ctx, audit_check_start(f->ctx, f->audit));
	audit_check_stop(f->audit);
	audit_check_state(f->audit, &check);
	cr_expect_neq(check.started_at_us, 0);
}
