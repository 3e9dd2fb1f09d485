/* SPDX-License-Identifier: Apache-2.0 */
/* identity_provider.c - see identity_provider.h: the table, values from and to JSON, Harbor's keys.
 */
#include "provider_internal.h"

#include <string.h>

#include "base/banned.h"

#define NUMBER_MAX INT64_C(1000000000)

const struct setting provider_settings[PROVIDER_SETTING_COUNT] = {
#define SETTING_ROW(kind_, type_, name_, text_, harbor_, default_)                                 \
	[PROVIDER_##name_] = { PROVIDER_##kind_, SETTING_##type_, text_, harbor_,                  \
			       STR_INIT(default_) },
	PROVIDER_SETTINGS(SETTING_ROW)
#undef SETTING_ROW
};

static const char *const kind_names[PROVIDER_KIND_COUNT] = {
#define KIND_ROW(name, text) [PROVIDER_##name] = text,
	PROVIDER_KINDS(KIND_ROW)
#undef KIND_ROW
};

/* What Harbor calls the modes in which it asks a kind. */
static const char *const auth_modes[PROVIDER_KIND_COUNT] = {
	[PROVIDER_OIDC] = "oidc_auth",
	[PROVIDER_LDAP] = "ldap_auth",
};

const char *provider_kind_name(enum provider_kind kind)
{
	return kind_names[kind];
}

bool provider_kind_parse(str name, enum provider_kind *ret)
{
	for (int i = 0; i < PROVIDER_KIND_COUNT; i++)
		if (str_eq(name, str_from(kind_names[i]))) {
			*ret = (enum provider_kind)i;
			return true;
		}
	return false;
}

const char *provider_auth_mode_of(enum provider_kind kind)
{
	return auth_modes[kind];
}

const char *identity_provider_auth_mode(const struct identity_provider *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].enabled && auth_modes[list[i].kind])
			return auth_modes[list[i].kind];
	return "db_auth";
}

/* --- values --------------------------------------------------------------------------------- */

str provider_text(const struct identity_provider *p, enum provider_setting setting)
{
	return p->values[setting];
}

bool provider_bool(const struct identity_provider *p, enum provider_setting setting)
{
	return str_eq(p->values[setting], STR("true"));
}

int64_t provider_i64(const struct identity_provider *p, enum provider_setting setting)
{
	uint64_t number = 0;
	(void)str_to_u64(p->values[setting], NUMBER_MAX, &number);
	return (int64_t)number;
}

void identity_provider_init(struct identity_provider *p, enum provider_kind kind, int64_t tenant_id,
			    str name)
{
	*p = (struct identity_provider){ .tenant_id = tenant_id, .name = name, .kind = kind };
	for (int i = 0; i < PROVIDER_SETTING_COUNT; i++)
		if (provider_settings[i].kind == kind)
			p->values[i] = provider_settings[i].fallback;
}

/* --- JSON ----------------------------------------------------------------------------------- */

static err_t wrong(struct ctx *ctx, const char *key, const char *what)
{
	return fail(ctx, ERR_REQUEST_INVALID, "%s is not %s", key, what);
}

static err_t take_text(struct ctx *ctx, const struct json_value *object, const char *key, str *ret)
{
	str text;
	if (json_get_str(object, key, &text) != JSON_FOUND)
		return wrong(ctx, key, "a string");
	if (text.len > PROVIDER_VALUE_MAX || str_has_byte(text, '\0'))
		return wrong(ctx, key, "a short text");
	*ret = arena_copy(ctx->arena, text);
	return OK;
}

static err_t take_json(struct ctx *ctx, const struct json_value *value, const char *key, str *ret)
{
	if (!json_value_is_array(value) && !json_value_is_object(value))
		return wrong(ctx, key, "an array or object");
	size_t len = json_value_print(value, NULL, 0);
	if (len > PROVIDER_VALUE_MAX)
		return wrong(ctx, key, "short enough");
	char *text = arena_alloc(ctx->arena, len + 1);
	json_value_print(value, text, len);
	*ret = (str){ text, len };
	return OK;
}

