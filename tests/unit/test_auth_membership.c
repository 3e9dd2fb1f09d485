/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody holds in a project: his own roles, his groups', for a time, and remembered only as
 * long as it is so. */
#include <criterion/criterion.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/membership.h"
#include "base/clock.h"
#include "db/account.h"
#include "db/db.h"
#include "db/project.h"
#include "db/project_member.h"
#include "db/role.h"
#include "db/user_group.h"

static char root[] = "/tmp/berth-membership-XXXXXX";
static struct arena arena;
static struct ctx ctx;
static struct sql *db;
static struct auth *auth;
static int64_t project_id, group_id, role_id;
static struct identity alice;

#define must(expression) cr_assert_eq((expression), OK, "%s: %s", #expression, ctx.failure.detail)

static err_t fill(struct ctx *c, struct sql_tx *tx, void *arg)
{
	struct account account = {
		.tenant_id = 1, .name = STR("alice"), .source = STR("local"), .password = STR("x")
	};
	struct user_group group = { .tenant_id = 1, .type = GROUP_LOCAL, .name = STR("team") };
	struct role_row role = { .tenant_id = 1,
				 .name = STR("pusher"),
				 .grants = STR("[{\"repositories\":\"app-*\",\"permissions\":["
					       "\"repository:push\",\"no:such\"]}]") };
	struct project project = { .tenant_id = TENANT_DEFAULT, .name = STR("lab") };
	TRY(db_account_insert(c, tx, &account, &alice.id));
	TRY(db_project_insert(c, tx, &project));
	TRY(db_user_group_insert(c, tx, &group));
	TRY(db_account_group_insert(c, tx, alice.id, group.id));
	TRY(db_role_insert(c, tx, &role));
	project_id = project.id;
	group_id = group.id;
	role_id = role.id;
	return OK;
}

static void set_up(void)
{
	cr_assert_not_null(mkdtemp(root));
	arena_init(&arena, MIB(64));
	ctx_init(&ctx, &arena);
	str path = arena_printf(&arena, "%s/db.sqlite", root);
	struct sql_options options = { SQL_SQLITE, path.ptr, 4, db_statement_count() };
	must(sql_open(&ctx, &options, &db));
	must(db_migrate(&ctx, db));
	struct auth_options auth_options = { .db = db,
					     .master_key_path =
						     arena_printf(&arena, "%s/master.key", root) };
	must(auth_new(&ctx, &auth_options, &auth));
	alice = (struct identity){ .subject = SUBJECT_USER, .tenant_id = 1, .epoch = 1 };
	must(db_run(&ctx, db, SQL_WRITE, fill, NULL));
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
	return remove(path);
}

static void tear_down(void)
{
	auth_free(auth);
	sql_close(db);
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	arena_done(&arena);
}

TestSuite(membership, .init = set_up, .fini = tear_down, .timeout = 60);

static err_t insert(struct ctx *c, struct sql_tx *tx, void *arg)
{
	int64_t id;
	return db_member_insert(c, tx, arg, &id);
}

static err_t add(struct project_member member)
{
	member.project_id = project_id;
	return db_run(&ctx, db, SQL_WRITE, insert, &member);
}

static struct membership held(void)
{
	struct membership m;
	must(membership_find(&ctx, auth, &alice, project_id, &m));
	return m;
}

Test(membership, a_person_has_the_union_of_his_own_and_his_groups_roles)
{
	must(add((struct project_member){ .account_id = alice.id, .role_id = PROJECT_GUEST }));
	must(add((struct project_member){ .group_id = group_id, .role_id = PROJECT_MAINTAINER }));
	cr_assert_eq(held().roles,
		     PROJECT_ROLE_BIT(PROJECT_GUEST) | PROJECT_ROLE_BIT(PROJECT_MAINTAINER));
}

Test(membership, a_member_is_one_once)
{
	must(add((struct project_member){ .account_id = alice.id, .role_id = PROJECT_GUEST }));
	cr_assert_eq(
		add((struct project_member){ .account_id = alice.id, .role_id = PROJECT_ADMIN }),
		ERR_EXISTS);
}

