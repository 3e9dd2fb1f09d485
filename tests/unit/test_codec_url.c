/* SPDX-License-Identifier: Apache-2.0 */
/* Percent-coding, query strings and form bodies. */
#include <criterion/criterion.h>
#include <string.h>

#include "codec/form.h"
#include "codec/url.h"

static struct arena arena;

static void start(void)
{
	arena_init(&arena, MIB(1));
}

static void stop(void)
{
	arena_done(&arena);
}

TestSuite(url, .init = start, .fini = stop);
TestSuite(form, .init = start, .fini = stop);

Test(url, decodes)
{
	static const struct {
		str text, value;
	} rows[] = {
		{ STR_INIT(""), STR_INIT("") },
		{ STR_INIT("a+b"), STR_INIT("a+b") },
		{ STR_INIT("sha256%3Aabc"), STR_INIT("sha256:abc") },
		{ STR_INIT("%2f%2F"), STR_INIT("//") },
		{ STR_INIT("application%2Fvnd.x+json"), STR_INIT("application/vnd.x+json") },
		{ STR_INIT("%C3%A4"), STR_INIT("\xC3\xA4") },
		{ STR_INIT("%25"), STR_INIT("%") },
		{ STR_INIT("%2525"), STR_INIT("%25") },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		str value;
		cr_expect(url_decode(&arena, rows[i].text, &value) && str_eq(value, rows[i].value),
			  "row %zu", i);
	}
	str same = STR("plain"), value;
	cr_assert(url_decode(&arena, same, &value) && value.ptr == same.ptr);
}

Test(url, refuses_what_it_cannot_decode)
{
	static const str bad[] = {
		STR_INIT("%"),	    STR_INIT("%2"),   STR_INIT("a%"),	STR_INIT("%g0"),
		STR_INIT("%0g"),    STR_INIT("%00"),  STR_INIT("a\0b"), STR_INIT("%FF"),
		STR_INIT("%C3"),    STR_INIT("\xff"), STR_INIT("%-1"),	STR_INIT("% 1"),
		STR_INIT("%C0%AF"),
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		str value = STR("kept");
		cr_expect(!url_decode(&arena, bad[i], &value), "row %zu", i);
		cr_expect(str_eq(value, STR("kept")), "row %zu", i);
	}
}

Test(url, encodes_all_but_unreserved)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(1));
	url_encode(&b, STR("aZ09-._~ /+:%\xC3\xA4\n"));
	cr_assert(str_eq(buf_str(&b), STR("aZ09-._~%20%2F%2B%3A%25%C3%A4%0A")));
}

Test(url, query_parameters)
{
	str query = STR("n=10&last=a%2Fb&&tag=x&tag=y&empty&t%61g=z&=odd&eq=a=b"), value;
	cr_assert(url_query_get(&arena, query, STR("n"), &value) && str_eq(value, STR("10")));
	cr_assert(url_query_get(&arena, query, STR("last"), &value) && str_eq(value, STR("a/b")));
	cr_assert(url_query_get(&arena, query, STR("empty"), &value) && value.len == 0);
	cr_assert(url_query_get(&arena, query, STR("eq"), &value) && str_eq(value, STR("a=b")));
	cr_assert(url_query_has(query, STR("tag")) && !url_query_has(query, STR("ta")) &&
		  !url_query_has(query, STR("tags")) && !url_query_has(STR_NONE, STR("n")));

	str rest = query;
	cr_assert(url_query_next(&arena, &rest, STR("tag"), &value) && str_eq(value, STR("x")));
	cr_assert(url_query_next(&arena, &rest, STR("tag"), &value) && str_eq(value, STR("y")));
	cr_assert(url_query_next(&arena, &rest, STR("tag"), &value) && str_eq(value, STR("z")));
	cr_assert(!url_query_next(&arena, &rest, STR("tag"), &value));
	cr_assert(!url_query_get(&arena, STR("a=%"), STR("a"), &value));
	cr_assert(url_query_has(STR("a=%"), STR("a")));
	cr_assert(!url_query_get(&arena, STR("%=b"), STR("%"), &value));
}

Test(url, regression_plus_stays_plus_in_artifact_types)
{
	str value;
	cr_assert(url_query_get(&arena, STR("artifactType=application/vnd.a+json"),
				STR("artifactType"), &value));
	cr_assert(str_eq(value, STR("application/vnd.a+json")));
}

Test(form, plus_means_blank)
{
	str body = STR("grant_type=password&username=a%2Bb&password=x+y%20z&scope=a+b&scope=c");
	str value;
	cr_assert(form_get(&arena, body, STR("password"), &value) && str_eq(value, STR("x y z")));
	cr_assert(form_get(&arena, body, STR("username"), &value) && str_eq(value, STR("a+b")));
	cr_assert(!form_get(&arena, body, STR("client_id"), &value));
	str rest = body;
	cr_assert(form_next(&arena, &rest, STR("scope"), &value) && str_eq(value, STR("a b")));
	cr_assert(form_next(&arena, &rest, STR("scope"), &value) && str_eq(value, STR("c")));
	cr_assert(!form_next(&arena, &rest, STR("scope"), &value));
}

Test(form, large_bodies_are_not_read)
{
	char *body = arena_alloc(&arena, FORM_BYTES_MAX + 1);
	memset(body, 'a', FORM_BYTES_MAX + 1);
	body[1] = '=';
	str value;
	cr_assert(form_get(&arena, (str){ body, FORM_BYTES_MAX }, STR("a"), &value));
	cr_assert(!form_get(&arena, (str){ body, FORM_BYTES_MAX + 1 }, STR("a"), &value));
}
