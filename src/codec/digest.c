/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c - see digest.h. Image-spec, descriptor.md, "Digests" and "Registered algorithms". */
#include "codec/digest.h"
#include "codec/hex.h"

#include "base/error.h"

#include <string.h>

#include "base/banned.h"

static const struct {
	const char *name;
	size_t size;
} algorithms[] = {
	[DIGEST_NONE] = { "", 0 },
	[DIGEST_SHA256] = { "sha256", 32 },
	[DIGEST_SHA512] = { "sha512", 64 },
};

size_t digest_size(enum digest_algorithm algorithm)
{
	CHECK((unsigned)algorithm < COUNT_OF(algorithms));
	return algorithms[algorithm].size;
}

const char *digest_algorithm_name(enum digest_algorithm algorithm)
{
	CHECK((unsigned)algorithm < COUNT_OF(algorithms));
	return algorithms[algorithm].name;
}

bool digest_algorithm_parse(str name, enum digest_algorithm *ret)
{
	for (size_t i = DIGEST_NONE + 1; i < COUNT_OF(algorithms); i++) {
		if (str_eq(name, str_from(algorithms[i].name))) {
			*ret = (enum digest_algorithm)i;
			return true;
		}
	}
	return false;
}

bool digest_parse(str text, digest *ret)
{
	str name, hex;
	enum digest_algorithm algorithm;
	digest parsed = { 0 };

	if (!str_cut(text, ':', &name, &hex) || !digest_algorithm_parse(name, &algorithm))
		return false;
	if (hex.len != 2 * digest_size(algorithm) || !hex_decode(hex, parsed.bytes))
		return false;
	parsed.algorithm = (unsigned char)algorithm;
	*ret = parsed;
	return true;
}

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* algorithm ::= component ([+._-] component)*, component ::= [a-z0-9]+ */
static bool is_algorithm(str s)
{
	bool in_component = false;
	for (size_t i = 0; i < s.len; i++) {
		bool separator = str_has_byte(STR("+._-"), s.ptr[i]);
		if (separator ? !in_component : !is_lower_or_digit(s.ptr[i]))
			return false;
		in_component = !separator;
	}
	return in_component;
}

/* encoded ::= [a-zA-Z0-9=_-]+ */
static bool is_encoded(str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (!is_lower_or_digit(c) && !(c >= 'A' && c <= 'Z') && c != '=' && c != '_' &&
		    c != '-')
			return false;
	}
	return s.len > 0;
}

bool digest_is_grammatical(str text)
{
	str algorithm, encoded;
	return str_cut(text, ':', &algorithm, &encoded) && is_algorithm(algorithm) &&
	       is_encoded(encoded);
}

struct digest_text digest_format(digest d)
{
	struct digest_text formatted = { 0 };
	if (digest_is_none(d))
		return formatted;
	str name = str_from(digest_algorithm_name(d.algorithm));
	str bytes = { (const char *)d.bytes, digest_size(d.algorithm) };
	memcpy(formatted.text, name.ptr, name.len);
	formatted.text[name.len] = ':';
	hex_encode(bytes, formatted.text + name.len + 1);
	return formatted;
}

bool digest_equal(digest a, digest b)
{
	return a.algorithm == b.algorithm &&
	       memcmp(a.bytes, b.bytes, digest_size(a.algorithm)) == 0;
}

bool digest_is_none(digest d)
{
	return d.algorithm == DIGEST_NONE;
}
