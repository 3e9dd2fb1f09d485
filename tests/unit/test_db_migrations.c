/* SPDX-License-Identifier: Apache-2.0 */
/* A registry of the first release keeps everything when its schema is brought up to date. */
#include "sql_fixture.h"
#include "db/blob.h"
#include "db/db.h"
#include "db/identity_provider.h"
#include "db/project.h"
#include "db/quota.h"
#include "db/repository.h"
#include "db/statements.h"
#include "db/tag.h"
#include "db/upload.h"

#define MIGRATIONS_MAX 64
#define DIGEST_TEXT    "sha256:00000000000000000000000000000000000000000000000000000000000000aa"

/* What the first release may have written. */
static const char FILL[] =
	"INSERT INTO account (id, name, password, is_admin, created_at_us) "
	"VALUES (1, 'admin', 'x', 1, 1);"
	"INSERT INTO project (id, name, is_public, created_at_us, updated_at_us) "
	"VALUES (7, 'library', 1, 11, 12), (9, 'team', 0, 13, 14);"
	"INSERT INTO repository (id, project_id, name, created_at_us) "
	"VALUES (70, 7, 'library/app', 15), (90, 9, 'team/app', 16);"
	"INSERT INTO blob (id, digest, size_bytes, created_at_us) "
	"VALUES (700, '" DIGEST_TEXT "', 42, 17);"
	"INSERT INTO repository_blob (repository_id, blob_id, created_at_us) "
	"VALUES (70, 700, 18), (90, 700, 18);"
	"INSERT INTO manifest (id, repository_id, digest, media_type, size_bytes, created_at_us, "
	"content) VALUES (7000, 70, '" DIGEST_TEXT "', 'm', 1, 19, 'x');"
	"INSERT INTO manifest_reference (manifest_id, digest, role) VALUES (7000, '" DIGEST_TEXT
	"', 1);"
	"INSERT INTO tag (repository_id, name, manifest_id, updated_at_us) "
	"VALUES (70, 'latest', 7000, 20);"
	"INSERT INTO upload (id, repository_id, algorithm, created_at_us, touched_at_us) "
	"VALUES ('u', 90, 1, 21, 21);";

/* A tenant that was deleted before deleting was complete. */
static const char FILL_DELETED[] =
	"INSERT INTO storage (id, name, driver, location, settings, secrets, encrypted, data_key, "
	"erased_at_us, created_at_us, updated_at_us) "
	"VALUES (5, 'gone', 'filesystem', 'gone', '{}', '', 0, '', 0, 1, 1);"
	"INSERT INTO tenant (id, name, title, state, storage_id, created_at_us, updated_at_us) "
	"VALUES (5, 'gone#5', '', 3, 5, 1, 1);"
	"INSERT INTO identity_provider (tenant_id, name, kind, position, enabled, settings, "
	"secrets, created_at_us, updated_at_us) VALUES (5, 'p', 'oidc', 0, 1, '{}', 's', 1, 1), "
	"(1, 'p', 'oidc', 0, 1, '{}', 's', 1, 1);";

static void migrate_from_first(struct sql_fixture *f)
{
	struct sql_migration all[MIGRATIONS_MAX];
	size_t count = 0;
	cr_assert_lt(SQL_MIGRATION_COUNT + 2, MIGRATIONS_MAX);
	for (size_t i = 0; i < SQL_MIGRATION_COUNT; i++) {
		all[count++] = SQL_MIGRATIONS[i];
		if (SQL_MIGRATIONS[i].number == 1)
			all[count++] = (struct sql_migration){ 2, "fill", FILL, FILL };
		if (SQL_MIGRATIONS[i].number == 21)
			all[count++] = (struct sql_migration){ 22, "fill deleted", FILL_DELETED,
							       FILL_DELETED };
	}
	EXPECT_OK(&f->ctx, sql_migrate(&f->ctx, f->db, all, count));
}

static void check_names(struct sql_fixture *f, struct sql_tx *tx)
{
	struct ctx *ctx = &f->ctx;
	struct project project;
	struct repository repository;
	EXPECT_OK(ctx, db_project_find(ctx, tx, TENANT_DEFAULT, STR("team"), &project));
	cr_assert_eq(project.id, 9);
	cr_assert_not(project.is_public);
	cr_assert_eq(project.updated_at_us, 14);
	EXPECT_OK(ctx,
		  db_repository_find(ctx, tx, TENANT_DEFAULT, STR("library/app"), &repository));
	cr_assert_eq(repository.id, 70);
	cr_assert_eq(repository.project_id, 7);
	cr_assert_eq(db_project_find(ctx, tx, 2, STR("team"), &project), ERR_ABSENT);
	cr_assert_eq(db_repository_find(ctx, tx, 2, STR("library/app"), &repository), ERR_ABSENT);
}

