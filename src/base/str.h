/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str.h - a view of bytes that somebody else owns.
 *
 * A `str` is not NUL-terminated and may contain any byte. It lives as long as what it points into:
 * the request's arena, a connection's head buffer, or a literal. Functions never write through it.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct str {
	const char *ptr;
	size_t len;
} str;

/* A literal as a str, usable in static initialisers. */
#define STR(literal) ((str){ "" literal, sizeof(literal) - 1 })
#define STR_INIT(literal)                                                                          \
	{                                                                                          \
		"" literal, sizeof(literal) - 1                                                    \
	}
#define STR_NONE ((str){ NULL, 0 })

/* printf("%" STR_FMT, STR_ARG(s)) is spelled printf(STR_FMT, STR_ARG(s)). */
#define STR_FMT	   "%.*s"
#define STR_ARG(s) (int)(s).len, (s).ptr

str str_from(const char *nul_terminated); /* NULL gives STR_NONE */

/* Compare. str_cmp orders bytes as unsigned, shorter first on a tie, like memcmp. */
bool str_eq(str a, str b);
bool str_eq_nocase(str a, str b); /* ASCII only */
int str_cmp(str a, str b);
bool str_has_prefix(str s, str prefix);
bool str_has_suffix(str s, str suffix);
bool str_has_byte(str s, char byte);
bool str_find(str s, str needle, size_t *ret_at);

/* Equal in time that depends on the lengths only; for secrets. */
bool str_eq_secret(str a, str b);

/* Cut pieces. Out-of-range counts are clamped. */
str str_skip(str s, size_t count); /* without the first `count` bytes */
str str_take(str s, size_t count); /* the first `count` bytes */
str str_trim(str s);		   /* without blanks and tabs at both ends */

/* Splits at the first / last `separator`. False, and nothing set, when it is absent. */
bool str_cut(str s, char separator, str *ret_before, str *ret_after);
bool str_cut_last(str s, char separator, str *ret_before, str *ret_after);

/*
 * Takes the next piece off `*rest` up to `separator`. False at the end. "a,,b" gives "a", "", "b";
 * an empty rest gives nothing. `for (str item; str_next(&list, ',', &item);) …`
 */
bool str_next(str *rest, char separator, str *ret_piece);

/* Decimal digits only, no sign, no blank, at most `max`. False, and nothing set, otherwise. */
bool str_to_u64(str s, uint64_t max, uint64_t *ret);

/* True if `s` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool str_is_utf8(str s);

/* 64-bit hash for tables in this process; keyed at start, so outsiders cannot aim at buckets. */
uint64_t str_hash(str s);
