/* SPDX-License-Identifier: Apache-2.0 */
/* audit_event.c - see audit_event.h: the table as data. */
#include "model/audit_event.h"

#include "base/error.h"

#include "base/banned.h"

#define AUDIT_TYPE_ROW(type_, operation_, resource_, optional_, text_)                             \
	[AUDIT_##type_] = {                                                                        \
		.name = STR_INIT(operation_ "_" resource_),                                        \
		.operation = STR_INIT(operation_),                                                 \
		.resource_type = STR_INIT(resource_),                                              \
		.optional = optional_,                                                             \
		.text = STR_INIT(text_),                                                           \
	},
static const struct audit_type_info types[AUDIT_TYPE_COUNT] = { AUDIT_TYPE_TABLE(AUDIT_TYPE_ROW) };

static const char *const result_names[AUDIT_RESULT_COUNT] = {
	[AUDIT_ALLOWED] = "allowed",
	[AUDIT_DENIED] = "denied",
	[AUDIT_FAILED] = "failed",
};

const struct audit_type_info *audit_type_info(enum audit_type type)
{
	CHECK((unsigned)type < AUDIT_TYPE_COUNT);
	return &types[type];
}

bool audit_type_find(str name, enum audit_type *ret)
{
	for (unsigned type = 0; type < AUDIT_TYPE_COUNT; type++)
		if (str_eq(types[type].name, name)) {
			*ret = type;
			return true;
		}
	return false;
}

bool audit_type_find_by(str operation, str resource_type, enum audit_type *ret)
{
	for (unsigned type = 0; type < AUDIT_TYPE_COUNT; type++)
		if (str_eq(types[type].operation, operation) &&
		    str_eq(types[type].resource_type, resource_type)) {
			*ret = type;
			return true;
		}
	return false;
}

bool audit_types_parse(str list, struct audit_types *ret, str *ret_wrong)
{
	struct audit_types found = { 0 };
	for (str item; str_next(&list, ',', &item);) {
		str name = str_trim(item);
		enum audit_type type;
		if (!name.len)
			continue;
		if (!audit_type_find(name, &type) || !types[type].optional) {
			*ret_wrong = name;
			return false;
		}
		audit_types_add(&found, type);
	}
	*ret = found;
	return true;
}

const char *audit_result_name(enum audit_result result)
{
	CHECK((unsigned)result < AUDIT_RESULT_COUNT);
	return result_names[result];
}

bool audit_result_find(str name, enum audit_result *ret)
{
	for (unsigned result = 0; result < AUDIT_RESULT_COUNT; result++)
		if (str_eq(name, str_from(result_names[result]))) {
			*ret = result;
			return true;
		}
	return false;
}
