/* SPDX-License-Identifier: Apache-2.0 */
/* OpenID Connect against a provider that a test can make lie: the login, the claims, the logout. */
#include "jwt_fixture.h"
#include "upstream.h"

#include "auth/oidc.h"
#include "codec/url.h"
#include "crypto/hash.h"

#define CALLBACK STR("https://registry.example/c/oidc/callback")

static struct arena arena;
static struct ctx ctx;
static struct issuer keys, stranger;
static struct upstream up;
static struct outbound *outbound;
static struct jwks *jwks;
static struct oidc *oidc;
static struct identity_provider provider;
static const struct secretbox_key master = { { 7 } };

/* What the provider says; a test sets them before it asks. */
static const char *token_raw;	  /* a whole id token instead */
static const char *userinfo_json; /* NULL: 404 */
static int token_status = 200;
static bool hangs, post_only;
static char nonce[128], seen_form[4096], seen_head[4096], good_set[8192], long_token[16384];

static void say_discovery(struct upstream *u, int fd)
{
	char body[2048], base[64];
	snprintf(base, sizeof base, "http://127.0.0.1:%u", u->port);
	snprintf(body, sizeof body,
		 "{\"issuer\":\"%s\",\"jwks_uri\":\"%s/keys\",\"authorization_endpoint\":"
		 "\"%s/authorize?tenant=a\",\"token_endpoint\":\"%s/token\",\"userinfo_endpoint\":"
		 "\"%s/userinfo\",\"end_session_endpoint\":\"%s/end\"%s}",
		 base, base, base, base, base, base,
		 post_only ? ",\"token_endpoint_auth_methods_supported\":[\"client_secret_post\"]"
			   : "");
	upstream_say_answer(fd, 200, "", body);
}

static void say_tokens(int fd)
{
	static char body[20000];
	snprintf(body, sizeof body,
		 "{\"access_token\":\"at-1\",\"token_type\":\"Bearer\",\"id_token\":\"%s\"}",
		 token_raw);
	upstream_say_answer(fd, token_status, "",
			    token_status == 200 ? body : "{\"error\":\"invalid_grant\"}");
}

static bool answer(struct upstream *u, int fd, const struct upstream_request *rq)
{
	if (hangs) {
		upstream_hang(u, fd);
		return false;
	}
	if (strcmp(rq->path, "/token") == 0) {
		snprintf(seen_form, sizeof seen_form, "%.4000s", rq->body);
		snprintf(seen_head, sizeof seen_head, "%.4000s", rq->head);
		say_tokens(fd);
	} else if (strcmp(rq->path, "/userinfo") == 0) {
		upstream_say_answer(fd, userinfo_json ? 200 : 404, "",
				    userinfo_json ? userinfo_json : "{}");
	} else if (strcmp(rq->path, "/keys") == 0) {
		upstream_say_answer(fd, 200, "", good_set);
	} else {
		say_discovery(u, fd);
	}
	return true;
}

static void set(enum provider_setting setting, const char *value)
{
	provider.values[setting] = str_from(value);
}

static void start(void)
{
	arena_init(&arena, MIB(32));
	ctx_init(&ctx, &arena);
	issuer_start(&keys, &arena, "a-");
	issuer_start(&stranger, &arena, "a-");
	snprintf(good_set, sizeof good_set, "%s", issuer_set(&keys).ptr);
	up.answer = answer;
	upstream_start(&up);
	struct outbound_options out = { .tenants_allow = STR("127.0.0.1"),
					.client = { .ignore_proxy = true } };
	cr_assert_eq(outbound_new(&ctx, &out, &outbound), OK);
	jwks = jwks_new(&(struct jwks_options){ .outbound = outbound, .timeout_ms = 2000 });
	oidc = oidc_new(outbound, jwks, &master);
	identity_provider_init(&provider, PROVIDER_OIDC, 1, STR("login"));
	provider.id = 3;
	provider.enabled = true;
	provider.values[PROVIDER_OIDC_ENDPOINT] =
		arena_copy(&arena, str_from(upstream_url(&up, "")));
	set(PROVIDER_OIDC_CLIENT_ID, "berth");
	set(PROVIDER_OIDC_CLIENT_SECRET, "s3cret:/+");
	set(PROVIDER_OIDC_SCOPE, "openid,profile, email");
	set(PROVIDER_OIDC_GROUPS_CLAIM, "groups");
}

