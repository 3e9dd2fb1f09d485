/* SPDX-License-Identifier: Apache-2.0 */
/* Keystone as it answers, and as it does not: names, roles, what is remembered, and failures. */
#include "upstream.h"

#include "auth/keystone.h"
#include "base/glob.h"

static struct arena arena;
static struct ctx ctx;
static struct upstream up;
static struct outbound *outbound;
static struct keystone *keystone;
static struct identity_provider provider;
static char last_body[4096];
static _Atomic(const char *) behaviour;

#define TOKEN                                                                                      \
	"{\"token\":{\"user\":{\"id\":\"u1\",\"name\":\"anna\",\"domain\":{\"id\":\"d1\","         \
	"\"name\":\"Acme\"}},"                                                                     \
	"\"project\":{\"id\":\"p1\",\"name\":\"web*\",\"domain\":{\"id\":\"d1\",\"name\":"         \
	"\"Acme\"}},"                                                                              \
	"\"roles\":[{\"id\":\"r1\",\"name\":\"Member\"},{\"id\":\"r2\",\"name\":\"reader\"}],"     \
	"\"expires_at\":\"2099-01-01T00:00:00.000000Z\"}}"

static bool answer(struct upstream *u, int fd, const struct upstream_request *rq)
{
	const char *how = atomic_load(&behaviour);
	snprintf(last_body, sizeof last_body, "%s %.200s %.3000s", rq->method, rq->path, rq->body);
	if (strcmp(how, "hang") == 0) {
		upstream_hang(u, fd);
		return false;
	}
	if (strcmp(how, "good") == 0)
		upstream_say_answer(fd, 201, "X-Subject-Token: gAAAA\r\n", TOKEN);
	else if (strcmp(how, "wrong") == 0)
		upstream_say_answer(fd, 401, "", "{\"error\":{\"code\":401}}");
	else if (strcmp(how, "factor") == 0)
		upstream_say_answer(fd, 401, "Openstack-Auth-Receipt: abc\r\n", "{}");
	else if (strcmp(how, "busy") == 0)
		upstream_say_answer(fd, 429, "Retry-After: 42\r\n", "{}");
	else if (strcmp(how, "unknown") == 0)
		upstream_say_answer(fd, 404, "",
				    "{\"error\":{\"code\":404,\"title\":\"Not Found\"}}");
	else if (strcmp(how, "unscoped") == 0)
		upstream_say_answer(fd, 201, "",
				    "{\"token\":{\"user\":{\"id\":\"u\",\"name\":\"n\"}}}");
	else if (strcmp(how, "nonsense") == 0)
		upstream_say_answer(fd, 201, "", "<html>");
	else
		upstream_say_answer(fd, (int)strtol(how, NULL, 10), "", "{}");
	return true;
}

static void start(void)
{
	arena_init(&arena, MIB(32));
	ctx_init(&ctx, &arena);
	up.answer = answer;
	atomic_store(&behaviour, "good");
	upstream_start(&up);
	struct outbound_options out = { .tenants_allow = STR("127.0.0.1"),
					.client = { .ignore_proxy = true } };
	cr_assert_eq(outbound_new(&ctx, &out, &outbound), OK);
	keystone = keystone_new(outbound, 0);
	identity_provider_init(&provider, PROVIDER_KEYSTONE, 1, STR("cloud"));
	provider.id = 7;
	provider.values[PROVIDER_KEYSTONE_URL] =
		arena_copy(&arena, str_from(upstream_url(&up, "/identity")));
	provider.values[PROVIDER_KEYSTONE_ROLES] = STR(
		"[{\"keystone_role\":\"member\",\"project\":\"{domain}-{project}\",\"role\":"
		"\"developer\"},"
		"{\"keystone_role\":\"reader\",\"project\":\"{domain_id}-*\",\"role\":\"guest\"},"
		"{\"keystone_role\":\"admin\",\"project\":\"**\",\"role\":\"projectAdmin\"}]");
}

static void stop(void)
{
	keystone_free(keystone);
	outbound_free(outbound);
	upstream_stop(&up);
	arena_done(&arena);
}

TestSuite(keystone, .init = start, .fini = stop, .timeout = 60);

static err_t identify(const char *user, const char *password, struct external_user *ret)
{
	ctx_forgive(&ctx);
	return keystone_identify(&ctx, keystone, &provider, str_from(user), str_from(password),
				 ret);
}

static err_t outcome(const char *how)
{
	struct external_user who;
	atomic_store(&behaviour, how);
	return identify("anna@Acme/web", "secret", &who);
}

