/* SPDX-License-Identifier: Apache-2.0 */
/* Options from the file, the environment and the flags: who wins, and what wrong ones are told. */
#include "config/config.h"
#include "config/settings.h"

#include "base/buf.h"
#include "base/log.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

static struct arena arena;
static struct ctx ctx;
static struct config config;
static char file[] = "/tmp/berth-config-XXXXXX";

static void setup(void)
{
	arena_init(&arena, MIB(4));
	ctx_init(&ctx, &arena);
}

static void teardown(void)
{
	arena_done(&arena);
	if (!strchr(file, 'X'))
		unlink(file);
}

TestSuite(config, .init = setup, .fini = teardown);

static const char *write_file(const char *text)
{
	int fd = mkstemp(file);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return file;
}

#define NOTHING ((const char *[]){ NULL })

/* Literals as the writable strings that main() gets; both lists end with NULL. */
static char **writable(const char *const *list, int *ret_count)
{
	int count = 0;
	while (list[count])
		count++;
	char **copies = ARENA_ARRAY(&arena, char *, (size_t)count + 1);
	for (int i = 0; i < count; i++)
		copies[i] = arena_cstr(&arena, str_from(list[i]));
	*ret_count = count;
	return copies;
}

static err_t load(const char *const *flags, const char *const *variables)
{
	int argc, variable_count;
	char **argv = writable(flags, &argc);
	return config_load(&ctx, argc, argv, writable(variables, &variable_count), &config);
}

static void assert_refused(const char *const *flags, const char *const *variables,
			   const char *message)
{
	memset(&config, 0x5a, sizeof config);
	struct config before = config;
	cr_assert_eq(load(flags, variables), ERR_CONFIG);
	cr_assert_str_eq(ctx.failure.detail, message);
	cr_assert_eq(memcmp(&before, &config, sizeof config), 0, "touched on failure");
}

static void assert_flag_refused(const char *flag, const char *message)
{
	assert_refused((const char *[]){ flag, NULL }, NOTHING, message);
}

static void assert_file_refused(const char *text, const char *message)
{
	struct settings settings;
	cr_assert_eq(settings_init(&ctx, &settings), OK);
	settings.source = SOURCE_FILE;
	cr_assert_eq(settings_read_yaml(&ctx, &settings, str_from(text), STR("b.yaml")),
		     ERR_CONFIG);
	cr_assert_str_eq(ctx.failure.detail, message);
	ctx_forgive(&ctx);
}

Test(config, defaults)
{
	cr_assert_eq(load(NOTHING, NOTHING), OK);
	cr_assert_eq(config.listener_count, 1);
	cr_assert(str_eq(config.listeners[0].address, STR("127.0.0.1:5000")));
	cr_assert_not(config.listeners[0].tls);
	cr_assert_str_eq(config.data_dir.ptr, "./data");
	cr_assert_eq(config.log_level, LOG_INFO);
	cr_assert_eq(config.log_format, LOG_FORMAT_TEXT);
	cr_assert_eq(config.http_request_memory_bytes_max, (int64_t)MIB(48));
	cr_assert_eq(config.manifests_size_bytes_max, (int64_t)MIB(4));
	cr_assert_eq(config.uploads_expiry_ms, INT64_C(86400000));
	cr_assert(config.projects_auto_create);
	cr_assert_not(config.projects_auto_create_public);
	cr_assert_eq(config.database_url.len, 0);
	cr_assert_not_null(config.database_url.ptr);
}

Test(config, a_flag_beats_the_environment_beats_the_file)
{
	write_file("log:\n  level: error\n  format: json\ntags: { page_max: 7 }\n");
	cr_assert_eq(
		load((const char *[]){ "--config", file, "--log.level=debug", NULL },
		     (const char *[]){ "BERTH_LOG_LEVEL=warn", "BERTH_TAGS_PAGE_MAX=8", NULL }),
		OK);
	cr_assert_eq(config.log_level, LOG_DEBUG);
	cr_assert_eq(config.tags_page_max, 8);
	cr_assert_eq(config.log_format, LOG_FORMAT_JSON);
}

