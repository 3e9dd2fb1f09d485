/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers send is made storable, what changed is kept, what is secret is not. */
#include <criterion/criterion.h>
#include <string.h>

#include "notify/audit_record.h"

static struct arena arena;
static struct ctx ctx;

static void setup(void)
{
	arena_init(&arena, MIB(4));
	ctx_init(&ctx, &arena);
}

static void teardown(void)
{
	arena_done(&arena);
}

TestSuite(audit_record, .init = setup, .fini = teardown);

static const struct {
	const char *json, *other, *expected;
} changes[] = {
	{ "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":3}", "{\"b\":2}" },
	{ "{\"a\":1}", "{\"a\":1}", "" },
	{ "{\"a\":1}", "", "{\"a\":1}" },
	{ "{\"a\":1}", "no json", "{\"a\":1}" },
	{ "{\"a\":[1,2]}", "{\"a\":[2,1]}", "{\"a\":[1,2]}" },
	{ "{\"a\":null}", "{}", "{\"a\":null}" },
	{ "[1]", "", "{\"malformed\":true}" },
	{ "{\"a\":", "", "{\"malformed\":true}" },
	{ "{\"password\":\"x\"}", "", "{\"password\":\"***\"}" },
	{ "{\"oidc_client_secret\":\"x\"}", "{\"oidc_client_secret\":\"y\"}",
	  "{\"oidc_client_secret\":\"***\"}" },
	{ "{\"LDAP_Search_Password\":\"x\"}", "", "{\"LDAP_Search_Password\":\"***\"}" },
	{ "{\"settings\":{\"list\":[{\"apiKey\":\"x\",\"b\":1}]}}", "",
	  "{\"settings\":{\"list\":[{\"apiKey\":\"***\",\"b\":1}]}}" },
	{ "{\"credentials\":{\"user\":\"x\"}}", "", "{\"credentials\":\"***\"}" },
	{ "{\"token_expiration\":30,\"has_secret\":true,\"secret\":\"\"}", "",
	  "{\"token_expiration\":30,\"has_secret\":true,\"secret\":\"\"}" },
};

Test(audit_record, changes)
{
	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		str got = audit_change_make(&arena, str_from(changes[i].json),
					    str_from(changes[i].other));
		cr_assert(str_eq(got, str_from(changes[i].expected)), "%s gives " STR_FMT,
			  changes[i].json, STR_ARG(got));
	}
}

Test(audit_record, a_change_too_large_is_said_to_be)
{
	static char large[AUDIT_CHANGE_MAX + 16];
	memset(large, 'x', sizeof large - 1);
	memcpy(large, "{\"a\":\"", 6);
	memcpy(large + sizeof large - 3, "\"}", 2);
	str got = audit_change_make(&arena, str_from(large), STR_NONE);
	cr_assert(str_eq(got, STR(AUDIT_CHANGE_TOO_LARGE)));
}

Test(audit_record, names_of_secrets)
{
	cr_assert(audit_is_secret(STR("ldap_search_password")));
	cr_assert(audit_is_secret(STR("Authorization")));
	cr_assert(!audit_is_secret(STR("name")));
	char long_name[200];
	memset(long_name, 'a', sizeof long_name);
	cr_assert(audit_is_secret((str){ long_name, sizeof long_name }));
}

Test(audit_record, bytes_that_are_no_text_become_text)
{
	static char agent[4 * AUDIT_TEXT_MAX];
	memset(agent, 'a', sizeof agent);
	const struct audit_event event = {
		.type = AUDIT_DENY_LOGIN,
		.resource = STR("a\0b\xff\xc3\xa9"),
		.user_agent = { agent, sizeof agent },
		.result = AUDIT_DENIED,
		.status = 401,
		.reason = STR("wrong \"password\""),
	};
	struct audit_row row = audit_record_make(&ctx, &event, 0);
	cr_assert(str_eq(row.resource, STR("a\xef\xbf\xbd"
					   "b\xef\xbf\xbd\xc3\xa9")));
	cr_assert(str_eq(row.actor, STR("berth")) && str_eq(row.actor_type, STR("system")));
	size_t at;
	cr_assert(str_find(row.detail, STR("\"reason\":\"wrong \\\"password\\\"\""), &at));
	cr_assert_lt(row.detail.len, AUDIT_TEXT_MAX + 200);
	cr_assert_gt(row.time_us, 0);
}
