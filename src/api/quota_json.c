/* SPDX-License-Identifier: Apache-2.0 */
/* quota_json.c - see quota_json.h. */
#include "api/quota_json.h"

#include "base/banned.h"

static bool can_limit(const struct quota *quota, enum quota_resource resource)
{
	return quota->scope == QUOTA_TENANT || resource != QUOTA_PROJECTS;
}

static void write_numbers(struct json_writer *w, const char *key, const struct quota *quota,
			  const int64_t *numbers, bool all)
{
	json_write_object_begin(w, key);
	for (enum quota_resource i = 0; i < QUOTA_RESOURCE_COUNT; i++)
		if (can_limit(quota, i) && (all || i == QUOTA_STORAGE || quota->limit[i] >= 0))
			json_write_i64(w, quota_resource_text(i), numbers[i]);
	json_write_object_end(w);
}

void quota_json_write(struct json_writer *w, const struct quota *quota, bool all)
{
	write_numbers(w, "hard", quota, quota->limit, all);
	write_numbers(w, "used", quota, quota->used, all);
}

static err_t check_resource(struct ctx *ctx, const struct quota *quota, str name)
{
	for (enum quota_resource i = 0; i < QUOTA_RESOURCE_COUNT; i++)
		if (can_limit(quota, i) && str_eq(name, str_from(quota_resource_text(i))))
			return OK;
	return fail(ctx, ERR_REQUEST_INVALID, "hard has a resource that cannot be limited");
}

static err_t read_limit(struct ctx *ctx, const struct json_value *hard, enum quota_resource i,
			struct quota *quota)
{
	int64_t limit = quota->limit[i];
	enum json_got got = json_get_i64(hard, quota_resource_text(i), &limit);
	if (got == JSON_WRONG || (got == JSON_FOUND && limit != QUOTA_UNLIMITED &&
				  (limit <= 0 || limit > QUOTA_LIMIT_MAX)))
		return fail(ctx, ERR_REQUEST_INVALID, "%s is -1 or a number from 1 to %lld",
			    quota_resource_text(i), (long long)QUOTA_LIMIT_MAX);
	quota->limit[i] = limit;
	return OK;
}

err_t quota_json_read(struct ctx *ctx, const struct json_value *body, struct quota *quota)
{
	const struct json_value *hard, *value;
	str name;
	if (json_get_object(body, "hard", &hard) != JSON_FOUND || !json_count(hard))
		return fail(ctx, ERR_REQUEST_INVALID, "hard is an object of limits");
	for (void *at = NULL; json_next_member(hard, &at, &name, &value);)
		TRY(check_resource(ctx, quota, name));
	for (enum quota_resource i = 0; i < QUOTA_RESOURCE_COUNT; i++)
		TRY(read_limit(ctx, hard, i, quota));
	return OK;
}

str quota_limits_json(struct ctx *ctx, const struct quota *quota)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(KIB(4));
	struct json_writer w = JSON_WRITER(&text);
	write_numbers(&w, NULL, quota, quota->limit, false);
	return arena_copy(ctx->arena, buf_str(&text));
}