Test(config, the_environment_names_the_file_and_a_flag_another)
{
	CLEANUP(buf_done) struct buf variable = BUF_INIT(256);
	write_file("data_dir: /from/file\n");
	buf_printf(&variable, "BERTH_CONFIG=%s", file);
	buf_add_byte(&variable, '\0');
	cr_assert_eq(load(NOTHING, (const char *[]){ variable.ptr, NULL }), OK);
	cr_assert_str_eq(config.data_dir.ptr, "/from/file");
	cr_assert_eq(load((const char *[]){ "--config=/dev/null", NULL },
			  (const char *[]){ variable.ptr, NULL }),
		     OK);
	cr_assert_str_eq(config.data_dir.ptr, "./data");
}

Test(config, flags_have_three_forms)
{
	cr_assert_eq(load((const char *[]){ "--data-dir", "/d", "--projects_auto-create_public",
					    "--registry.delete=false", "--LOG-LEVEL=warn", NULL },
			  NOTHING),
		     OK);
	cr_assert_str_eq(config.data_dir.ptr, "/d");
	cr_assert(config.projects_auto_create_public);
	cr_assert_not(config.registry_delete);
	cr_assert_eq(config.log_level, LOG_WARN);
}

Test(config, tests_have_variables_of_their_own)
{
	cr_assert_eq(load(NOTHING, (const char *[]){ "BERTH_TEST_ENGINE=x", "BERTH_FAULTS=y",
						     "BERTHOLD=z", "PATH=/bin", NULL }),
		     OK);
}

Test(config, wrong_values_are_named_with_their_origin)
{
	assert_flag_refused("--log.level=loud", "flag --log.level: log.level cannot be \"loud\": "
						"must be one of debug, info, warn, error");
	ctx_forgive(&ctx);
	assert_refused(NOTHING, (const char *[]){ "BERTH_LISTEN=localhost", NULL },
		       "environment variable BERTH_LISTEN: listen cannot be \"localhost\": must be "
		       "a list of up to 16 addresses such as 127.0.0.1:5000, [::1]:5000, :5000, "
		       "unix:/run/berth.sock or fd:3");
	ctx_forgive(&ctx);
	assert_flag_refused("--data-dir=",
			    "flag --data-dir: data_dir cannot be \"\": must be given");
}

Test(config, ranges)
{
	assert_flag_refused("--manifests.size_max=4194303",
			    "flag --manifests.size_max: manifests.size_max cannot be \"4194303\": "
			    "must be a size from 4MiB to 64MiB");
	ctx_forgive(&ctx);
	assert_flag_refused("--tags.page_max=0", "flag --tags.page_max: tags.page_max cannot be "
						 "\"0\": must be a whole number from 1 to 100000");
	ctx_forgive(&ctx);
	assert_flag_refused("--tokens.lifetime=2d",
			    "flag --tokens.lifetime: tokens.lifetime cannot be \"2d\": "
			    "must be a duration from 1s to 1d");
}

Test(config, unknown_options_are_refused)
{
	assert_flag_refused("--log.levle=x", "flag --log.levle: there is no option \"log.levle\", "
					     "did you mean log.level?");
	ctx_forgive(&ctx);
	assert_refused(NOTHING, (const char *[]){ "BERTH_TURBO=1", NULL },
		       "environment variable BERTH_TURBO: there is no option \"TURBO\"");
	ctx_forgive(&ctx);
	assert_flag_refused("serve", "unexpected argument \"serve\"");
	ctx_forgive(&ctx);
	assert_flag_refused("--", "unexpected argument \"--\"");
}

Test(config, a_flag_needs_its_value)
{
	assert_flag_refused("--listen", "flag --listen: listen has no value");
	ctx_forgive(&ctx);
	assert_flag_refused("--config", "flag --config: must name a file");
}

Test(config, twice_in_one_place_is_refused)
{
	assert_refused((const char *[]){ "--listen=:1", "--listen=:2", NULL }, NOTHING,
		       "flag --listen: listen was already set by flag --listen");
	ctx_forgive(&ctx);
	assert_refused(NOTHING,
		       (const char *[]){ "BERTH_ADMIN_PASSWORD=a",
					 "BERTH_ADMIN_PASSWORD_FILE=/dev/null", NULL },
		       "environment variable BERTH_ADMIN_PASSWORD_FILE: admin.password was already "
		       "set by environment variable BERTH_ADMIN_PASSWORD");
}

