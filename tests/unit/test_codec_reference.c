/* SPDX-License-Identifier: Apache-2.0 */
/* distribution-spec, "Pulling manifests": every line of the grammar of names and tags. */
#include <criterion/criterion.h>
#include <string.h>

#include "codec/reference.h"

#define HEX32 "0123456789abcdef0123456789abcdef"

Test(reference, repository_names)
{
	static const str good[] = {
		STR_INIT("a"),
		STR_INIT("0"),
		STR_INIT("library/app"),
		STR_INIT("a/b/c/d/e/f"),
		STR_INIT("a.b"),
		STR_INIT("a_b"),
		STR_INIT("a__b"),
		STR_INIT("a-b"),
		STR_INIT("a---b"),
		STR_INIT("a.b_c__d-e--f/g"),
		/* Words of our own paths are names like others. */
		STR_INIT("a/manifests/b"),
		STR_INIT("x/blobs/uploads"),
		STR_INIT("tags/list"),
		STR_INIT("v2"),
	};
	static const str bad[] = {
		STR_INIT(""),	      STR_INIT("/"),	    STR_INIT("a/"),	  STR_INIT("/a"),
		STR_INIT("a//b"),     STR_INIT("A"),	    STR_INIT("a/B"),	  STR_INIT("a..b"),
		STR_INIT("a___b"),    STR_INIT("a._b"),	    STR_INIT("a.-b"),	  STR_INIT("a-_b"),
		STR_INIT(".a"),	      STR_INIT("a."),	    STR_INIT("_a"),	  STR_INIT("a_"),
		STR_INIT("-a"),	      STR_INIT("a-"),	    STR_INIT("a/-b"),	  STR_INIT("a/b-"),
		STR_INIT("_catalog"), STR_INIT("_oci/ext"), STR_INIT("a b"),	  STR_INIT("a:b"),
		STR_INIT("a@b"),      STR_INIT("a\0b"),	    STR_INIT("a\n"),	  STR_INIT("../a"),
		STR_INIT("a/../b"),   STR_INIT("a/./b"),    STR_INIT("\xC3\xA4"), STR_INIT("a%2fb"),
		STR_INIT("a\\b"),
	};
	for (size_t i = 0; i < COUNT_OF(good); i++)
		cr_expect(reference_is_repository(good[i]), STR_FMT, STR_ARG(good[i]));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect(!reference_is_repository(bad[i]), "row %zu: " STR_FMT, i,
			  STR_ARG(bad[i]));
	cr_expect(!reference_is_repository(STR_NONE));
}

Test(reference, repository_length)
{
	char name[REPOSITORY_NAME_MAX + 1];
	memset(name, 'a', sizeof name);
	cr_assert(reference_is_repository((str){ name, REPOSITORY_NAME_MAX }));
	cr_assert(!reference_is_repository((str){ name, REPOSITORY_NAME_MAX + 1 }));
}

Test(reference, tags)
{
	static const str good[] = {
		STR_INIT("latest"), STR_INIT("1.0"), STR_INIT("_x"),
		STR_INIT("A"),	    STR_INIT("0"),   STR_INIT("a.-_B"),
		STR_INIT("a.."),    STR_INIT("a-"),  STR_INIT("sha256-" HEX32 HEX32 ".sig"),
	};
	static const str bad[] = {
		STR_INIT(""),	 STR_INIT(".a"),
		STR_INIT("-a"),	 STR_INIT("a b"),
		STR_INIT("a/b"), STR_INIT("a+b"),
		STR_INIT("a:b"), STR_INIT(".INVALID_MANIFEST_NAME"),
		STR_INIT("a\0"), STR_INIT("a\n"),
		STR_INIT("a@b"), STR_INIT("\xC3\xA4"),
		STR_INIT("a,b"), STR_INIT(".."),
	};
	for (size_t i = 0; i < COUNT_OF(good); i++)
		cr_expect(reference_is_tag(good[i]), STR_FMT, STR_ARG(good[i]));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect(!reference_is_tag(bad[i]), "row %zu", i);
}

Test(reference, tag_length)
{
	char tag[TAG_NAME_MAX + 1];
	memset(tag, 'a', sizeof tag);
	cr_assert(reference_is_tag((str){ tag, TAG_NAME_MAX }));
	cr_assert(!reference_is_tag((str){ tag, TAG_NAME_MAX + 1 }));
}

Test(reference, project_is_the_first_segment)
{
	cr_assert(str_eq(reference_project(STR("team/app/web")), STR("team")));
	cr_assert(str_eq(reference_project(STR("app")), STR("library")));
}

Test(reference, behind_manifests_stands_a_tag_or_a_digest)
{
	struct reference r = { .tag = STR("kept") };
	cr_assert_eq(reference_parse(STR("sha256:totallywrong"), &r), REFERENCE_INVALID_DIGEST);
	cr_assert_eq(reference_parse(STR("a:b"), &r), REFERENCE_INVALID_DIGEST);
	cr_assert_eq(reference_parse(STR(".x"), &r), REFERENCE_INVALID_TAG);
	cr_assert_eq(reference_parse(STR(""), &r), REFERENCE_INVALID_TAG);
	cr_assert(str_eq(r.tag, STR("kept")));
	cr_assert_eq(reference_parse(STR("v1"), &r), REFERENCE_TAG);
	cr_assert(str_eq(r.tag, STR("v1")) && digest_is_none(r.digest));
	cr_assert_eq(reference_parse(STR("sha256:" HEX32 HEX32), &r), REFERENCE_DIGEST);
	cr_assert(r.tag.len == 0 && r.digest.algorithm == DIGEST_SHA256);
}
