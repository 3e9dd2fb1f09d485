/* SPDX-License-Identifier: Apache-2.0 */
/* Password records and sealed secrets: right opens, everything else does not. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "crypto/secretbox.h"

static struct arena arena;
static struct ctx ctx;

static void start(void)
{
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
}

static void stop(void)
{
	arena_done(&arena);
}

TestSuite(password, .init = start, .fini = stop);
TestSuite(secretbox, .init = start, .fini = stop);

Test(password, verifies_its_own_records)
{
	str one, two;
	cr_assert_eq(password_hash(&ctx, STR("correct horse"), &one), OK);
	cr_assert_eq(password_hash(&ctx, STR("correct horse"), &two), OK);
	cr_assert(str_has_prefix(one, STR("$argon2id$v=19$m=19456,t=2,p=1$")), STR_FMT,
		  STR_ARG(one));
	cr_assert(!str_eq(one, two), "salts differ");
	cr_assert_eq(password_verify(&ctx, one, STR("correct horse")), OK);
	cr_assert_eq(password_verify(&ctx, one, STR("correct hors")), ERR_UNAUTHORIZED);
	cr_assert_eq(password_verify(&ctx, one, STR("")), ERR_UNAUTHORIZED);
	cr_assert_eq(password_verify(&ctx, one, STR_NONE), ERR_UNAUTHORIZED);
}

Test(password, behind_a_nul_counts)
{
	str record;
	cr_assert_eq(password_hash(&ctx, STR("a\0b"), &record), OK);
	cr_assert_eq(password_verify(&ctx, record, STR("a\0b")), OK);
	cr_assert_eq(password_verify(&ctx, record, STR("a\0c")), ERR_UNAUTHORIZED);
	cr_assert_eq(password_verify(&ctx, record, STR("a")), ERR_UNAUTHORIZED);
}

Test(password, damaged_records_and_no_record_let_nobody_in)
{
	static const char *const bad[] = { "", "x", "$argon2id$",
					   "$argon2id$v=19$m=19456,t=2,p=1$$", "plain text" };
	char long_record[300];
	memset(long_record, 'a', sizeof long_record);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect_eq(password_verify(&ctx, str_from(bad[i]), STR("plain text")),
			     ERR_UNAUTHORIZED, "row %zu", i);
	cr_expect_eq(password_verify(&ctx, (str){ long_record, sizeof long_record }, STR("x")),
		     ERR_UNAUTHORIZED);
}

Test(password, length_is_bounded)
{
	char text[PASSWORD_BYTES_MAX + 1];
	memset(text, 'x', sizeof text);
	str record = STR("kept");
	cr_assert_eq(password_hash(&ctx, (str){ text, sizeof text }, &record), ERR_LIMIT);
	cr_assert(str_eq(record, STR("kept")));
	cr_assert_eq(password_hash(&ctx, (str){ text, PASSWORD_BYTES_MAX }, &record), OK);
	cr_assert_eq(password_verify(&ctx, record, (str){ text, PASSWORD_BYTES_MAX }), OK);
	cr_assert_eq(password_verify(&ctx, record, (str){ text, sizeof text }), ERR_UNAUTHORIZED);
}

#define THREADS 6

struct attempt {
	str record;
	err_t right, wrong;
};

static void *try_both(void *arg)
{
	struct attempt *a = arg;
	struct arena own;
	struct ctx c;
	arena_init(&own, KIB(64));
	ctx_init(&c, &own);
	a->right = password_verify(&c, a->record, STR("secret"));
	a->wrong = password_verify(&c, a->record, STR("Secret"));
	arena_done(&own);
	return NULL;
}

Test(password, more_threads_than_slots_all_finish)
{
	pthread_t threads[THREADS];
	struct attempt attempts[THREADS];
	str record;
	cr_assert_eq(password_hash(&ctx, STR("secret"), &record), OK);
	for (int i = 0; i < THREADS; i++) {
		attempts[i] = (struct attempt){ .record = record };
		cr_assert_eq(pthread_create(&threads[i], NULL, try_both, &attempts[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		cr_expect_eq(attempts[i].right, OK);
		cr_expect_eq(attempts[i].wrong, ERR_UNAUTHORIZED);
	}
}

/* Holds both slots as long as it is told to, by hashing over and over. */
static void *keep_busy(void *stop_flag)
{
	struct arena own;
	struct ctx c;
	str record;
	arena_init(&own, MIB(1));
	while (!atomic_load((_Atomic(bool) *)stop_flag)) {
		arena_reset(&own);
		ctx_init(&c, &own);
		if (password_hash(&c, STR("x"), &record) != OK)
			break;
	}
	arena_done(&own);
	return NULL;
}

