/* SPDX-License-Identifier: Apache-2.0 */
/* remote_reader.c - see remote_reader.h. */
#include "remote_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

bool remote_range_is(str field, uint64_t first, uint64_t last, uint64_t *ret_size_bytes)
{
	str unit, rest, range, all, from, to;
	uint64_t have_first, have_last;
	return str_cut(field, ' ', &unit, &rest) && str_cut(rest, '/', &range, &all) &&
	       str_cut(range, '-', &from, &to) && str_to_u64(from, INT64_MAX, &have_first) &&
	       str_to_u64(to, INT64_MAX, &have_last) &&
	       str_to_u64(all, INT64_MAX, ret_size_bytes) && have_first == first &&
	       have_last <= last;
}

static bool is_broken_off(err_t err)
{
	return err == ERR_UPSTREAM_UNREACHABLE || err == ERR_UPSTREAM_INVALID;
}

/* One try, on what is there or on a new request. */
static err_t read_some(struct ctx *ctx, struct remote_reader *r, uint64_t offset, void *into,
		       size_t len, size_t *ret_len)
{
	REMOTE_CALL(call, ctx);
	if (r->pull && r->offset != offset)
		client_pull_end(&r->pull);
	if (!r->pull) {
		err_t err = r->begin(&call.ctx, r->arg, offset, &r->pull);
		if (err != OK) /* that was tried often enough */
			return is_broken_off(err) ? ERR_STORAGE : err;
		r->offset = offset;
	}
	err_t err = client_pull_read(&call.ctx, r->pull, into, len, ret_len);
	if (err == OK && *ret_len == 0)
		err = fail(&call.ctx, ERR_UPSTREAM_UNREACHABLE,
			   "an object ends at %llu of %llu bytes", (unsigned long long)offset,
			   (unsigned long long)r->size_bytes);
	if (err != OK)
		client_pull_end(&r->pull);
	else
		r->offset += *ret_len;
	return err;
}

err_t remote_reader_read(struct ctx *ctx, struct remote_reader *r, uint64_t offset, void *into,
			 size_t len, size_t *ret_len)
{
	len = MIN((uint64_t)len, r->size_bytes - MIN(offset, r->size_bytes));
	*ret_len = offset < r->first_len ? MIN(len, r->first_len - (size_t)offset) : 0;
	if (*ret_len) {
		memcpy(into, r->first + offset, *ret_len);
		return OK;
	}
	for (unsigned try = 1; len > 0; try++) {
		err_t err = read_some(ctx, r, offset, into, len, ret_len);
		if (err == OK || !is_broken_off(err))
			return err == ERR_ABSENT ? ERR_STORAGE : err;
		if (try >= REMOTE_TRIES_MAX || remote_wait(ctx, try, 0) != OK)
			return ERR_STORAGE;
		ctx_forgive(ctx);
	}
	return OK;
}

void remote_reader_done(struct remote_reader *reader)
{
	client_pull_end(&reader->pull);
	free(reader->first);
	*reader = (struct remote_reader){ 0 };
}
