/* SPDX-License-Identifier: Apache-2.0 */
/* Who is asking: accounts, tokens and keys on a real database, over rotations, restarts and two
 * nodes. */
#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth_fixture.h"
#include "auth/keys.h"
#include "base/clock.h"
#include "codec/scope.h"
#include "crypto/jws.h"

#define DAY_S 86400

/* Makes every key older, as if the time had passed. */
static struct sql_statement age_keys = {
	.name = "test_age_keys",
	.sqlite = "UPDATE signing_key SET created_at_us = created_at_us - $1",
	.postgres = "UPDATE signing_key SET created_at_us = created_at_us - $1",
	.parameters = 1,
};
static struct sql_statement count_keys = {
	.name = "test_count_keys",
	.sqlite = "SELECT count(*) FROM signing_key",
	.postgres = "SELECT count(*) FROM signing_key",
	.kind = SQL_STATEMENT_ONE,
};
static struct sql_statement forget_keys = {
	.name = "test_forget_keys",
	.sqlite = "DELETE FROM signing_key",
	.postgres = "DELETE FROM signing_key",
};

static void set_up(void)
{
	static struct sql_statement *const extra[] = { &age_keys, &count_keys, &forget_keys };
	fixture_start(extra, COUNT_OF(extra));
}

static void set_up_with_admin(void)
{
	set_up();
	make_admin("secret");
}

TestSuite(auth, .init = set_up, .fini = fixture_stop);
TestSuite(tokens, .init = set_up_with_admin, .fini = fixture_stop);

static void change(const struct sql_statement *statement, struct sql_args args)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	must(sql_begin(&ctx, db, SQL_WRITE, &tx));
	must(sql_exec(&ctx, &tx, statement, args, NULL));
	must(sql_commit(&ctx, &tx));
}

static void age_all_keys(int64_t seconds)
{
	change(&age_keys, SQL_ARGS(SQL_I64(seconds * 1000000)));
}

static int64_t key_count(void)
{
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	CLEANUP(sql_rows_done) struct sql_rows rows = SQL_ROWS_INIT;
	must(sql_begin(&ctx, db, SQL_READ, &tx));
	must(sql_one(&ctx, &tx, &count_keys, SQL_NO_ARGS, &rows));
	return sql_i64(&rows, 0);
}

static const struct identity admin = { .subject = SUBJECT_USER,
				       .id = 1,
				       .tenant_id = TENANT_DEFAULT,
				       .name = STR_INIT("admin"),
				       .flags = IDENTITY_ADMIN,
				       .epoch = 1 };
static const struct grant pull = { .type = STR_INIT("repository"),
				   .name = STR_INIT("lib/app"),
				   .actions = SCOPE_PULL };

static str issue(struct auth *node)
{
	struct auth_token token;
	must(auth_issue(&ctx, node, &admin, &(struct auth_grants){ &pull, 1, 0 }, &token));
	return token.token;
}

/* --- accounts ------------------------------------------------------------------------------- */

Test(auth, the_first_start_makes_an_administrator_once)
{
	str made, again;
	struct identity who;
	must(auth_ensure_admin(&ctx, auth, STR_NONE, &made));
	cr_assert_geq(made.len, 20);
	must(check_password(STR(AUTH_ADMIN), made, &who));
	cr_assert_eq(who.flags, IDENTITY_ADMIN);
	cr_assert_not(who.by_token);
	cr_assert(str_eq(who.name, STR("admin")));

	must(auth_ensure_admin(&ctx, auth, STR("other"), &again));
	cr_assert_eq(again.len, 0);
	cr_assert_eq(check_password(STR("admin"), STR("other"), &who), ERR_UNAUTHORIZED);
}

Test(auth, a_wanted_password_is_taken_and_not_given_back)
{
	str made = STR("untouched");
	must(auth_ensure_admin(&ctx, auth, STR("p:w \xc3\xa9"), &made));
	cr_assert_eq(made.len, 0);
	must(basic("admin:p:w \xc3\xa9"));
}

Test(auth, a_password_that_basic_cannot_carry_is_refused_at_once)
{
	static char huge[1025];
	str made;
	memset(huge, 'x', sizeof huge);
	cr_assert_eq(auth_ensure_admin(&ctx, auth, STR("a\nb"), &made), ERR_CONFIG);
	cr_assert_eq(auth_ensure_admin(&ctx, auth, STR("\xff"), &made), ERR_CONFIG);
	cr_assert_eq(auth_ensure_admin(&ctx, auth, (str){ huge, sizeof huge }, &made), ERR_CONFIG);
}

