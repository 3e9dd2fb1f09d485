/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.h - the heart: what a registry can do, without HTTP and without deciding who may.
 *
 * One function per verb; each takes names and values, answers with values, and leaves the stores as
 * they were when it fails. Callers have authenticated and authorised.
 *
 *	project.h repository.h     names, each in the tenant that ctx->tenant_id says
 *	storage.h                  where the tenants' bytes are
 *	storage_binding.h          making, changing and erasing storages
 *	storage_move.h             from one to another
 *	upload.h mount.h           bytes in
 *	manifest_push.h            manifests and tags in
 *	pull.h list.h referrers.h  out
 *	delete.h                   away
 *	retention.h inventory.h    what goes by itself, and what clusters keep
 *	collect.h                  what nobody has any more
 *	trash.h                    and back, until a window is over
 *	artifact.h label.h         what people look at
 *	tag.h copy.h search.h      more of the same
 *	immutable.h tag_history.h  which tags may not move or go, and what happened to them
 *	fsck.h                     the independent proof
 *	event.h                    what webhooks are to be told of
 *	health.h                   whether it works at this moment
 *
 * Order of writing: bytes before row. A file without a row is work for garbage collection, a row
 * without a file is data loss.
 */
#pragma once

#include "base/ctx.h"
#include "codec/digest.h"
#include "sql/sql.h"
#include "store/store.h"

struct secretbox_key;
struct system_settings;
struct registry;

struct registry_options {
	struct sql *db;	     /* not owned */
	struct store *store; /* not owned; the default tenant's storage */
	str storage_root;    /* directory of the other tenants' storages, if they are in files */
	/* For those of the default storage's driver, where that is none of files, that say nothing
	 * of a place of their own: they lie in this one, below this location. Read as long as the
	 * registry lives. */
	struct store_place storage_place;
	struct system_settings *settings; /* settings/system.h; not owned; NULL: defaults */
	size_t cache_bytes_max;		  /* default 16 MiB */
	size_t manifest_bytes_max;	  /* default 4 MiB */
	bool auto_create_public;	  /* what a project made by a push is */
	bool require_blobs;	 /* a manifest's config and layers must be in its repository */
	bool require_children;	 /* an index's children must be in its repository */
	int64_t upload_expiry_s; /* default one day */
	int64_t tag_history_ms;	 /* how long changes of tags are remembered; 0: not at all */
	int64_t window_ms;	 /* of what was let go: collect.h */
	int64_t trash_window_ms; /* trash.h; 0: what is deleted does not come back */
};

struct registry *registry_new(const struct registry_options *options);
void registry_free(struct registry *registry);
const struct registry_options *registry_options(const struct registry *registry);

/* The key that seals what storages keep secret; copied, and wiped when the registry is freed.
 * Before threads run. Without one, no storage that has secrets or a key of its own can be opened.
 */
void registry_set_master_key(struct registry *registry, const struct secretbox_key *key);

struct cache_stats; /* base/cache.h */
void registry_cache_stats(const struct registry *registry, struct cache_stats *ret);

/* Tidies what a crash between a blob's file and its row left. Call before serving. */
err_t registry_recover(struct ctx *ctx, struct registry *registry);

/* Starts counting pulls, which are written down every `interval_ms` and when the registry is freed.
 */
err_t registry_count_pulls(struct ctx *ctx, struct registry *registry, int64_t interval_ms);

/* Ends at most `max` sessions that nobody touched for upload_expiry_s. */
err_t registry_expire_uploads(struct ctx *ctx, struct registry *registry, size_t max,
			      size_t *ret_count);