Test(keystone, a_password_and_what_follows_from_it)
{
	struct external_user who;
	cr_assert_eq(identify("anna@Acme/web", "pass\"word", &who), OK, "%s", ctx.failure.detail);
	cr_expect_str_eq(
		last_body,
		"POST /identity/v3/auth/tokens?nocatalog {\"auth\":{\"identity\":{\"methods\":"
		"[\"password\"],\"password\":{\"user\":{\"name\":\"anna\",\"domain\":{\"name\":"
		"\"Acme\"},\"password\":\"pass\\\"word\"}}},\"scope\":{\"project\":{\"name\":"
		"\"web\",\"domain\":{\"name\":\"Acme\"}}}}}");
	cr_expect(str_eq(who.subject, STR("u1")));
	cr_expect(str_eq(who.name, STR("anna")));
	cr_expect_eq(who.tenant_id, 1);
	cr_assert_eq(who.role_count, 2);
	cr_expect_eq(who.roles[0].role, PROJECT_DEVELOPER);
	/* A project called "web*" gives no rights in "web-shop". */
	cr_expect(glob_match(who.roles[0].project_glob, STR("Acme-web*")));
	cr_expect(!glob_match(who.roles[0].project_glob, STR("Acme-web-shop")));
	cr_expect_eq(who.roles[1].role, PROJECT_GUEST);
	cr_expect(glob_match(who.roles[1].project_glob, STR("d1-anything")));
	cr_expect_eq(who.on_behalf_of.len, 0);
}

Test(keystone, an_application_credential)
{
	struct external_user who;
	provider.values[PROVIDER_KEYSTONE_URL] =
		arena_copy(&arena, str_from(upstream_url(&up, "/v3/")));
	cr_assert_eq(identify("applicationcredential-0a1b", "secret", &who), OK, "%s",
		     ctx.failure.detail);
	cr_expect_str_eq(last_body,
			 "POST /v3/auth/tokens?nocatalog {\"auth\":{\"identity\":{\"methods\":"
			 "[\"application_credential\"],\"application_credential\":{\"id\":"
			 "\"0a1b\",\"secret\":\"secret\"}}}}");
	cr_expect(str_eq(who.on_behalf_of, STR("applicationcredential-0a1b")));
}

Test(keystone, names)
{
	static const struct {
		const char *text, *domain, *user, *user_domain, *project, *project_domain;
	} good[] = {
		{ "u@d/p", "", "u", "d", "p", "d" },
		{ "u@d/p@e", "", "u", "d", "p", "e" },
		{ "u@mail.example@d/p", "", "u@mail.example", "d", "p", "d" },
		{ "u/p", "Default", "u", "Default", "p", "Default" },
		{ "u/p@e", "Default", "u", "Default", "p", "e" },
		{ "u@d/p", "Default", "u", "d", "p", "d" },
	};
	static const char *const bad[] = { "",
					   "u",
					   "u@d",
					   "/p",
					   "u@/p",
					   "@d/p",
					   "u@d/",
					   "u@d/@e",
					   "u@d/p@",
					   "u/p",
					   "u@d/p/q",
					   "robot$p+n",
					   "applicationcredential-",
					   "applicationcredential-a/b",
					   "applicationcredential-\xc3\xa4" };
	struct keystone_name name;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		cr_assert(keystone_name_parse(str_from(good[i].text), str_from(good[i].domain),
					      &name),
			  "%s", good[i].text);
		cr_expect(str_eq(name.user, str_from(good[i].user)), "%s", good[i].text);
		cr_expect(str_eq(name.user_domain, str_from(good[i].user_domain)), "%s",
			  good[i].text);
		cr_expect(str_eq(name.project, str_from(good[i].project)), "%s", good[i].text);
		cr_expect(str_eq(name.project_domain, str_from(good[i].project_domain)), "%s",
			  good[i].text);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct external_user who;
		cr_expect(!keystone_name_parse(str_from(bad[i]), STR(""), &name), "%s", bad[i]);
		cr_expect_eq(identify(bad[i], "x", &who), ERR_ABSENT, "%s", bad[i]);
	}
	cr_expect_eq(atomic_load(&up.requests), 0);
}