Test(auth, only_the_right_pair_opens_also_when_remembered)
{
	static const char *const wrong[] = {
		"admin:secre",	 "admin:secrett", "admin:",
		"admin:Secret",	 "Admin:secret",  "admi:nsecret",
		"adminsecret:",	 ":secret",	  ":",
		"nobody:secret", "admin",	  "admin :secret",
		" admin:secret", "admin:secret ", "adminsecret",
	};
	str made;
	must(auth_ensure_admin(&ctx, auth, STR("secret"), &made));
	for (int round = 0; round < 3; round++)
		must(basic("admin:secret"));
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		cr_assert_eq(basic(wrong[i]), ERR_UNAUTHORIZED, "%s", wrong[i]);
	must(basic("admin:secret"));
}

Test(auth, users_and_passwords_that_cannot_exist_are_refused)
{
	static char text[2000];
	struct identity who;
	memset(text, 'x', sizeof text);
	str huge = { text, 1025 };
	cr_assert_eq(check_password(STR("admin"), huge, &who), ERR_UNAUTHORIZED);
	cr_assert_eq(check_password(huge, STR("x"), &who), ERR_UNAUTHORIZED);
	cr_assert_eq(check_password(STR("admin\0"), STR("x"), &who), ERR_UNAUTHORIZED);
	cr_assert_eq(check_password(STR("\xff"), STR("x"), &who), ERR_UNAUTHORIZED);
}

/* --- who is asking -------------------------------------------------------------------------- */

Test(auth, nothing_is_anonymous)
{
	struct identity who;
	struct cache_value *pin = (struct cache_value *)1;
	const struct credentials from = { .address = STR("192.0.2.1") };
	must(auth_identify(&ctx, auth, &from, &who, &pin));
	cr_assert_null(pin);
	cr_assert_eq(who.subject, SUBJECT_ANONYMOUS);
	cr_assert_not(who.by_token);
	cr_assert_eq(who.name.len, 0);
}

Test(auth, other_schemes_and_garbage_are_refused)
{
	static const char *const wrong[] = {
		"Digest username=\"admin\"",
		"Basic",
		"Basic !!!!",
		"Bearer",
		"Bearer ",
		"Bearer a b",
		"Bearer",
		"admin:x",
		"Bearer x.y.z",
		"Bearer ..",
		"Bearer eyJhbGciOiJub25lIn0.e30.",
	};
	struct identity who;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		cr_assert_eq(identify(auth, str_from(wrong[i]), &who), ERR_UNAUTHORIZED, "%s",
			     wrong[i]);
	char *huge = arena_alloc(&arena, JWS_TOKEN_MAX + 100);
	memset(huge, 'a', JWS_TOKEN_MAX + 100);
	cr_assert_eq(bearer(auth, (str){ huge, JWS_TOKEN_MAX + 100 }), ERR_UNAUTHORIZED);
}

/* --- tokens --------------------------------------------------------------------------------- */

static void assert_admin_pull(str token)
{
	CLEANUP(cache_value_done) struct cache_value *pin = NULL;
	struct identity who;
	str header = arena_printf(&arena, "bearer " STR_FMT, STR_ARG(token));
	const struct credentials from = { .authorization = header };
	must(auth_identify(&ctx, auth, &from, &who, &pin));
	cr_assert_not_null(pin);
	cr_assert_eq(who.flags, IDENTITY_ADMIN);
	cr_assert(who.by_token);
	cr_assert(str_eq(who.name, STR("admin")));
	cr_assert_eq(who.grant_count, 1);
	cr_assert(str_eq(who.grants[0].type, pull.type));
	cr_assert(str_eq(who.grants[0].name, pull.name));
	cr_assert_eq(who.grants[0].actions, pull.actions);
	struct resource app = { .repository = pull.name, .repository_asked = pull.name };
	cr_assert(access_granted_by_token(&who, ACTION_REPOSITORY_PULL, &app));
	cr_assert_not(access_granted_by_token(&who, ACTION_REPOSITORY_PUSH, &app));
}