static void stop(void)
{
	oidc_free(oidc);
	jwks_free(jwks);
	outbound_free(outbound);
	upstream_stop(&up);
	issuer_stop(&keys);
	issuer_stop(&stranger);
	arena_done(&arena);
}

TestSuite(oidc, .init = start, .fini = stop, .timeout = 120);

static str query(str location, const char *name)
{
	str path, rest, value;
	if (!str_cut(location, '?', &path, &rest) ||
	    !url_query_get(&arena, rest, str_from(name), &value))
		return STR_NONE;
	return value;
}

struct begun {
	str location, cookie;
	struct oidc_login login;
};

static struct begun begin(const char *redirect_url)
{
	struct begun b;
	ctx_forgive(&ctx);
	cr_assert_eq(oidc_begin(&ctx, oidc, &provider, CALLBACK, str_from(redirect_url),
				&b.location, &b.cookie),
		     OK, "%s", ctx.failure.detail);
	cr_assert_eq(oidc_read_login(&ctx, oidc, b.cookie, &b.login), OK);
	snprintf(nonce, sizeof nonce, STR_FMT, STR_ARG(b.login.nonce));
	return b;
}

/* The claims of an id token, `more` last, so that it may replace by being the only one. */
static str claims_of(const char *nonce_text, const char *more)
{
	long long now_s = clock_wall_us() / 1000000;
	return arena_printf(&arena,
			    "{\"iss\":\"" STR_FMT "\",\"aud\":\"berth\",\"iat\":%lld,\"exp\":%lld,"
			    "\"nonce\":\"%s\"%s%s}",
			    STR_ARG(provider_text(&provider, PROVIDER_OIDC_ENDPOINT)), now_s,
			    now_s + 300, nonce_text, *more ? "," : "", more);
}

#define ANNA                                                                                       \
	"\"sub\":\"u-1\",\"name\":\"Anna "                                                         \
	"Berg\",\"email\":\"anna@example.com\",\"groups\":[\"dev\",\"ops\"]"

static err_t finish_with(str token, const struct begun *b, struct oidc_callback callback,
			 struct oidc_person *ret)
{
	snprintf(long_token, sizeof long_token, STR_FMT, STR_ARG(token));
	token_raw = long_token;
	ctx_forgive(&ctx);
	return oidc_finish(&ctx, oidc, &provider, CALLBACK, &b->login, &callback, ret);
}

/* A login whose id token has these claims. */
static err_t log_in(const char *more, struct oidc_person *ret)
{
	struct begun b = begin("/");
	struct oidc_callback callback = { .state = b.login.state, .code = STR("code-1") };
	return finish_with(issuer_token(&keys, 0, claims_of(nonce, more)), &b, callback, ret);
}

Test(oidc, the_way_there)
{
	set(PROVIDER_OIDC_EXTRA,
	    "{\"prompt\":\"login me\",\"state\":\"mine\",\"client_id\":\"x\"}");
	struct begun b = begin("/harbor/projects?a=b");
	digest challenge = hash_bytes(DIGEST_SHA256, b.login.verifier);
	cr_expect(str_has_prefix(b.location, str_from(upstream_url(&up, "/authorize?tenant=a&"))));
	cr_expect(str_eq(query(b.location, "response_type"), STR("code")));
	cr_expect(str_eq(query(b.location, "client_id"), STR("berth")));
	cr_expect(str_eq(query(b.location, "redirect_uri"), CALLBACK));
	cr_expect(str_eq(query(b.location, "scope"), STR("openid profile email")));
	cr_expect(str_eq(query(b.location, "state"), b.login.state));
	cr_expect(str_eq(query(b.location, "nonce"), b.login.nonce));
	cr_expect(str_eq(query(b.location, "code_challenge_method"), STR("S256")));
	cr_expect(str_eq(query(b.location, "code_challenge"),
			 issuer_base64(&keys, challenge.bytes, 32)));
	cr_expect(str_eq(query(b.location, "prompt"), STR("login me")));
	cr_expect_eq(b.login.verifier.len, 43);
	cr_expect(str_eq(b.login.redirect_url, STR("/harbor/projects?a=b")));
	size_t at;
	cr_expect(!str_find(b.location, b.login.verifier, &at), "the verifier stays here");
	cr_expect(!str_find(b.cookie, b.login.state, &at), "and the cookie is unreadable");
	struct begun second = begin("");
	cr_expect(!str_eq(b.login.state, second.login.state));
	cr_expect(!str_eq(b.login.nonce, second.login.nonce));
}

