/* SPDX-License-Identifier: Apache-2.0 */
/* What can be set for a project, and how a value is kept. */
#include <criterion/criterion.h>
#include <string.h>

#include "model/access.h"
#include "model/project_setting.h"

static struct arena arena;

static void set_up(void)
{
	arena_init(&arena, KIB(64));
}

static void tear_down(void)
{
	arena_done(&arena);
}

TestSuite(project_setting, .init = set_up, .fini = tear_down);

Test(project_setting, values_are_kept_in_one_form)
{
	static const struct {
		const char *name, *given, *kept; /* kept NULL: it cannot be */
	} cases[] = {
		{ "public", "true", "true" },
		{ "public", "True", "true" },
		{ "public", "0", "false" },
		{ "public", "yes", NULL },
		{ "public", "", NULL },
		{ "severity", "HIGH", "high" },
		{ "severity", "negligible", NULL },
		{ "proxy_speed_kb", "-1", "-1" },
		{ "proxy_speed_kb", "007", "7" },
		{ "proxy_speed_kb", "-2", NULL },
		{ "proxy_speed_kb", "1e3", NULL },
		{ "max_upstream_conn", "99999999999", NULL },
		{ "proxy_cache_filter_kind", "regex", "regex" },
		{ "proxy_cache_filter_kind", "glob", NULL },
		{ "proxy_cache_filter_pattern", "a/**", "a/**" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		enum project_setting setting = project_setting_find(str_from(cases[i].name));
		str kept;
		cr_assert_neq(setting, PROJECT_SETTING_COUNT, "%s", cases[i].name);
		bool can_be =
			project_setting_read(&arena, setting, str_from(cases[i].given), &kept);
		cr_assert_eq(can_be, cases[i].kept != NULL, "%s=%s", cases[i].name, cases[i].given);
		if (can_be)
			cr_assert(str_eq(kept, str_from(cases[i].kept)), "%s=%s", cases[i].name,
				  cases[i].given);
	}
}

Test(project_setting, a_text_has_a_limit)
{
	char text[PROJECT_SETTING_BYTES_MAX + 1];
	str kept;
	memset(text, 'x', sizeof text);
	cr_assert(project_setting_read(&arena, PROJECT_SETTING_PROXY_PATTERN,
				       (str){ text, sizeof text - 1 }, &kept));
	cr_assert_not(project_setting_read(&arena, PROJECT_SETTING_PROXY_PATTERN,
					   (str){ text, sizeof text }, &kept));
}

Test(project_setting, a_name_that_is_none_is_not_found)
{
	cr_assert_eq(project_setting_find(STR("unheard_of")), PROJECT_SETTING_COUNT);
	cr_assert_eq(project_setting_find(STR_NONE), PROJECT_SETTING_COUNT);
}

Test(project_setting, a_role_is_what_the_table_says)
{
	struct action_set guest = project_role_actions(PROJECT_GUEST),
			  admin = project_role_actions(PROJECT_ADMIN);
	cr_assert(action_set_has(&guest, ACTION_REPOSITORY_PULL));
	cr_assert_not(action_set_has(&guest, ACTION_REPOSITORY_PUSH));
	cr_assert(action_set_has(&admin, ACTION_MEMBER_CREATE));
	cr_assert_not(action_set_has(&admin, ACTION_USER_ADMIN));
	cr_assert(action_set_within(&guest, &admin));
	cr_assert_not(action_set_within(&admin, &guest));
}