Test(config, secrets_come_from_files)
{
	CLEANUP(buf_done) struct buf variable = BUF_INIT(256);
	write_file("Correct-Horse\n");
	buf_printf(&variable, "BERTH_ADMIN_PASSWORD_FILE=%s", file);
	buf_add_byte(&variable, '\0');
	cr_assert_eq(load(NOTHING, (const char *[]){ variable.ptr, NULL }), OK);
	cr_assert_str_eq(config.admin_password.ptr, "Correct-Horse");

	cr_assert_eq(load((const char *[]){ "--admin.password-file", file, NULL }, NOTHING), OK);
	cr_assert_str_eq(config.admin_password.ptr, "Correct-Horse");

	assert_flag_refused("--admin.password-file=/nowhere/at/all",
			    "flag --admin.password-file: could not open /nowhere/at/all: "
			    "No such file or directory");
}

Test(config, only_secrets_come_from_files)
{
	assert_refused(NOTHING, (const char *[]){ "BERTH_LOG_LEVEL_FILE=/dev/null", NULL },
		       "environment variable BERTH_LOG_LEVEL_FILE: "
		       "there is no option \"LOG_LEVEL_FILE\"");
}

Test(config, secrets_are_never_quoted)
{
	assert_flag_refused("--database.url=mysql://root:hunter2@db",
			    "flag --database.url: database.url cannot be (not shown): "
			    "must be empty or begin with postgresql://");
}

Test(config, a_message_is_one_short_line)
{
	char flag[1024] = "--data_dir=";
	memset(flag + strlen(flag), 'x', 500);
	flag[20] = '\n';
	cr_assert_eq(load((const char *[]){ flag, NULL }, NOTHING), ERR_CONFIG);
	cr_assert_null(strchr(ctx.failure.detail, '\n'));
	cr_assert_lt(strlen(ctx.failure.detail), 200);
}

Test(config, tls_follows_the_certificate)
{
	cr_assert_eq(load(
			     (const char *[]){
				     "--tls.certificate=c", "--tls.key=k",
				     "--listen=:443,http://127.0.0.1:80,unix:/b,https:unix:/c,fd:3",
				     NULL },
			     NOTHING),
		     OK);
	static const bool tls[] = { true, false, false, true, true };
	cr_assert_eq(config.listener_count, COUNT_OF(tls));
	for (size_t i = 0; i < COUNT_OF(tls); i++)
		cr_assert_eq(config.listeners[i].tls, tls[i], "%zu", i);
	cr_assert_str_eq(config.listeners[1].address.ptr, "127.0.0.1:80");
	cr_assert_str_eq(config.listeners[3].address.ptr, "unix:/c");
}

Test(config, options_must_fit_each_other)
{
	assert_flag_refused("--tls.key=k",
			    "flag --tls.key: tls.key is set but tls.certificate is not");
	ctx_forgive(&ctx);
	assert_flag_refused("--smtp.host=mail",
			    "flag --smtp.host: smtp.host is set but smtp.from is not");
	ctx_forgive(&ctx);
	assert_flag_refused("--smtp.user=u",
			    "flag --smtp.user: smtp.user is set but smtp.password is not");
	ctx_forgive(&ctx);
	assert_flag_refused("--listen=https::443",
			    "flag --listen: listen says https: but tls.certificate is not set");
	ctx_forgive(&ctx);
	assert_flag_refused("--http.proxy_protocol",
			    "flag --http.proxy_protocol: http.proxy_protocol "
			    "is set but http.trusted_proxies is not");
	ctx_forgive(&ctx);
	cr_assert_eq(load((const char *[]){ "--http.proxy_protocol",
					    "--http.trusted_proxies=10.0.0.1", NULL },
			  NOTHING),
		     OK);
	assert_flag_refused("--http.threads_max=64",
			    "flag --http.threads_max: http.transfers_max (256) must be less than "
			    "http.threads_max (64)");
}

