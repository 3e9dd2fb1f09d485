/* SPDX-License-Identifier: Apache-2.0 */
/* hex.h - bytes as lower-case hexadecimal, and strictly back. */
#pragma once

#include "base/str.h"

/* Writes exactly `2 * bytes.len` digits, no NUL. */
void hex_encode(str bytes, char *into);

/*
 * Reads `text` into `text.len / 2` bytes. False, with `into` undefined, for an odd length or
 * anything but [0-9a-f]: upper case is refused, because a digest has one spelling only.
 */
bool hex_decode(str text, void *into);
