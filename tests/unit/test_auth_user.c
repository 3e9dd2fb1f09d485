/* SPDX-License-Identifier: Apache-2.0 */
/* People: made, changed, blocked, deleted, and those whom somebody else vouches for. */
#include "auth_fixture.h"
#include "tenant_fixture.h"

#include "auth/access_token.h"
#include "auth/state.h"
#include "auth/user.h"
#include "codec/scope.h"
#include "codec/secret_text.h"
#include "db/user_group.h"

#include <string.h>

#define PASSWORD "Secret1234"

static void set_up(void)
{
	fixture_start(NULL, 0);
	make_admin("Admin1234");
}

TestSuite(user, .init = set_up, .fini = fixture_stop);

static int64_t make_user(const char *name)
{
	int64_t id = 0;
	const struct user_new from = { .tenant_id = TENANT_DEFAULT,
				       .name = str_from(name),
				       .password = STR(PASSWORD),
				       .email = arena_printf(&arena, "%s@example.com", name) };
	must(user_create(&ctx, auth, &from, &id));
	return id;
}

static struct user get_user(int64_t id)
{
	struct user user;
	must(user_get(&ctx, auth, TENANT_DEFAULT, id, &user));
	return user;
}

static struct user admin_user(void)
{
	struct user user;
	must(user_find(&ctx, auth, TENANT_DEFAULT, STR("admin"), &user));
	return user;
}

static err_t log_in(const char *name, const char *password)
{
	struct identity who;
	return password_at(auth, "192.0.2.1", name, password, &who);
}

static str issue_for(const char *name, const char *password)
{
	struct identity who;
	struct auth_token token;
	must(password_at(auth, "192.0.2.1", name, password, &who));
	must(auth_issue(&ctx, auth, &who, &(struct auth_grants){ 0 }, &token));
	return token.token;
}

/* --- making ----------------------------------------------------------------------------------- */

Test(user, somebody_new_can_log_in_by_name_and_by_address)
{
	int64_t id = make_user("anna");
	struct identity who;
	must(password_at(auth, "192.0.2.1", "anna", PASSWORD, &who));
	cr_expect_eq(who.id, id);
	cr_expect_eq(who.flags, 0);
	cr_expect(str_eq(who.issuer, STR("local")));
	must(password_at(auth, "192.0.2.1", "Anna@Example.com", PASSWORD, &who));
	cr_expect(str_eq(who.name, STR("anna")));
	cr_expect_eq(log_in("anna", "secret1234"), ERR_UNAUTHORIZED);
}

Test(user, names_and_addresses_are_taken_once)
{
	int64_t id;
	make_user("anna");
	struct user_new again = { .tenant_id = TENANT_DEFAULT,
				  .name = STR("anna"),
				  .password = STR(PASSWORD) };
	cr_expect_eq(user_create(&ctx, auth, &again, &id), ERR_EXISTS);
	again.name = STR("other");
	again.email = STR("ANNA@example.com");
	cr_expect_eq(user_create(&ctx, auth, &again, &id), ERR_EXISTS);
	must(db_run(&ctx, db, SQL_WRITE, make_tenant, &again.tenant_id));
	must(user_create(&ctx, auth, &again, &id));
}

Test(user, names_passwords_and_addresses_that_cannot_be)
{
	static const char *const names[] = { "",    "a,b", "a\"b", "a~b", "a#b", "a%b",
					     "a$b", "a:b", "a\nb", " a",  "a ",	 "\xff" };
	static const char *const passwords[] = { "",	      "Short1a",      "alllower1",
						 "ALLUPPER1", "NoDigitsHere", "\xff\xff" };
	static const char *const addresses[] = { "x", "@x", "x@", "a b@c", "\xff@x" };
	static char many[USER_PASSWORD_CHARS_MAX + 2];
	for (size_t i = 0; i < COUNT_OF(names); i++)
		cr_expect_eq(user_check_name(&ctx, str_from(names[i])), ERR_REQUEST_INVALID, "%s",
			     names[i]);
	for (size_t i = 0; i < COUNT_OF(passwords); i++)
		cr_expect_eq(user_check_new_password(&ctx, str_from(passwords[i])),
			     ERR_REQUEST_INVALID, "%s", passwords[i]);
	memset(many, 'a', sizeof many);
	memcpy(many, "A1", 2);
	cr_expect_eq(user_check_new_password(&ctx, (str){ many, 129 }), ERR_REQUEST_INVALID);
	must(user_check_new_password(&ctx, (str){ many, 128 }));
	must(user_check_new_password(&ctx, STR("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
					       "Aa1")));
	must(user_check_name(&ctx, STR("J\xc3\xb6rg O'Neill")));
	struct user user = get_user(make_user("anna"));
	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		user.email = str_from(addresses[i]);
		cr_expect_eq(user_update(&ctx, auth, &user), ERR_REQUEST_INVALID, "%s",
			     addresses[i]);
	}
}

