/* SPDX-License-Identifier: Apache-2.0 */
/* Which index leads a search, and when it leads to nothing but what is wanted. */
#include <criterion/criterion.h>

#include "db/audit.h"

#define EXACT(text_)                                                                               \
	{                                                                                          \
		.text = STR_INIT(text_)                                                            \
	}
#define PART(text_)                                                                                \
	{                                                                                          \
		.text = STR_INIT(text_), .part = true                                              \
	}
#define FILTER(...)                                                                                \
	{                                                                                          \
		.tenant_id = AUDIT_ANY, .project_id = AUDIT_ANY, .result = AUDIT_ANY, __VA_ARGS__  \
	}

static const struct {
	struct audit_filter filter;
	const char *leader;
	bool led;
} searches[] = {
	{ FILTER(.from_us = 1, .to_us = 9), "time", true },
	{ FILTER(.actor = EXACT("alice")), "actor", true },
	{ FILTER(.actor = PART("lic")), "time", false },
	{ FILTER(.operation = EXACT("pull")), "time", false },
	{ FILTER(.operation = EXACT("pull"), .resource_type = EXACT("artifact")), "type", true },
	{ FILTER(.operation = PART("pull"), .resource_type = EXACT("artifact")), "time", false },
	{ FILTER(.actor = EXACT("a"), .operation = EXACT("pull"),
		 .resource_type = EXACT("artifact")),
	  "actor, type", true },
	{ FILTER(.actor = EXACT("a"), .operation = EXACT("pull")), "actor", false },
	{ FILTER(.actor = EXACT("a"), .resource = PART("x")), "actor", false },
	{ FILTER(.resource = EXACT("r"), .actor = EXACT("a")), "resource", false },
	{ FILTER(.request_id = EXACT("r")), "request_id", true },
	{ FILTER(.digest = EXACT("d")), "digest", true },
	{ FILTER(.address = EXACT("d")), "address", true },
};

Test(db_audit, leaders)
{
	for (size_t i = 0; i < COUNT_OF(searches); i++) {
		const char *leader = db_audit_leader(&searches[i].filter);
		cr_assert(str_eq(str_from(leader), str_from(searches[i].leader)),
			  "search %zu: %s and not %s", i, leader, searches[i].leader);
		cr_assert_eq(db_audit_is_led(&searches[i].filter), searches[i].led, "search %zu",
			     i);
	}
}

Test(db_audit, leaders_by_numbers)
{
	struct audit_filter filter = AUDIT_FILTER_NONE;
	filter.result = AUDIT_ALLOWED; /* as good as all */
	cr_assert_str_eq(db_audit_leader(&filter), "time");
	cr_assert(!db_audit_is_led(&filter));
	filter.result = AUDIT_DENIED;
	cr_assert_str_eq(db_audit_leader(&filter), "result");
	cr_assert(db_audit_is_led(&filter));
	filter.operation.text = STR("create");
	filter.resource_type.text = STR("artifact");
	cr_assert_str_eq(db_audit_leader(&filter), "result, type");
	cr_assert(db_audit_is_led(&filter));
	filter.result = AUDIT_ALLOWED;
	cr_assert_str_eq(db_audit_leader(&filter), "type");
	filter = AUDIT_FILTER_NONE;
	filter.tenant_id = 1;
	cr_assert_str_eq(db_audit_leader(&filter), "tenant");
	filter.project_id = 7;
	cr_assert_str_eq(db_audit_leader(&filter), "project");
	cr_assert(!db_audit_is_led(&filter)); /* the tenant, too, was asked for */
	filter.tenant_id = AUDIT_ANY;
	filter.actor.text = STR("alice");
	cr_assert_str_eq(db_audit_leader(&filter), "project, actor");
	cr_assert(db_audit_is_led(&filter));
	filter.actor.text = STR_NONE;
	filter.operation.text = STR("create");
	filter.resource_type.text = STR("tag");
	cr_assert_str_eq(db_audit_leader(&filter), "project, type");
}
