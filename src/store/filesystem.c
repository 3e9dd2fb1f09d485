/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filesystem.c - see filesystem.h. Fault points: store.create, store.append, store.sync,
 * store.rename, store.syncdir, store.remove, store.cut.
 */
#include "filesystem.h"

#include "base/mem.h"
#include "codec/hex.h"
#include "os/fault.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/banned.h"

#define FILE_MODE	 0640
#define DIR_MODE	 0750
#define WRITEBACK_MIN	 KIB(256) /* what may wait in memory before the disk is told to start */
#define WRITEBACK_MAX	 MIB(8)
#define SEQUENTIAL_BYTES MIB(1) /* from here on, reading ahead further pays */
#define DIRECT_ALIGNMENT KIB(4)

static struct filesystem *filesystem_of(struct store *store)
{
	return CONTAINER_OF(store, struct filesystem, store);
}

err_t filesystem_error(int sys_errno)
{
	return file_error(sys_errno) == ERR_STORAGE_FULL ? ERR_STORAGE_FULL : ERR_STORAGE;
}

void filesystem_blob_name(blob_name name, char into[FILESYSTEM_NAME_MAX])
{
	blob_name_text(name, into + 3);
	memcpy(into, into + 3, 2);
	into[2] = '/';
}

bool filesystem_upload_name(str id, char into[FILESYSTEM_UPLOAD_ID_MAX + 1])
{
	if (!store_id_is(id, FILESYSTEM_UPLOAD_ID_MAX))
		return false;
	memcpy(into, id.ptr, id.len);
	into[id.len] = '\0';
	return true;
}

/* --- open and close ------------------------------------------------------------------------- */

static void filesystem_close(struct store *store)
{
	struct filesystem *fs = filesystem_of(store);
	for (size_t i = 0; i < COUNT_OF(fs->shelves); i++)
		file_done(&fs->shelves[i].dir_fd);
	file_done(&fs->uploads_fd);
	file_done(&fs->blobs_fd);
	free(fs);
}

static void filesystem_done(struct filesystem **fs)
{
	if (*fs)
		filesystem_close(&(*fs)->store);
}

/* Makes the directory if need be, its name durable either way, and opens it. */
static err_t open_made_dir(struct ctx *ctx, int parent_fd, const char *name, int *ret_fd)
{
	TRY(file_make_dir(ctx, parent_fd, name, DIR_MODE, NULL));
	TRY(file_sync_dir(ctx, parent_fd));
	return file_open_dir(ctx, parent_fd, name, ret_fd);
}

static err_t open_layout(struct ctx *ctx, const char *location, struct filesystem *fs)
{
	CLEANUP(file_done) int root_fd = -1;
	TRY(file_make_dirs(ctx, location, DIR_MODE));
	TRY(file_open_dir(ctx, AT_FDCWD, location, &root_fd));
	TRY(open_made_dir(ctx, root_fd, "uploads", &fs->uploads_fd));
	TRY(open_made_dir(ctx, root_fd, "blobs", &fs->blobs_fd));
	for (size_t i = DIGEST_SHA256; i < COUNT_OF(fs->shelves); i++)
		TRY(open_made_dir(ctx, fs->blobs_fd, digest_algorithm_name(i),
				  &fs->shelves[i].dir_fd));
	return OK;
}

static err_t filesystem_open(struct ctx *ctx, const struct store_place *place, struct store **ret)
{
	CLEANUP(filesystem_done) struct filesystem *fs = NEW(struct filesystem);
	fs->store.driver = &store_filesystem;
	fs->blobs_fd = fs->uploads_fd = -1;
	for (size_t i = 0; i < COUNT_OF(fs->shelves); i++)
		fs->shelves[i].dir_fd = -1;

	err_t err = open_layout(ctx, place->location, fs);
	if (err != OK) {
		ctx_note(ctx, "storage at %s", place->location);
		return err == ERR_STORAGE_FULL ? ERR_STORAGE_FULL : ERR_STORAGE;
	}
	*ret = &fs->store;
	fs = NULL;
	return OK;
}

/* --- uploads -------------------------------------------------------------------------------- */

/* Opens a regular file; `absent` is the error when there is none. */
static err_t open_regular(struct ctx *ctx, int dir_fd, const char *name, int flags, err_t absent,
			  struct store_blob *ret)
{
	CLEANUP(file_done) int fd = -1;
	do {
		if (!((flags & O_CREAT) && FAULT("store.create")))
			fd = openat(dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
				    FILE_MODE);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0 && errno == ENOENT)
		return fail(ctx, absent, "no file %s", name);
	if (fd < 0)
		return fail_errno(ctx, filesystem_error(errno), "could not open %s", name);

