/* SPDX-License-Identifier: Apache-2.0 */
/* archive.c - see archive.h. */
#include "codec/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

#include "base/banned.h"

#define PIECE KIB(16)

struct reading {
	const struct archive_source *source;
	struct archive *archive;
	size_t passed; /* bytes that came out so far */
};

static la_ssize_t read_piece(struct archive *archive, void *arg, const void **ret_bytes)
{
	struct reading *reading = arg;
	ptrdiff_t len = reading->source->read(reading->source->arg, ret_bytes);
	if (len < 0)
		archive_set_error(archive, EIO, "source failed");
	return len;
}

static void archive_done(struct archive **archive)
{
	if (*archive)
		archive_read_free(*archive);
}

static bool is_wanted(struct archive_entry *entry, str wanted)
{
	str path = str_from(archive_entry_pathname(entry));
	str folder, name;
	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
		return false;
	if (!wanted.len)
		return true;
	if (str_has_prefix(path, STR("./")))
		path = str_skip(path, 2);
	return str_cut(path, '/', &folder, &name) && folder.len && !str_eq(folder, STR("..")) &&
	       str_eq_nocase(name, wanted);
}

/* Whether this entry and what came before stay within the limit. */
static bool fits(struct reading *reading, struct archive_entry *entry)
{
	int64_t size = archive_entry_size(entry);
	if (size < 0 || (uint64_t)size > ARCHIVE_BYTES_MAX - reading->passed)
		return false;
	reading->passed += (size_t)size;
	return true;
}

static enum archive_got copy_file(struct reading *reading, struct buf *into)
{
	for (;;) {
		char *room = buf_reserve(into, PIECE);
		if (!room)
			return ARCHIVE_TOO_LARGE;
		la_ssize_t len = archive_read_data(reading->archive, room, PIECE);
		if (len < 0)
			return ARCHIVE_BAD;
		if (len == 0)
			return ARCHIVE_FOUND;
		into->len += (size_t)len;
	}
}

static enum archive_got walk(struct reading *reading, str wanted, struct buf *into)
{
	for (int entries = 0; entries < ARCHIVE_ENTRIES_MAX; entries++) {
		struct archive_entry *entry;
		int code = archive_read_next_header(reading->archive, &entry);
		if (code == ARCHIVE_EOF)
			return ARCHIVE_ABSENT;
		if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
			return ARCHIVE_BAD;
		if (!fits(reading, entry))
			return ARCHIVE_TOO_LARGE;
		if (is_wanted(entry, wanted))
			return copy_file(reading, into);
	}
	return ARCHIVE_TOO_LARGE;
}

enum archive_got archive_find(const struct archive_source *source, str name, struct buf *into)
{
	CLEANUP(archive_done) struct archive *archive = archive_read_new();
	struct reading reading = { .source = source, .archive = archive };
	if (!archive || archive_read_support_filter_gzip(archive) != ARCHIVE_OK ||
	    archive_read_support_format_tar(archive) != ARCHIVE_OK ||
	    archive_read_open(archive, &reading, NULL, read_piece, NULL) != ARCHIVE_OK)
		return ARCHIVE_BAD;
	return walk(&reading, name, into);
}
