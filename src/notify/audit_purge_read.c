/* SPDX-License-Identifier: Apache-2.0 */
/* audit_purge_read.c - see audit_purge.h: what Harbor's parameters of a purge mean. */
#include "notify/audit_purge.h"

#include "base/buf.h"
#include "codec/json_shape.h"
#include "codec/json_writer.h"

#include "base/banned.h"

#define LIST_MAX   KIB(4)
#define PRINT_MAX  KIB(16)
#define HOURS	   "audit_retention_hour"
#define DRY_RUN	   "dry_run"
#define TYPES	   "include_event_types"
#define OPERATIONS "include_operations"
#define ALL	   "*"
#define HOUR_S	   3600

struct parameters {
	int64_t hours;
	bool dry_run, has_dry_run, has_types, has_operations;
	str types, operations;
};

static const struct json_field fields[] = {
	JSON_FIELD_I64(struct parameters, HOURS, hours),
	JSON_FIELD_BOOL(struct parameters, DRY_RUN, dry_run),
	JSON_FIELD_HAS(struct parameters, DRY_RUN, has_dry_run),
	JSON_FIELD_STR(struct parameters, TYPES, types, LIST_MAX),
	JSON_FIELD_HAS(struct parameters, TYPES, has_types),
	JSON_FIELD_STR(struct parameters, OPERATIONS, operations, LIST_MAX),
	JSON_FIELD_HAS(struct parameters, OPERATIONS, has_operations),
};

static err_t read_members(struct ctx *ctx, const struct json_value *given, struct parameters *ret)
{
	struct json_problem problem;
	*ret = (struct parameters){ 0 };
	if (given && !json_shape_read(given, fields, COUNT_OF(fields), ret, &problem))
		return fail(ctx, ERR_REQUEST_INVALID, "parameters: %s", problem.text);
	if (ret->hours < 1 || ret->hours > AUDIT_PURGE_HOURS_MAX)
		return fail(ctx, ERR_REQUEST_INVALID,
			    "parameters." HOURS ": a number of hours from 1 to %d is wanted",
			    AUDIT_PURGE_HOURS_MAX);
	return OK;
}

/* All of an operation; false when there is none that may go. */
static bool add_operation(struct audit_types *types, str operation)
{
	bool found = false;
	for (unsigned type = 0; type < AUDIT_TYPE_COUNT; type++) {
		const struct audit_type_info *info = audit_type_info(type);
		if (!info->optional ||
		    (!str_eq(operation, STR(ALL)) && !str_eq(operation, info->operation)))
			continue;
		audit_types_add(types, type);
		found = true;
	}
	return found;
}

static err_t read_types(struct ctx *ctx, str list, struct audit_types *types)
{
	for (str item; str_next(&list, ',', &item);) {
		str name = str_trim(item);
		enum audit_type type;
		if (!name.len || (str_eq(name, STR(ALL)) && add_operation(types, name)))
			continue;
		if (!audit_type_find(name, &type))
			return fail(ctx, ERR_REQUEST_INVALID,
				    "parameters." TYPES ": there is no event type \"" STR_FMT "\"",
				    STR_ARG(name));
		if (!audit_type_info(type)->optional)
			return fail(ctx, ERR_REQUEST_INVALID,
				    "parameters." TYPES ": " STR_FMT
				    " concerns the trail itself and is never purged",
				    STR_ARG(name));
		audit_types_add(types, type);
	}
	return OK;
}

static err_t read_operations(struct ctx *ctx, str list, struct audit_types *types)
{
	for (str item; str_next(&list, ',', &item);) {
		str name = str_trim(item);
		if (name.len && !add_operation(types, name))
			return fail(ctx, ERR_REQUEST_INVALID,
				    "parameters." OPERATIONS ": there is no operation \"" STR_FMT
				    "\" that is purged",
				    STR_ARG(name));
	}
	return OK;
}

err_t audit_purge_read(struct ctx *ctx, const struct json_value *given, struct audit_purge *ret)
{
	struct parameters parameters;
	struct audit_types types = { 0 };
	TRY(read_members(ctx, given, &parameters));
	TRY(read_types(ctx, parameters.types, &types));
	TRY(read_operations(ctx, parameters.operations, &types));
	ret->types = types;
	ret->older_than_s = parameters.hours * HOUR_S;
	ret->dry_run = parameters.dry_run;
	return OK;
}

err_t audit_purge_print(struct ctx *ctx, const struct json_value *given, str *ret)
{
	struct parameters parameters;
	TRY(read_members(ctx, given, &parameters));
	CLEANUP(buf_done) struct buf b = BUF_INIT(PRINT_MAX);
	struct json_writer w = JSON_WRITER(&b);
	json_write_object_begin(&w, NULL);
	json_write_i64(&w, HOURS, parameters.hours);
	if (parameters.has_dry_run)
		json_write_bool(&w, DRY_RUN, parameters.dry_run);
	if (parameters.has_types)
		json_write_str(&w, TYPES, parameters.types);
	if (parameters.has_operations)
		json_write_str(&w, OPERATIONS, parameters.operations);
	json_write_object_end(&w);
	*ret = arena_copy(ctx->arena, buf_str(&b));
	return OK;
}
