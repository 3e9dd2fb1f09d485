/* SPDX-License-Identifier: Apache-2.0 */
/* Issuers that are good, lie, hang, rotate and go away; and the tokens that claim to be theirs. */
#include "jwt_fixture.h"
#include "upstream.h"

#include "auth/foreign_token.h"

enum lie {
	LIE_NONE,
	LIE_OTHER_ISSUER,
	LIE_NO_JSON,
	LIE_NO_KEYS_URL,
	LIE_FAR_HTTP,
	LIE_BAD_SET,
	LIE_NOT_FOUND,
	LIE_ERROR,
	LIE_ENDPOINT,
	LIE_HUGE,
	LIE_HANG,
	LIE_GATE,
	LIE_COUNT,
};

static struct arena arena;
static struct ctx ctx;
static struct issuer keys, rotated;
static struct upstream up;
static struct outbound *outbound;
static struct jwks *jwks;
static struct jwks_issuer from;
static _Atomic(int) lie;
static _Atomic(bool) has_rotated;
static char set_before[8192], set_after[8192];

static void say_discovery(struct upstream *u, int fd)
{
	static const char *const keys_urls[LIE_COUNT] = {
		[LIE_FAR_HTTP] = "http://192.0.2.1/keys",
	};
	char body[1024], keys_url[128];
	int now = atomic_load(&lie);
	snprintf(keys_url, sizeof keys_url, "http://127.0.0.1:%u/keys", u->port);
	snprintf(body, sizeof body,
		 "{\"issuer\":\"http://127.0.0.1:%u/"
		 "realm%s\",\"%s\":\"%s\",\"token_endpoint\":\"%s\","
		 "\"authorization_endpoint\":\"http://127.0.0.1:%u/authorize\"}",
		 u->port, now == LIE_OTHER_ISSUER ? "/" : "",
		 now == LIE_NO_KEYS_URL ? "jwks" : "jwks_uri",
		 keys_urls[now] ? keys_urls[now] : keys_url,
		 now == LIE_ENDPOINT ? "javascript:alert(1)" : "http://localhost/token", u->port);
	if (now == LIE_NO_JSON)
		snprintf(body, sizeof body, "<html>Welcome to the Wi-Fi</html>");
	int status = now == LIE_NOT_FOUND ? 404 : now == LIE_ERROR ? 503 : 200;
	upstream_say_answer(fd, status, "", body);
}

static bool answer(struct upstream *u, int fd, const struct upstream_request *rq)
{
	int now = atomic_load(&lie);
	if (now == LIE_HANG) {
		upstream_hang(u, fd);
		return false;
	}
	if (now == LIE_GATE)
		upstream_wait_at_gate(u);
	if (strcmp(rq->path, "/realm/.well-known/openid-configuration") == 0)
		say_discovery(u, fd);
	else if (strcmp(rq->path, "/keys") != 0)
		upstream_say_answer(fd, 404, "", "");
	else if (now == LIE_BAD_SET)
		upstream_say_answer(fd, 200, "", "{\"keys\":[{\"kty\":\"RSA\"}]}");
	else if (now == LIE_HUGE) {
		static char filler[300 * 1024];
		memset(filler, ' ', sizeof filler - 1);
		upstream_say_answer(fd, 200, "", filler);
	} else
		upstream_say_answer(fd, 200, "",
				    atomic_load(&has_rotated) ? set_after : set_before);
	return true;
}

static void start_with(struct jwks_options options)
{
	arena_init(&arena, MIB(32));
	ctx_init(&ctx, &arena);
	issuer_start(&keys, &arena, "a-");
	issuer_start(&rotated, &arena, "b-");
	snprintf(set_before, sizeof set_before, "%s", issuer_set(&keys).ptr);
	snprintf(set_after, sizeof set_after, "%s", issuer_set(&rotated).ptr);
	up.answer = answer;
	upstream_start(&up);
	struct outbound_options out = { .tenants_allow = STR("127.0.0.1"),
					.client = { .ignore_proxy = true } };
	cr_assert_eq(outbound_new(&ctx, &out, &outbound), OK);
	options.outbound = outbound;
	jwks = jwks_new(&options);
	from = (struct jwks_issuer){ .url = arena_copy(&arena,
						       str_from(upstream_url(&up, "/realm"))) };
}

static void start(void)
{
	start_with((struct jwks_options){ 0 });
}

static void stop(void)
{
	jwks_free(jwks);
	outbound_free(outbound);
	upstream_stop(&up);
	issuer_stop(&keys);
	issuer_stop(&rotated);
	arena_done(&arena);
}