Test(membership, a_role_or_account_that_is_not_there_makes_no_member)
{
	cr_assert_eq(add((struct project_member){ .account_id = alice.id, .role_id = 77 }),
		     ERR_ABSENT);
	ctx_forgive(&ctx);
	cr_assert_eq(add((struct project_member){ .account_id = 4711, .role_id = PROJECT_GUEST }),
		     ERR_ABSENT);
}

Test(membership, what_was_found_is_remembered_until_a_change_is_told)
{
	cr_assert_eq(held().roles, 0);
	must(add((struct project_member){ .account_id = alice.id, .role_id = PROJECT_GUEST }));
	cr_assert_eq(held().roles, 0, "it was remembered that he holds nothing");
	membership_project_changed(auth, project_id);
	cr_assert_eq(held().roles, PROJECT_ROLE_BIT(PROJECT_GUEST));
}

Test(membership, each_kind_of_change_forgets)
{
	cr_assert_eq(held().roles, 0);
	must(add((struct project_member){ .account_id = alice.id, .role_id = PROJECT_GUEST }));
	membership_account_changed(auth, alice.id);
	cr_assert_eq(held().roles, PROJECT_ROLE_BIT(PROJECT_GUEST));
	must(add((struct project_member){ .group_id = group_id, .role_id = PROJECT_DEVELOPER }));
	cr_assert_eq(held().roles, PROJECT_ROLE_BIT(PROJECT_GUEST));
	membership_all_changed(auth);
	cr_assert_eq(held().roles,
		     PROJECT_ROLE_BIT(PROJECT_GUEST) | PROJECT_ROLE_BIT(PROJECT_DEVELOPER));
}

Test(membership, an_account_of_another_epoch_is_asked_about_anew)
{
	cr_assert_eq(held().roles, 0);
	must(add((struct project_member){ .account_id = alice.id, .role_id = PROJECT_GUEST }));
	alice.epoch++;
	cr_assert_eq(held().roles, PROJECT_ROLE_BIT(PROJECT_GUEST));
}

Test(membership, a_grant_that_ends_is_gone_at_its_end_though_remembered)
{
	int64_t end_us = clock_wall_us() + 300000;
	must(add((struct project_member){
		.account_id = alice.id, .role_id = PROJECT_ADMIN, .expires_at_us = end_us }));
	cr_assert_eq(held().roles, PROJECT_ROLE_BIT(PROJECT_ADMIN));
	while (clock_wall_us() <= end_us + 1000)
		(void)poll(NULL, 0, 10);
	cr_assert_eq(held().roles, 0);
}

Test(membership, a_custom_role_brings_its_permissions_and_pattern)
{
	must(add((struct project_member){ .account_id = alice.id, .role_id = role_id }));
	for (int turn = 0; turn < 2; turn++) { /* read, then remembered */
		struct membership m = held();
		cr_assert_eq(m.roles, 0);
		cr_assert_eq(m.custom_count, 1);
		cr_assert(str_eq(m.custom[0].repository_glob, STR("app-*")));
		cr_assert(action_set_has(&m.custom[0].actions, ACTION_REPOSITORY_PUSH));
		cr_assert_not(action_set_has(&m.custom[0].actions, ACTION_REPOSITORY_PULL));
	}
}

Test(membership, only_people_with_an_account_are_members)
{
	must(add((struct project_member){ .account_id = alice.id, .role_id = PROJECT_GUEST }));
	alice.subject = SUBJECT_ROBOT; /* with the same number */
	cr_assert_eq(held().roles, 0);
	alice.subject = SUBJECT_USER;
	alice.by_token = true;
	cr_assert_eq(held().roles, 0);
}

Test(membership, an_administrator_of_any_project_is_known)
{
	bool any;
	must(membership_administers_any(&ctx, auth, &alice, &any));
	cr_assert_not(any);
	must(add((struct project_member){ .group_id = group_id, .role_id = PROJECT_ADMIN }));
	must(membership_administers_any(&ctx, auth, &alice, &any));
	cr_assert(any);
}
