/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - see files.h. */
#include "sql/files.h"

#include "postgres_library.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

typedef err_t visitor(struct ctx *ctx, void *arg, const char *path, bool replaceable);

/* Parameters that name a file or a folder. */
static const char *const parameters[] = { "passfile",	 "sslcert", "sslkey",
					  "sslrootcert", "sslcrl",  "sslcrldir" };
/* Variables that do, and are no parameters. */
static const char *const variables[] = { "PGSERVICEFILE", "PGSYSCONFDIR" };
/* Below the home of the user. */
static const char *const usual_places[] = { ".postgresql", ".pgpass", ".pg_service.conf" };

static bool is_file_parameter(const char *keyword)
{
	for (size_t i = 0; i < COUNT_OF(parameters); i++)
		if (strcmp(parameters[i], keyword) == 0)
			return true;
	return false;
}

static err_t visit_options(struct ctx *ctx, const PQconninfoOption *options, visitor *visit,
			   void *arg)
{
	for (const PQconninfoOption *o = options; o && o->keyword; o++)
		if (o->val && *o->val && is_file_parameter(o->keyword))
			TRY(visit(ctx, arg, o->val, true));
	return OK;
}

static const char *home(void)
{
	const char *named = getenv("HOME");
	if (named && *named)
		return named;
	const struct passwd *user = getpwuid(geteuid());
	return user ? user->pw_dir : "/";
}

err_t sql_files_visit(struct ctx *ctx, enum sql_engine engine, const char *location, visitor *visit,
		      void *arg)
{
	if (engine != SQL_POSTGRES)
		return OK;
	TRY(pq_open(ctx));
	CLEANUP(pq_options_done) PQconninfoOption *given = libpq.PQconninfoParse(location, NULL);
	/* With the variables, and the service they name. */
	CLEANUP(pq_options_done) PQconninfoOption *defaults = libpq.PQconndefaults();
	TRY(visit_options(ctx, given, visit, arg));
	TRY(visit_options(ctx, defaults, visit, arg));
	for (size_t i = 0; i < COUNT_OF(variables); i++) {
		const char *path = getenv(variables[i]);
		if (path && *path)
			TRY(visit(ctx, arg, path, true));
	}
	for (size_t i = 0; i < COUNT_OF(usual_places); i++) {
		str path = arena_printf(ctx->arena, "%s/%s", home(), usual_places[i]);
		TRY(visit(ctx, arg, path.ptr, false));
	}
	return OK;
}