	struct stat info;
	if (fstat(fd, &info) != 0)
		return fail_errno(ctx, ERR_STORAGE, "could not stat %s", name);
	if (!S_ISREG(info.st_mode))
		return fail(ctx, ERR_STORAGE, "%s is not a regular file", name);
	ret->fd = take_fd(fd);
	ret->size_bytes = (uint64_t)info.st_size;
	return OK;
}

static err_t upload_open(struct ctx *ctx, struct store *store, str id, bool create,
			 struct store_upload *ret)
{
	char name[FILESYSTEM_UPLOAD_ID_MAX + 1];
	struct store_blob file;
	if (!filesystem_upload_name(id, name))
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "malformed upload id");
	TRY(open_regular(ctx, filesystem_of(store)->uploads_fd, name,
			 O_RDWR | (create ? O_CREAT : 0), ERR_UPLOAD_UNKNOWN, &file));
	*ret = (struct store_upload){ .store = store,
				      .fd = file.fd,
				      .size_bytes = file.size_bytes };
	return OK;
}

/*
 * Lets the disk begin with what is complete, so that the final sync has little left to do: in steps
 * that grow with the file, because each may become an extent of its own. It may also wait for a
 * full queue of the disk, which keeps one fast client from filling the memory. A write error stays
 * recorded at the file and comes back from that sync.
 */
static void start_writeback(int fd, uint64_t from, uint64_t to)
{
	uint64_t step = WRITEBACK_MIN;
	while (step < WRITEBACK_MAX && step < to / 8)
		step *= 2;
	from -= from % step;
	to -= to % step;
	if (to > from)
		sync_file_range(fd, (off_t)from, (off_t)(to - from), SYNC_FILE_RANGE_WRITE);
}

/* Whether the bytes can go around the page cache: large, and aligned in memory as in the file. */
static bool may_go_direct(uint64_t offset, str bytes)
{
	uint64_t all = offset | (uintptr_t)bytes.ptr | bytes.len;
	return bytes.len >= STORE_DIRECT_BYTES && all % DIRECT_ALIGNMENT == 0;
}

/* The descriptor's own O_DIRECT is the only memory of it. False where the file system has none. */
static bool set_direct(int fd, bool direct)
{
	int flags = fcntl(fd, F_GETFL);
	bool is = flags & O_DIRECT;
	return flags >= 0 && (is == direct || fcntl(fd, F_SETFL, flags ^ O_DIRECT) == 0);
}

/* `*ret_done` false: they go through the cache, because they are small, or the file system cannot.
 */
static err_t append_direct(struct ctx *ctx, struct store_upload *upload, str bytes, bool *ret_done)
{
	*ret_done = false;
	if (!may_go_direct(upload->size_bytes, bytes) || !set_direct(upload->fd, true))
		return OK;
	err_t err = file_write_all_at(ctx, upload->fd, upload->size_bytes, bytes.ptr, bytes.len);
	if (err != OK && ctx->failure.sys_errno == EINVAL) {
		ctx_forgive(ctx);
		return OK;
	}
	*ret_done = err == OK;
	return err;
}

static err_t append(struct ctx *ctx, struct store_upload *upload, str bytes)
{
	if (FAULT("store.append"))
		return fail_errno(ctx, filesystem_error(errno), "could not append");
	uint64_t from = upload->size_bytes;
	bool done;
	TRY(append_direct(ctx, upload, bytes, &done));
	if (done)
		return OK;
	set_direct(upload->fd, false);
	TRY(file_write_all_at(ctx, upload->fd, from, bytes.ptr, bytes.len));
	start_writeback(upload->fd, from, from + bytes.len);
	return OK;
}

static err_t upload_append(struct ctx *ctx, struct store_upload *upload, str bytes)
{
	TRY(ctx_check(ctx));
	err_t err = append(ctx, upload, bytes);
	if (err != OK) {
		/* Should this fail too, publish() sees that the sizes differ. */
		if (ftruncate(upload->fd, (off_t)upload->size_bytes) != 0)
			ctx_note(ctx, "upload could not be cut back");
		return err == ERR_STORAGE_FULL ? ERR_STORAGE_FULL : ERR_STORAGE;
	}
	upload->size_bytes += bytes.len;
	ctx_progress(ctx);
	return OK;
}

/* Every append is in the file when it returns. */
static err_t upload_flush(struct ctx *ctx, struct store_upload *upload)
{
	return OK;
}

