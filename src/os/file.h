/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - files and directories, with whole reads and writes and errors as err_t.
 *
 * Paths are relative to a directory descriptor (AT_FDCWD for the working directory). Everything
 * opened is close-on-exec. Calls restart after signals.
 *
 * Errors: ERR_ABSENT (no such file), ERR_EXISTS, ERR_STORAGE_FULL (no space, disk quota, file size
 * limit), ERR_LIMIT (larger than the caller allows), ERR_STORAGE (everything else; errno is
 * recorded).
 */
#pragma once

#include "base/ctx.h"

#include <sys/types.h>

/* CLEANUP(file_done) int fd = -1; closes unless -1. */
void file_done(int *fd);

/* The error that stands for `sys_errno`, as listed above. */
err_t file_error(int sys_errno);

/* `flags` as for open(2); `mode` counts with O_CREAT only. */
err_t file_open(struct ctx *ctx, int dir_fd, const char *path, int flags, mode_t mode, int *ret_fd);
err_t file_open_dir(struct ctx *ctx, int dir_fd, const char *path, int *ret_fd);

err_t file_size(struct ctx *ctx, int fd, uint64_t *ret_bytes);

/* Reads at `offset` until `len` bytes are there or the file ends (`*ret_len` < `len`). */
err_t file_read_at(struct ctx *ctx, int fd, uint64_t offset, void *into, size_t len,
		   size_t *ret_len);

/* The whole file in the arena, NUL-terminated behind its length. ERR_LIMIT past `max_bytes`. */
err_t file_read_all(struct ctx *ctx, int dir_fd, const char *path, size_t max_bytes, str *ret);

/* Writes all of it at the file's position / at `offset`. A part may be there after a failure. */
err_t file_write_all(struct ctx *ctx, int fd, const void *bytes, size_t len);
err_t file_write_all_at(struct ctx *ctx, int fd, uint64_t offset, const void *bytes, size_t len);

/* Bytes (and size) are durable / the names in a directory are durable. */
err_t file_sync_data(struct ctx *ctx, int fd);
err_t file_sync_dir(struct ctx *ctx, int dir_fd);

err_t file_rename(struct ctx *ctx, int from_dir_fd, const char *from, int to_dir_fd,
		  const char *to);
err_t file_remove(struct ctx *ctx, int dir_fd, const char *path); /* OK when already gone */

/* One directory; OK when it is already there. `*ret_created` may be NULL. */
err_t file_make_dir(struct ctx *ctx, int dir_fd, const char *path, mode_t mode, bool *ret_created);
/* The same with its missing parents. Names are not made durable. */
err_t file_make_dirs(struct ctx *ctx, const char *path, mode_t mode);

/*
 * Gives `path` this content, all or nothing, durably: a temporary file beside it, fsync, rename,
 * fsync of the directory. For small files: keys, settings, marks.
 */
err_t file_replace(struct ctx *ctx, int dir_fd, const char *path, mode_t mode, str content);