Test(oidc, redirects_that_lead_elsewhere)
{
	static const char *const bad[] = { "https://evil.example/",
					   "//evil.example",
					   "/\\evil.example",
					   "\\/evil.example",
					   "evil",
					   "javascript:alert(1)",
					   "/a\r\nSet-Cookie: x",
					   "/a b",
					   "/\t/evil.example",
					   " /a" };
	str location, cookie;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		cr_expect_eq(oidc_begin(&ctx, oidc, &provider, CALLBACK, str_from(bad[i]),
					&location, &cookie),
			     ERR_REQUEST_INVALID, "%s", bad[i]);
		ctx_forgive(&ctx);
	}
	cr_expect(oidc_redirect_is_local(STR("/harbor/projects/1?x=//y")));
	cr_expect(oidc_redirect_is_local(STR("")));
	cr_expect_eq(atomic_load(&up.requests), 0);
}

Test(oidc, a_login_and_who_it_is)
{
	struct oidc_person who;
	userinfo_json =
		"{\"sub\":\"u-1\",\"name\":\"Anna  Berg\",\"groups\":[\"dev\",\"team-a\",7,\"\"]}";
	cr_assert_eq(log_in(ANNA ",\"sid\":\"session-9\"", &who), OK, "%s", ctx.failure.detail);
	cr_expect(str_eq(who.user.issuer, provider_text(&provider, PROVIDER_OIDC_ENDPOINT)));
	cr_expect(str_eq(who.user.subject, STR("u-1")));
	cr_expect(str_eq(who.user.name, STR("Anna__Berg")));
	cr_expect(str_eq(who.user.email, STR("anna@example.com")));
	cr_expect(str_eq(who.session_id, STR("session-9")));
	cr_assert_eq(who.user.group_count, 2, "those of the userinfo");
	cr_expect(str_eq(who.user.groups[1], STR("team-a")));
	cr_expect(!who.user.is_admin);
	cr_expect(!who.user.may_onboard);
	/* The code came with its verifier and with our secret, form-encoded inside Basic. */
	cr_expect(strstr(seen_form,
			 "grant_type=authorization_code&code=code-1&redirect_uri=https%3A%2F%2F"));
	cr_expect(strstr(seen_form, "&code_verifier="));
	cr_expect(!strstr(seen_form, "s3cret"));
	cr_expect(strstr(seen_head, "Authorization: Basic YmVydGg6czNjcmV0JTNBJTJGJTJC\r\n"), "%s",
		  seen_head);
}

Test(oidc, ways_to_prove_who_we_are)
{
	struct oidc_person who;
	post_only = true;
	cr_assert_eq(log_in(ANNA, &who), OK, "%s", ctx.failure.detail);
	cr_expect(strstr(seen_form, "&client_id=berth&client_secret=s3cret%3A%2F%2B"));
	cr_expect(!strstr(seen_head, "Authorization"));
	set(PROVIDER_OIDC_CLIENT_SECRET, "");
	cr_assert_eq(log_in(ANNA, &who), OK, "%s", ctx.failure.detail);
	cr_expect(strstr(seen_form, "&client_id=berth"));
	cr_expect(!strstr(seen_form, "client_secret"));
}

Test(oidc, names_in_harbors_order)
{
	struct oidc_person who;
	userinfo_json = "{\"sub\":\"u\",\"name\":\"From Userinfo\",\"upn\":\"anna@corp\"}";
	cr_assert_eq(log_in("\"sub\":\"u\",\"name\":\"From Token\"", &who), OK);
	cr_expect(str_eq(who.user.name, STR("From_Userinfo")));
	set(PROVIDER_OIDC_USER_CLAIM, "upn");
	cr_assert_eq(log_in("\"sub\":\"u\",\"name\":\"From Token\"", &who), OK);
	cr_expect(str_eq(who.user.name, STR("anna@corp")));
	userinfo_json = NULL;
	cr_assert_eq(log_in("\"sub\":\"u\",\"name\":\"From Token\"", &who), OK);
	cr_expect(str_eq(who.user.name, STR("From_Token")));
	cr_assert_eq(log_in("\"sub\":\"u\",\"preferred_username\":\"anna\"", &who), OK);
	cr_expect(str_eq(who.user.name, STR("anna")));
	cr_assert_eq(log_in("\"sub\":\"u\"", &who), OK);
	cr_expect_eq(who.user.name.len, 0);
}