Test(config, yaml_lists_and_nested_maps)
{
	struct settings settings;
	cr_assert_eq(settings_init(&ctx, &settings), OK);
	settings.source = SOURCE_FILE;
	cr_assert_eq(settings_read_yaml(&ctx, &settings,
					STR("---\n# a comment\nlisten: [\":1\", \":2\"]\n"
					    "http:\n  trusted_proxies:\n  - 10.0.0.0/8\n  - ::1\n"
					    "  proxy_protocol: yes\nexternal_url: ''\n"),
					STR("b.yaml")),
		     OK, "%s", ctx.failure.detail);
	cr_assert_str_eq(settings.config.listen.ptr, ":1,:2");
	cr_assert_str_eq(settings.config.http_trusted_proxies.ptr, "10.0.0.0/8,::1");
	cr_assert(settings.config.http_proxy_protocol);
}

Test(config, yaml_mistakes_have_a_line)
{
	assert_file_refused("listen: :1\nlog:\n  level: loud\n",
			    "b.yaml:3: log.level cannot be \"loud\": "
			    "must be one of debug, info, warn, error");
	assert_file_refused("\nlog:\n  leve: debug\n",
			    "b.yaml:3: there is no option \"log.leve\", did you mean log.level?");
	assert_file_refused("depot:\n  s3: {}\n", "b.yaml:2: there is no option \"depot\"");
	assert_file_refused("data_dir:\n", "b.yaml:1: data_dir has no value");
	assert_file_refused("data_dir: [a]\n", "b.yaml:1: data_dir cannot be a list");
	assert_file_refused("listen: {a: b}\n", "b.yaml:1: listen cannot be a map");
	assert_file_refused("log: {level: info}\nlog: {level: warn}\n",
			    "b.yaml:2: log.level was already set by b.yaml:1");
	assert_file_refused("data_dir: \"a\\nb\"\n", "b.yaml:1: data_dir cannot be \"a?b\": "
						     "must be one line of UTF-8");
}

Test(config, yaml_of_the_wrong_shape)
{
	assert_file_refused("- a\n", "b.yaml:1: expected a map of options");
	assert_file_refused("just words\n", "b.yaml:1: expected a map of options");
	assert_file_refused("? [a]\n: b\n", "b.yaml:1: expected the name of an option");
	assert_file_refused("data_dir: &x /d\nlisten: *x\n", "b.yaml:2: aliases are not supported");
	assert_file_refused("listen: :1\n---\nlisten: :2\n", "b.yaml:2: only one document is read");
	assert_file_refused("listen: [[a]]\n", "b.yaml:1: not an item of a list of addresses");
	assert_file_refused("data_dir: \"x\n",
			    "b.yaml:2: not YAML: found unexpected end of stream");
}

Test(config, every_name_has_one_variable)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option *option = &option_table[i];
		cr_assert_eq(option_find(option->name), option);
		cr_assert_eq(option_find_loose(option->name), option,
			     "%s and another share a variable", option->name.ptr);
		for (size_t at = 0; at < option->name.len; at++) {
			char c = option->name.ptr[at];
			bool plain = islower((unsigned char)c) || isdigit((unsigned char)c);
			cr_assert(plain || c == '.' || c == '_', "%s", option->name.ptr);
		}
	}
}

Test(config, the_help_names_every_option)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	config_print_help(out);
	fclose(out);
	for (size_t i = 0; i < OPTION_COUNT; i++)
		cr_assert_not_null(strstr(text, option_table[i].name.ptr), "%s",
				   option_table[i].name.ptr);
	free(text);
}

Test(config, docs_options_is_current)
{
	char *want = NULL;
	size_t want_len = 0;
	FILE *out = open_memstream(&want, &want_len);
	config_print_reference(out);
	fclose(out);

	str have;
	str path = arena_printf(&arena, "%s/docs/options.md", getenv("BERTH_SOURCE_ROOT"));
	cr_assert_eq(settings_read_file(&ctx, path, KIB(256), STR("test"), &have), OK, "%s",
		     ctx.failure.detail);
	cr_assert(str_eq(have, (str){ want, want_len }),
		  "docs/options.md is old: berth options > docs/options.md");
	free(want);
}
