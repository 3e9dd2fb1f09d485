/* SPDX-License-Identifier: Apache-2.0 */
/* Claims survive the way to JSON and back, and nothing that is not exactly ours passes. */
#include <criterion/criterion.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/image.h"
#include "auth/token.h"
#include "codec/scope.h"

#define NOW_S  INT64_C(1700000000)
#define NOW_US (NOW_S * 1000000)

static struct arena arena;
static struct ctx ctx;

static void set_up(void)
{
	arena_init(&arena, MIB(8));
	ctx_init(&ctx, &arena);
}

static void tear_down(void)
{
	arena_done(&arena);
}

TestSuite(auth_claims, .init = set_up, .fini = tear_down);

static const struct grant grants[] = {
	{ STR_INIT("repository"), STR_INIT("old/app"), SCOPE_PULL | SCOPE_DELETE, 7,
	  STR_INIT("lib/app") },
	{ .type = STR_INIT("registry"), .name = STR_INIT("catalog"), .actions = SCOPE_ALL },
	{ .type = STR_INIT("repository"), .name = STR_INIT("no\"thing") },
};

static const struct claims access_claims = {
	TOKEN_ACCESS,
	{ .subject = SUBJECT_USER,
	  .id = 1,
	  .tenant_id = TENANT_DEFAULT,
	  .grants_tenant_id = 7,
	  .name = STR_INIT("admin"),
	  .flags = IDENTITY_ADMIN },
	NOW_S,
	NOW_S + 60,
	grants,
	COUNT_OF(grants),
};

static void assert_grants(const struct grant *have, size_t count)
{
	cr_assert_eq(count, COUNT_OF(grants));
	for (size_t i = 0; i < count; i++) {
		cr_assert(str_eq(have[i].type, grants[i].type));
		cr_assert(str_eq(have[i].name, grants[i].name));
		cr_assert_eq(have[i].actions, grants[i].actions);
		cr_assert_eq(have[i].project_id, grants[i].project_id);
		cr_assert(str_eq(have[i].inside, grants[i].inside));
	}
}

Test(auth_claims, there_and_back)
{
	str text;
	struct claims back;
	cr_assert_eq(claims_write(&ctx, &access_claims, &text), OK);
	cr_assert_eq(claims_read(&ctx, text, TOKEN_ACCESS, NOW_US, &back), OK);
	cr_assert(str_eq(back.who.name, STR("admin")));
	cr_assert_eq(back.who.subject, SUBJECT_USER);
	cr_assert_eq(back.who.id, 1);
	cr_assert_eq(back.who.tenant_id, TENANT_DEFAULT);
	cr_assert_eq(back.who.grants_tenant_id, 7);
	cr_assert_eq(back.who.flags, IDENTITY_ADMIN);
	cr_assert_eq(back.issued_s, NOW_S);
	cr_assert_eq(back.expires_s, NOW_S + 60);
	assert_grants(back.grants, back.grant_count);
}

Test(auth_claims, every_token_has_an_id_of_its_own)
{
	str a, b;
	cr_assert_eq(claims_write(&ctx, &access_claims, &a), OK);
	cr_assert_eq(claims_write(&ctx, &access_claims, &b), OK);
	cr_assert_not(str_eq(a, b));
}

Test(auth_claims, a_refresh_token_is_no_access_token)
{
	str text;
	struct claims back, refresh = access_claims;
	cr_assert_eq(claims_write(&ctx, &access_claims, &text), OK);
	cr_assert_eq(claims_read(&ctx, text, TOKEN_REFRESH, NOW_US, &back), ERR_UNAUTHORIZED);
	refresh.use = TOKEN_REFRESH;
	cr_assert_eq(claims_write(&ctx, &refresh, &text), OK);
	cr_assert_eq(claims_read(&ctx, text, TOKEN_ACCESS, NOW_US, &back), ERR_UNAUTHORIZED);
	cr_assert_eq(claims_read(&ctx, text, TOKEN_REFRESH, NOW_US, &back), OK);
}