Test(tokens, a_token_says_what_was_put_in_cold_and_warm)
{
	struct auth_token token;
	int64_t before_us = clock_wall_us();
	must(auth_issue(&ctx, auth, &admin, &(struct auth_grants){ &pull, 1, 0 }, &token));
	cr_assert_eq(token.expires_in_s, 1800);
	cr_assert_leq(token.issued_at_us, clock_wall_us());
	cr_assert_geq(token.issued_at_us, before_us - 1000000);
	for (int round = 0; round < 3; round++)
		assert_admin_pull(token.token);
}

Test(tokens, anonymous_gets_tokens_too)
{
	struct auth_token token;
	struct identity nobody = { 0 }, who;
	must(auth_issue(&ctx, auth, &nobody, &(struct auth_grants){ 0 }, &token));
	must(identify(auth, arena_printf(&arena, "Bearer " STR_FMT, STR_ARG(token.token)), &who));
	cr_assert_eq(who.subject, SUBJECT_ANONYMOUS);
	cr_assert(who.by_token);
	cr_assert_eq(who.grant_count, 0);
	str refresh;
	cr_assert_eq(auth_issue_refresh(&ctx, auth, &nobody, &refresh), ERR_UNAUTHORIZED);
}

Test(tokens, a_token_changed_anywhere_is_refused)
{
	str token = issue(auth);
	must(bearer(auth, token));
	char *changed = arena_cstr(&arena, token);
	for (size_t i = 0; i < token.len; i++) {
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		cr_assert_eq(bearer(auth, (str){ changed, token.len }), ERR_UNAUTHORIZED, "at %zu",
			     i);
		changed[i] = token.ptr[i];
	}
	cr_assert_eq(bearer(auth, str_take(token, token.len - 1)), ERR_UNAUTHORIZED);
	must(bearer(auth, token));
}

/* A key of the attacker's own, under a key id of ours. */
Test(tokens, a_token_signed_by_another_key_is_refused)
{
	struct jws_key foreign;
	struct jws_ring *ring;
	str header, rest, payload, token;
	must(jws_key_generate(&ctx, &foreign));
	cr_assert(str_cut(issue(auth), '.', &header, &rest));
	str decoded, before, id;
	cr_assert(base64_decode(&arena, BASE64_URL, header, &decoded));
	size_t at;
	cr_assert(str_find(decoded, STR("\"kid\""), &at));
	cr_assert(str_cut(str_skip(decoded, at + 5), '"', &before, &id));
	cr_assert(str_cut(id, '"', &foreign.id, &before));
	must(jws_ring_new(&ctx, &foreign, 1, &ring));
	cr_assert(str_cut(rest, '.', &payload, &before));
	cr_assert(base64_decode(&arena, BASE64_URL, payload, &decoded));
	must(jws_sign(&ctx, ring, decoded, &token));
	jws_ring_free(ring);
	cr_assert(str_has_prefix(token, header), "the same header, hence the same key id");
	cr_assert_eq(bearer(auth, token), ERR_UNAUTHORIZED);
}

Test(tokens, a_refresh_token_gives_its_account_and_nothing_else)
{
	str refresh;
	struct identity who;
	must(auth_issue_refresh(&ctx, auth, &admin, &refresh));
	must(auth_check_refresh(&ctx, auth, refresh, &who));
	cr_assert_eq(who.flags, IDENTITY_ADMIN);
	cr_assert_not(who.by_token);
	cr_assert(str_eq(who.name, STR("admin")));
	cr_assert_eq(bearer(auth, refresh), ERR_UNAUTHORIZED);
	cr_assert_eq(auth_check_refresh(&ctx, auth, issue(auth), &who), ERR_UNAUTHORIZED);
}

Test(tokens, a_token_ends_when_it_expires_also_when_remembered)
{
	struct auth *brief;
	must(try_node(2, &brief));
	str token = issue(brief);
	must(bearer(brief, token));
	int64_t give_up_ns = clock_now_ns() + 20 * CLOCK_S;
	while (bearer(brief, token) == OK && clock_now_ns() < give_up_ns)
		poll(NULL, 0, 20);
	cr_assert_eq(bearer(brief, token), ERR_UNAUTHORIZED);
	auth_free(brief);
}

Test(tokens, grants_that_do_not_fit_are_an_error)
{
	static struct grant many[1000];
	struct auth_token token;
	for (size_t i = 0; i < COUNT_OF(many); i++)
		many[i] = pull;
	cr_assert_eq(auth_issue(&ctx, auth, &admin,
				&(struct auth_grants){ many, COUNT_OF(many), 0 }, &token),
		     ERR_LIMIT);
}