/* --- changes count at once -------------------------------------------------------------------- */

Test(user, a_new_password_ends_tokens_and_what_was_remembered)
{
	struct user anna = get_user(make_user("anna"));
	str token = issue_for("anna", PASSWORD);
	must(bearer(auth, token));
	must(user_check_password(&ctx, auth, &anna, STR(PASSWORD), STR_NONE));
	must(user_set_password(&ctx, auth, &anna, STR("Another1234"), 0));
	cr_expect_eq(bearer(auth, token), ERR_UNAUTHORIZED);
	cr_expect_eq(log_in("anna", PASSWORD), ERR_UNAUTHORIZED);
	cr_expect_eq(user_check_password(&ctx, auth, &anna, STR(PASSWORD), STR_NONE),
		     ERR_UNAUTHORIZED);
	must(log_in("anna", "Another1234"));
}

Test(user, a_right_that_comes_or_goes_counts_at_once)
{
	struct user anna = get_user(make_user("anna"));
	struct identity who;
	must(log_in("anna", PASSWORD)); /* remembered, without the right */
	must(user_set_flag(&ctx, auth, &anna, IDENTITY_ADMIN, true));
	must(password_at(auth, "192.0.2.1", "anna", PASSWORD, &who));
	cr_expect_eq(who.flags, IDENTITY_ADMIN);
	str token = issue_for("anna", PASSWORD);
	must(user_set_flag(&ctx, auth, &anna, IDENTITY_ADMIN, false));
	cr_expect_eq(bearer(auth, token), ERR_UNAUTHORIZED);
	must(user_set_flag(&ctx, auth, &anna, IDENTITY_AUDITOR, true));
	must(user_set_flag(&ctx, auth, &anna, IDENTITY_TENANT_ADMIN, true));
	must(password_at(auth, "192.0.2.1", "anna", PASSWORD, &who));
	cr_expect_eq(who.flags, IDENTITY_AUDITOR | IDENTITY_TENANT_ADMIN);
}

Test(user, who_is_blocked_or_deleted_is_out_at_once)
{
	struct user anna = get_user(make_user("anna"));
	str token = issue_for("anna", PASSWORD);
	struct identity who;
	str refresh;
	must(password_at(auth, "192.0.2.1", "anna", PASSWORD, &who));
	must(auth_issue_refresh(&ctx, auth, &who, &refresh));
	must(user_set_disabled(&ctx, auth, &anna, true));
	cr_expect_eq(bearer(auth, token), ERR_UNAUTHORIZED);
	cr_expect_eq(log_in("anna", PASSWORD), ERR_UNAUTHORIZED);
	cr_expect_eq(auth_check_refresh(&ctx, auth, refresh, &who), ERR_UNAUTHORIZED);
	must(user_set_disabled(&ctx, auth, &anna, false));
	must(log_in("anna", PASSWORD));
	cr_expect_eq(bearer(auth, token), ERR_UNAUTHORIZED, "an old proof does not come back");

	must(user_delete(&ctx, auth, &anna));
	cr_expect_eq(log_in("anna", PASSWORD), ERR_UNAUTHORIZED);
	cr_expect_eq(user_get(&ctx, auth, TENANT_DEFAULT, anna.id, &anna), ERR_ABSENT);
	cr_expect_neq(make_user("anna"), anna.id, "the name is free again");
}

Test(user, the_last_local_administrator_stays)
{
	struct user admin = admin_user();
	struct user anna = get_user(make_user("anna"));
	cr_expect_eq(user_set_flag(&ctx, auth, &admin, IDENTITY_ADMIN, false), ERR_DENIED);
	ctx_forgive(&ctx);
	cr_expect_eq(user_set_disabled(&ctx, auth, &admin, true), ERR_DENIED);
	ctx_forgive(&ctx);
	cr_expect_eq(user_delete(&ctx, auth, &admin), ERR_DENIED);
	ctx_forgive(&ctx);
	must(user_set_flag(&ctx, auth, &anna, IDENTITY_ADMIN, true));
	must(user_delete(&ctx, auth, &admin));
	cr_expect_eq(user_set_disabled(&ctx, auth, &anna, true), ERR_DENIED);
}

