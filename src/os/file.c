/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - see file.h. Fault points: file.open, file.read, file.write, file.sync, file.rename. */
#include "os/file.h"
#include "os/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h"

void file_done(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

err_t file_error(int sys_errno)
{
	switch (sys_errno) {
	case ENOENT:
	case ENOTDIR:
		return ERR_ABSENT;
	case EEXIST:
	case ENOTEMPTY:
		return ERR_EXISTS;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERR_STORAGE_FULL;
	default:
		return ERR_STORAGE;
	}
}

err_t file_open(struct ctx *ctx, int dir_fd, const char *path, int flags, mode_t mode, int *ret_fd)
{
	int fd = -1;
	do {
		if (!FAULT("file.open"))
			fd = openat(dir_fd, path, flags | O_CLOEXEC, mode);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return fail_errno(ctx, file_error(errno), "could not open %s", path);
	*ret_fd = fd;
	return OK;
}

err_t file_open_dir(struct ctx *ctx, int dir_fd, const char *path, int *ret_fd)
{
	return file_open(ctx, dir_fd, path, O_RDONLY | O_DIRECTORY, 0, ret_fd);
}

err_t file_size(struct ctx *ctx, int fd, uint64_t *ret_bytes)
{
	struct stat info;
	if (fstat(fd, &info) != 0)
		return fail_errno(ctx, file_error(errno), "could not stat a file");
	*ret_bytes = (uint64_t)info.st_size;
	return OK;
}

err_t file_read_at(struct ctx *ctx, int fd, uint64_t offset, void *into, size_t len,
		   size_t *ret_len)
{
	size_t have = 0;
	while (have < len) {
		ssize_t got = -1;
		if (!FAULT("file.read"))
			got = pread(fd, (char *)into + have, len - have, (off_t)(offset + have));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail_errno(ctx, file_error(errno), "could not read at %llu",
					  (unsigned long long)(offset + have));
		if (got == 0)
			break;
		have += (size_t)got;
	}
	*ret_len = have;
	return OK;
}

err_t file_read_all(struct ctx *ctx, int dir_fd, const char *path, size_t max_bytes, str *ret)
{
	CLEANUP(file_done) int fd = -1;
	uint64_t size;
	size_t len;
	TRY(file_open(ctx, dir_fd, path, O_RDONLY, 0, &fd));
	TRY(file_size(ctx, fd, &size));
	if (size > max_bytes)
		return fail(ctx, ERR_LIMIT, "%s is larger than %zu bytes", path, max_bytes);
	char *bytes = arena_try(ctx->arena, (size_t)size + 1);
	if (!bytes)
		return fail(ctx, ERR_LIMIT, "%s does not fit into memory", path);
	TRY(file_read_at(ctx, fd, 0, bytes, (size_t)size, &len));
	*ret = (str){ bytes, len };
	return OK;
}

err_t file_write_all(struct ctx *ctx, int fd, const void *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t put = -1;
		if (!FAULT("file.write"))
			put = write(fd, (const char *)bytes + done, len - done);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return fail_errno(ctx, file_error(errno), "could not write %zu bytes",
					  len - done);
		done += (size_t)put;
	}
	return OK;
}

err_t file_write_all_at(struct ctx *ctx, int fd, uint64_t offset, const void *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t put = -1;
		if (!FAULT("file.write"))
			put = pwrite(fd, (const char *)bytes + done, len - done,
				     (off_t)(offset + done));
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return fail_errno(ctx, file_error(errno), "could not write at %llu",
					  (unsigned long long)(offset + done));
		done += (size_t)put;
	}
	return OK;
}

/* Not retried: after a failed fsync the kernel may have dropped the pages, and a second one lies.
 */
err_t file_sync_data(struct ctx *ctx, int fd)
{
	if (FAULT("file.sync") || fdatasync(fd) != 0)
		return fail_errno(ctx, file_error(errno), "could not sync a file");
	return OK;
}

err_t file_sync_dir(struct ctx *ctx, int dir_fd)
{
	if (FAULT("file.sync") || fsync(dir_fd) != 0)
		return fail_errno(ctx, file_error(errno), "could not sync a directory");
	return OK;
}

err_t file_rename(struct ctx *ctx, int from_dir_fd, const char *from, int to_dir_fd, const char *to)
{
	if (FAULT("file.rename") || renameat(from_dir_fd, from, to_dir_fd, to) != 0)
		return fail_errno(ctx, file_error(errno), "could not rename %s to %s", from, to);
	return OK;
}

err_t file_remove(struct ctx *ctx, int dir_fd, const char *path)
{
	if (unlinkat(dir_fd, path, 0) != 0 && errno != ENOENT)
		return fail_errno(ctx, file_error(errno), "could not remove %s", path);
	return OK;
}

err_t file_make_dir(struct ctx *ctx, int dir_fd, const char *path, mode_t mode, bool *ret_created)
{
	bool created = mkdirat(dir_fd, path, mode) == 0;
	if (!created && errno != EEXIST)
		return fail_errno(ctx, file_error(errno), "could not make directory %s", path);
	if (ret_created)
		*ret_created = created;
	return OK;
}

err_t file_make_dirs(struct ctx *ctx, const char *path, mode_t mode)
{
	CHECK(path[0] != 0);
	char *copy = arena_cstr(ctx->arena, str_from(path));
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		TRY(file_make_dir(ctx, AT_FDCWD, copy, mode, NULL));
		*slash = '/';
	}
	return file_make_dir(ctx, AT_FDCWD, copy, mode, NULL);
}

/* The directory of `path`, opened, so that its names can be synced. */
static err_t open_parent(struct ctx *ctx, int dir_fd, const char *path, int *ret_fd)
{
	str parent, name;
	if (!str_cut_last(str_from(path), '/', &parent, &name))
		return file_open_dir(ctx, dir_fd, ".", ret_fd);
	return file_open_dir(ctx, dir_fd, parent.len ? arena_cstr(ctx->arena, parent) : "/",
			     ret_fd);
}

static err_t write_durably(struct ctx *ctx, int dir_fd, const char *path, mode_t mode, str content)
{
	CLEANUP(file_done) int fd = -1;
	TRY(file_open(ctx, dir_fd, path, O_WRONLY | O_CREAT | O_EXCL, mode, &fd));
	TRY(file_write_all(ctx, fd, content.ptr, content.len));
	return file_sync_data(ctx, fd);
}

err_t file_replace(struct ctx *ctx, int dir_fd, const char *path, mode_t mode, str content)
{
	static _Atomic(unsigned) serial;
	str made = arena_printf(ctx->arena, "%s.new.%d.%u", path, (int)getpid(),
				atomic_fetch_add(&serial, 1));
	const char *temporary = made.ptr;
	CLEANUP(file_done) int parent = -1;
	TRY(open_parent(ctx, dir_fd, path, &parent));

	err_t err = write_durably(ctx, dir_fd, temporary, mode, content);
	if (err == OK)
		err = file_rename(ctx, dir_fd, temporary, dir_fd, path);
	if (err != OK) {
		unlinkat(dir_fd, temporary, 0);
		return err;
	}
	return file_sync_dir(ctx, parent);
}