/* One member into one value. An absent or null one leaves it as it is; `*ret_found` says which. */
static err_t take_value(struct ctx *ctx, const struct json_value *object, const char *key,
			const struct setting *setting, str *value, bool *ret_found)
{
	bool flag;
	int64_t number;
	const struct json_value *member = json_member(object, key);
	*ret_found = member != NULL;
	if (!member)
		return OK;
	switch (setting->type) {
	case SETTING_TEXT:
	case SETTING_SECRET:
		return take_text(ctx, object, key, value);
	case SETTING_JSON:
		return take_json(ctx, member, key, value);
	case SETTING_BOOL:
		if (json_get_bool(object, key, &flag) != JSON_FOUND)
			return wrong(ctx, key, "true or false");
		*value = flag ? STR("true") : STR("false");
		return OK;
	case SETTING_INT:
		if (json_get_i64(object, key, &number) != JSON_FOUND || number < 0 ||
		    number > NUMBER_MAX)
			return wrong(ctx, key, "a number from 0 up");
		*value = arena_printf(ctx->arena, "%lld", (long long)number);
		return OK;
	}
	return OK;
}

static void write_value(struct json_writer *w, const char *key, const struct setting *setting,
			str value)
{
	switch (setting->type) {
	case SETTING_TEXT:
	case SETTING_SECRET:
		json_write_str(w, key, value);
		break;
	case SETTING_BOOL:
	case SETTING_INT:
	case SETTING_JSON:
		json_write_raw(w, key, value); /* "true", "12" and JSON are their own JSON */
		break;
	}
}

err_t provider_read_members(struct ctx *ctx, const struct json_value *object,
			    struct identity_provider *p, size_t *ret_taken)
{
	size_t taken = 0;
	for (int i = 0; i < PROVIDER_SETTING_COUNT; i++) {
		bool found;
		if (provider_settings[i].kind != p->kind)
			continue;
		TRY(take_value(ctx, object, provider_settings[i].name, &provider_settings[i],
			       &p->values[i], &found));
		taken += found;
	}
	*ret_taken = taken;
	return OK;
}

err_t identity_provider_read_settings(struct ctx *ctx, const struct json_value *settings,
				      struct identity_provider *p)
{
	size_t taken;
	if (!json_value_is_object(settings))
		return fail(ctx, ERR_REQUEST_INVALID, "settings are no object");
	TRY(provider_read_members(ctx, settings, p, &taken));
	if (taken != json_count(settings))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "settings have members that %s does not know, or null ones",
			    kind_names[p->kind]);
	return OK;
}

void provider_write_members(struct json_writer *w, const struct identity_provider *p, bool secret)
{
	for (int i = 0; i < PROVIDER_SETTING_COUNT; i++) {
		const struct setting *setting = &provider_settings[i];
		if (setting->kind == p->kind && (setting->type == SETTING_SECRET) == secret)
			write_value(w, setting->name, setting, p->values[i]);
	}
}

void identity_provider_write_settings(struct json_writer *w, const struct identity_provider *p)
{
	provider_write_members(w, p, false);
}

/* --- Harbor's keys -------------------------------------------------------------------------- */

bool identity_provider_owns_key(str key)
{
	if (str_eq(key, STR("auth_mode")))
		return true;
	for (int i = 0; i < PROVIDER_SETTING_COUNT; i++)
		if (provider_settings[i].harbor_key &&
		    str_eq(key, str_from(provider_settings[i].harbor_key)))
			return true;
	return false;
}

err_t identity_provider_from_configuration(struct ctx *ctx, const struct json_value *flat,
					   struct identity_provider *p, bool *ret_touched)
{
	bool touched = false;
	for (int i = 0; i < PROVIDER_SETTING_COUNT; i++) {
		const struct setting *setting = &provider_settings[i];
		bool found;
		if (setting->kind != p->kind || !setting->harbor_key)
			continue;
		TRY(take_value(ctx, flat, setting->harbor_key, setting, &p->values[i], &found));
		touched = touched || found;
	}
	*ret_touched = touched;
	return OK;
}

void identity_provider_to_configuration(struct json_writer *w, const struct identity_provider *p,
					bool editable)
{
	for (int i = 0; i < PROVIDER_SETTING_COUNT; i++) {
		const struct setting *setting = &provider_settings[i];
		if (setting->kind != p->kind || !setting->harbor_key ||
		    setting->type == SETTING_SECRET)
			continue;
		json_write_object_begin(w, setting->harbor_key);
		write_value(w, "value", setting, p->values[i]);
		json_write_bool(w, "editable", editable);
		json_write_object_end(w);
	}
}
