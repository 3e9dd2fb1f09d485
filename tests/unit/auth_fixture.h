/* SPDX-License-Identifier: Apache-2.0 */
/* auth_fixture.h - one auth on a database of its own (SQLite), for tests of who is who. */
#pragma once

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/auth.h"
#include "codec/base64.h"
#include "db/db.h"

#define FIXTURE_UNUSED __attribute__((noinline, unused))

static char root[] = "/tmp/berth-auth-XXXXXX";
static struct arena arena;
static struct ctx ctx;
static struct sql *db;
static struct auth *auth;

#define must(expression) cr_assert_eq((expression), OK, "%s: %s", #expression, ctx.failure.detail)

static FIXTURE_UNUSED void open_database(struct sql_statement *const *extra, size_t count)
{
	unsigned index = db_statement_count();
	for (size_t i = 0; i < count; i++)
		extra[i]->index = index++;
	str path = arena_printf(&arena, "%s/db.sqlite", root);
	struct sql_options options = { SQL_SQLITE, path.ptr, 4, index };
	must(sql_open(&ctx, &options, &db));
	must(db_migrate(&ctx, db));
}

static FIXTURE_UNUSED str key_path(void)
{
	return arena_printf(&arena, "%s/master.key", root);
}

static FIXTURE_UNUSED err_t try_node(int64_t token_lifetime_s, struct auth **ret)
{
	struct auth_options options = { .db = db,
					.master_key_path = key_path(),
					.token_lifetime_s = token_lifetime_s };
	return auth_new(&ctx, &options, ret);
}

static FIXTURE_UNUSED struct auth *new_node(void)
{
	struct auth *node;
	must(try_node(0, &node));
	return node;
}

static FIXTURE_UNUSED void fixture_start(struct sql_statement *const *extra, size_t count)
{
	cr_assert_not_null(mkdtemp(root));
	arena_init(&arena, MIB(64));
	ctx_init(&ctx, &arena);
	open_database(extra, count);
	auth = new_node();
}

static FIXTURE_UNUSED int remove_one(const char *path, const struct stat *info, int kind,
				     struct FTW *at)
{
	return remove(path);
}

static FIXTURE_UNUSED void fixture_stop(void)
{
	auth_free(auth);
	sql_close(db);
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	arena_done(&arena);
}

static FIXTURE_UNUSED void make_admin(const char *password)
{
	str made;
	must(auth_ensure_admin(&ctx, auth, str_from(password), &made));
}

static FIXTURE_UNUSED err_t identify(struct auth *node, str authorization, struct identity *ret)
{
	CLEANUP(cache_value_done) struct cache_value *pin = NULL;
	const struct credentials from = { authorization, STR("192.0.2.1") };
	err_t err = auth_identify(&ctx, node, &from, ret, &pin);
	if (err != OK)
		return err;
	ret->name = arena_copy(&arena, ret->name);
	return OK;
}

static FIXTURE_UNUSED err_t bearer(struct auth *node, str token)
{
	struct identity who;
	return identify(node, arena_printf(&arena, "Bearer " STR_FMT, STR_ARG(token)), &who);
}

static FIXTURE_UNUSED err_t password_at(struct auth *node, const char *address, const char *user,
					const char *password, struct identity *ret)
{
	const struct login login = { str_from(user), str_from(password), str_from(address) };
	return auth_check_password(&ctx, node, &login, ret);
}

static FIXTURE_UNUSED err_t check_password(str user, str password, struct identity *ret)
{
	const struct login login = { user, password, STR("192.0.2.1") };
	return auth_check_password(&ctx, auth, &login, ret);
}

static FIXTURE_UNUSED str basic_header(const char *pair)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(KIB(16));
	buf_add(&text, STR("Basic "));
	base64_encode(&text, BASE64_STANDARD, str_from(pair));
	return arena_copy(&arena, buf_str(&text));
}

static FIXTURE_UNUSED err_t basic(const char *pair)
{
	struct identity who;
	return identify(auth, basic_header(pair), &who);
}