Test(oidc, groups_as_text_filtered_and_for_administrators)
{
	struct oidc_person who;
	cr_assert_eq(log_in("\"sub\":\"u\",\"groups\":\"only\"", &who), OK);
	cr_assert_eq(who.user.group_count, 1);
	set(PROVIDER_OIDC_GROUP_FILTER, "^d");
	set(PROVIDER_OIDC_ADMIN_GROUP, "ops");
	cr_assert_eq(log_in(ANNA, &who), OK);
	cr_assert_eq(who.user.group_count, 1);
	cr_expect(str_eq(who.user.groups[0], STR("dev")));
	cr_expect(who.user.is_admin, "whatever the filter says");
	set(PROVIDER_OIDC_ADMIN_GROUP, "op");
	cr_assert_eq(log_in(ANNA, &who), OK);
	cr_expect(!who.user.is_admin);
	cr_assert_eq(log_in("\"sub\":\"u\",\"groups\":{\"dev\":1}", &who), OK);
	cr_expect_eq(who.user.group_count, 0);
}

Test(oidc, answers_to_another_login)
{
	struct oidc_person who;
	struct begun b = begin("/"), other = begin("/");
	snprintf(nonce, sizeof nonce, STR_FMT, STR_ARG(b.login.nonce));
	str token = issuer_token(&keys, 0, claims_of(nonce, ANNA));
	const struct oidc_callback bad[] = {
		{ .code = STR("c") },
		{ .state = other.login.state, .code = STR("c") },
		{ .state = b.login.state },
		{ .state = b.login.state, .error = STR("access_denied") },
		{ .state = b.login.state, .code = STR("c"), .issuer = STR("https://evil.example") },
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect_eq(finish_with(token, &b, bad[i], &who), ERR_REQUEST_INVALID, "row %zu",
			     i);
	cr_expect_eq(seen_form[0], '\0', "no code is sent anywhere");
	struct oidc_callback good = { .state = b.login.state,
				      .code = STR("c"),
				      .issuer = provider_text(&provider, PROVIDER_OIDC_ENDPOINT) };
	cr_expect_eq(finish_with(token, &b, good, &who), OK, "%s", ctx.failure.detail);
	provider.id = 4;
	cr_expect_eq(finish_with(token, &b, good, &who), ERR_REQUEST_INVALID, "another provider");
}

Test(oidc, tokens_that_are_not_believed)
{
	struct oidc_person who;
	struct begun b = begin("/");
	struct oidc_callback callback = { .state = b.login.state, .code = STR("c") };
	str good = claims_of(nonce, ANNA);
	cr_expect_eq(
		finish_with(issuer_token(&keys, 0, claims_of("another", ANNA)), &b, callback, &who),
		ERR_UNAUTHORIZED, "nonce");
	cr_expect_eq(finish_with(issuer_token(&keys, 0, claims_of("", ANNA)), &b, callback, &who),
		     ERR_UNAUTHORIZED, "empty nonce");
	cr_expect_eq(finish_with(issuer_token(&stranger, 0, good), &b, callback, &who),
		     ERR_UNAUTHORIZED, "signature");
	cr_expect_eq(
		finish_with(issuer_sign(&keys, 0, "{\"alg\":\"none\"}", good), &b, callback, &who),
		ERR_UNAUTHORIZED, "none");
	cr_expect_eq(finish_with(issuer_token(&keys, 0, claims_of(nonce, "\"sub\":\"\"")), &b,
				 callback, &who),
		     ERR_UNAUTHORIZED, "no subject");
	set(PROVIDER_OIDC_CLIENT_ID, "another");
	cr_expect_eq(finish_with(issuer_token(&keys, 0, good), &b, callback, &who),
		     ERR_UNAUTHORIZED, "audience");
	set(PROVIDER_OIDC_CLIENT_ID, "berth");
	userinfo_json = "{\"sub\":\"u-2\"}";
	cr_expect_eq(finish_with(issuer_token(&keys, 0, good), &b, callback, &who),
		     ERR_UNAUTHORIZED, "userinfo about somebody else");
	userinfo_json = NULL;
	token_status = 400;
	cr_expect_eq(finish_with(issuer_token(&keys, 0, good), &b, callback, &who),
		     ERR_UNAUTHORIZED);
	token_status = 503;
	cr_expect_eq(finish_with(issuer_token(&keys, 0, good), &b, callback, &who),
		     ERR_UPSTREAM_UNREACHABLE);
	token_status = 200;
	cr_expect_eq(finish_with(STR("\"}"), &b, callback, &who), ERR_UPSTREAM_INVALID);
	cr_expect_eq(finish_with(issuer_token(&keys, 0, good), &b, callback, &who), OK, "%s",
		     ctx.failure.detail);
}

Test(oidc, cookies_of_others)
{
	struct begun b = begin("/");
	struct oidc_login login;
	struct oidc_person who = { .user = { .subject = STR("u") } };
	str person, back;
	cr_assert_eq(oidc_seal_person(&ctx, oidc, &who, STR("/"), &person), OK);
	char *changed = arena_cstr(&arena, b.cookie);
	changed[b.cookie.len / 2] ^= 1;
	const str bad[] = { STR(""), STR("x"), (str){ changed, b.cookie.len }, person };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		ctx_forgive(&ctx);
		cr_expect_eq(oidc_read_login(&ctx, oidc, bad[i], &login), ERR_REQUEST_INVALID,
			     "%zu", i);
	}
	ctx_forgive(&ctx);
	cr_expect_eq(oidc_open_person(&ctx, oidc, b.cookie, &who, &back), ERR_REQUEST_INVALID,
		     "one kind is not the other");
	struct secretbox_key other_master = { { 8 } };
	struct oidc *other = oidc_new(outbound, jwks, &other_master);
	ctx_forgive(&ctx);
	cr_expect_eq(oidc_read_login(&ctx, other, b.cookie, &login), ERR_REQUEST_INVALID);
	oidc_free(other);
	/* Another node with the same master key finishes what this one began. */
	struct oidc *node = oidc_new(outbound, jwks, &master);
	ctx_forgive(&ctx);
	cr_expect_eq(oidc_read_login(&ctx, node, b.cookie, &login), OK);
	oidc_free(node);
}