Test(auth_claims, expiry_has_no_leeway_and_not_before_has)
{
	static const struct {
		int64_t after_s;
		err_t want;
	} cases[] = {
		{ 0, OK },
		{ 59, OK },
		{ 60, ERR_UNAUTHORIZED },
		{ 100000, ERR_UNAUTHORIZED },
		{ -300, OK },
		{ -301, ERR_UNAUTHORIZED },
	};
	str text;
	struct claims back;
	cr_assert_eq(claims_write(&ctx, &access_claims, &text), OK);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		cr_assert_eq(claims_read(&ctx, text, TOKEN_ACCESS,
					 NOW_US + cases[i].after_s * 1000000, &back),
			     cases[i].want, "%lld s", (long long)cases[i].after_s);
}

#define GOOD                                                                                       \
	"\"iss\":\"berth\",\"sub\":\"u\",\"aud\":\"harbor-registry\",\"iat\":1700000000,"          \
	"\"nbf\":1700000000,\"exp\":1700000060,\"jti\":\"x\",\"use\":\"access\",\"knd\":1,"        \
	"\"uid\":4,\"tid\":1,\"gti\":1,\"flg\":0,\"epo\":2,\"pat\":0,\"access\":"

Test(auth_claims, good_text_is_read_and_unknown_words_grant_nothing)
{
	struct claims back;
	str text = STR("{" GOOD "[{\"type\":\"repository\",\"name\":\"a\",\"actions\":[\"pull\","
		       "\"fly\",7]},{\"type\":\"cat\",\"name\":\"a\",\"actions\":[\"pull\"]}]}");
	cr_assert_eq(claims_read(&ctx, text, TOKEN_ACCESS, NOW_US, &back), OK, "%s",
		     ctx.failure.detail);
	cr_assert_eq(back.grant_count, 2);
	cr_assert_eq(back.grants[0].actions, SCOPE_PULL);
	cr_assert_eq(back.grants[1].actions, SCOPE_PULL, "of a type that no route asks for");
	cr_assert_eq(back.who.flags, 0);
}

/* Each of these spoils the good text in one place. */
Test(auth_claims, what_is_not_ours_is_refused)
{
	static const struct {
		const char *from, *to;
	} spoilt[] = {
		{ "\"iss\":\"berth\"", "\"iss\":\"other\"" },
		{ "\"iss\":\"berth\"", "\"iss\":null" },
		{ "\"aud\":\"harbor-registry\"", "\"aud\":\"harbor\"" },
		{ "\"aud\":\"harbor-registry\"", "\"aud\":[\"harbor-registry\"]" },
		{ "\"aud\":\"harbor-registry\",", "" },
		{ "\"sub\":\"u\"", "\"sub\":1" },
		{ "\"sub\":\"u\",", "" },
		{ "\"use\":\"access\"", "\"use\":\"refresh\"" },
		{ "\"use\":\"access\",", "" },
		{ "\"exp\":1700000060", "\"exp\":1699999999" },
		{ "\"exp\":1700000060", "\"exp\":\"1700000060\"" },
		{ "\"exp\":1700000060", "\"exp\":-9223372036854775808" },
		{ "\"exp\":1700000060,", "" },
		{ "\"nbf\":1700000000", "\"nbf\":1700000301" },
		{ "\"nbf\":1700000000,", "" },
		{ "\"iat\":1700000000,", "" },
		{ "\"knd\":1", "\"knd\":\"1\"" },
		{ "\"knd\":1", "\"knd\":3" },
		{ "\"knd\":1", "\"knd\":-1" },
		{ "\"knd\":1,", "" },
		{ "\"uid\":4,", "" },
		{ "\"tid\":1,", "" },
		{ "\"gti\":1,", "" },
		{ "\"flg\":0,", "" },
		{ "\"access\":[", "\"access\":[[" },
		{ "[]", "{}" },
		{ "[]", "[{}]" },
		{ "[]", "[\"repository\"]" },
		{ "[]", "[{\"type\":1,\"name\":\"a\",\"actions\":[]}]" },
		{ "[]", "[{\"type\":\"a\",\"name\":\"a\",\"actions\":\"pull\"}]" },
		{ "[]", "[]} " },
	};
	const str good = STR("{" GOOD "[]}");
	struct claims back;
	cr_assert_eq(claims_read(&ctx, good, TOKEN_ACCESS, NOW_US, &back), OK);
	for (size_t i = 0; i < COUNT_OF(spoilt); i++) {
		size_t at;
		cr_assert(str_find(good, str_from(spoilt[i].from), &at), "case %zu", i);
		str rest = str_skip(good, at + strlen(spoilt[i].from));
		str text = arena_printf(&arena, STR_FMT "%s" STR_FMT, STR_ARG(str_take(good, at)),
					spoilt[i].to, STR_ARG(rest));
		cr_assert_eq(claims_read(&ctx, text, TOKEN_ACCESS, NOW_US, &back), ERR_UNAUTHORIZED,
			     "case %zu: %s", i, text.ptr);
	}
	cr_assert_eq(claims_read(&ctx, STR(""), TOKEN_ACCESS, NOW_US, &back), ERR_UNAUTHORIZED);
	cr_assert_eq(claims_read(&ctx, STR("[]"), TOKEN_ACCESS, NOW_US, &back), ERR_UNAUTHORIZED);
}

