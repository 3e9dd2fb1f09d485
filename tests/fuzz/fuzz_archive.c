/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an archive, in pieces of any size: what comes out fits, and nothing runs away. */
#include "base/error.h"
#include "codec/archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct pieces {
	const uint8_t *bytes;
	size_t len, piece;
};

static ptrdiff_t next_piece(void *arg, const void **ret_bytes)
{
	struct pieces *pieces = arg;
	size_t len = pieces->len < pieces->piece ? pieces->len : pieces->piece;
	*ret_bytes = pieces->bytes;
	pieces->bytes += len;
	pieces->len -= len;
	return (ptrdiff_t)len;
}

static void find(const uint8_t *bytes, size_t len, size_t piece, str name)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(64));
	struct pieces pieces = { bytes, len, piece };
	const struct archive_source source = { next_piece, &pieces };
	enum archive_got got = archive_find(&source, name, &b);
	CHECK(got == ARCHIVE_FOUND || got == ARCHIVE_ABSENT || got == ARCHIVE_TOO_LARGE ||
	      got == ARCHIVE_BAD);
	CHECK(b.len <= KIB(64));
}

/* The first byte chooses how large the pieces are. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	find(bytes + 1, len - 1, 1 + (size_t)bytes[0] * 16, STR("values.yaml"));
	find(bytes + 1, len - 1, 4096, STR_NONE);
	return 0;
}
