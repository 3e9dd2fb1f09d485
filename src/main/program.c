/* SPDX-License-Identifier: Apache-2.0 */
/* program.c - see program.h. */
#include "program.h"
#include "auth/keys.h"
#include "base/log.h"
#include "db/db.h"
#include "jobs/jobs.h"
#include "notify/audit.h"
#include "notify/webhook.h"
#include "observe/tracer.h"
#include "os/file.h"
#include "settings/system.h"
#include "sql/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/banned.h"

#define MINUTE_MS     60000
#define PEM_BYTES_MAX KIB(256)

extern char **environ;

static str data_file(struct ctx *ctx, const struct program *p, const char *name)
{
	return arena_printf(ctx->arena, STR_FMT "/%s", STR_ARG(p->config.data_dir), name);
}

err_t program_read_pem(struct ctx *ctx, str path, const char *option, str *ret_pem)
{
	*ret_pem = STR_NONE;
	if (path.len)
		TRY_CTX(ctx, file_read_all(ctx, AT_FDCWD, path.ptr, PEM_BYTES_MAX, ret_pem), "%s",
			option);
	return OK;
}

err_t program_open_database(struct ctx *ctx, struct program *p)
{
	str file = data_file(ctx, p, PROGRAM_DATABASE_FILE);
	const struct sql_options options = {
		.engine = program_engine(p),
		.location = program_engine(p) == SQL_SQLITE ? file.ptr : p->config.database_url.ptr,
		.connections_max = (unsigned)p->config.database_connections,
		.statement_count = db_statement_count(),
	};
	TRY_CTX(ctx, sql_open(ctx, &options, &p->db), "database");
	return OK;
}

/* A database of one node is its own. One of many is brought up to date when the operator says so,
 * but a new one has nobody to ask, whichever of them comes first. */
static err_t prepare_schema(struct ctx *ctx, const struct program *p)
{
	bool may = program_engine(p) == SQL_SQLITE || (p->serves && p->config.database_migrate);
	if (!may && p->serves)
		TRY_CTX(ctx, db_is_new(ctx, p->db, &may), "schema");
	if (may)
		TRY_CTX(ctx, db_migrate(ctx, p->db), "migrate");
	return db_schema_check(ctx, p->db);
}

static err_t open_settings(struct ctx *ctx, struct program *p)
{
	const struct system_options options = { .db = p->db, .fixed = p->config.settings_fixed };
	TRY_CTX(ctx, system_new(ctx, &options, &p->settings), "settings");
	/* In minutes for who reads it; auth itself goes by the option until somebody chooses. */
	system_set_default(p->settings, SYSTEM_TOKEN_EXPIRATION,
			   (p->config.tokens_lifetime_ms + MINUTE_MS - 1) / MINUTE_MS);
	return OK;
}

static err_t open_store(struct ctx *ctx, struct program *p)
{
	struct store_place place = program_store_place(ctx, p);
	const struct store_driver *driver = program_store_driver(p);
	TRY_CTX(ctx, driver->open(ctx, &place, &p->store), "storage");
	return OK;
}

/* Where the storages of tenants lie that have no place of their own. */
static struct store_place shared_place(struct ctx *ctx, const struct program *p)
{
	struct store_place place = program_store_place(ctx, p);
	place.location = arena_printf(ctx->arena, "%s%sstorages", place.location,
				      place.location[0] ? "/" : "")
				 .ptr;
	return place;
}

static str storage_root(struct ctx *ctx, const struct program *p)
{
	return p->config.storage_root.len ? p->config.storage_root : data_file(ctx, p, "storages");
}

/* A path without links and dots, with a `/` behind it. */
static str real_dir(struct ctx *ctx, str path)
{
	char real[PATH_MAX];
	if (!realpath(arena_cstr(ctx->arena, path), real))
		return STR_NONE;
	return arena_printf(ctx->arena, "%s%s", real, strcmp(real, "/") == 0 ? "" : "/");
}

/* A tenant's storage must never lie where the default one, the keys or the database are. */
static err_t check_storage_root(struct ctx *ctx, const struct program *p)
{
	static const char *const taken[] = { "blobs", "uploads" };
	str data = real_dir(ctx, p->config.data_dir), root = real_dir(ctx, storage_root(ctx, p));
	if (root.len && str_has_prefix(data, root))
		return fail(ctx, ERR_CONFIG, "storage.root " STR_FMT " is or holds data_dir",
			    STR_ARG(root));
	for (size_t i = 0; root.len && i < COUNT_OF(taken); i++)
		if (str_has_prefix(
			    root, arena_printf(ctx->arena, STR_FMT "%s/", STR_ARG(data), taken[i])))
			return fail(ctx, ERR_CONFIG, "storage.root " STR_FMT " is in %s",
				    STR_ARG(root), taken[i]);
	return OK;
}

