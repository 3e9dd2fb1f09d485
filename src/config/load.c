/* SPDX-License-Identifier: Apache-2.0 */
/* load.c - the environment, the flags, and the order of the sources. */
#include "config/settings.h"

#include "base/mem.h"

#include "base/banned.h"

#define FILE_BYTES_MAX MIB(1)

static const str env_prefix = STR_INIT("BERTH_");
static const str env_config = STR_INIT("BERTH_CONFIG");

/* Variables of the tests' own. */
static bool is_ignored(str variable)
{
	return str_has_prefix(variable, STR("BERTH_TEST_")) ||
	       str_has_prefix(variable, STR("BERTH_FAULT")) || str_eq(variable, env_config);
}

err_t settings_read_environment(struct ctx *ctx, struct settings *settings, char *const *envp)
{
	settings->source = SOURCE_ENVIRONMENT;
	for (; *envp; envp++) {
		str variable, text;
		bool is_file;

		if (!str_cut(str_from(*envp), '=', &variable, &text) ||
		    !str_has_prefix(variable, env_prefix) || is_ignored(variable))
			continue;
		str name = str_skip(variable, env_prefix.len);
		str origin = arena_printf(ctx->arena, "environment variable " STR_FMT,
					  STR_ARG(str_take(variable, 64)));
		const struct option *option = settings_target(name, option_find_loose, &is_file);
		if (!option)
			return settings_unknown(ctx, name, origin);
		if (is_file)
			TRY(settings_put_file(ctx, settings, option, text, origin));
		else
			TRY(settings_put(ctx, settings, option, text, origin));
	}
	return OK;
}

struct flag {
	str name;    /* without the dashes */
	str text;    /* its value */
	bool valued; /* `text` was given */
	int next;    /* where the next flag starts */
};

/* Splits the flag at argv[at]: --name=text, --name text, or --name for a bool. */
static err_t split_flag(struct ctx *ctx, int argc, char *const *argv, int at, struct flag *ret)
{
	str word = str_from(argv[at]);
	struct flag flag = { .next = at + 1 };

	if (!str_has_prefix(word, STR("--")) || word.len == 2)
		return fail(ctx, ERR_CONFIG, "unexpected argument \"" STR_FMT "\"",
			    STR_ARG(str_take(word, 64)));
	flag.valued = str_cut(str_skip(word, 2), '=', &flag.name, &flag.text);
	if (!flag.valued)
		flag.name = str_skip(word, 2);

	const struct option *option = option_find_loose(flag.name);
	bool is_bool = option && option->type == OPTION_BOOL;
	if (!flag.valued && is_bool) {
		flag.valued = true;
		flag.text = STR("true");
	} else if (!flag.valued && flag.next < argc) {
		flag.valued = true;
		flag.text = str_from(argv[flag.next++]);
	}
	*ret = flag;
	return OK;
}

static bool is_config(const struct flag *flag)
{
	return str_eq(flag->name, STR("config"));
}

static err_t put_flag(struct ctx *ctx, struct settings *settings, const struct flag *flag)
{
	str origin = arena_printf(ctx->arena, "flag --" STR_FMT, STR_ARG(str_take(flag->name, 64)));
	bool is_file;
	const struct option *option = settings_target(flag->name, option_find_loose, &is_file);

	if (!option)
		return settings_unknown(ctx, flag->name, origin);
	if (!flag->valued)
		return fail(ctx, ERR_CONFIG, STR_FMT ": " STR_FMT " has no value", STR_ARG(origin),
			    STR_ARG(option->name));
	if (is_file)
		return settings_put_file(ctx, settings, option, flag->text, origin);
	return settings_put(ctx, settings, option, flag->text, origin);
}

err_t settings_read_flags(struct ctx *ctx, struct settings *settings, int argc, char *const *argv)
{
	settings->source = SOURCE_FLAG;
	for (int at = 0; at < argc;) {
		struct flag flag;
		TRY(split_flag(ctx, argc, argv, at, &flag));
		if (!is_config(&flag))
			TRY(put_flag(ctx, settings, &flag));
		at = flag.next;
	}
	return OK;
}

/* The path and the origin of the configuration file; an empty path when none is named. */
static err_t find_file(struct ctx *ctx, int argc, char *const *argv, char *const *envp,
		       str *ret_path, str *ret_origin)
{
	str path = STR_NONE, origin = STR_NONE;

	for (; *envp; envp++) {
		str variable, text;
		if (str_cut(str_from(*envp), '=', &variable, &text) &&
		    str_eq(variable, env_config)) {
			path = text;
			origin = STR("environment variable BERTH_CONFIG");
		}
	}
	for (int at = 0; at < argc;) {
		struct flag flag;
		TRY(split_flag(ctx, argc, argv, at, &flag));
		if (is_config(&flag)) {
			path = flag.text;
			origin = STR("flag --config");
			if (path.len == 0)
				return fail(ctx, ERR_CONFIG, "flag --config: must name a file");
		}
		at = flag.next;
	}
	*ret_path = path;
	*ret_origin = origin;
	return OK;
}

static err_t load_file(struct ctx *ctx, struct settings *settings, str path, str origin)
{
	str text;
	TRY(settings_read_file(ctx, path, FILE_BYTES_MAX, origin, &text));
	settings->source = SOURCE_FILE;
	return settings_read_yaml(ctx, settings, text, path);
}

err_t config_load(struct ctx *ctx, int argc, char *const *argv, char *const *envp,
		  struct config *ret)
{
	CLEANUP(mem_done) struct settings *settings = NEW(struct settings);
	str path, origin;

	TRY(settings_init(ctx, settings));
	TRY(find_file(ctx, argc, argv, envp, &path, &origin));
	if (path.len)
		TRY(load_file(ctx, settings, path, origin));
	TRY(settings_read_environment(ctx, settings, envp));
	TRY(settings_read_flags(ctx, settings, argc, argv));
	TRY(settings_finish(ctx, settings));
	*ret = settings->config;
	return OK;
}