Test(user, another_node_learns_of_it_within_seconds)
{
	struct auth *other = new_node();
	struct user anna = get_user(make_user("anna"));
	str token = issue_for("anna", PASSWORD);
	must(bearer(other, token));
	must(user_set_disabled(&ctx, auth, &anna, true));
	cr_expect_eq(bearer(auth, token), ERR_UNAUTHORIZED);
	state_drop(other, SUBJECT_USER, anna.id); /* as after STATE_REMEMBER_S */
	cr_expect_eq(bearer(other, token), ERR_UNAUTHORIZED);
	auth_free(other);
}

Test(user, lists_are_filtered_sorted_and_paged)
{
	struct user *users;
	size_t count;
	int64_t total;
	make_user("anna");
	make_user("annabel");
	make_user("berta");
	struct user_query query = { .tenant_id = TENANT_DEFAULT,
				    .name_like = STR("%ann%"),
				    .sort = USER_BY_NAME,
				    .descending = true,
				    .limit = 1 };
	must(user_list(&ctx, auth, &query, &users, &count, &total));
	cr_expect_eq(total, 2);
	cr_assert_eq(count, 1);
	cr_expect(str_eq(users[0].name, STR("annabel")));
	query = (struct user_query){ .tenant_id = TENANT_DEFAULT,
				     .except = STR("admin"),
				     .limit = 10 };
	must(user_list(&ctx, auth, &query, &users, &count, &total));
	cr_expect_eq(total, 3);
	query = (struct user_query){ .tenant_id = TENANT_DEFAULT,
				     .email = STR("BERTA@example.com"),
				     .limit = 10 };
	must(user_list(&ctx, auth, &query, &users, &count, &total));
	cr_assert_eq(count, 1);
	cr_expect(str_eq(users[0].name, STR("berta")));
}

/* --- personal access tokens ------------------------------------------------------------------- */

static str make_token(int64_t account_id, struct access_token_row *row)
{
	str token;
	*row = (struct access_token_row){ .account_id = account_id, .name = STR("ci") };
	must(access_token_create(&ctx, auth, row, &token));
	cr_assert(secret_text_is(token, STR(SECRET_PREFIX_PERSONAL)));
	return token;
}

Test(user, a_personal_token_is_a_password_until_it_is_revoked)
{
	struct access_token_row row;
	struct identity who;
	int64_t id = make_user("anna");
	make_user("berta");
	str token = make_token(id, &row);
	must(check_password(STR("anna"), token, &who));
	cr_expect_eq(who.access_token_id, row.id);
	must(check_password(STR("anna@example.com"), token, &who));
	cr_expect_eq(check_password(STR("berta"), token, &who), ERR_UNAUTHORIZED);
	cr_expect_eq(check_password(STR("nobody"), token, &who), ERR_UNAUTHORIZED);

	struct auth_token issued;
	str refresh;
	must(check_password(STR("anna"), token, &who));
	must(auth_issue(&ctx, auth, &who, &(struct auth_grants){ 0 }, &issued));
	must(auth_issue_refresh(&ctx, auth, &who, &refresh));
	must(bearer(auth, issued.token));
	must(access_token_delete(&ctx, auth, id, row.id));
	cr_expect_eq(check_password(STR("anna"), token, &who), ERR_UNAUTHORIZED);
	cr_expect_eq(bearer(auth, issued.token), ERR_UNAUTHORIZED, "so does what it obtained");
	cr_expect_eq(auth_check_refresh(&ctx, auth, refresh, &who), ERR_UNAUTHORIZED);
	cr_expect_eq(access_token_delete(&ctx, auth, id, row.id), ERR_ABSENT);
}

Test(user, a_personal_token_outlives_a_password_and_not_its_account)
{
	struct access_token_row row;
	struct identity who;
	struct user anna = get_user(make_user("anna"));
	str token = make_token(anna.id, &row);
	must(user_set_password(&ctx, auth, &anna, STR("Another1234"), 0));
	must(check_password(STR("anna"), token, &who));
	must(user_set_disabled(&ctx, auth, &anna, true));
	cr_expect_eq(check_password(STR("anna"), token, &who), ERR_UNAUTHORIZED);
	must(user_set_disabled(&ctx, auth, &anna, false));
	must(user_delete(&ctx, auth, &anna));
	make_user("anna");
	cr_expect_eq(check_password(STR("anna"), token, &who), ERR_UNAUTHORIZED);
}

Test(user, the_cli_secret_is_one_at_a_time)
{
	struct identity who;
	str first, second;
	int64_t id = make_user("anna");
	must(access_token_set_cli(&ctx, auth, id, STR("My-own-secret-1"), &first));
	cr_expect(str_eq(first, STR("My-own-secret-1")));
	must(check_password(STR("anna"), first, &who));
	must(access_token_set_cli(&ctx, auth, id, STR_NONE, &second));
	cr_expect_eq(check_password(STR("anna"), first, &who), ERR_UNAUTHORIZED);
	must(check_password(STR("anna"), second, &who));
	must(log_in("anna", PASSWORD));
}

