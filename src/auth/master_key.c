/* SPDX-License-Identifier: Apache-2.0 */
/*
 * master_key.c - the file under which secrets in the database are sealed.
 *
 * It is written beside its place and linked there: of two first starts at once one wins and both
 * read the winner's, and a crash never leaves half a key.
 */
#include "keys.h"

#include "crypto/random.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

static err_t sync_parent(struct ctx *ctx, str path)
{
	str parent, name;
	CLEANUP(file_done) int fd = -1;
	const char *dir = ".";
	if (str_cut_last(path, '/', &parent, &name))
		dir = parent.len ? arena_cstr(ctx->arena, parent) : "/";
	TRY(file_open_dir(ctx, AT_FDCWD, dir, &fd));
	return file_sync_dir(ctx, fd);
}

static err_t make(struct ctx *ctx, str path)
{
	char id[UUID_TEXT_LEN + 1];
	CLEANUP(secretbox_key_done) struct secretbox_key key;
	random_uuid(id);
	random_bytes(key.bytes, sizeof key.bytes);
	const char *file = arena_cstr(ctx->arena, path);
	const char *made = arena_printf(ctx->arena, "%s.%s", file, id).ptr;

	TRY(file_replace(ctx, AT_FDCWD, made, 0600, (str){ (char *)key.bytes, sizeof key.bytes }));
	bool linked = link(made, file) == 0 || errno == EEXIST;
	int link_errno = errno;
	unlink(made);
	errno = link_errno;
	if (!linked)
		return fail_errno(ctx, file_error(errno), "could not make %s", file);
	return sync_parent(ctx, path);
}

err_t master_key_read(struct ctx *ctx, str path, bool may_make, struct secretbox_key *ret)
{
	const char *file = arena_cstr(ctx->arena, path);
	str bytes;
	bool missing = access(file, F_OK) != 0 && errno == ENOENT;
	if (missing && !may_make)
		return fail(ctx, ERR_CONFIG,
			    "%s is missing, and the database has secrets sealed with it", file);
	if (missing)
		TRY(make(ctx, path));
	err_t err = file_read_all(ctx, AT_FDCWD, file, KIB(4), &bytes);
	if (err != OK) {
		ctx_note(ctx, "master key");
		return err;
	}
	if (bytes.len != sizeof ret->bytes)
		return fail(ctx, ERR_CONFIG, "master key %s has %zu bytes, not %zu", file,
			    bytes.len, sizeof ret->bytes);
	memcpy(ret->bytes, bytes.ptr, bytes.len);
	return OK;
}
