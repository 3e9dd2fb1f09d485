/* SPDX-License-Identifier: Apache-2.0 */
/* What passes as a name is safe in a path, a header and a URL, and the hand-written grammar agrees
 * with regex. */
#include <regex.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"
#include "codec/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define COMPONENT "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*"

static bool matches(const regex_t *pattern, str s)
{
	if (str_has_byte(s, '\0'))
		return false;
	CLEANUP(mem_done) char *text = mem_copy(s);
	return regexec(pattern, text, 0, NULL, 0) == 0;
}

static void check_against_regex(str text)
{
	static regex_t repository, tag;
	static bool compiled;
	if (!compiled) {
		CHECK(!regcomp(&repository, "^" COMPONENT "(/" COMPONENT ")*$",
			       REG_EXTENDED | REG_NOSUB));
		CHECK(!regcomp(&tag, "^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$",
			       REG_EXTENDED | REG_NOSUB));
		compiled = true;
	}
	bool short_enough = text.len <= REPOSITORY_NAME_MAX;
	CHECK(reference_is_repository(text) == (short_enough && matches(&repository, text)));
	CHECK(reference_is_tag(text) == matches(&tag, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	str text = { (const char *)bytes, MIN(len, (size_t)300) };
	struct reference r;
	check_against_regex(text);
	if (reference_is_repository(text)) {
		str project = reference_project(text);
		CHECK(reference_is_repository(project) && !str_has_byte(project, '/'));
	}
	switch (reference_parse(text, &r)) {
	case REFERENCE_TAG:
		CHECK(reference_is_tag(text) && str_eq(r.tag, text) && digest_is_none(r.digest));
		break;
	case REFERENCE_DIGEST:
		CHECK(str_eq(str_from(digest_format(r.digest).text), text) && r.tag.len == 0);
		break;
	case REFERENCE_INVALID_TAG:
		CHECK(!str_has_byte(text, ':') && !reference_is_tag(text));
		break;
	case REFERENCE_INVALID_DIGEST:
		CHECK(str_has_byte(text, ':'));
		break;
	}
	return 0;
}