Test(user, tokens_have_names_ends_and_a_number)
{
	str token;
	int64_t id = make_user("anna");
	struct access_token_row row = { .account_id = id, .name = STR("") };
	cr_expect_eq(access_token_create(&ctx, auth, &row, &token), ERR_REQUEST_INVALID);
	row.name = STR(ACCESS_TOKEN_CLI);
	cr_expect_eq(access_token_create(&ctx, auth, &row, &token), ERR_REQUEST_INVALID);
	row.name = STR("old");
	row.expires_at_us = 1;
	cr_expect_eq(access_token_create(&ctx, auth, &row, &token), ERR_REQUEST_INVALID);
	row.expires_at_us = 0;
	must(access_token_create(&ctx, auth, &row, &token));
	cr_expect_eq(access_token_create(&ctx, auth, &row, &token), ERR_EXISTS);
	for (int i = 1; i < ACCESS_TOKENS_MAX; i++) {
		row.name = arena_printf(&arena, "token %d", i);
		must(access_token_create(&ctx, auth, &row, &token));
	}
	row.name = STR("one more");
	cr_expect_eq(access_token_create(&ctx, auth, &row, &token), ERR_LIMIT);
	struct access_token_page page = { .account_id = id, .limit = 10 };
	must(access_token_list(&ctx, auth, &page));
	cr_expect_eq(page.total, ACCESS_TOKENS_MAX);
	cr_expect_eq(page.count, 10);
}

Test(user, when_a_token_was_used_is_written_later)
{
	struct access_token_row row;
	struct identity who;
	int64_t id = make_user("anna");
	str token = make_token(id, &row);
	struct access_token_page page = { .account_id = id, .limit = 10 };
	must(check_password(STR("anna"), token, &who));
	must(access_token_list(&ctx, auth, &page));
	cr_expect_eq(page.rows[0].used_at_us, 0);
	must(access_token_write_uses(&ctx, auth));
	must(access_token_list(&ctx, auth, &page));
	cr_expect_gt(page.rows[0].used_at_us, 0);
}

/* --- from elsewhere --------------------------------------------------------------------------- */

static const str staff[] = { STR_INIT("staff"), STR_INIT("web") };

static struct external_user external(const char *subject, const char *name)
{
	return (struct external_user){ .kind = PROVIDER_OIDC,
				       .tenant_id = TENANT_DEFAULT,
				       .issuer = STR("https://idp.example"),
				       .subject = str_from(subject),
				       .name = str_from(name),
				       .groups = staff,
				       .group_count = 2,
				       .may_onboard = true };
}

static err_t count_groups(struct ctx *c, struct sql_tx *tx, void *arg)
{
	int64_t *count = arg;
	struct group_filter filter = { .tenant_id = TENANT_DEFAULT, .limit = 100 };
	return db_user_group_count(c, tx, &filter, count);
}

static size_t groups_of(int64_t id)
{
	struct user_group *groups;
	size_t count;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	must(sql_begin(&ctx, db, SQL_READ, &tx));
	must(db_account_group_elsewhere(&ctx, &tx, id, &groups, &count));
	return count;
}

Test(user, somebody_from_elsewhere_becomes_an_account_once)
{
	struct identity first, again;
	int64_t groups;
	struct external_user from = external("s1", "carla");
	must(user_onboard(&ctx, auth, &from, &first));
	cr_expect(str_eq(first.name, STR("carla")));
	cr_expect(str_eq(first.issuer, STR("https://idp.example")));
	from.name = STR("renamed there");
	must(user_onboard(&ctx, auth, &from, &again));
	cr_expect_eq(first.id, again.id);
	cr_expect_eq(first.epoch, again.epoch, "nothing changed, nothing written");
	cr_expect(str_eq(again.name, STR("carla")));
	must(db_run(&ctx, db, SQL_READ, count_groups, &groups));
	cr_expect_eq(groups, 2);
	cr_expect_eq(groups_of(first.id), 2);
	cr_expect_eq(log_in("carla", PASSWORD), ERR_UNAUTHORIZED, "no password here");
}