Test(auth_claims, more_grants_than_fit_are_an_error)
{
	static struct grant many[500];
	struct claims claims = access_claims;
	str text;
	for (size_t i = 0; i < COUNT_OF(many); i++)
		many[i] = grants[0];
	claims.grants = many;
	claims.grant_count = COUNT_OF(many);
	cr_assert_eq(claims_write(&ctx, &claims, &text), ERR_LIMIT);
}

Test(auth_claims, an_identity_survives_its_image_wherever_it_lies)
{
	static const struct robot_grant robot_grants[] = {
		{ .place = PLACE_PROJECT,
		  .project_id = 7,
		  .actions = { { 5, 0, 1, 0 } },
		  .denied = { { 0, 9, 0, 0 } },
		  .push_is_pull = true,
		  .repository_glob = STR_INIT("p/**") },
		{ .place = PLACE_SYSTEM, .project_id = PROJECT_ALL },
	};
	struct identity who = { .subject = SUBJECT_ROBOT,
				.id = 9,
				.tenant_id = 2,
				.name = STR("joe"),
				.flags = IDENTITY_AUDITOR,
				.by_token = true,
				.grants = grants,
				.grant_count = COUNT_OF(grants),
				.robot_grants = robot_grants,
				.robot_grant_count = COUNT_OF(robot_grants),
				.issuer = STR("local"),
				.on_behalf_of = STR("ann") },
			back;
	str image = identity_image_make(&arena, &who);
	char *moved = arena_alloc(&arena, image.len);
	memcpy(moved, image.ptr, image.len);
	memset(arena_cstr(&arena, image), 0, 1);
	identity_image_view(&arena, (str){ moved, image.len }, &back);
	cr_assert_eq(back.subject, SUBJECT_ROBOT);
	cr_assert_eq(back.id, 9);
	cr_assert_eq(back.tenant_id, 2);
	cr_assert_eq(back.flags, IDENTITY_AUDITOR);
	cr_assert(back.by_token);
	cr_assert(str_eq(back.name, STR("joe")));
	cr_assert(str_eq(back.issuer, STR("local")));
	cr_assert(str_eq(back.on_behalf_of, STR("ann")));
	cr_assert_eq(back.robot_grant_count, 2);
	cr_assert_eq(back.robot_grants[0].project_id, 7);
	cr_assert_eq(back.robot_grants[0].actions.bits[2], 1);
	cr_assert(str_eq(back.robot_grants[0].repository_glob, STR("p/**")));
	cr_assert_eq(back.robot_grants[0].denied.bits[1], 9);
	cr_assert(back.robot_grants[0].push_is_pull);
	cr_assert_not(back.robot_grants[1].push_is_pull);
	cr_assert_eq(back.robot_grants[1].place, PLACE_SYSTEM);
	assert_grants(back.grants, back.grant_count);

	struct identity nobody = { 0 };
	identity_image_view(&arena, identity_image_make(&arena, &nobody), &back);
	cr_assert_eq(back.subject, SUBJECT_ANONYMOUS);
	cr_assert_eq(back.name.len, 0);
	cr_assert_eq(back.grant_count, 0);
}