Test(oidc, somebody_who_still_chooses_a_name)
{
	struct oidc_person who, again;
	str cookie, back;
	cr_assert_eq(log_in(ANNA ",\"sid\":\"s\"", &who), OK);
	who.user.is_admin = true;
	cr_assert_eq(oidc_seal_person(&ctx, oidc, &who, STR("/x"), &cookie), OK);
	cr_assert_eq(oidc_open_person(&ctx, oidc, cookie, &again, &back), OK);
	cr_expect(str_eq(again.user.subject, STR("u-1")));
	cr_expect(str_eq(again.user.issuer, who.user.issuer));
	cr_expect_eq(again.user.group_count, 2);
	cr_expect(again.user.is_admin && again.user.may_onboard);
	cr_expect(str_eq(again.session_id, STR("s")));
	cr_expect(str_eq(back, STR("/x")));
	/* More groups than a cookie holds: they come with the next login. */
	str *many = ARENA_ARRAY(&arena, str, 500);
	for (int i = 0; i < 500; i++)
		many[i] = arena_printf(&arena, "a-rather-long-group-name-%d", i);
	who.user.groups = many;
	who.user.group_count = 500;
	cr_assert_eq(oidc_seal_person(&ctx, oidc, &who, STR("/x"), &cookie), OK, "%s",
		     ctx.failure.detail);
	cr_expect_leq(cookie.len, 3500);
	cr_assert_eq(oidc_open_person(&ctx, oidc, cookie, &again, &back), OK);
	cr_expect_eq(again.user.group_count, 0);
}