static err_t upload_cut(struct ctx *ctx, struct store_upload *upload, uint64_t size_bytes)
{
	CHECK(size_bytes <= upload->size_bytes);
	if (FAULT("store.cut") || ftruncate(upload->fd, (off_t)size_bytes) != 0)
		return fail_errno(ctx, filesystem_error(errno), "upload could not be cut back");
	upload->size_bytes = size_bytes;
	return OK;
}

static err_t read_at(struct ctx *ctx, int fd, uint64_t offset, void *into, size_t len,
		     size_t *ret_len)
{
	TRY(ctx_check(ctx));
	err_t err = file_read_at(ctx, fd, offset, into, len, ret_len);
	ctx_progress(ctx);
	return err == OK ? OK : ERR_STORAGE;
}

static err_t upload_read(struct ctx *ctx, struct store_upload *upload, uint64_t offset, void *into,
			 size_t len, size_t *ret_len)
{
	set_direct(upload->fd, false);
	return read_at(ctx, upload->fd, offset, into, len, ret_len);
}

static void upload_close(struct store_upload *upload)
{
	file_done(&upload->fd);
}

static err_t remove_file(struct ctx *ctx, int dir_fd, const char *name)
{
	if ((FAULT("store.remove") || unlinkat(dir_fd, name, 0) != 0) && errno != ENOENT)
		return fail_errno(ctx, filesystem_error(errno), "could not remove %s", name);
	return OK;
}

static err_t upload_remove(struct ctx *ctx, struct store *store, str id)
{
	char name[FILESYSTEM_UPLOAD_ID_MAX + 1];
	if (!filesystem_upload_name(id, name))
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "malformed upload id");
	return remove_file(ctx, filesystem_of(store)->uploads_fd, name);
}

/* --- publish -------------------------------------------------------------------------------- */

static err_t sync_dir(struct ctx *ctx, int fd, const char *name)
{
	if (FAULT("store.syncdir") || fsync(fd) != 0)
		return fail_errno(ctx, filesystem_error(errno), "could not sync directory of %s",
				  name);
	return OK;
}

/*
 * The shard directory of a blob, made on demand. Its own name is synced once per process even when
 * it was there: another thread, or a process that died, may have made it a moment ago without that.
 */