/* A provider that anybody may register at must not give him the accounts of others. */
Test(user, the_name_or_address_of_somebody_here_stays_his)
{
	struct identity who;
	int64_t anna = make_user("anna");
	struct external_user from = external("s1", "anna");
	from.email = STR("anna@example.com");
	must(user_onboard(&ctx, auth, &from, &who));
	cr_expect_neq(who.id, anna);
	cr_expect(str_eq(who.name, STR("anna_2")));
	cr_expect_eq(get_user(who.id).email.len, 0);
	from = external("s2", "admin");
	must(user_onboard(&ctx, auth, &from, &who));
	cr_expect_eq(who.flags, 0);
	cr_expect(str_eq(who.name, STR("admin_2")));
	from = external("s1", "x");
	from.issuer = STR("https://other.example");
	struct identity other;
	must(user_onboard(&ctx, auth, &from, &other));
	cr_expect_neq(other.id, who.id, "the same subject of another issuer is another person");
}

Test(user, names_that_cannot_be_are_bent_until_they_can)
{
	static const struct {
		const char *wanted, *got;
	} names[] = { { "robot$ci", "robot_ci" }, { "", "user" },
		      { "  x  ", "x" },		  { "a:b,c\n", "a_b_c_" },
		      { "\xff", "user_2" },	  { "J\xc3\xb6rg", "J\xc3\xb6rg" } };
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct identity who;
		struct external_user from =
			external(arena_printf(&arena, "n%zu", i).ptr, names[i].wanted);
		must(user_onboard(&ctx, auth, &from, &who));
		cr_expect(str_eq(who.name, str_from(names[i].got)), "%s: " STR_FMT, names[i].got,
			  STR_ARG(who.name));
	}
}

Test(user, what_the_provider_takes_away_is_gone)
{
	struct identity who, later;
	struct external_user from = external("s1", "carla");
	from.is_admin = true;
	must(user_onboard(&ctx, auth, &from, &who));
	cr_expect_eq(who.flags, IDENTITY_ADMIN);
	struct auth_token token;
	must(auth_issue(&ctx, auth, &who, &(struct auth_grants){ 0 }, &token));
	must(bearer(auth, token.token));
	from.is_admin = false;
	from.group_count = 1;
	must(user_onboard(&ctx, auth, &from, &later));
	cr_expect_eq(later.flags, 0);
	cr_expect_gt(later.epoch, who.epoch);
	cr_expect_eq(groups_of(later.id), 1);
	cr_expect_eq(bearer(auth, token.token), ERR_UNAUTHORIZED);
}

Test(user, who_may_not_be_onboarded_has_to_choose_a_name)
{
	struct identity who;
	struct external_user from = external("s1", "carla");
	from.may_onboard = false;
	cr_expect_eq(user_onboard(&ctx, auth, &from, &who), ERR_ABSENT);
	cr_expect_eq(user_onboard_as(&ctx, auth, &from, STR("admin"), &who), ERR_EXISTS);
	cr_expect_eq(user_onboard_as(&ctx, auth, &from, STR("a$b"), &who), ERR_REQUEST_INVALID);
	ctx_forgive(&ctx);
	must(user_onboard_as(&ctx, auth, &from, STR("carla"), &who));
	must(user_onboard(&ctx, auth, &from, &who));
	struct user carla = get_user(who.id);
	must(user_set_disabled(&ctx, auth, &carla, true));
	cr_expect_eq(user_onboard(&ctx, auth, &from, &who), ERR_UNAUTHORIZED);
}

/* Groups of a directory are told apart by their DN. */
Test(user, groups_of_a_directory_are_known_by_their_dn)
{
	static const str dns[] = { STR_INIT("cn=web,ou=a,dc=example"),
				   STR_INIT("cn=web,ou=b,dc=example") };
	struct identity who;
	struct external_user from = external("uid=carla", "carla");
	from.kind = PROVIDER_LDAP;
	from.groups = dns;
	must(user_onboard(&ctx, auth, &from, &who));
	cr_expect_eq(groups_of(who.id), 2);
	cr_expect(str_eq(get_user(who.id).source, STR("ldap")));
}

Test(user, rights_from_a_login_are_not_in_a_refresh_token)
{
	static const struct external_role roles[] = { { STR_INIT("web"), PROJECT_DEVELOPER } };
	struct identity who;
	str refresh;
	struct external_user from = external("s1", "carla");
	must(user_onboard(&ctx, auth, &from, &who));
	must(auth_issue_refresh(&ctx, auth, &who, &refresh));
	from.roles = roles;
	from.role_count = 1;
	must(user_onboard(&ctx, auth, &from, &who));
	cr_expect_eq(access_external_roles(&who, STR("web")), PROJECT_ROLE_BIT(PROJECT_DEVELOPER));
	cr_expect_eq(auth_issue_refresh(&ctx, auth, &who, &refresh), ERR_UNAUTHORIZED);
}
