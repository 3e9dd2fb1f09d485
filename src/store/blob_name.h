/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blob_name.h - what a blob is called in a store: its digest, and which edition of it.
 *
 * Nearly all are the first edition, 0. There is another one where somebody may not have ended
 * removing the one before: he knows its name only, however late he goes on (registry/collect.h).
 */
#pragma once

#include "codec/digest.h"

typedef struct blob_name {
	digest digest;
	uint32_t edition;
} blob_name;

/* "<hex>", and in later editions "<hex>.<edition>": the last part of names of files and objects. */
#define BLOB_NAME_TEXT_MAX (2 * DIGEST_BYTES_MAX + 12) /* with the NUL */
void blob_name_text(blob_name name, char into[BLOB_NAME_TEXT_MAX]);
/* False, and nothing set, for anything else than one of these. */
bool blob_name_parse(enum digest_algorithm algorithm, str text, blob_name *ret);
bool blob_name_equal(blob_name a, blob_name b);
