/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h - the options of this run, read from a file, the environment and the flags.
 *
 * A flag wins over the environment, the environment over the file, the file over the default. For
 * the option `projects.auto_create` (options.h has the table): file         `projects: {
 * auto_create: false }`, in the YAML file of --config or BERTH_CONFIG environment
 * BERTH_PROJECTS_AUTO_CREATE=false flag         --projects.auto_create=false,
 *--projects-auto-create=false; a bare bool flag is true A SECRET may also be the content of a file:
 * BERTH_ADMIN_PASSWORD_FILE, `password_file`, --admin.password-file.
 *
 * Whatever is not understood is refused: an unknown key, variable (but for BERTH_TEST_* and
 * BERTH_FAULT*) or flag, a value of the wrong shape or out of range, the same option twice in one
 * place.
 *
 *	struct config config;
 *	if (config_load(ctx, argc - 2, argv + 2, environ, &config) != OK)
 *		fprintf(stderr, "berth: %s\n", ctx->failure.detail);
 */
#pragma once

#include "base/ctx.h"
#include "config/options.h"

#include <stdio.h>

#define CONFIG_LISTENERS_MAX 16

struct config_listener {
	str address; /* as server_listen() takes it, NUL-terminated */
	bool tls;
};

#define CONFIG_C_STRING	  str
#define CONFIG_C_PATH	  str
#define CONFIG_C_SECRET	  str
#define CONFIG_C_LIST	  str
#define CONFIG_C_BOOL	  bool
#define CONFIG_C_CHOICE	  int
#define CONFIG_C_INT	  int64_t
#define CONFIG_C_SIZE	  int64_t
#define CONFIG_C_DURATION int64_t

/* Every str is NUL-terminated, never NULL, and lives in the arena of the ctx that loaded it.
 * log_level and log_format are values of enum log_level and enum log_format (base/log.h). */
struct config {
#define CONFIG_FIELD(type, field, ...) CONFIG_C_##type field;
	OPTION_TABLE(CONFIG_FIELD)
#undef CONFIG_FIELD

	/* What `listen` says, with the rule for TLS applied. */
	struct config_listener listeners[CONFIG_LISTENERS_MAX];
	size_t listener_count;
	struct config_listener metrics_listener; /* an empty address: none */
};

/*
 * Reads all sources. `argv` starts with the first flag, `envp` is NULL-terminated. Fails with
 * ERR_CONFIG, and ctx->failure.detail is then one line for the user that names the option, where it
 * was set and what it must be. Secrets are never quoted in it.
 */
err_t config_load(struct ctx *ctx, int argc, char *const *argv, char *const *envp,
		  struct config *ret);

void config_print_help(FILE *out);	/* the options, for --help */
void config_print_reference(FILE *out); /* docs/options.md */
