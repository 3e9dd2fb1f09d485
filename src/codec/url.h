/* SPDX-License-Identifier: Apache-2.0 */
/* url.h - percent-coding (RFC 3986 §2.1) and query strings. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

/*
 * Decodes %XX. `+` stays a plus: media types and artifact types contain it. False on a broken
 * escape, a NUL byte, or bad UTF-8. `*ret` is `text` itself when nothing was escaped. The caller
 * bounds the length: the copy is taken with arena_alloc.
 */
bool url_decode(struct arena *arena, str text, str *ret);

/* Appends `text` with everything but unreserved characters escaped. */
void url_encode(struct buf *b, str text);

/*
 * The decoded value of the first / next parameter `name` in a raw query string. url_query_next
 * walks all values: start with `*rest = query`. False when there is none (left) or its value does
 * not decode; ask url_query_has to tell the two apart. A parameter without `=` has an empty value.
 */
bool url_query_get(struct arena *arena, str query, str name, str *ret);
bool url_query_next(struct arena *arena, str *rest, str name, str *ret);
bool url_query_has(str query, str name);

/* For codecs with the same shape (form.h): the next raw pair, and whether a raw name decodes to
 * `name`. */
bool url_query_pair(str *rest, str *ret_name, str *ret_value);
bool url_name_is(str raw, str name);