Test(keystone, a_good_answer_is_remembered_and_a_bad_one_is_not)
{
	struct external_user who;
	for (int i = 0; i < 5; i++)
		cr_expect_eq(identify("anna@Acme/web", "secret", &who), OK);
	cr_expect_eq(atomic_load(&up.requests), 1);
	/* The mapping is read anew. */
	provider.values[PROVIDER_KEYSTONE_ROLES] = STR("[]");
	cr_expect_eq(identify("anna@Acme/web", "secret", &who), OK);
	cr_expect_eq(who.role_count, 0);
	cr_expect_eq(atomic_load(&up.requests), 1);
	/* Another secret, another name, another provider are asked about. */
	atomic_store(&behaviour, "wrong");
	for (int i = 0; i < 2; i++) {
		cr_expect_eq(identify("anna@Acme/web", "secreT", &who), ERR_UNAUTHORIZED);
		cr_expect_eq(identify("anna@Acme/we", "bsecret", &who), ERR_UNAUTHORIZED);
	}
	provider.id = 8;
	cr_expect_eq(identify("anna@Acme/web", "secret", &who), ERR_UNAUTHORIZED);
	cr_expect_eq(atomic_load(&up.requests), 6);
	provider.id = 7;
	provider.values[PROVIDER_KEYSTONE_REMEMBER_S] = STR("0");
	atomic_store(&behaviour, "good");
	cr_expect_eq(identify("b@Acme/web", "secret", &who), OK);
	cr_expect_eq(identify("b@Acme/web", "secret", &who), OK);
	cr_expect_eq(atomic_load(&up.requests), 8);
}

Test(keystone, what_goes_wrong)
{
	cr_expect_eq(outcome("wrong"), ERR_UNAUTHORIZED);
	cr_expect_eq(outcome("factor"), ERR_UNAUTHORIZED);
	cr_expect(strstr(ctx.failure.detail, "second factor"));
	cr_expect_eq(outcome("403"), ERR_UNAUTHORIZED);
	cr_expect_eq(outcome("busy"), ERR_TOO_MANY_REQUESTS);
	cr_expect_eq(ctx.retry_after_s, 42);
	cr_expect_eq(outcome("503"), ERR_UPSTREAM_UNREACHABLE);
	cr_expect_eq(outcome("404"), ERR_UPSTREAM_INVALID);
	cr_expect_eq(outcome("200"), ERR_UPSTREAM_INVALID);
	cr_expect_eq(outcome("302"), ERR_UPSTREAM_INVALID);
	cr_expect_eq(outcome("unscoped"), ERR_UPSTREAM_INVALID);
	cr_expect_eq(outcome("nonsense"), ERR_UPSTREAM_INVALID);
	provider.values[PROVIDER_KEYSTONE_TIMEOUT_S] = STR("1");
	cr_expect_eq(outcome("hang"), ERR_UPSTREAM_UNREACHABLE);
	cr_expect_eq(outcome("good"), OK, "%s", ctx.failure.detail);
}

Test(keystone, secrets_that_are_none)
{
	struct external_user who;
	cr_expect_eq(identify("anna@Acme/web", "", &who), ERR_UNAUTHORIZED);
	cr_expect_eq(identify("anna@Acme/web", "\xff", &who), ERR_UNAUTHORIZED);
	str password = arena_printf(&arena, "%020000d", 7);
	cr_expect_eq(identify("anna@Acme/web", password.ptr, &who), ERR_UNAUTHORIZED);
	cr_expect_eq(atomic_load(&up.requests), 0);
}

Test(keystone, mappings_that_are_none)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[1]",
		"[{}]",
		"[{\"keystone_role\":\"a\",\"project\":\"b\"}]",
		"[{\"keystone_role\":\"a\",\"project\":\"b\",\"role\":\"king\"}]",
		"[{\"keystone_role\":\"\",\"project\":\"b\",\"role\":\"guest\"}]",
		"[{\"keystone_role\":\"a\",\"project\":\"\",\"role\":\"guest\"}]",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		ctx_forgive(&ctx);
		cr_expect_eq(keystone_check_roles(&ctx, str_from(bad[i])), ERR_REQUEST_INVALID,
			     "%s", bad[i]);
	}
	cr_expect_eq(keystone_check_roles(&ctx, provider_text(&provider, PROVIDER_KEYSTONE_ROLES)),
		     OK);
}

Test(keystone, an_application_credential_that_does_not_exist)
{
	struct external_user who;
	atomic_store(&behaviour, "unknown");
	cr_expect_eq(identify("applicationcredential-0a1b", "secret", &who), ERR_UNAUTHORIZED);
	cr_expect_eq(identify("anna@Acme/web", "secret", &who), ERR_UPSTREAM_INVALID);
	/* Not found by whatever stands at a wrong address is no answer about credentials. */
	atomic_store(&behaviour, "404");
	cr_expect_eq(identify("applicationcredential-0a1b", "secret", &who), ERR_UPSTREAM_INVALID);
}