/* --- keys ----------------------------------------------------------------------------------- */

static str header_of(str token)
{
	str header = STR_NONE, rest;
	str_cut(token, '.', &header, &rest);
	return header;
}

Test(tokens, a_young_key_is_not_rotated)
{
	str before = issue(auth);
	age_all_keys(29 * DAY_S);
	must(auth_rotate_keys(&ctx, auth));
	cr_assert_eq(key_count(), 1);
	cr_assert(str_eq(header_of(before), header_of(issue(auth))));
}

/* A new key is known everywhere before it signs: other nodes read keys twice a minute. */
Test(tokens, rotation_signs_with_a_new_key_and_keeps_old_tokens)
{
	str before = issue(auth);
	age_all_keys(31 * DAY_S);
	must(auth_rotate_keys(&ctx, auth));
	cr_assert_eq(key_count(), 2);
	cr_assert(str_eq(header_of(before), header_of(issue(auth))));
	age_all_keys(601);
	must(auth_read_keys(&ctx, auth));
	str after = issue(auth);
	cr_assert_eq(key_count(), 2);
	cr_assert_not(str_eq(header_of(before), header_of(after)));
	must(bearer(auth, before));
	must(bearer(auth, after));
}

/* The old key signed until its successor came, so its refresh tokens live a month from there. */
Test(tokens, a_key_is_forgotten_a_month_after_its_successor)
{
	str refresh;
	struct identity who;
	must(auth_issue_refresh(&ctx, auth, &admin, &refresh));
	age_all_keys(90 * DAY_S);
	must(auth_rotate_keys(&ctx, auth));
	age_all_keys(29 * DAY_S);
	must(auth_rotate_keys(&ctx, auth));
	cr_assert_eq(key_count(), 2);
	must(auth_check_refresh(&ctx, auth, refresh, &who));
	age_all_keys(3 * DAY_S);
	must(auth_rotate_keys(&ctx, auth));
	cr_assert_eq(key_count(), 2, "one forgotten, one made");
	cr_assert_eq(auth_check_refresh(&ctx, auth, refresh, &who), ERR_UNAUTHORIZED);
}

Test(tokens, a_full_ring_loses_no_key_that_a_token_may_name)
{
	struct auth_options options = { .db = db,
					.master_key_path = key_path(),
					.key_lifetime_s = 1 };
	struct auth *hasty;
	str first = issue(auth);
	must(auth_new(&ctx, &options, &hasty));
	for (int i = 0; i < 2 * JWS_KEYS_MAX; i++) {
		age_all_keys(2);
		must(auth_rotate_keys(&ctx, hasty));
	}
	cr_assert_eq(key_count(), JWS_KEYS_MAX);
	must(bearer(hasty, first));
	must(bearer(hasty, issue(hasty)));
	auth_free(hasty);
}

Test(tokens, tokens_survive_a_restart)
{
	str token = issue(auth);
	auth_free(auth);
	auth = new_node();
	must(bearer(auth, token));
	cr_assert_eq(key_count(), 1);
}

Test(tokens, two_nodes_on_one_database_agree_after_rotation)
{
	struct auth *other = new_node();
	must(bearer(other, issue(auth)));
	age_all_keys(31 * DAY_S);
	must(auth_rotate_keys(&ctx, auth));
	must(bearer(other, issue(auth)));
	must(bearer(auth, issue(other)));
	auth_free(other);
}

/* --- the master key ------------------------------------------------------------------------- */

static void write_master_key(const char *bytes, size_t len)
{
	FILE *file = fopen(key_path().ptr, "w");
	cr_assert_not_null(file);
	fwrite(bytes, 1, len, file);
	fclose(file);
}

Test(tokens, the_master_key_is_32_bytes_for_its_owner)
{
	struct stat info;
	cr_assert_eq(stat(key_path().ptr, &info), 0);
	cr_assert_eq(info.st_size, 32);
	cr_assert_eq(info.st_mode & 07777, 0600);
}

Test(tokens, another_or_a_broken_master_key_stops_the_start)
{
	struct auth *node = NULL;
	write_master_key("0123456789abcdef0123456789abcdef", 32);
	cr_assert_eq(try_node(0, &node), ERR_CONFIG);
	write_master_key("", 0);
	cr_assert_eq(try_node(0, &node), ERR_CONFIG);
	write_master_key("0123456789abcdef0123456789abcdef0", 33);
	cr_assert_eq(try_node(0, &node), ERR_CONFIG);
	cr_assert_null(node);
}

