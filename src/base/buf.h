/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.h - a byte string under construction, which cannot exist without a maximum.
 *
 * Growing past the maximum does not fail the call: it marks the buf as overrun, drops the piece,
 * and drops all that follows. Build freely, ask once at the end: `if (buf_overrun(&b)) return
 * fail(…)`. Memory comes from malloc; a failed allocation within the maximum ends the process.
 *
 *	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
 *	buf_printf(&b, "%s-%d", name, n);
 *	use(buf_str(&b));
 */
#pragma once

#include "base/str.h"

#include <stdarg.h>

struct buf {
	char *ptr;
	size_t len;
	size_t cap;
	size_t max;
	bool overrun;
};

#define BUF_INIT(max_bytes)                                                                        \
	{                                                                                          \
		.max = (max_bytes)                                                                 \
	}

void buf_done(struct buf *b);  /* frees; the buf may be used again */
void buf_clear(struct buf *b); /* empties, keeps the memory, forgets an overrun */

void buf_add(struct buf *b, str s);
void buf_add_byte(struct buf *b, char byte);
void buf_add_u64(struct buf *b, uint64_t value);
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *format, va_list args) PRINTF_LIKE(2, 0);

/* Makes room for `count` more bytes and returns where they go, or NULL past the maximum. */
char *buf_reserve(struct buf *b, size_t count);

/* Removes the first `count` bytes. */
void buf_drop(struct buf *b, size_t count);

str buf_str(const struct buf *b); /* valid until the next change */
bool buf_overrun(const struct buf *b);
