/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine.c - which paths this run needs, and one line in the log that says what is confined.
 *
 * Adding an option of type PATH is enough for its file to be readable.
 */
#include "base/log.h"
#include "os/confine.h"
#include "program.h"
#include "sql/files.h"

#include "base/banned.h"

static err_t allow_database_file(struct ctx *ctx, void *arg, const char *path, bool replaceable)
{
	return confine_files_allow(ctx, arg, replaceable ? CONFINE_RENEWED : CONFINE_READ, path);
}

/* The directories of the data are written, every other path among the options is read. */
static err_t allow_options(struct ctx *ctx, struct program *p, struct confine_files *files)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option *option = &option_table[i];
		if (option->type != OPTION_PATH)
			continue;
		const str *path = (const str *)((const char *)&p->config + option->offset);
		enum confine_access access = i == OPTION_ID_data_dir || i == OPTION_ID_storage_root
						     ? CONFINE_DATA
						     : CONFINE_RENEWED;
		if (path->len)
			TRY(confine_files_allow(ctx, files, access, path->ptr));
	}
	return OK;
}

static err_t allow_socket(struct ctx *ctx, str address, struct confine_files *files)
{
	static const str prefix = STR_INIT("unix:");
	if (!str_has_prefix(address, prefix))
		return OK;
	return confine_files_allow(ctx, files, CONFINE_SOCKET, address.ptr + prefix.len);
}

static err_t allow_sockets(struct ctx *ctx, struct program *p, struct confine_files *files)
{
	for (size_t i = 0; i < p->config.listener_count; i++)
		TRY(allow_socket(ctx, p->config.listeners[i].address, files));
	return allow_socket(ctx, p->config.metrics_listener.address, files);
}

static err_t confine_paths(struct ctx *ctx, struct program *p, int *ret_abi)
{
	CLEANUP(confine_files_done) struct confine_files files = CONFINE_FILES_INIT;
	enum sql_engine engine = program_engine(p);
	TRY(confine_files_init(ctx, &files));
	TRY(allow_options(ctx, p, &files));
	TRY(allow_sockets(ctx, p, &files));
	TRY(sql_files_visit(ctx, engine, p->config.database_url.ptr, allow_database_file, &files));
	TRY(confine_files_apply(ctx, &files));
	*ret_abi = files.abi;
	return OK;
}

/* What the log says of one part: `on`, or why not. */
static str outcome(struct ctx *ctx, err_t err, str on)
{
	if (err == OK)
		return on;
	str text = arena_printf(ctx->arena, "off: %s", ctx->failure.detail);
	ctx_forgive(ctx);
	return text;
}

void program_confine(struct ctx *ctx, struct program *p)
{
	if (!p->config.confine) {
		LOG(LOG_NOTICE, "not confined", LOG_CSTR("reason", "the option confine is off"));
		return;
	}
	int abi = 0;
	err_t privileges_err = confine_privileges(ctx);
	str privileges = outcome(ctx, privileges_err, STR("no new ones, no core dumps"));
	err_t files_err = confine_paths(ctx, p, &abi);
	str files = outcome(ctx, files_err, arena_printf(ctx->arena, "landlock %d", abi));
	err_t calls_err = confine_calls(ctx);
	str calls = outcome(ctx, calls_err, STR("seccomp"));
	bool whole = privileges_err == OK && files_err == OK && calls_err == OK;
	LOG(whole ? LOG_NOTICE : LOG_WARN, whole ? "confined" : "confined in part only",
	    LOG_STR("privileges", privileges), LOG_STR("files", files), LOG_STR("calls", calls));
}