/* --- threads -------------------------------------------------------------------------------- */

struct starter {
	pthread_t thread;
	struct auth *auth;
	err_t err;
	struct auth_options options;
};

static void *start_node(void *arg)
{
	struct starter *starter = arg;
	struct arena own_arena;
	struct ctx own;
	arena_init(&own_arena, MIB(4));
	ctx_init(&own, &own_arena);
	starter->err = auth_new(&own, &starter->options, &starter->auth);
	arena_done(&own_arena);
	return NULL;
}

Test(tokens, two_first_starts_at_once_share_one_master_key)
{
	struct starter starters[4];
	cr_assert_eq(unlink(key_path().ptr), 0);
	change(&forget_keys, SQL_NO_ARGS);
	for (size_t i = 0; i < COUNT_OF(starters); i++) {
		starters[i].options =
			(struct auth_options){ .db = db, .master_key_path = key_path() };
		pthread_create(&starters[i].thread, NULL, start_node, &starters[i]);
	}
	for (size_t i = 0; i < COUNT_OF(starters); i++)
		pthread_join(starters[i].thread, NULL);
	for (size_t i = 0; i < COUNT_OF(starters); i++) {
		cr_assert_eq(starters[i].err, OK);
		must(bearer(starters[i].auth, issue(starters[0].auth)));
	}
	for (size_t i = 0; i < COUNT_OF(starters); i++)
		auth_free(starters[i].auth);
}

static pthread_barrier_t barrier;

static void *read_master_key(void *into)
{
	struct arena own_arena;
	struct ctx own;
	arena_init(&own_arena, MIB(1));
	ctx_init(&own, &own_arena);
	str path = arena_printf(&own_arena, "%s/raced.key", root);
	pthread_barrier_wait(&barrier);
	err_t err = master_key_read(&own, path, true, into);
	arena_done(&own_arena);
	return (void *)(uintptr_t)err;
}

Test(tokens, who_loses_the_race_for_the_master_key_takes_the_winners)
{
	pthread_t threads[4];
	pthread_barrier_init(&barrier, NULL, COUNT_OF(threads));
	for (int round = 0; round < 50; round++) {
		struct secretbox_key keys[COUNT_OF(threads)];
		for (size_t i = 0; i < COUNT_OF(threads); i++)
			pthread_create(&threads[i], NULL, read_master_key, &keys[i]);
		for (size_t i = 0; i < COUNT_OF(threads); i++) {
			void *err;
			pthread_join(threads[i], &err);
			cr_assert_null(err);
			cr_assert_eq(memcmp(&keys[i], &keys[0], sizeof keys[0]), 0);
		}
		cr_assert_eq(unlink(arena_printf(&arena, "%s/raced.key", root).ptr), 0);
	}
	pthread_barrier_destroy(&barrier);
}

static _Atomic(bool) stop;

static void *use_tokens(void *unused)
{
	uintptr_t failures = 0;
	while (!atomic_load(&stop)) {
		struct arena own_arena;
		struct ctx own;
		CLEANUP(cache_value_done) struct cache_value *pin = NULL;
		struct auth_token token = { 0 };
		struct identity who;
		arena_init(&own_arena, MIB(1));
		ctx_init(&own, &own_arena);
		err_t err = auth_issue(&own, auth, &admin, &(struct auth_grants){ &pull, 1, 0 },
				       &token);
		const struct credentials from = {
			.authorization =
				arena_printf(&own_arena, "Bearer " STR_FMT, STR_ARG(token.token)),
		};
		if (err == OK)
			err = auth_identify(&own, auth, &from, &who, &pin);
		failures += err != OK;
		arena_done(&own_arena);
	}
	return (void *)failures;
}

Test(tokens, rings_are_swapped_under_busy_threads)
{
	struct auth_options options = { .db = db,
					.master_key_path = key_path(),
					.key_lifetime_s = 1 };
	pthread_t threads[3];
	auth_free(auth);
	must(auth_new(&ctx, &options, &auth));
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		pthread_create(&threads[i], NULL, use_tokens, NULL);
	for (int i = 0; i < 20; i++) {
		age_all_keys(2);
		must(auth_rotate_keys(&ctx, auth));
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		void *failures;
		pthread_join(threads[i], &failures);
		cr_assert_null(failures);
	}
}