static void check_bytes(struct sql_fixture *f, struct sql_tx *tx)
{
	struct ctx *ctx = &f->ctx;
	struct blob blob;
	struct upload_row upload;
	digest d, tagged;
	cr_assert(digest_parse(STR(DIGEST_TEXT), &d));
	EXPECT_OK(ctx, db_blob_find_in_repository(ctx, tx, 90, d, &blob));
	cr_assert_eq(blob.id, 700);
	cr_assert_eq(blob.storage_id, 1);
	cr_assert_eq(blob.size_bytes, 42);
	cr_assert_eq(db_blob_find(ctx, tx, 2, d, &blob), ERR_ABSENT);
	EXPECT_OK(ctx, db_tag_find(ctx, tx, 70, STR("latest"), &tagged));
	cr_assert(digest_equal(tagged, d));
	EXPECT_OK(ctx, db_upload_find(ctx, tx, STR("u"), 90, &upload));
	cr_assert_eq(upload.storage_id, 1);
}

/* The blob that a manifest of the project refers to counts; the other project has it for nothing.
 */
static void check_quotas(struct sql_fixture *f, struct sql_tx *tx)
{
	struct ctx *ctx = &f->ctx;
	struct quota project, other, tenant;
	struct quota_wrong *wrong;
	size_t count;
	EXPECT_OK(ctx, db_quota_get(ctx, tx, QUOTA_PROJECT, 7, &project));
	EXPECT_OK(ctx, db_quota_get(ctx, tx, QUOTA_PROJECT, 9, &other));
	EXPECT_OK(ctx, db_quota_get(ctx, tx, QUOTA_TENANT, TENANT_DEFAULT, &tenant));
	cr_assert_eq(project.used[QUOTA_STORAGE], 42 + 1);
	cr_assert_eq(project.used[QUOTA_TAGS], 1);
	cr_assert_eq(project.used[QUOTA_ARTIFACTS], 1);
	cr_assert_eq(other.used[QUOTA_STORAGE], 0);
	cr_assert_eq(other.used[QUOTA_REPOSITORIES], 1);
	cr_assert_eq(tenant.used[QUOTA_STORAGE], 42 + 1);
	cr_assert_eq(tenant.used[QUOTA_PROJECTS], 2);
	cr_assert_eq(project.limit[QUOTA_STORAGE], QUOTA_UNLIMITED);
	EXPECT_OK(ctx, db_quota_wrong(ctx, tx, 10, &wrong, &count));
	cr_assert_eq(count, 0);
}

static void check_deleted(struct sql_fixture *f, struct sql_tx *tx)
{
	struct identity_provider_row *rows;
	size_t gone, kept;
	EXPECT_OK(&f->ctx, db_identity_provider_list(&f->ctx, tx, 5, &rows, &gone));
	EXPECT_OK(&f->ctx, db_identity_provider_list(&f->ctx, tx, 1, &rows, &kept));
	cr_assert_eq(gone, 0);
	cr_assert_eq(kept, 1);
}

SQL_TEST(db_migrations, first_release_keeps_all)
{
	struct sql_fixture own = { .engine = f->engine };
	arena_init(&own.arena, MIB(1));
	ctx_init(&own.ctx, &own.arena);
	fixture_locate(&own);
	struct sql_options options = { .engine = own.engine,
				       .location = own.location,
				       .statement_count = db_statement_count() };
	EXPECT_OK(&own.ctx, sql_open(&own.ctx, &options, &own.db));
	migrate_from_first(&own);

	struct sql_tx tx = SQL_TX_INIT;
	EXPECT_OK(&own.ctx, sql_begin(&own.ctx, own.db, SQL_WRITE, &tx));
	check_names(&own, &tx);
	check_bytes(&own, &tx);
	check_quotas(&own, &tx);
	check_deleted(&own, &tx);
	cr_assert_eq(db_blob_link(&own.ctx, &tx, 71, 700), ERR_ABSENT, "no repository 71");
	sql_tx_done(&tx);
	fixture_clean(&own);
}
