/* SPDX-License-Identifier: Apache-2.0 */
/* project_setting.c - see project_setting.h. */
#include "model/project_setting.h"

#include "base/error.h"

#include "base/banned.h"

enum kind { KIND_BOOL, KIND_SEVERITY, KIND_NUMBER, KIND_KIND, KIND_TEXT };

static const struct {
	str name;
	enum kind kind;
	enum setting_setter setter;
} settings[PROJECT_SETTING_COUNT] = {
#define PROJECT_SETTING_ROW(name, text, kind, setter)                                              \
	[PROJECT_SETTING_##name] = { STR_INIT(text), KIND_##kind, SETTER_##setter },
	PROJECT_SETTINGS(PROJECT_SETTING_ROW)
#undef PROJECT_SETTING_ROW
};

str project_setting_name(enum project_setting setting)
{
	CHECK((unsigned)setting < PROJECT_SETTING_COUNT);
	return settings[setting].name;
}

enum setting_setter project_setting_setter(enum project_setting setting)
{
	CHECK((unsigned)setting < PROJECT_SETTING_COUNT);
	return settings[setting].setter;
}

enum project_setting project_setting_find(str name)
{
	enum project_setting at = 0;
	while (at < PROJECT_SETTING_COUNT && !str_eq(settings[at].name, name))
		at++;
	return at;
}

/* One of several words, whatever its case. */
static bool read_word(str value, const char *const *words, size_t count, str *ret)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq_nocase(value, str_from(words[i]))) {
			*ret = str_from(words[i]);
			return true;
		}
	return false;
}

static bool read_bool(str value, str *ret)
{
	static const char *const yes[] = { "true", "1", "t" }, *const no[] = { "false", "0", "f" };
	str word;
	bool is_yes = read_word(value, yes, COUNT_OF(yes), &word);
	if (!is_yes && !read_word(value, no, COUNT_OF(no), &word))
		return false;
	*ret = is_yes ? STR("true") : STR("false");
	return true;
}

static bool read_number(struct arena *arena, str value, str *ret)
{
	uint64_t number;
	if (str_eq(value, STR("-1"))) {
		*ret = STR("-1");
		return true;
	}
	if (!str_to_u64(value, INT32_MAX, &number))
		return false;
	*ret = arena_printf(arena, "%llu", (unsigned long long)number);
	return true;
}

bool project_setting_read(struct arena *arena, enum project_setting setting, str value, str *ret)
{
	static const char *const severities[] = { "none", "low", "medium", "high", "critical" },
				 *const kinds[] = { "doublestar", "regex" };
	CHECK((unsigned)setting < PROJECT_SETTING_COUNT);
	switch (settings[setting].kind) {
	case KIND_BOOL:
		return read_bool(value, ret);
	case KIND_SEVERITY:
		return read_word(value, severities, COUNT_OF(severities), ret);
	case KIND_NUMBER:
		return read_number(arena, value, ret);
	case KIND_KIND:
		return read_word(value, kinds, COUNT_OF(kinds), ret);
	case KIND_TEXT:
		break;
	}
	*ret = arena_copy(arena, value);
	return value.len <= PROJECT_SETTING_BYTES_MAX;
}
