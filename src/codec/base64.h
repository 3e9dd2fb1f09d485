/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64.h - RFC 4648: standard (§4, padded) and URL-safe (§5, unpadded as in JOSE).
 *
 * Decoding is strict, so that bytes have one text only: exact padding, no blanks, unused bits zero.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum base64_alphabet { BASE64_STANDARD, BASE64_URL };

void base64_encode(struct buf *b, enum base64_alphabet alphabet, str bytes);

/* Into the arena, NUL-terminated behind its length. False for bad text or when the arena is full.
 */
bool base64_decode(struct arena *arena, enum base64_alphabet alphabet, str text, str *ret);