TestSuite(jwks, .init = start, .fini = stop, .timeout = 120);
TestSuite(jwks_options, .fini = stop, .timeout = 120);

static str claims(const char *format, int64_t expires_in_s)
{
	int64_t now_s = clock_wall_us() / 1000000;
	return arena_printf(&arena, "{\"iss\":\"" STR_FMT "\",\"iat\":%lld,\"exp\":%lld,%s}",
			    STR_ARG(from.url), (long long)now_s, (long long)(now_s + expires_in_s),
			    format);
}

static err_t verify_claims(str token, const struct foreign_expectation *expect)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	str subject;
	ctx_forgive(&ctx);
	TRY(foreign_token_verify(&ctx, jwks, &from, token, expect, &doc));
	cr_expect_eq(json_get_str(doc.root, "sub", &subject), JSON_FOUND);
	return OK;
}

static err_t verify(struct issuer *by, const char *more, int64_t expires_in_s)
{
	static const struct foreign_expectation expect = { .audience = STR_INIT("berth"),
							   .party = STR_INIT("berth") };
	return verify_claims(issuer_token(by, 0, claims(more, expires_in_s)), &expect);
}

#define GOOD "\"sub\":\"anna\",\"aud\":\"berth\""

Test(jwks, a_token_of_an_issuer_found_by_its_url)
{
	str issuer;
	cr_assert_eq(verify(&keys, GOOD, 60), OK, "%s", ctx.failure.detail);
	cr_assert_eq(atomic_load(&up.requests), 2, "discovery and keys");
	cr_assert_eq(
		verify(&keys, "\"sub\":\"anna\",\"aud\":[\"x\",\"berth\"],\"azp\":\"berth\"", 60),
		OK);
	cr_assert_eq(atomic_load(&up.requests), 2, "remembered");
	cr_assert(foreign_token_issuer(&ctx, issuer_token(&keys, 4, claims(GOOD, 60)), &issuer));
	cr_assert(str_eq(issuer, from.url));
	struct jwks_metadata metadata;
	cr_assert_eq(jwks_metadata(&ctx, jwks, &from, &metadata), OK);
	cr_assert(str_eq(metadata.token_endpoint, STR("http://localhost/token")));
	cr_assert(str_has_suffix(metadata.authorization_endpoint, STR("/authorize")));
	cr_assert_eq(metadata.userinfo_endpoint.len, 0);
	cr_assert_eq(atomic_load(&up.requests), 2);
}

