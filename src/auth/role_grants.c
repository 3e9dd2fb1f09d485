/* SPDX-License-Identifier: Apache-2.0 */
/* role_grants.c - see role_grants.h. */
#include "auth/role_grants.h"

#include "base/glob.h"

#include <string.h>

#include "base/banned.h"

static err_t parse_permission(struct ctx *ctx, const struct json_value *value, bool strict,
			      struct action_set *into)
{
	str resource, action, text = json_value_str(value);
	enum action found = ACTION_COUNT;
	if (str_cut(text, ':', &resource, &action))
		found = permission_find(PLACE_PROJECT, resource, action);
	if (found != ACTION_COUNT)
		action_set_add(into, found);
	else if (strict)
		return fail(ctx, ERR_UNPROCESSABLE, "no permission \"" STR_FMT "\" in a project",
			    STR_ARG(text));
	return OK;
}

static err_t parse_glob(struct ctx *ctx, const struct json_value *set, bool strict, str *ret)
{
	str glob = STR_NONE;
	const char *why = "";
	if (json_get_str(set, "repositories", &glob) == JSON_WRONG ||
	    glob.len > ROLE_GLOB_BYTES_MAX)
		return fail(ctx, ERR_UNPROCESSABLE,
			    "repositories is no pattern of at most %d bytes", ROLE_GLOB_BYTES_MAX);
	if (strict && glob.len && !glob_check(glob, &why))
		return fail(ctx, ERR_UNPROCESSABLE, "repositories: %s", why);
	*ret = arena_copy(ctx->arena, glob);
	return OK;
}

static err_t parse_set(struct ctx *ctx, const struct json_value *set, bool strict,
		       struct custom_grant *ret)
{
	struct custom_grant grant = { 0 };
	const struct json_value *permissions = NULL;
	if (json_get_array(set, "permissions", &permissions) != JSON_FOUND ||
	    !json_count(permissions))
		return fail(ctx, ERR_UNPROCESSABLE, "each grant needs a list of permissions");
	TRY(parse_glob(ctx, set, strict, &grant.repository_glob));
	for (size_t i = 0; i < json_count(permissions); i++)
		TRY(parse_permission(ctx, json_element(permissions, i), strict, &grant.actions));
	*ret = grant;
	return OK;
}

static struct custom_grant *add(struct ctx *ctx, struct role_grants *into)
{
	if (into->count == into->cap) {
		size_t cap = into->cap ? into->cap * 2 : ROLE_GRANTS_MAX;
		struct custom_grant *items = ARENA_ARRAY(ctx->arena, struct custom_grant, cap);
		if (into->count)
			memcpy(items, into->items, into->count * sizeof *items);
		into->items = items;
		into->cap = cap;
	}
	return &into->items[into->count++];
}

err_t role_grants_parse(struct ctx *ctx, const struct json_value *array, struct role_grants *ret)
{
	size_t count = json_count(array);
	struct role_grants grants = { 0 };
	if (!json_value_is_array(array) || !count || count > ROLE_GRANTS_MAX)
		return fail(ctx, ERR_UNPROCESSABLE, "a role needs 1 to %d grants", ROLE_GRANTS_MAX);
	for (size_t i = 0; i < count; i++)
		TRY(parse_set(ctx, json_element(array, i), true, add(ctx, &grants)));
	*ret = grants;
	return OK;
}

err_t role_grants_read(struct ctx *ctx, str json, struct role_grants *into)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	if (!json_parse(json, JSON_LIMITS_SMALL, &doc, &problem))
		return fail(ctx, ERR_CORRUPT, "grants of a role: " JSON_PROBLEM_FMT,
			    JSON_PROBLEM_ARG(problem));
	for (size_t i = 0; i < json_count(doc.root) && into->count < ROLE_GRANTS_HELD_MAX; i++)
		TRY(parse_set(ctx, json_element(doc.root, i), false, add(ctx, into)));
	return OK;
}

void role_grants_write(struct json_writer *w, const char *key, const struct custom_grant *items,
		       size_t count)
{
	json_write_array_begin(w, key);
	for (size_t i = 0; i < count; i++) {
		json_write_object_begin(w, NULL);
		if (items[i].repository_glob.len)
			json_write_str(w, "repositories", items[i].repository_glob);
		json_write_array_begin(w, "permissions");
		for (enum action action = 0; action < ACTION_COUNT; action++)
			if (action_set_has(&items[i].actions, action))
				json_write_str(w, NULL, str_from(action_name(action)));
		json_write_array_end(w);
		json_write_object_end(w);
	}
	json_write_array_end(w);
}

str role_grants_json(struct ctx *ctx, const struct role_grants *grants)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(ROLE_JSON_BYTES_MAX);
	struct json_writer w = JSON_WRITER(&b);
	role_grants_write(&w, NULL, grants->items, grants->count);
	return arena_copy(ctx->arena, buf_str(&b));
}
