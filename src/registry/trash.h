/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trash.h - deleted tags, artifacts, repositories and projects come back until a window is over.
 *
 * *The window* is registry_options.trash_window_ms, or what the tenant or the project says
 * (trash_set_window()). Zero, the default, is none: then a deletion is what it would be without all
 * this, but for one look-up, and garbage collection frees the bytes as soon as it would anyway.
 * Whoever wants a net says so; nobody's disk fills because of a default.
 *
 * *Deleting.* In the transaction of the deletion (delete.c, project_change.c), whoever asks for it,
 * what goes is written into the trash: one entry, and below it the manifests with their bytes,
 * times, tags and labels, and which blobs they need. An artifact's accessories and children are in
 * its entry, a repository's artifacts in its. Nothing else knows of them: no list, pull, search,
 * count or statistic can show what is in the trash, because it is not in those tables. A tag that
 * is moved is not deleted.
 *
 * *Quota* is free at once. An entry's bytes are what the project's quota was rid of by it; the sum
 * is shown beside the quota (`trash_storage`). Restoring charges again, and fails with ERR_QUOTA
 * when there is no room. What was pushed anew meanwhile counts in both.
 *
 * *Bytes* stay while a `trash_blob` row names them: garbage collection asks for that. When the
 * window is over trash_remove() takes the rows away in batches and hands the blobs over. The moment
 * counts, not the job: an entry whose time is over is not there.
 *
 * *Restoring* is one transaction, and the entry is gone with it: of two who restore at once the
 * second finds nothing. Entries of tags and artifacts follow their repository by its id, also when
 * it was renamed; when it is gone, a repository of that name is made anew. What was pushed
 * meanwhile is what it is: a manifest that is there stays, a tag that leads elsewhere stays there,
 * unless `force`. A repository or a project needs its name free, or another one (`as`).
 *
 * What does not come back: aliases (they ended, others may have them), a project's robots and its
 * rules for webhooks, retention and immutability (their secrets and rights ended with it), uploads,
 * and blobs that no manifest referred to. A project is deleted when it is empty: its repositories
 * have entries of their own, and are restored after it.
 *
 * Entries are found in ctx's tenant only, and with a project's id in that project only.
 *
 *	const struct trash_restore restore = { .project_id = id, .id = 17 };
 *	struct trash_restored done;
 *	TRY(trash_restore(ctx, registry, &restore, &done));
 *
 * Errors: ERR_NOT_FOUND (no such entry, or its time is over), ERR_TRASH_TAKEN (a name, or a tag, is
 * something else's now), ERR_TRASH_FIRST (the project, or a tag's artifact, is deleted too),
 * ERR_QUOTA.
 */
#pragma once

#include "db/trash.h"
#include "registry/registry.h"

#define TRASH_WINDOW_MAX_S (3650 * INT64_C(86400))

/* "artifact"; and back: TRASH_ANY when it is none. */
str trash_kind_text(enum trash_kind kind);
enum trash_kind trash_kind_of(str text);

/* --- for deletions: in their transaction, before the rows go ------------------------------------
 */

struct trash {
	int64_t id; /* 0: the window is zero, and the others do nothing */
};
/* `what` as in struct trash_opening. */
err_t trash_open(struct ctx *ctx, struct sql_tx *tx, struct registry *registry,
		 const struct trash_opening *opening, struct trash *ret);
err_t trash_take_manifest(struct ctx *ctx, struct sql_tx *tx, struct trash *trash,
			  int64_t manifest_id);
/* Says at the end what the deletion took from the quota. */
err_t trash_close(struct ctx *ctx, struct sql_tx *tx, const struct trash *trash,
		  const struct quota_charge *less);

/* --- for people ---------------------------------------------------------------------------------
 */

struct trash_list {
	struct trash_query query; /* which; its tenant is filled in */
	struct trash_entry *items;
	size_t count;
	int64_t total, bytes; /* of all that fit */
};
err_t trash_list(struct ctx *ctx, struct registry *registry, struct trash_list *list);

/* One, to be looked at before somebody decides about it. */
err_t trash_get(struct ctx *ctx, struct registry *registry, int64_t project_id, int64_t id,
		struct trash_entry *ret);

/* Bytes in the trash of a project, or (0) of the tenant. */
err_t trash_bytes(struct ctx *ctx, struct registry *registry, int64_t tenant_id, int64_t project_id,
		  int64_t *ret);

#define TRASH_LEFT_MAX 1000 /* tags that are named */
struct trash_restore {
	int64_t project_id; /* 0: of any project of the tenant */
	int64_t id;
	str as;	    /* empty, or: a tag's, project's or repository's new name (that as a path in the
		       project), the repository of an artifact */
	bool force; /* tags that lead elsewhere are taken back */
};
struct trash_restored {
	struct trash_entry entry; /* as it was */
	str repository;		  /* where it is now, whole; of a project its name */
	int64_t artifacts, tags;  /* that are back */
	struct trash_tag *left;	  /* tags that lead elsewhere and stayed so */
	size_t left_count;
	int64_t *accounts; /* members whose proofs (auth/state.h) are to be forgotten */
	size_t account_count;
};
err_t trash_restore(struct ctx *ctx, struct registry *registry, const struct trash_restore *restore,
		    struct trash_restored *ret);

/* Ends an entry at once, and tidies. */
err_t trash_empty(struct ctx *ctx, struct registry *registry, int64_t project_id, int64_t id);

/* After many were ended: removes what is not very much of it. What fails is left to the job. */
void trash_tidy(struct ctx *ctx, struct registry *registry);

/* Removes rows of entries whose time is over, until there are none: for the job. */
err_t trash_remove(struct ctx *ctx, struct registry *registry, int64_t *ret_entries);

struct trash_window {
	int64_t seconds; /* that counts */
	bool own;	 /* said for this project or tenant itself */
};
/* Of a project, or (0) of the tenant. */
err_t trash_window(struct ctx *ctx, struct registry *registry, int64_t project_id,
		   struct trash_window *ret);
/* Negative: what the tenant, or the option, says. What is in the trash keeps its time. */
err_t trash_set_window(struct ctx *ctx, struct registry *registry, int64_t project_id,
		       int64_t seconds);