static void open_registry(struct ctx *ctx, struct program *p)
{
	const struct config *config = &p->config;
	const struct registry_options options = {
		.db = p->db,
		.store = p->store,
		.settings = p->settings,
		.storage_root = storage_root(ctx, p),
		.storage_place = shared_place(ctx, p),
		.cache_bytes_max = (size_t)config->cache_size_bytes,
		.manifest_bytes_max = (size_t)config->manifests_size_bytes_max,
		.auto_create_public = config->projects_auto_create_public,
		.require_blobs = config->manifests_require_blobs,
		.require_children = config->manifests_require_children,
		.upload_expiry_s = config->uploads_expiry_ms / 1000,
		.tag_history_ms = config->tag_history_ms,
		.window_ms = config->garbage_window_ms,
		.trash_window_ms = config->trash_window_ms,
	};
	p->registry = registry_new(&options);
}

err_t program_take_master_key(struct ctx *ctx, struct program *p)
{
	str path = program_master_key_path(ctx, p);
	CLEANUP(secretbox_key_done) struct secretbox_key key;
	if (access(path.ptr, F_OK) != 0 && errno == ENOENT)
		return OK;
	TRY(master_key_read(ctx, path, false, &key));
	registry_set_master_key(p->registry, &key);
	return OK;
}

enum sql_engine program_engine(const struct program *p)
{
	return p->config.database_url.len ? SQL_POSTGRES : SQL_SQLITE;
}

str program_master_key_path(struct ctx *ctx, const struct program *p)
{
	return data_file(ctx, p, "master.key");
}

str program_checkpoint_path(struct ctx *ctx, const struct program *p)
{
	return data_file(ctx, p, "audit.checkpoint");
}

err_t program_configure(struct ctx *ctx, int argc, char **argv, struct program *p)
{
	TRY(config_load(ctx, argc, argv, environ, &p->config));
	log_setup((enum log_level)p->config.log_level, (enum log_format)p->config.log_format);
	return OK;
}

err_t program_make_data(struct ctx *ctx, const struct program *p)
{
	TRY_CTX(ctx, file_make_dirs(ctx, p->config.data_dir.ptr, 0750), "data_dir");
	if (p->config.storage_root.len)
		TRY_CTX(ctx, file_make_dirs(ctx, p->config.storage_root.ptr, 0750), "storage.root");
	return OK;
}

err_t program_find_data(struct ctx *ctx, const struct program *p)
{
	str needed = p->config.data_dir;
	if (program_engine(p) == SQL_SQLITE)
		needed = data_file(ctx, p, PROGRAM_DATABASE_FILE);
	if (access(needed.ptr, F_OK) != 0)
		return fail_errno(ctx, ERR_CONFIG, "there is no registry: " STR_FMT,
				  STR_ARG(needed));
	return OK;
}

err_t program_open(struct ctx *ctx, struct program *p)
{
	TRY(program_open_database(ctx, p));
	TRY(prepare_schema(ctx, p));
	TRY(open_settings(ctx, p));
	TRY(open_store(ctx, p));
	TRY(check_storage_root(ctx, p));
	open_registry(ctx, p);
	return program_take_master_key(ctx, p);
}

err_t program_lock(struct ctx *ctx, struct program *p)
{
	if (program_engine(p) != SQL_SQLITE)
		return OK;
	str path = data_file(ctx, p, "lock");
	TRY(file_open(ctx, AT_FDCWD, path.ptr, O_RDWR | O_CREAT, 0640, &p->lock_fd));
	if (flock(p->lock_fd, LOCK_EX | LOCK_NB) != 0)
		return fail(ctx, ERR_CONFIG, "data_dir " STR_FMT " is in use by another berth",
			    STR_ARG(p->config.data_dir));
	return OK;
}

void program_close(struct program *p)
{
	if (p->db)
		sql_unlisten(p->db);
	jobs_stop(p->jobs);
	server_free(p->server);
	server_free(p->metrics_server);
	tls_server_free(p->tls);
	api_free(p->api);
	system_stop(p->settings); /* it tells the others */
	audit_stop(p->audit);	  /* what the last requests left is written */
	audit_free(p->audit);
	tracer_stop(p->tracer);
	tracer_free(p->tracer);
	jobs_free(p->jobs);
	webhooks_free(p->webhooks);
	auth_free(p->auth);
	registry_free(p->registry);
	if (p->store)
		p->store->driver->close(p->store);
	system_free(p->settings);
	if (p->db)
		sql_close(p->db);
	file_done(&p->lock_fd);
}
