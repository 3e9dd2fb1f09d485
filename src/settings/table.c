/* SPDX-License-Identifier: Apache-2.0 */
/* table.c - the rows of system.h, and values from JSON to text. */
#include "internal.h"

#include "codec/syslog.h"

#include "base/banned.h"

#define PREFIX_BYTES_MAX 32

const struct system_setting_info system_table[SYSTEM_SETTING_COUNT] = {
#define SETTING_ROW(type_, name_, key_, default_, ...)                                             \
	[SYSTEM_##name_] = {                                                                       \
		.type = SYSTEM_##type_, .key = key_, .fallback = STR_INIT(default_), __VA_ARGS__   \
	},
	SYSTEM_SETTINGS(SETTING_ROW)
#undef SETTING_ROW
};

bool system_setting_find(str key, enum system_setting *ret)
{
	for (int i = 0; i < SYSTEM_SETTING_COUNT; i++)
		if (str_eq(key, str_from(system_table[i].key))) {
			*ret = (enum system_setting)i;
			return true;
		}
	return false;
}

/* --- checks --------------------------------------------------------------------------------- */

/* It becomes part of a user name in HTTP Basic, and `+` separates what follows it. */
const char *setting_check_prefix(str text)
{
	static const char *const must_be =
		"1 to 32 printable ASCII characters without blanks and : / + \" \\";
	if (!text.len || text.len > PREFIX_BYTES_MAX)
		return must_be;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f ||
		    str_has_byte(STR(":/+\"\\"), text.ptr[i]))
			return must_be;
	return NULL;
}

const char *setting_check_quota(str text)
{
	return str_eq(text, STR("0")) ? "-1 or more than 0" : NULL;
}

/* Whether somebody listens there is asked by who changes it. */
const char *setting_check_endpoint(str text)
{
	struct syslog_endpoint endpoint;
	return !text.len || syslog_endpoint_parse(text, &endpoint)
		       ? NULL
		       : "host:port, perhaps with tcp:// or tls:// in front";
}

const char *setting_check_audit_types(str text)
{
	struct audit_types types;
	str wrong;
	return audit_types_parse(text, &types, &wrong) ? NULL
						       : "types of audit events that can be "
							 "switched off, separated by commas";
}

/* --- from JSON ------------------------------------------------------------------------------ */

static err_t wrong(struct ctx *ctx, const struct system_setting_info *info, const char *what)
{
	return fail(ctx, ERR_REQUEST_INVALID, "%s is not %s", info->key, what);
}

static err_t read_text(struct ctx *ctx, const struct json_value *flat,
		       const struct system_setting_info *info, str *ret)
{
	if (json_get_str(flat, info->key, ret) != JSON_FOUND || ret->len > SETTING_BYTES_MAX ||
	    str_has_byte(*ret, '\0'))
		return wrong(ctx, info, "a short text");
	return OK;
}

static err_t read_choice(struct ctx *ctx, const struct json_value *flat,
			 const struct system_setting_info *info, str *ret)
{
	str rest = str_from(info->choices), word;
	TRY(read_text(ctx, flat, info, ret));
	while (str_next(&rest, '|', &word))
		if (str_eq(word, *ret))
			return OK;
	return wrong(ctx, info, info->choices);
}

static err_t read_bool(struct ctx *ctx, const struct json_value *flat,
		       const struct system_setting_info *info, str *ret)
{
	bool value;
	if (json_get_bool(flat, info->key, &value) != JSON_FOUND)
		return wrong(ctx, info, "true or false");
	*ret = value ? STR("true") : STR("false");
	return OK;
}

static err_t read_number(struct ctx *ctx, const struct json_value *flat,
			 const struct system_setting_info *info, str *ret)
{
	int64_t value;
	if (json_get_i64(flat, info->key, &value) != JSON_FOUND || value < info->low ||
	    value > info->high)
		return fail(ctx, ERR_REQUEST_INVALID, "%s is not a number from %lld to %lld",
			    info->key, (long long)info->low, (long long)info->high);
	*ret = arena_printf(ctx->arena, "%lld", (long long)value);
	return OK;
}

err_t system_setting_read(struct ctx *ctx, const struct json_value *flat,
			  enum system_setting setting, str *ret, bool *ret_found)
{
	static err_t (*const readers[])(struct ctx *, const struct json_value *,
					const struct system_setting_info *, str *) = {
		[SYSTEM_TEXT] = read_text,   [SYSTEM_CHOICE] = read_choice,
		[SYSTEM_BOOL] = read_bool,   [SYSTEM_INT] = read_number,
		[SYSTEM_UNUSED] = read_text,
	};
	const struct system_setting_info *info = &system_table[setting];
	str text;
	*ret_found = json_member(flat, info->key) != NULL;
	if (!*ret_found)
		return OK;
	TRY(readers[info->type](ctx, flat, info, &text));
	const char *must_be = info->check ? info->check(text) : NULL;
	if (must_be)
		return wrong(ctx, info, must_be);
	if (info->instead && !str_eq(text, info->fallback))
		return fail(ctx, ERR_REQUEST_INVALID, "%s has no effect here; %s", info->key,
			    info->instead);
	*ret = arena_copy(ctx->arena, text);
	return OK;
}

static int64_t position_of(const char *choices, str text)
{
	str rest = str_from(choices), word;
	int64_t position = 0;
	for (; str_next(&rest, '|', &word); position++)
		if (str_eq(word, text))
			return position;
	return 0;
}

int64_t system_setting_number(const struct system_setting_info *info, str text)
{
	uint64_t number = 0;
	if (info->type == SYSTEM_CHOICE)
		return position_of(info->choices, text);
	if (info->type == SYSTEM_BOOL)
		return str_eq(text, STR("true"));
	if (str_has_prefix(text, STR("-")))
		return str_to_u64(str_skip(text, 1), INT64_MAX, &number) ? -(int64_t)number : 0;
	return str_to_u64(text, INT64_MAX, &number) ? (int64_t)number : 0;
}
