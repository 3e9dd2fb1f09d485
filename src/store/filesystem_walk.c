/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filesystem_walk.c - everything below blobs/ and uploads/, in the order of names. One directory's
 * names are in memory at a time, besides the two above it. Beside these two directories nothing is
 * ours to look at.
 */
#include "filesystem.h"

#include "codec/hex.h"
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/banned.h"

#define PATH_TEXT_MAX 768 /* three names of NAME_MAX and what is between */

struct names {
	struct dirent **list;
	int count;
};

static void names_done(struct names *names)
{
	for (int i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
}

static int is_name(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

struct walk {
	struct ctx *ctx;
	struct filesystem *fs;
	const struct store_walk *visitor;
};

static err_t list_names(const struct walk *walk, int dir_fd, const char *what, struct names *ret)
{
	TRY(ctx_check(walk->ctx));
	int count = scandirat(dir_fd, ".", &ret->list, is_name, by_bytes);
	if (count < 0)
		return fail_errno(walk->ctx, ERR_STORAGE, "could not list %s", what);
	ret->count = count;
	return OK;
}

static err_t report_stray(const struct walk *walk, const char *dir, const char *name)
{
	char path[PATH_TEXT_MAX];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	return walk->visitor->stray(walk->ctx, walk->visitor->arg, str_from(path));
}

enum found { FOUND_FILE, FOUND_DIR, FOUND_OTHER, FOUND_GONE };

static err_t look(const struct walk *walk, int dir_fd, const char *name, enum found *ret_found,
		  uint64_t *ret_size_bytes)
{
	struct stat info;
	if (fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno != ENOENT)
			return fail_errno(walk->ctx, ERR_STORAGE, "could not stat %s", name);
		*ret_found = FOUND_GONE;
		return OK;
	}
	*ret_found = S_ISREG(info.st_mode)   ? FOUND_FILE
		     : S_ISDIR(info.st_mode) ? FOUND_DIR
					     : FOUND_OTHER;
	*ret_size_bytes = (uint64_t)info.st_size;
	return OK;
}

static bool is_blob(enum digest_algorithm algorithm, unsigned char shard, str text, blob_name *ret)
{
	return blob_name_parse(algorithm, text, ret) && ret->digest.bytes[0] == shard;
}

static err_t walk_shard(const struct walk *walk, enum digest_algorithm algorithm,
			unsigned char shard, const char *shard_name)
{
	char dir[32];
	CLEANUP(names_done) struct names names = { 0 };
	CLEANUP(file_done) int fd = -1;
	snprintf(dir, sizeof dir, "blobs/%s/%s", digest_algorithm_name(algorithm), shard_name);
	if (file_open_dir(walk->ctx, walk->fs->shelves[algorithm].dir_fd, shard_name, &fd) != OK)
		return ERR_STORAGE;
	TRY(list_names(walk, fd, dir, &names));

	for (int i = 0; i < names.count; i++) {
		const char *name = names.list[i]->d_name;
		enum found found;
		uint64_t size_bytes;
		blob_name blob;
		TRY(look(walk, fd, name, &found, &size_bytes));
		if (found == FOUND_GONE)
			continue;
		if (found == FOUND_FILE && is_blob(algorithm, shard, str_from(name), &blob))
			TRY(walk->visitor->blob(walk->ctx, walk->visitor->arg, blob, size_bytes));
		else
			TRY(report_stray(walk, dir, name));
	}
	return OK;
}

static err_t walk_shelf(const struct walk *walk, enum digest_algorithm algorithm)
{
	char dir[32];
	int fd = walk->fs->shelves[algorithm].dir_fd;
	CLEANUP(names_done) struct names names = { 0 };
	snprintf(dir, sizeof dir, "blobs/%s", digest_algorithm_name(algorithm));
	TRY(list_names(walk, fd, dir, &names));

	for (int i = 0; i < names.count; i++) {
		const char *name = names.list[i]->d_name;
		enum found found;
		uint64_t size_bytes;
		unsigned char shard;
		TRY(look(walk, fd, name, &found, &size_bytes));
		if (found == FOUND_GONE)
			continue;
		if (found == FOUND_DIR && strlen(name) == 2 && hex_decode(str_from(name), &shard))
			TRY(walk_shard(walk, algorithm, shard, name));
		else
			TRY(report_stray(walk, dir, name));
	}
	return OK;
}

static err_t walk_blobs(const struct walk *walk)
{
	CLEANUP(names_done) struct names names = { 0 };
	TRY(list_names(walk, walk->fs->blobs_fd, "blobs", &names));
	for (int i = 0; i < names.count; i++) {
		enum digest_algorithm algorithm;
		if (digest_algorithm_parse(str_from(names.list[i]->d_name), &algorithm))
			TRY(walk_shelf(walk, algorithm));
		else
			TRY(report_stray(walk, "blobs", names.list[i]->d_name));
	}
	return OK;
}

static err_t walk_uploads(const struct walk *walk)
{
	CLEANUP(names_done) struct names names = { 0 };
	int fd = walk->fs->uploads_fd;
	TRY(list_names(walk, fd, "uploads", &names));
	for (int i = 0; i < names.count; i++) {
		const char *name = names.list[i]->d_name;
		char id[FILESYSTEM_UPLOAD_ID_MAX + 1];
		enum found found;
		uint64_t size_bytes;
		TRY(look(walk, fd, name, &found, &size_bytes));
		if (found == FOUND_GONE)
			continue;
		if (found == FOUND_FILE && filesystem_upload_name(str_from(name), id))
			TRY(walk->visitor->upload(walk->ctx, walk->visitor->arg, str_from(id),
						  size_bytes));
		else
			TRY(report_stray(walk, "uploads", name));
	}
	return OK;
}

err_t filesystem_walk(struct ctx *ctx, struct store *store, const struct store_walk *visitor)
{
	struct walk walk = { ctx, CONTAINER_OF(store, struct filesystem, store), visitor };
	if (visitor->blob)
		TRY(walk_blobs(&walk));
	return walk_uploads(&walk);
}
