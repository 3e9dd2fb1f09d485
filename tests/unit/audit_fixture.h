/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_fixture.h - a trail in a database of its own, on either engine, and somebody who can write
 * to that database behind the program's back.
 *
 * AUDIT_TEST(suite, name) { … f … } is SQL_TEST() with the program's own tables.
 */
#pragma once

#include "sql_fixture.h"

#include <sys/stat.h>

#include "crypto/secretbox.h"
#include "db/audit_chain.h"
#include "db/db.h"
#include "notify/audit_erase.h"
#include "notify/audit_seal.h"
#include "notify/audit_verify.h"
#include "notify/internal.h"

#define TAMPERINGS_MAX 16

struct audit_fixture {
	struct sql_fixture sql;
	struct ctx *ctx;
	struct sql *db;
	struct secretbox_key master;
	char checkpoint[96]; /* the file */
	struct audit *audit;
	unsigned tamperings;
};

static const struct audit_event SOMEBODY UNUSED = {
	.type = AUDIT_CREATE_PROJECT,
	.tenant_id = 1,
	.project = STR_INIT("library"),
	.resource = STR_INIT("library"),
	.actor_type = STR_INIT("user"),
	.actor_id = 7,
	.actor = STR_INIT("alice"),
	.issuer = STR_INIT("local"),
	.address = STR_INIT("192.0.2.1"),
	.user_agent = STR_INIT("curl/8"),
	.request_id = STR_INIT("request-1"),
};

static UNUSED struct audit *audit_fixture_open(struct audit_fixture *f)
{
	const struct audit_options options = {
		.db = f->db,
		.master_key = &f->master,
		.checkpoint_path = str_from(f->checkpoint),
	};
	struct audit *audit = NULL;
	EXPECT_OK(f->ctx, audit_new(f->ctx, &options, &audit));
	return audit;
}

static UNUSED err_t audit_fixture_write_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct audit_fixture *f = arg;
	return audit_write(ctx, f->audit, tx, &SOMEBODY);
}

/* Records that were committed one by one. */
static UNUSED void audit_fixture_write(struct audit_fixture *f, int count)
{
	for (int i = 0; i < count; i++)
		EXPECT_OK(f->ctx, db_run(f->ctx, f->db, SQL_WRITE, audit_fixture_write_body, f));
}

static UNUSED void audit_fixture_seal(struct audit_fixture *f)
{
	for (bool more = true; more;)
		EXPECT_OK(f->ctx, audit_seal_batch(f->ctx, f->audit, &more));
}

static UNUSED void audit_fixture_sign(struct audit_fixture *f)
{
	EXPECT_OK(f->ctx, audit_seal_checkpoint(f->ctx, f->audit, true));
}

static UNUSED struct audit_verdict audit_fixture_verify(struct audit_fixture *f)
{
	const struct audit_verify_options options = {
		.db = f->db,
		.master_key = &f->master,
		.checkpoint_path = str_from(f->checkpoint),
	};
	struct audit_verdict verdict = { 0 };
	EXPECT_OK(f->ctx, audit_verify(f->ctx, &options, &verdict));
	return verdict;
}

#define EXPECT_INTACT(f)                                                                           \
	({                                                                                         \
		struct audit_verdict verdict_ = audit_fixture_verify(f);                           \
		cr_assert(verdict_.intact, "%s", verdict_.difference);                             \
		verdict_;                                                                          \
	})

#define EXPECT_DIFFERENCE(f, place, text)                                                          \
	do {                                                                                       \
		struct audit_verdict verdict_ = audit_fixture_verify(f);                           \
		cr_assert(!verdict_.intact, "nothing was found");                                  \
		cr_assert(strstr(verdict_.difference, (text)) != NULL, "\"%s\" is not: %s", text,  \
			  verdict_.difference);                                                    \
		cr_assert_eq(verdict_.seq, (place), "at place %lld", (long long)verdict_.seq);     \
	} while (0)

struct audit_tampering {
	const char *text;
	unsigned index;
};

static UNUSED err_t audit_fixture_tamper_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct audit_tampering *tampering = arg;
	const struct sql_statement statement = {
		.name = "tamper",
		.sqlite = tampering->text,
		.postgres = tampering->text,
		.index = tampering->index,
	};
	return sql_exec(ctx, tx, &statement, SQL_NO_ARGS, NULL);
}

/* One statement by somebody who should not. */
static UNUSED void audit_fixture_tamper(struct audit_fixture *f, const char *text)
{
	struct audit_tampering tampering = { text, db_statement_count() + f->tamperings++ };
	cr_assert_leq(f->tamperings, TAMPERINGS_MAX);
	EXPECT_OK(f->ctx, db_run(f->ctx, f->db, SQL_WRITE, audit_fixture_tamper_body, &tampering));
}

static UNUSED void audit_fixture_test(enum sql_engine engine, void (*body)(struct audit_fixture *f))
{
	if (!fixture_has_engine(engine))
		return;
	struct audit_fixture f = { .sql.engine = engine, .master.bytes = "0123456789abcdef" };
	arena_init(&f.sql.arena, MIB(64));
	ctx_init(&f.sql.ctx, &f.sql.arena);
	f.ctx = &f.sql.ctx;
	fixture_locate(&f.sql);
	snprintf(f.checkpoint, sizeof f.checkpoint, "/tmp/berth-audit-%d.checkpoint",
		 (int)getpid());
	const struct sql_options options = {
		.engine = engine,
		.location = f.sql.location,
		.connections_max = 4,
		.statement_count = db_statement_count() + TAMPERINGS_MAX,
	};
	EXPECT_OK(f.ctx, sql_open(f.ctx, &options, &f.sql.db));
	f.db = f.sql.db;
	EXPECT_OK(f.ctx, db_migrate(f.ctx, f.db));
	f.audit = audit_fixture_open(&f);
	body(&f);
	audit_stop(f.audit);
	audit_free(f.audit);
	cr_assert_eq(f.ctx->holds, 0);
	unlink(f.checkpoint);
	fixture_clean(&f.sql);
}

#define AUDIT_TEST(suite, name)                                                                    \
	static void suite##_##name(struct audit_fixture *f);                                       \
	Test(suite, name##_on_sqlite)                                                              \
	{                                                                                          \
		audit_fixture_test(SQL_SQLITE, suite##_##name);                                    \
	}                                                                                          \
	Test(suite, name##_on_postgres)                                                            \
	{                                                                                          \
		audit_fixture_test(SQL_POSTGRES, suite##_##name);                                  \
	}                                                                                          \
	static void suite##_##name(struct audit_fixture *f)
