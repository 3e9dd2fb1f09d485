/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive.h - one file out of a tar archive, gzipped or not, that a stranger packed; libarchive
 * stays behind this door.
 *
 * Nothing is unpacked anywhere: entries are walked and the wanted one is copied into a buf. Names
 * are compared, never used, so no ".." leads anywhere. Limits hold for what comes out, whatever the
 * archive says of itself: a file of at most the buf's size, ARCHIVE_BYTES_MAX and
 * ARCHIVE_ENTRIES_MAX on the way to it.
 */
#pragma once

#include "base/buf.h"

#define ARCHIVE_BYTES_MAX   MIB(64)
#define ARCHIVE_ENTRIES_MAX 10000

/* Where the archive's bytes come from: as many as there are at once, 0 at the end, -1 on failure.
 */
struct archive_source {
	ptrdiff_t (*read)(void *arg, const void **ret_bytes);
	void *arg;
};

enum archive_got {
	ARCHIVE_FOUND,
	ARCHIVE_ABSENT,
	ARCHIVE_TOO_LARGE, /* the file, or the way to it */
	ARCHIVE_BAD,	   /* no archive, or the source failed */
};

/*
 * The first regular file of this name (ASCII case does not matter) in a folder at the top: `name`
 * README.md finds "chart/README.md". An empty name takes the first file wherever it lies.
 */
enum archive_got archive_find(const struct archive_source *source, str name, struct buf *into);