Test(oidc, an_id_token_as_a_credential)
{
	struct external_user who;
	str token = issuer_token(&keys, 4, claims_of("n", ANNA));
	cr_assert_eq(oidc_identify(&ctx, oidc, &provider, 1, token, &who), OK, "%s",
		     ctx.failure.detail);
	cr_expect(str_eq(who.subject, STR("u-1")));
	cr_expect(!who.may_onboard);
	cr_expect_eq(oidc_identify(&ctx, oidc, &provider, 0, token, &who), ERR_ABSENT);
	cr_expect_eq(oidc_identify(&ctx, oidc, &provider, 1, STR("hello"), &who), ERR_ABSENT);
	cr_expect_eq(oidc_identify(&ctx, oidc, &provider, 1,
				   issuer_token(&stranger, 4, claims_of("n", ANNA)), &who),
		     ERR_UNAUTHORIZED);
	ctx_forgive(&ctx);
	cr_expect_eq(oidc_identify(&ctx, oidc, &provider, 1,
				   issuer_token(&keys, 4, claims_of("n", ANNA ",\"events\":{}")),
				   &who),
		     ERR_UNAUTHORIZED);
	provider.enabled = false;
	cr_expect_eq(oidc_identify(&ctx, oidc, &provider, 1, token, &who), ERR_ABSENT);
}

#define EVENT "\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}"

static err_t check_logout(const char *claims, struct oidc_logout *ret)
{
	long long now_s = clock_wall_us() / 1000000;
	str text = arena_printf(
		&arena, "{\"iss\":\"" STR_FMT "\",\"aud\":\"berth\",\"iat\":%lld,%s}",
		STR_ARG(provider_text(&provider, PROVIDER_OIDC_ENDPOINT)), now_s, claims);
	ctx_forgive(&ctx);
	return oidc_check_logout(&ctx, oidc, &provider, 1, issuer_token(&keys, 0, text), ret);
}

Test(oidc, single_logout)
{
	struct oidc_logout out;
	str location;
	cr_assert_eq(oidc_logout_url(&ctx, oidc, &provider, STR("a.b.c"), STR("https://r.example/"),
				     &location),
		     OK);
	cr_expect_eq(location.len, 0, "not switched on");
	set(PROVIDER_OIDC_LOGOUT, "true");
	cr_assert_eq(oidc_logout_url(&ctx, oidc, &provider, STR("a.b.c"), STR("https://r.example/"),
				     &location),
		     OK);
	cr_expect(str_eq(query(location, "id_token_hint"), STR("a.b.c")));
	cr_expect(str_eq(query(location, "post_logout_redirect_uri"), STR("https://r.example/")));
	cr_expect(str_eq(query(location, "client_id"), STR("berth")));

	cr_assert_eq(check_logout("\"sub\":\"u\",\"sid\":\"s\"," EVENT, &out), OK, "%s",
		     ctx.failure.detail);
	cr_expect(str_eq(out.subject, STR("u")) && str_eq(out.session_id, STR("s")));
	cr_expect_eq(check_logout("\"sid\":\"s\"," EVENT, &out), OK);
	cr_expect_eq(check_logout(EVENT, &out), ERR_REQUEST_INVALID, "nobody named");
	cr_expect_eq(check_logout("\"sub\":\"u\"", &out), ERR_REQUEST_INVALID, "no event");
	cr_expect_eq(check_logout("\"sub\":\"u\",\"events\":{}", &out), ERR_REQUEST_INVALID);
	cr_expect_eq(check_logout("\"sub\":\"u\",\"nonce\":\"n\"," EVENT, &out),
		     ERR_REQUEST_INVALID, "an id token in disguise");
	cr_expect_eq(check_logout("\"sub\":\"u\",\"exp\":1," EVENT, &out), ERR_REQUEST_INVALID);
	cr_expect_eq(oidc_check_logout(&ctx, oidc, &provider, 1, STR("x.y.z"), &out),
		     ERR_REQUEST_INVALID);
}

Test(oidc, a_provider_that_hangs_or_is_gone)
{
	str location, cookie;
	struct external_user who;
	hangs = true;
	jwks_free(jwks);
	oidc_free(oidc);
	jwks = jwks_new(&(struct jwks_options){ .outbound = outbound, .timeout_ms = 50 });
	oidc = oidc_new(outbound, jwks, &master);
	cr_expect_eq(oidc_begin(&ctx, oidc, &provider, CALLBACK, STR("/"), &location, &cookie),
		     ERR_UPSTREAM_UNREACHABLE);
	ctx_forgive(&ctx);
	cr_expect_eq(oidc_identify(&ctx, oidc, &provider, 1,
				   issuer_token(&keys, 4, claims_of("n", ANNA)), &who),
		     ERR_UPSTREAM_UNREACHABLE, "could not ask: the next method may know");
	upstream_wait_until(atomic_load(&up.hanging) == 0);
}
