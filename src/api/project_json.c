/* SPDX-License-Identifier: Apache-2.0 */
/* project_json.c - see project_json.h. */
#include "api/project_json.h"
#include "registry/quota.h"

#include "base/banned.h"

/* --- requests --------------------------------------------------------------------------------- */

err_t project_name_check(struct ctx *ctx, str name)
{
	if (!reference_is_project(name))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "a project's name has 1 to 255 lower-case letters and digits, with . _ "
			    "or - between them");
	return OK;
}

static err_t take_setting(struct ctx *ctx, enum project_setting setting, str value,
			  struct setting_value *ret)
{
	str name = project_setting_name(setting);
	if (!project_setting_read(ctx->arena, setting, value, &ret->value))
		return fail(ctx, ERR_REQUEST_INVALID, STR_FMT " cannot be \"" STR_FMT "\"",
			    STR_ARG(name), STR_ARG(value));
	ret->setting = setting;
	return OK;
}

static err_t read_settings(struct ctx *ctx, const struct json_value *metadata,
			   struct project_wish *wish)
{
	for (enum project_setting at = 0; at < PROJECT_SETTING_COUNT; at++) {
		str name = project_setting_name(at), value = STR_NONE;
		enum json_got got = json_get_str(metadata, name.ptr, &value);
		if (got == JSON_WRONG)
			return fail(ctx, ERR_UNPROCESSABLE, STR_FMT " is no text", STR_ARG(name));
		if (got == JSON_FOUND && value.len && project_setting_setter(at) == SETTER_ANYBODY)
			TRY(take_setting(ctx, at, value, &wish->settings[wish->setting_count++]));
	}
	return OK;
}

/* The flat member of old clients; the one in the metadata wins. */
static err_t read_public(struct ctx *ctx, const struct json_value *root, struct project_wish *wish)
{
	bool is_public = false;
	enum json_got got = json_get_bool(root, "public", &is_public);
	if (got == JSON_WRONG)
		return fail(ctx, ERR_UNPROCESSABLE, "public is not true or false");
	for (size_t i = 0; i < wish->setting_count; i++)
		if (wish->settings[i].setting == PROJECT_SETTING_PUBLIC)
			return OK;
	if (got == JSON_FOUND)
		wish->settings[wish->setting_count++] =
			(struct setting_value){ PROJECT_SETTING_PUBLIC,
						is_public ? STR("true") : STR("false") };
	return OK;
}

static err_t read_ids(struct ctx *ctx, const struct json_value *items, struct cve_allowlist *list)
{
	size_t count = json_count(items);
	if (count > CVE_BODY_IDS_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "more than %d CVEs", CVE_BODY_IDS_MAX);
	str *ids = ARENA_ARRAY(ctx->arena, str, count);
	for (size_t i = 0; i < count; i++) {
		str id;
		if (json_get_str(json_element(items, i), "cve_id", &id) != JSON_FOUND)
			return fail(ctx, ERR_UNPROCESSABLE, "item %zu has no cve_id", i);
		ids[i] = arena_copy(ctx->arena, id);
	}
	list->cve_ids = ids;
	list->count = count;
	return OK;
}

static err_t read_allowlist(struct ctx *ctx, const struct json_value *root,
			    struct cve_allowlist **ret)
{
	const struct json_value *object = NULL, *items = NULL;
	if (json_get_object(root, "cve_allowlist", &object) == JSON_WRONG ||
	    json_get_array(object, "items", &items) == JSON_WRONG)
		return fail(ctx, ERR_UNPROCESSABLE, "cve_allowlist has the wrong shape");
	if (!object)
		return OK;
	struct cve_allowlist *list = ARENA_NEW(ctx->arena, struct cve_allowlist);
	if (json_get_i64(object, "expires_at", &list->expires_at_s) == JSON_WRONG)
		return fail(ctx, ERR_UNPROCESSABLE, "expires_at is no number");
	TRY(read_ids(ctx, items, list));
	*ret = list;
	return OK;
}