static err_t open_shard(struct ctx *ctx, struct filesystem_shelf *shelf, digest d, int *ret_fd)
{
	char shard[3] = { 0 };
	hex_encode((str){ (const char *)d.bytes, 1 }, shard);
	_Atomic(bool) *durable = &shelf->shard_durable[d.bytes[0]];
	bool known = atomic_load(durable);
	if (!known && mkdirat(shelf->dir_fd, shard, DIR_MODE) != 0 && errno != EEXIST)
		return fail_errno(ctx, filesystem_error(errno), "could not make shard %s", shard);

	CLEANUP(file_done)
	int fd = openat(shelf->dir_fd, shard, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fail_errno(ctx, filesystem_error(errno), "could not open shard %s", shard);
	if (!known) {
		TRY(sync_dir(ctx, shelf->dir_fd, shard));
		atomic_store(durable, true);
	}
	*ret_fd = take_fd(fd);
	return OK;
}

static err_t check_size(struct ctx *ctx, const struct store_upload *upload, const char *name)
{
	uint64_t size_bytes;
	if (file_size(ctx, upload->fd, &size_bytes) != OK)
		return ERR_STORAGE;
	if (size_bytes != upload->size_bytes)
		return fail(ctx, ERR_STORAGE, "upload %s has %llu bytes, not %llu", name,
			    (unsigned long long)size_bytes, (unsigned long long)upload->size_bytes);
	return OK;
}

static bool is_stored(int shard_fd, const char *file, uint64_t size_bytes)
{
	struct stat info;
	return fstatat(shard_fd, file, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) &&
	       (uint64_t)info.st_size == size_bytes;
}

static err_t move_in(struct ctx *ctx, struct store_upload *upload, int uploads_fd, const char *name,
		     int shard_fd, const char *file)
{
	TRY(check_size(ctx, upload, name));
	if (FAULT("store.sync") || fdatasync(upload->fd) != 0)
		return fail_errno(ctx, filesystem_error(errno), "could not sync upload %s", name);
	if (FAULT("store.rename") || renameat(uploads_fd, name, shard_fd, file) != 0)
		return fail_errno(ctx, filesystem_error(errno), "could not rename upload %s", name);
	return OK;
}

static err_t publish(struct ctx *ctx, struct store *store, struct store_upload *upload, str id,
		     blob_name as)
{
	struct filesystem *fs = filesystem_of(store);
	char name[FILESYSTEM_UPLOAD_ID_MAX + 1], blob[FILESYSTEM_NAME_MAX];
	const char *file = blob + 3;
	digest d = as.digest;
	CLEANUP(file_done) int shard_fd = -1;

	TRY(ctx_check(ctx));
	if (!filesystem_upload_name(id, name))
		return fail(ctx, ERR_UPLOAD_UNKNOWN, "malformed upload id");
	filesystem_blob_name(as, blob);
	TRY(open_shard(ctx, &fs->shelves[d.algorithm], d, &shard_fd));

	/* Whoever brought a stored blob synced its bytes, but perhaps not its name yet: hence one
	 * sync of the directory on both ways. */
	bool stored = is_stored(shard_fd, file, upload->size_bytes);
	if (!stored)
		TRY(move_in(ctx, upload, fs->uploads_fd, name, shard_fd, file));
	TRY(sync_dir(ctx, shard_fd, file));
	ctx_progress(ctx);
	return stored ? remove_file(ctx, fs->uploads_fd, name) : OK;
}

/* --- blobs ---------------------------------------------------------------------------------- */

static err_t blob_open(struct ctx *ctx, struct store *store, blob_name what, struct store_blob *ret)
{
	char name[FILESYSTEM_NAME_MAX];
	struct store_blob blob = { .store = store };
	filesystem_blob_name(what, name);
	TRY(open_regular(ctx, filesystem_of(store)->shelves[what.digest.algorithm].dir_fd, name,
			 O_RDONLY, ERR_BLOB_UNKNOWN, &blob));
	if (blob.size_bytes >= SEQUENTIAL_BYTES)
		posix_fadvise(blob.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	*ret = blob;
	return OK;
}

static err_t blob_read(struct ctx *ctx, struct store_blob *blob, uint64_t offset, void *into,
		       size_t len, size_t *ret_len)
{
	return read_at(ctx, blob->fd, offset, into, len, ret_len);
}

static void blob_close(struct store_blob *blob)
{
	file_done(&blob->fd);
}

static err_t blob_size(struct ctx *ctx, struct store *store, blob_name what,
		       uint64_t *ret_size_bytes)
{
	char name[FILESYSTEM_NAME_MAX];
	struct stat info;
	filesystem_blob_name(what, name);
	int dir_fd = filesystem_of(store)->shelves[what.digest.algorithm].dir_fd;
	if (fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
		return fail_errno(ctx, errno == ENOENT ? ERR_BLOB_UNKNOWN : ERR_STORAGE,
				  "could not stat %s", name);
	if (!S_ISREG(info.st_mode))
		return fail(ctx, ERR_STORAGE, "%s is not a regular file", name);
	*ret_size_bytes = (uint64_t)info.st_size;
	return OK;
}

static err_t blob_remove(struct ctx *ctx, struct store *store, blob_name what)
{
	char name[FILESYSTEM_NAME_MAX];
	filesystem_blob_name(what, name);
	return remove_file(ctx, filesystem_of(store)->shelves[what.digest.algorithm].dir_fd, name);
}

static err_t space(struct ctx *ctx, struct store *store, uint64_t *ret_total_bytes,
		   uint64_t *ret_free_bytes)
{
	struct statvfs info;
	if (fstatvfs(filesystem_of(store)->blobs_fd, &info) != 0)
		return fail_errno(ctx, ERR_STORAGE, "could not ask for the room left");
	*ret_total_bytes = (uint64_t)info.f_blocks * info.f_frsize;
	*ret_free_bytes = (uint64_t)info.f_bavail * info.f_frsize;
	return OK;
}

static const char *const none[] = { NULL };

const struct store_driver store_filesystem = {
	.name = "filesystem",
	.in_files = true,
	.settings = none,
	.secrets = none,
	.open = filesystem_open,
	.close = filesystem_close,
	.forget = NULL,
	.upload_open = upload_open,
	.upload_append = upload_append,
	.upload_flush = upload_flush,
	.upload_cut = upload_cut,
	.upload_read = upload_read,
	.upload_close = upload_close,
	.upload_remove = upload_remove,
	.publish = publish,
	.blob_open = blob_open,
	.blob_read = blob_read,
	.blob_close = blob_close,
	.blob_size = blob_size,
	.blob_remove = blob_remove,
	.blobs_remove = NULL, /* a name each */
	.walk = filesystem_walk,
	.space = space,
};
