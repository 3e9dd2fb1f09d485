/* SPDX-License-Identifier: Apache-2.0 */
/* blob_name.c - see blob_name.h. */
#include "store/blob_name.h"
#include "base/error.h"
#include "codec/hex.h"

#include <stdio.h>

#include "base/banned.h"

void blob_name_text(blob_name name, char into[BLOB_NAME_TEXT_MAX])
{
	str bytes = { (const char *)name.digest.bytes, digest_size(name.digest.algorithm) };
	CHECK(bytes.len > 0);
	hex_encode(bytes, into);
	into[2 * bytes.len] = '\0';
	if (name.edition)
		snprintf(into + 2 * bytes.len, BLOB_NAME_TEXT_MAX - 2 * bytes.len, ".%u",
			 name.edition);
}

bool blob_name_parse(enum digest_algorithm algorithm, str text, blob_name *ret)
{
	size_t hex_len = 2 * digest_size(algorithm);
	blob_name name = { .digest.algorithm = (unsigned char)algorithm };
	char again[BLOB_NAME_TEXT_MAX];
	uint64_t edition = 0;
	if (!hex_len || text.len < hex_len ||
	    !hex_decode(str_take(text, hex_len), name.digest.bytes))
		return false;
	if (text.len > hex_len && !str_to_u64(str_skip(text, hex_len + 1), UINT32_MAX, &edition))
		return false;
	name.edition = (uint32_t)edition;
	blob_name_text(name, again);
	if (!str_eq(text, str_from(again))) /* one way to write it */
		return false;
	*ret = name;
	return true;
}

bool blob_name_equal(blob_name a, blob_name b)
{
	return a.edition == b.edition && digest_equal(a.digest, b.digest);
}