err_t project_wish_read(struct ctx *ctx, const struct json_value *root, struct project_wish *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct project_wish, "project_name", name, KIB(4)),
		JSON_FIELD_HAS(struct project_wish, "storage_limit", has_storage_limit),
		JSON_FIELD_I64(struct project_wish, "storage_limit", storage_limit_bytes),
		JSON_FIELD_I64(struct project_wish, "registry_id", registry_id),
	};
	struct project_wish wish = { .storage_limit_bytes = QUOTA_UNLIMITED };
	const struct json_value *metadata = NULL;
	TRY(body_shape(ctx, root, fields, COUNT_OF(fields), &wish));
	if (json_get_object(root, "metadata", &metadata) == JSON_WRONG)
		return fail(ctx, ERR_UNPROCESSABLE, "metadata is no object");
	wish.name = arena_copy(ctx->arena, wish.name);
	TRY(read_settings(ctx, metadata, &wish));
	TRY(read_public(ctx, root, &wish));
	TRY(read_allowlist(ctx, root, &wish.allowlist));
	*ret = wish;
	return OK;
}

err_t project_setting_wish(struct ctx *ctx, const struct json_value *root,
			   struct setting_value *ret)
{
	const struct json_value *value;
	void *at = NULL;
	str name;
	if (json_count(root) != 1 || !json_next_member(root, &at, &name, &value))
		return fail(ctx, ERR_REQUEST_INVALID, "exactly one setting is changed at a time");
	enum project_setting setting = project_setting_find(name);
	if (setting == PROJECT_SETTING_COUNT || project_setting_setter(setting) != SETTER_ANYBODY)
		return fail(ctx, ERR_REQUEST_INVALID, "no setting \"" STR_FMT "\" can be set here",
			    STR_ARG(name));
	if (!json_value_is_str(value))
		return fail(ctx, ERR_UNPROCESSABLE, STR_FMT " is no text", STR_ARG(name));
	return take_setting(ctx, setting, json_value_str(value), ret);
}

/* --- answers ---------------------------------------------------------------------------------- */

void project_write_settings(struct json_writer *w, const struct project_view *view)
{
	json_write_str(w, "public", view->row.is_public ? STR("true") : STR("false"));
	for (size_t i = 0; i < view->setting_count; i++) {
		json_write_key(w, view->settings[i].name);
		json_write_str(w, NULL, view->settings[i].value);
	}
}

static void write_roles(struct json_writer *w, unsigned roles)
{
	json_write_i64(w, "current_user_role_id", project_role_highest(roles));
	json_write_array_begin(w, "current_user_role_ids");
	for (int64_t id = PROJECT_ADMIN; project_role_is_known(id); id++)
		if (roles & PROJECT_ROLE_BIT(id))
			json_write_i64(w, NULL, id);
	json_write_array_end(w);
}

static void write_allowlist(struct json_writer *w, const struct cve_allowlist *list)
{
	json_write_object_begin(w, "cve_allowlist");
	json_write_i64(w, "id", list->id);
	json_write_i64(w, "project_id", list->project_id);
	if (list->expires_at_s)
		json_write_i64(w, "expires_at", list->expires_at_s);
	json_write_array_begin(w, "items");
	for (size_t i = 0; i < list->count; i++) {
		json_write_object_begin(w, NULL);
		json_write_str(w, "cve_id", list->cve_ids[i]);
		json_write_object_end(w);
	}
	json_write_array_end(w);
	json_write_time(w, "creation_time", list->created_at_us);
	json_write_time(w, "update_time", list->updated_at_us);
	json_write_object_end(w);
}

void project_write(struct json_writer *w, const struct project_seen *seen)
{
	const struct project *row = &seen->view->row;
	json_write_object_begin(w, NULL);
	json_write_i64(w, "project_id", row->id);
	json_write_i64(w, "owner_id", row->owner_id);
	json_write_str(w, "owner_name", row->owner_name);
	json_write_str(w, "name", row->name);
	json_write_time(w, "creation_time", row->created_at_us);
	json_write_time(w, "update_time", row->updated_at_us);
	json_write_bool(w, "deleted", false);
	json_write_bool(w, "togglable", seen->may_update);
	if (seen->with_detail) {
		write_roles(w, seen->roles);
		json_write_i64(w, "repo_count", seen->view->repository_count);
	}
	json_write_object_begin(w, "metadata");
	project_write_settings(w, seen->view);
	json_write_object_end(w);
	if (seen->allowlist)
		write_allowlist(w, seen->allowlist);
	json_write_object_end(w);
}