Test(password, waiting_ends_at_the_deadline, .timeout = 120)
{
	pthread_t threads[THREADS];
	_Atomic(bool) enough = false;
	err_t err = OK;
	for (int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, keep_busy, &enough), 0);
	while (err != ERR_DEADLINE) { /* until it meets two hashes in progress */
		ctx_init(&ctx, &arena);
		ctx.deadline_ns = clock_now_ns() + 1;
		err = password_verify(&ctx, STR(""), STR("x"));
		cr_assert(err == ERR_DEADLINE || err == ERR_UNAUTHORIZED);
	}
	atomic_store(&enough, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static struct secretbox_key new_key(void)
{
	struct secretbox_key key;
	random_bytes(key.bytes, sizeof key.bytes);
	return key;
}

Test(secretbox, opens_what_it_sealed)
{
	CLEANUP(secretbox_key_done) struct secretbox_key key = new_key();
	static const str secrets[] = { STR_INIT(""), STR_INIT("x"), STR_INIT("a\0b"),
				       STR_INIT("{\"kty\":\"EC\"}") };
	for (size_t i = 0; i < COUNT_OF(secrets); i++) {
		str sealed, again, opened;
		cr_assert_eq(secretbox_seal(&ctx, &key, STR("k/1"), secrets[i], &sealed), OK);
		cr_assert_eq(secretbox_seal(&ctx, &key, STR("k/1"), secrets[i], &again), OK);
		cr_assert(!str_eq(sealed, again), "nonces differ");
		cr_assert_eq(secretbox_open(&ctx, &key, STR("k/1"), sealed, &opened), OK);
		cr_assert(str_eq(opened, secrets[i]));
	}
}

Test(secretbox, longest_secret)
{
	struct secretbox_key key = new_key();
	char *secret = arena_alloc(&arena, SECRETBOX_SECRET_MAX + 1);
	str sealed, opened;
	cr_assert_eq(secretbox_seal(&ctx, &key, STR("k"), (str){ secret, SECRETBOX_SECRET_MAX },
				    &sealed),
		     OK);
	cr_assert_eq(secretbox_open(&ctx, &key, STR("k"), sealed, &opened), OK);
	cr_assert_eq(opened.len, SECRETBOX_SECRET_MAX);
	cr_assert_eq(secretbox_seal(&ctx, &key, STR("k"), (str){ secret, SECRETBOX_SECRET_MAX + 1 },
				    &sealed),
		     ERR_LIMIT);
}

Test(secretbox, refuses_other_keys_contexts_and_any_changed_byte)
{
	struct secretbox_key key = new_key(), other = new_key();
	str sealed, opened = STR("kept");
	cr_assert_eq(secretbox_seal(&ctx, &key, STR("k/1"), STR("secret"), &sealed), OK);
	cr_assert_eq(secretbox_open(&ctx, &other, STR("k/1"), sealed, &opened), ERR_CORRUPT);
	cr_assert_eq(secretbox_open(&ctx, &key, STR("k/2"), sealed, &opened), ERR_CORRUPT);
	cr_assert_eq(secretbox_open(&ctx, &key, STR(""), sealed, &opened), ERR_CORRUPT);
	for (size_t i = 0; i < sealed.len; i++) {
		char *changed = arena_cstr(&arena, sealed);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		cr_expect_eq(secretbox_open(&ctx, &key, STR("k/1"), (str){ changed, sealed.len },
					    &opened),
			     ERR_CORRUPT, "byte %zu", i);
		cr_expect_eq(secretbox_open(&ctx, &key, STR("k/1"), str_take(sealed, i), &opened),
			     ERR_CORRUPT, "first %zu", i);
	}
	cr_assert(str_eq(opened, STR("kept")));
}
