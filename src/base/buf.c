/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c - see buf.h. */
#include "base/buf.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

void buf_done(struct buf *b)
{
	free(b->ptr);
	*b = (struct buf)BUF_INIT(b->max);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->overrun = false;
}

char *buf_reserve(struct buf *b, size_t count)
{
	if (b->overrun || count > b->max || b->len > b->max - count) {
		b->overrun = true;
		return NULL;
	}
	if (!b->ptr || b->len + count > b->cap) {
		size_t cap = MAX(MAX(b->cap * 2, b->len + count), (size_t)64);
		b->cap = MIN(cap, b->max);
		b->ptr = mem_resize(b->ptr, b->cap);
	}
	return b->ptr + b->len;
}

void buf_add(struct buf *b, str s)
{
	if (s.len == 0)
		return;
	char *at = buf_reserve(b, s.len);
	if (!at)
		return;
	memcpy(at, s.ptr, s.len);
	b->len += s.len;
}

void buf_add_byte(struct buf *b, char byte)
{
	buf_add(b, (str){ &byte, 1 });
}

void buf_add_u64(struct buf *b, uint64_t value)
{
	char digits[20];
	size_t at = sizeof digits;
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	buf_add(b, (str){ digits + at, sizeof digits - at });
}

void buf_vprintf(struct buf *b, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	char small[256];
	int need = vsnprintf(small, sizeof small, format, args);
	if (need >= 0 && (size_t)need < sizeof small) {
		buf_add(b, (str){ small, (size_t)need });
	} else if (need > 0) {
		char *at = buf_reserve(b, (size_t)need + 1);
		if (at) {
			vsnprintf(at, (size_t)need + 1, format, again);
			b->len += (size_t)need;
		}
	}
	va_end(again);
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	buf_vprintf(b, format, args);
	va_end(args);
}

void buf_drop(struct buf *b, size_t count)
{
	count = MIN(count, b->len);
	if (count && count < b->len)
		memmove(b->ptr, b->ptr + count, b->len - count);
	b->len -= count;
}

str buf_str(const struct buf *b)
{
	return (str){ b->ptr, b->len };
}

bool buf_overrun(const struct buf *b)
{
	return b->overrun;
}
