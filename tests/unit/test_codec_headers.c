/* SPDX-License-Identifier: Apache-2.0 */
/* The small header grammars: credentials, scopes, entity tags, media types, and base64 below them.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/basic_auth.h"
#include "codec/bearer.h"
#include "codec/etag.h"
#include "codec/media_type.h"
#include "codec/scope.h"

static struct arena arena;

static void start(void)
{
	arena_init(&arena, MIB(1));
}

static void stop(void)
{
	arena_done(&arena);
}

TestSuite(base64, .init = start, .fini = stop);
TestSuite(basic_auth, .init = start, .fini = stop);

/* RFC 4648 §10, and bytes where the alphabets differ. */
Test(base64, vectors_both_ways)
{
	static const struct {
		str bytes, standard, url;
	} rows[] = {
		{ STR_INIT(""), STR_INIT(""), STR_INIT("") },
		{ STR_INIT("f"), STR_INIT("Zg=="), STR_INIT("Zg") },
		{ STR_INIT("fo"), STR_INIT("Zm8="), STR_INIT("Zm8") },
		{ STR_INIT("foo"), STR_INIT("Zm9v"), STR_INIT("Zm9v") },
		{ STR_INIT("foob"), STR_INIT("Zm9vYg=="), STR_INIT("Zm9vYg") },
		{ STR_INIT("fooba"), STR_INIT("Zm9vYmE="), STR_INIT("Zm9vYmE") },
		{ STR_INIT("foobar"), STR_INIT("Zm9vYmFy"), STR_INIT("Zm9vYmFy") },
		{ STR_INIT("\xfb\xff\xfe\0"), STR_INIT("+//+AA=="), STR_INIT("-__-AA") },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		CLEANUP(buf_done) struct buf b = BUF_INIT(64);
		str back;
		base64_encode(&b, BASE64_STANDARD, rows[i].bytes);
		cr_expect(str_eq(buf_str(&b), rows[i].standard), "row %zu", i);
		buf_clear(&b);
		base64_encode(&b, BASE64_URL, rows[i].bytes);
		cr_expect(str_eq(buf_str(&b), rows[i].url), "row %zu", i);
		cr_expect(base64_decode(&arena, BASE64_STANDARD, rows[i].standard, &back) &&
				  str_eq(back, rows[i].bytes),
			  "row %zu", i);
		cr_expect(base64_decode(&arena, BASE64_URL, rows[i].url, &back) &&
				  str_eq(back, rows[i].bytes),
			  "row %zu", i);
	}
}

Test(base64, has_one_spelling_only)
{
	static const str standard[] = {
		STR_INIT("Zg"),	   STR_INIT("Zg="),  STR_INIT("Zh=="),	   STR_INIT("Zm9="),
		STR_INIT("===="),  STR_INIT("Z==="), STR_INIT("=Zg="),	   STR_INIT("Zm9v\n"),
		STR_INIT(" Zg=="), STR_INIT("Z"),    STR_INIT("Zm9v===="), STR_INIT("-__-"),
		STR_INIT("Zm\0v"),
	};
	static const str url[] = {
		STR_INIT("Zg=="), STR_INIT("Zh"),    STR_INIT("Z"),
		STR_INIT("+//+"), STR_INIT("Zm9vY"),
	};
	str back;
	for (size_t i = 0; i < COUNT_OF(standard); i++)
		cr_expect(!base64_decode(&arena, BASE64_STANDARD, standard[i], &back), "row %zu",
			  i);
	for (size_t i = 0; i < COUNT_OF(url); i++)
		cr_expect(!base64_decode(&arena, BASE64_URL, url[i], &back), "row %zu", i);
}

Test(base64, every_byte_survives)
{
	char bytes[256];
	for (int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	for (size_t len = 0; len <= sizeof bytes; len++) {
		CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(1));
		str back;
		base64_encode(&b, BASE64_URL, (str){ bytes, len });
		cr_assert(base64_decode(&arena, BASE64_URL, buf_str(&b), &back));
		cr_assert(str_eq(back, (str){ bytes, len }));
	}
}

Test(basic_auth, user_and_password)
{
	static const struct {
		const char *header, *user, *password;
	} rows[] = {
		{ "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame" }, /* RFC 7617 */
		{ "basic dGVzdDoxMjPCow==", "test", "123\xC2\xA3" },
		{ "BASIC  YTo6Yjo=", "a", ":b:" },
		{ "Basic Og==", "", "" },
		{ "Basic cm9ib3QkeDp5", "robot$x", "y" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct basic_auth auth;
		cr_expect(basic_auth_parse(&arena, str_from(rows[i].header), &auth) &&
				  str_eq(auth.user, str_from(rows[i].user)) &&
				  str_eq(auth.password, str_from(rows[i].password)),
			  "%s", rows[i].header);
	}
}

Test(basic_auth, refuses)
{
	static const char *const bad[] = {
		"",
		"Basic",
		"Basic ",
		"Basic YQ==", /* no colon */
		"Basic YTpi=",
		"Bearer YTpi",
		"BasicYTpi",
		"Basic YTpi YTpi",
		"Basic YQA6Yg==", /* a NUL */
		"Basic YTpi/w==", /* not UTF-8 */
		"Basic YTpiCg==", /* a line feed */
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct basic_auth auth;
		cr_expect(!basic_auth_parse(&arena, str_from(bad[i]), &auth), "%s", bad[i]);
	}
}

Test(bearer, token)
{
	str token = STR("kept");
	cr_assert(bearer_parse(STR("Bearer abc.DEF-_~+/=="), &token));
	cr_assert(str_eq(token, STR("abc.DEF-_~+/==")));
	cr_assert(bearer_parse(STR("bearer   x"), &token) && str_eq(token, STR("x")));
	static const char *const bad[] = { "",		"Bearer",      "Bearer ",
					   "Bearer =",	"Bearer a b",  "Basic abc",
					   "Bearerabc", "Bearer a\"b", "Bearer a=b" };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		token = STR("kept");
		cr_expect(!bearer_parse(str_from(bad[i]), &token), "%s", bad[i]);
		cr_expect(str_eq(token, STR("kept")));
	}
}

