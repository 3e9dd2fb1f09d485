/* SPDX-License-Identifier: Apache-2.0 */
/* print.c - the option table for people: --help and docs/options.md. */
#include "config/config.h"

#include "base/buf.h"
#include "config/value.h"

#include <ctype.h>
#include <inttypes.h>

#include "base/banned.h"

#define TEXT_BYTES_MAX KIB(2)
#define HELP_COLUMNS   96
#define HELP_INDENT    8

static const char *const type_names[] = {
	[OPTION_STRING] = "text", [OPTION_PATH] = "path", [OPTION_SECRET] = "secret",
	[OPTION_LIST] = "list",	  [OPTION_BOOL] = "bool", [OPTION_CHOICE] = "choice",
	[OPTION_INT] = "number",  [OPTION_SIZE] = "size", [OPTION_DURATION] = "duration",
};

/* "1 to 512", "debug, info, warn, error", or the name of the type where it says enough. */
static void add_values(struct buf *b, const struct option *option)
{
	void (*print)(struct buf *, int64_t) =
		option->type == OPTION_SIZE ? value_print_size : value_print_duration;
	str rest = str_from(option->choices);
	const char *between = "";

	switch (option->type) {
	case OPTION_CHOICE:
		for (str choice; str_next(&rest, '|', &choice); between = ", ")
			buf_printf(b, "%s" STR_FMT, between, STR_ARG(choice));
		break;
	case OPTION_BOOL:
		buf_printf(b, "true, false");
		break;
	case OPTION_INT:
		buf_printf(b, "%" PRId64 " to %" PRId64, option->low, option->high);
		break;
	case OPTION_SIZE:
	case OPTION_DURATION:
		print(b, option->low);
		buf_printf(b, " to ");
		print(b, option->high);
		break;
	default:
		buf_printf(b, "%s", type_names[option->type]);
	}
}

/* BERTH_LOG_LEVEL for log.level */
static void add_variable(struct buf *b, const struct option *option)
{
	buf_printf(b, "BERTH_");
	for (size_t i = 0; i < option->name.len; i++) {
		char c = option->name.ptr[i];
		buf_add_byte(b, c == '.' ? '_' : (char)toupper((unsigned char)c));
	}
}

/* Prints `text` wrapped and indented, without the backquotes of Markdown. */
static void print_wrapped(FILE *out, str text)
{
	size_t column = 0;
	for (str word; str_next(&text, ' ', &word);) {
		if (column == 0 || column + 1 + word.len > HELP_COLUMNS) {
			fprintf(out, "%s%*s", column ? "\n" : "", HELP_INDENT, "");
			column = HELP_INDENT;
		} else {
			fputc(' ', out);
			column++;
		}
		for (size_t i = 0; i < word.len; i++)
			if (word.ptr[i] != '`')
				fputc(word.ptr[i], out);
		column += word.len;
	}
	fputc('\n', out);
}

void config_print_help(FILE *out)
{
	fprintf(out,
		"Options, as flags, in the environment (--log.level is BERTH_LOG_LEVEL), or in\n"
		"the YAML file of --config FILE; a flag wins over the environment over the "
		"file.\n\n");
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option *option = &option_table[i];
		CLEANUP(buf_done) struct buf b = BUF_INIT(TEXT_BYTES_MAX);
		add_values(&b, option);
		if (option->fallback.len)
			buf_printf(&b, "; default " STR_FMT, STR_ARG(option->fallback));
		fprintf(out, "  --" STR_FMT "  (" STR_FMT ")\n", STR_ARG(option->name),
			STR_ARG(buf_str(&b)));
		print_wrapped(out, str_from(option->text));
	}
}

static const char reference_head[] =
	"<!-- Made by `berth options > docs/options.md`. Change src/config/options.h instead. -->\n"
	"# Options\n\n"
	"Every option can be set in three places. A flag wins over the environment, the\n"
	"environment over the file, the file over the default. For `log.level`:\n\n"
	"| place | form |\n|---|---|\n"
	"| flag | `--log.level=debug` or `--log.level debug`; `.`, `-` and `_` are alike |\n"
	"| environment | `BERTH_LOG_LEVEL=debug` |\n"
	"| file | `log: { level: debug }`, in the YAML file that `--config` or `BERTH_CONFIG` "
	"names |\n"
	"\n"
	"A size is a number with `KiB`, `MiB`, `GiB` or `TiB`, or a number of bytes. A duration is "
	"a\n"
	"number with `ms`, `s`, `m`, `h` or `d`. A list has commas between its items, or is a list "
	"in\n"
	"the file. A bool flag without a value is true. A secret can also be the content of a "
	"file:\n"
	"`BERTH_ADMIN_PASSWORD_FILE`, `--admin.password-file`, or `password_file` in the file.\n"
	"Anything unknown, doubled or out of range is refused, in one line that names it.\n";

static void print_row(FILE *out, const struct option *option)
{
	CLEANUP(buf_done) struct buf values = BUF_INIT(TEXT_BYTES_MAX);
	CLEANUP(buf_done) struct buf variable = BUF_INIT(TEXT_BYTES_MAX);
	add_values(&values, option);
	add_variable(&variable, option);

	fprintf(out, "\n## `" STR_FMT "`\n\n%s\n\n", STR_ARG(option->name), option->text);
	fprintf(out, "| variable | values | default |\n|---|---|---|\n");
	fprintf(out, "| `" STR_FMT "` | " STR_FMT " | ", STR_ARG(buf_str(&variable)),
		STR_ARG(buf_str(&values)));
	if (option->fallback.len)
		fprintf(out, "`" STR_FMT "` |\n", STR_ARG(option->fallback));
	else
		fprintf(out, "empty |\n");
}

void config_print_reference(FILE *out)
{
	fputs(reference_head, out);
	for (size_t i = 0; i < OPTION_COUNT; i++)
		print_row(out, &option_table[i]);
}
