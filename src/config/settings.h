/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.h - a configuration being put together from its sources; inside this folder only.
 *
 * Sources are read from the weakest to the strongest, and each put overwrites what is there. An
 * origin is the beginning of an error message: "berth.yaml:3", "environment variable BERTH_LISTEN",
 * "flag --listen".
 */
#pragma once

#include "config/config.h"

enum settings_source { SOURCE_DEFAULT, SOURCE_FILE, SOURCE_ENVIRONMENT, SOURCE_FLAG };

struct settings {
	struct config config;
	enum settings_source source; /* being read */
	enum settings_source set_by[OPTION_COUNT];
	str origin[OPTION_COUNT];
};

err_t settings_init(struct ctx *ctx, struct settings *settings); /* all defaults */

/* Sets one option from `text`, after checking it. ERR_CONFIG also when this source set it before.
 */
err_t settings_put(struct ctx *ctx, struct settings *settings, const struct option *option,
		   str text, str origin);

/* Sets a secret from the file it is in: at most 4 KiB, one line, without its newline. */
err_t settings_put_file(struct ctx *ctx, struct settings *settings, const struct option *option,
			str path, str origin);

/* Checks that the options fit each other, and fills what is derived from them. */
err_t settings_finish(struct ctx *ctx, struct settings *settings);

/* ERR_CONFIG for a name that is not an option. */
err_t settings_unknown(struct ctx *ctx, str name, str origin);

/*
 * Finds what `name` sets: an option, or (ending in "_file") the file of a secret one. `find` is
 * option_find or option_find_loose. NULL when it is neither.
 */
const struct option *settings_target(str name, const struct option *(*find)(str name),
				     bool *ret_is_file);

/* Reads a file of at most `size_max` bytes into the arena. */
err_t settings_read_file(struct ctx *ctx, str path, size_t size_max, str origin, str *ret_text);

/* The sources. `file` is the name used in messages. */
err_t settings_read_yaml(struct ctx *ctx, struct settings *settings, str text, str file);
err_t settings_read_environment(struct ctx *ctx, struct settings *settings, char *const *envp);
err_t settings_read_flags(struct ctx *ctx, struct settings *settings, int argc, char *const *argv);
