/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest.h - a content digest as a value: sha256 or sha512, kept as raw bytes.
 *
 * The text form is `algorithm:hex` in lower case (OCI image-spec, descriptor.md, "Digests"). Upper
 * case hex, other lengths and unknown algorithms are refused. The zero value is "no digest".
 * Bytes behind the algorithm's size are always zero, so the struct itself can be a key of bytes.
 */
#pragma once

#include "base/str.h"

enum digest_algorithm { DIGEST_NONE, DIGEST_SHA256, DIGEST_SHA512 };

#define DIGEST_BYTES_MAX 64
#define DIGEST_TEXT_MAX	 (7 + 128 + 1) /* with the NUL */

typedef struct digest {
	unsigned char algorithm; /* enum digest_algorithm */
	unsigned char bytes[DIGEST_BYTES_MAX];
} digest;

struct digest_text {
	char text[DIGEST_TEXT_MAX];
};

/* printf("blob " DIGEST_FMT, DIGEST_ARG(d)): the text lives until the end of the expression. */
#define DIGEST_FMT    "%s"
#define DIGEST_ARG(d) (digest_format(d).text)

/* False, and nothing set, unless `text` is a well-formed digest of a known algorithm. */
bool digest_parse(str text, digest *ret);

/* True if `text` fits the general grammar, whatever the algorithm: such digests may stand in
 * descriptors and must not be refused there. */
bool digest_is_grammatical(str text);

struct digest_text digest_format(digest d); /* empty for no digest */
bool digest_equal(digest a, digest b);
bool digest_is_none(digest d);

size_t digest_size(enum digest_algorithm algorithm); /* 32, 64, 0 */
const char *digest_algorithm_name(enum digest_algorithm algorithm);
bool digest_algorithm_parse(str name, enum digest_algorithm *ret);
