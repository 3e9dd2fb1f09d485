/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mask.h - what somebody else said, without the secrets that he was sent.
 *
 * He may say them as they are, as JSON spells them (RFC 8259 §7: `\/`, `\u0026`) or as URLs do
 * (RFC 3986 §2.1, and `+` for a blank). Each place where a secret is becomes one MASK, and so does
 * the end of a text that was cut off in the middle of one. Who made something else of it (base64 of
 * a header, a piece from the middle) is not found out.
 */
#pragma once

#include "base/buf.h"

#define MASK "********"

/* Adds as much of it as `b` has room for, never half a secret. Empty secrets are none. */
void mask_add(struct buf *b, const str *secrets, size_t count, str text);