Test(scope, table)
{
	static const struct {
		const char *text, *type, *class, *name;
		unsigned actions;
	} rows[] = {
		{ "repository:lib/app:pull,push", "repository", "", "lib/app",
		  SCOPE_PULL | SCOPE_PUSH },
		{ "repository:host:5000/lib/app:pull", "repository", "", "host:5000/lib/app",
		  SCOPE_PULL },
		{ "repository(plugin):a/b:pull", "repository", "plugin", "a/b", SCOPE_PULL },
		{ "registry:catalog:*", "registry", "", "catalog", SCOPE_ALL },
		{ "repository:a:delete,unheard,pull", "repository", "", "a",
		  SCOPE_PULL | SCOPE_DELETE },
		{ "repository:a:", "repository", "", "a", 0 },
		{ "repository:a:pull,,push", "repository", "", "a", SCOPE_PULL | SCOPE_PUSH },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct scope s;
		cr_expect(scope_parse(str_from(rows[i].text), &s) &&
				  str_eq(s.type, str_from(rows[i].type)) &&
				  str_eq(s.class, str_from(rows[i].class)) &&
				  str_eq(s.name, str_from(rows[i].name)) &&
				  s.actions == rows[i].actions,
			  "%s", rows[i].text);
	}
}

Test(scope, refuses)
{
	static const char *const bad[] = {
		"",
		"repository",
		"repository:a",
		":a:pull",
		"repository::pull",
		"Repo:a:pull",
		"repo(:a:pull",
		"repo():a:pull",
		"repo(x)y:a:pull",
		"repo:a b:pull",
		"repo:a\"b:pull",
		"repo:a\nb:pull",
		"repo:a:pull push",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct scope s;
		cr_expect(!scope_parse(str_from(bad[i]), &s), "%s", bad[i]);
	}
}

Test(scope, lists_and_formatting)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(1));
	str list = STR(" repository(x):b:push,pull,other  repository:a:*,delete "), text;
	while (scope_next(&list, &text)) {
		struct scope s;
		cr_assert(scope_parse(text, &s));
		scope_format(&b, &s);
		buf_add_byte(&b, ';');
	}
	cr_assert(str_eq(buf_str(&b), STR("repository(x):b:pull,push;repository:a:delete,*;")));
}

Test(etag, lists)
{
	static const struct {
		const char *list;
		bool weak, strong;
	} rows[] = {
		{ "\"sha256:a\"", true, true },
		{ "*", true, true },
		{ " * ", true, true },
		{ "\"x\", \"sha256:a\"", true, true },
		{ "\"x,y\",\"sha256:a\"", true, true },
		{ "\"x\" , W/\"sha256:a\"", true, false },
		{ "sha256:a", true, true },
		{ "x, sha256:a", true, true },
		{ "", false, false },
		{ "\"\"", false, false },
		{ "\"sha256:b\"", false, false },
		{ "\"sha256:a", false, false },
		{ "\"x\"\"sha256:a\"", false, false },
		{ "\"x,\"sha256:a\"", false, false },
		{ "\"*\"", false, false },
		{ "W/sha256:a", false, false },
		{ ",,,", false, false },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		str list = str_from(rows[i].list), etag = STR("\"sha256:a\"");
		cr_expect_eq(etag_matches(list, etag), rows[i].weak, "%s", rows[i].list);
		cr_expect_eq(etag_matches_strong(list, etag), rows[i].strong, "%s", rows[i].list);
	}
}

Test(media_type, cut_and_grammar)
{
	cr_assert(str_eq(media_type_cut(STR(" a/b ; charset=utf-8")), STR("a/b")));
	cr_assert(str_eq(media_type_cut(STR("a/b")), STR("a/b")));
	static const char *const good[] = {
		"a/b",
		"application/vnd.oci.image.manifest.v1+json",
		"application/vnd.docker.distribution.manifest.list.v2+json",
		"x/a!#$&-^_.+",
		"0/1",
	};
	static const char *const bad[] = {
		"",	 "/",		"a",	"a/",	"/b",	"a/b/c",      "a b/c",
		"a/b;c", "a/b\r\nX: y", "a/.b", "+a/b", "a/b*", "a/\xC3\xA4", "a,b/c",
	};
	for (size_t i = 0; i < COUNT_OF(good); i++)
		cr_expect(media_type_is_valid(str_from(good[i])), "%s", good[i]);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect(!media_type_is_valid(str_from(bad[i])), "%s", bad[i]);

	char text[MEDIA_TYPE_MAX + 1];
	memset(text, 'a', sizeof text);
	text[127] = '/';
	cr_assert(media_type_is_valid((str){ text, MEDIA_TYPE_MAX }));
	cr_assert(!media_type_is_valid((str){ text, MEDIA_TYPE_MAX + 1 }));
	cr_assert(media_type_equal(STR("Application/JSON"), STR("application/json")));
}
