/* SPDX-License-Identifier: Apache-2.0 */
/* md5.h - MD5 (RFC 1321), by which S3 names what it stored. It protects against accidents, and
 * against nobody. */
#pragma once

#include "base/str.h"

#define MD5_BYTES    16
#define MD5_TEXT_LEN 32

/* False where the system's policy has none. */
bool md5(str bytes, unsigned char ret[MD5_BYTES]);
/* In hex; empty then. */
bool md5_text(str bytes, char ret[MD5_TEXT_LEN + 1]);