Test(jwks, claims_that_are_not_believed)
{
	static const struct {
		const char *more;
		int64_t expires_in_s;
	} bad[] = {
		{ "\"sub\":\"a\"", 60 },
		{ "\"sub\":\"a\",\"aud\":\"other\"", 60 },
		{ "\"sub\":\"a\",\"aud\":[\"other\",7]", 60 },
		{ "\"sub\":\"a\",\"aud\":{\"berth\":1}", 60 },
		{ "\"sub\":\"a\",\"aud\":[[\"berth\"]]", 60 },
		{ "\"sub\":\"a\",\"aud\":[\"berth\",\"other\"],\"azp\":\"other\"", 60 },
		{ "\"sub\":\"a\",\"aud\":\"berth\",\"azp\":7", 60 },
		{ GOOD, -FOREIGN_LEEWAY_S - 1 },
		{ GOOD ",\"nbf\":99999999999", 60 },
		{ GOOD ",\"nbf\":\"soon\"", 60 },
		{ GOOD ",\"nbf\":-1", 60 },
		{ GOOD ",\"exp\":1", 60 },     /* twice */
		{ GOOD ",\"iss\":\"x\"", 60 }, /* twice */
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect_eq(verify(&keys, bad[i].more, bad[i].expires_in_s), ERR_UNAUTHORIZED,
			     "%s", bad[i].more);
	cr_expect_eq(atomic_load(&up.requests), 0, "nobody is asked about what cannot be right");
	cr_expect_eq(verify(&keys, GOOD, -FOREIGN_LEEWAY_S + 30), OK, "clocks differ");
}

Test(jwks, texts_that_are_no_claims)
{
	static const struct foreign_expectation expect = { .audience = STR_INIT("berth") };
	static const char *const bad[] = {
		"",   "[]",   "\"berth\"",
		"{}", "null", "{\"iss\":7,\"aud\":\"berth\",\"exp\":9999999999}",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		str token = issuer_token(&keys, 0, str_from(bad[i])), issuer;
		cr_expect_eq(verify_claims(token, &expect), ERR_UNAUTHORIZED, "%s", bad[i]);
		cr_expect(!foreign_token_issuer(&ctx, token, &issuer), "%s", bad[i]);
	}
	str no_expiry =
		arena_printf(&arena, "{\"iss\":\"" STR_FMT "\",\"aud\":\"berth\",\"sub\":\"a\"}",
			     STR_ARG(from.url));
	cr_expect_eq(verify_claims(issuer_token(&keys, 0, no_expiry), &expect), ERR_UNAUTHORIZED);
}

Test(jwks, a_stranger_with_the_same_key_ids)
{
	struct issuer stranger;
	issuer_start(&stranger, &arena, "a-");
	cr_expect_eq(verify(&stranger, GOOD, 60), ERR_UNAUTHORIZED);
	issuer_stop(&stranger);
}

Test(jwks, an_issuer_that_lies)
{
	static const struct {
		enum lie lie;
		err_t want;
	} rows[] = {
		{ LIE_OTHER_ISSUER, ERR_UPSTREAM_INVALID }, { LIE_NO_JSON, ERR_UPSTREAM_INVALID },
		{ LIE_NO_KEYS_URL, ERR_UPSTREAM_INVALID },  { LIE_FAR_HTTP, ERR_UPSTREAM_INVALID },
		{ LIE_BAD_SET, ERR_UPSTREAM_INVALID },	    { LIE_NOT_FOUND, ERR_UPSTREAM_INVALID },
		{ LIE_ERROR, ERR_UPSTREAM_UNREACHABLE },    { LIE_ENDPOINT, ERR_UPSTREAM_INVALID },
		{ LIE_HUGE, ERR_UPSTREAM_INVALID },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		atomic_store(&lie, rows[i].lie);
		cr_expect_eq(jwks_probe(&ctx, jwks, &from), rows[i].want, "lie %d: %s", rows[i].lie,
			     ctx.failure.detail);
		ctx_forgive(&ctx);
	}
	atomic_store(&lie, LIE_NONE);
	cr_expect_eq(jwks_probe(&ctx, jwks, &from), OK);
}

Test(jwks, an_issuer_that_hangs_costs_one_wait)
{
	struct jwk_set *set = NULL;
	ctx.deadline_ns = 0;
	atomic_store(&lie, LIE_HANG);
	jwks_free(jwks);
	jwks = jwks_new(&(struct jwks_options){ .outbound = outbound, .timeout_ms = 50 });
	cr_expect_eq(jwks_keys(&ctx, jwks, &from, NULL, &set), ERR_UPSTREAM_UNREACHABLE);
	int asked = atomic_load(&up.requests);
	for (int i = 0; i < 20; i++) {
		ctx_forgive(&ctx);
		cr_expect_eq(jwks_keys(&ctx, jwks, &from, NULL, &set), ERR_UPSTREAM_UNREACHABLE);
	}
	cr_expect(strstr(ctx.failure.detail, "a moment ago"));
	cr_expect_eq(atomic_load(&up.requests), asked, "and nobody asks again so soon");
	/* Another issuer is another entry. */
	struct jwks_issuer other = { .url = STR("https://other.example"),
				     .uploaded = issuer_set(&keys) };
	ctx_forgive(&ctx);
	cr_expect_eq(jwks_keys(&ctx, jwks, &other, NULL, &set), OK);
	jwk_set_put(&set);
}

Test(jwks_options, new_keys_are_fetched_when_a_token_names_one)
{
	start_with((struct jwks_options){ .ask_interval_s = 3600 });
	cr_assert_eq(verify(&keys, GOOD, 60), OK);
	atomic_store(&has_rotated, true);
	cr_expect_eq(verify(&rotated, GOOD, 60), ERR_UNAUTHORIZED, "asked a moment ago");
	cr_expect_eq(atomic_load(&up.requests), 2);
	jwks_free(jwks);
	jwks = jwks_new(&(struct jwks_options){ .outbound = outbound, .ask_interval_s = -1 });
	atomic_store(&has_rotated, false);
	cr_expect_eq(verify(&keys, GOOD, 60), OK);
	atomic_store(&has_rotated, true);
	cr_expect_eq(verify(&rotated, GOOD, 60), OK, "%s", ctx.failure.detail);
	cr_expect_eq(verify(&keys, GOOD, 60), ERR_UNAUTHORIZED, "the old keys are gone");
}

Test(jwks_options, the_keys_of_an_issuer_that_is_gone)
{
	start_with((struct jwks_options){ .ask_interval_s = -1, .fresh_s = -1 });
	cr_assert_eq(verify(&keys, GOOD, 60), OK, "%s", ctx.failure.detail);
	atomic_store(&lie, LIE_ERROR);
	int asked = atomic_load(&up.requests);
	cr_expect_eq(verify(&keys, GOOD, 60), OK, "%s", ctx.failure.detail);
	cr_expect_gt(atomic_load(&up.requests), asked, "it was asked, and its old keys did");
	cr_expect_eq(verify(&rotated, GOOD, 60), ERR_UNAUTHORIZED, "%s", ctx.failure.detail);
}

Test(jwks_options, keys_too_old_are_not_used)
{
	start_with((struct jwks_options){ .ask_interval_s = -1, .fresh_s = -1, .stale_s = -1 });
	cr_assert_eq(verify(&keys, GOOD, 60), OK, "%s", ctx.failure.detail);
	atomic_store(&lie, LIE_ERROR);
	cr_expect_eq(verify(&keys, GOOD, 60), ERR_UPSTREAM_UNREACHABLE);
}

Test(jwks, an_uploaded_key_set_needs_nobody)
{
	from = (struct jwks_issuer){ .url = STR("https://kubernetes.default.svc"),
				     .uploaded = issuer_set(&keys) };
	struct jwks_metadata metadata;
	cr_assert_eq(verify(&keys, GOOD, 60), OK, "%s", ctx.failure.detail);
	cr_expect_eq(verify(&rotated, GOOD, 60), ERR_UNAUTHORIZED);
	cr_expect_eq(jwks_metadata(&ctx, jwks, &from, &metadata), ERR_UPSTREAM_INVALID);
	cr_expect_eq(atomic_load(&up.requests), 0);
	from.uploaded = STR("{\"keys\":[]}");
	cr_expect_eq(verify(&keys, GOOD, 60), ERR_UPSTREAM_INVALID);
}

struct reader {
	pthread_t thread;
	err_t err;
};

static void *run_reader(void *arg)
{
	struct reader *reader = arg;
	struct arena own;
	struct ctx own_ctx;
	struct jwk_set *set = NULL;
	arena_init(&own, MIB(4));
	ctx_init(&own_ctx, &own);
	reader->err = jwks_keys(&own_ctx, jwks, &from, NULL, &set);
	jwk_set_put(&set);
	arena_done(&own);
	return NULL;
}

Test(jwks, many_who_need_it_ask_once)
{
	struct reader readers[16];
	atomic_store(&lie, LIE_GATE);
	for (size_t i = 0; i < COUNT_OF(readers); i++)
		pthread_create(&readers[i].thread, NULL, run_reader, &readers[i]);
	upstream_wait_until(atomic_load(&up.hanging) == 1);
	atomic_store(&up.gate_open, true);
	for (size_t i = 0; i < COUNT_OF(readers); i++) {
		pthread_join(readers[i].thread, NULL);
		cr_expect_eq(readers[i].err, OK);
	}
	cr_expect_eq(atomic_load(&up.requests), 2);
}

Test(jwks_options, only_so_many_are_remembered)
{
	start_with((struct jwks_options){ .issuers_max = 2 });
	struct jwk_set *set = NULL;
	for (int i = 0; i < 20; i++) {
		struct jwks_issuer other = { .url = arena_printf(&arena, "https://%d.example", i),
					     .uploaded = issuer_set(&keys) };
		cr_assert_eq(jwks_keys(&ctx, jwks, &other, NULL, &set), OK);
		jwk_set_put(&set);
	}
	cr_assert_eq(verify(&keys, GOOD, 60), OK);
}

Test(jwks, places_for_secrets)
{
	cr_expect(jwks_url_is_safe(STR("https://login.example.com/realm"), false));
	cr_expect(jwks_url_is_safe(STR("http://localhost:8080/"), false));
	cr_expect(jwks_url_is_safe(STR("http://127.0.0.1:8080/x"), false));
	cr_expect(jwks_url_is_safe(STR("http://[::1]/"), false));
	cr_expect(jwks_url_is_safe(STR("http://login.example.com/"), true));
	cr_expect(!jwks_url_is_safe(STR("http://login.example.com/"), false));
	cr_expect(!jwks_url_is_safe(STR("http://localhost.example.com/"), false));
	cr_expect(!jwks_url_is_safe(STR("http://127.0.0.1.example.com/"), false));
	cr_expect(!jwks_url_is_safe(STR("http://10.0.0.1/"), false));
	cr_expect(!jwks_url_is_safe(STR("javascript:alert(1)"), true));
	cr_expect(!jwks_url_is_safe(STR(""), true));
}
