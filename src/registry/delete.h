/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delete.h - tags, manifests and blobs away. Atomic, and gone from every cache of this process
 * before the call returns. A blob only leaves its repository; its bytes are garbage collection's.
 *
 * ERR_IMMUTABLE, and nothing was deleted, when a rule of the project keeps one of the tags that
 * would go with it (immutable.h).
 */
#pragma once

#include "registry/registry.h"

/* With `only_of`, the id of an artifact, only if it is that one's. */
err_t tag_delete(struct ctx *ctx, struct registry *registry, str repository, str tag,
		 int64_t only_of);

/*
 * With all tags that point to it, its accessories (signatures, SBOMs, whatever has it as subject),
 * and, of an index, the children that have no tag and that no other index names. A manifest that an
 * index of the repository names is ERR_IN_USE unless `even_child`.
 */
err_t manifest_delete(struct ctx *ctx, struct registry *registry, str repository, digest d,
		      bool even_child);

/*
 * Several manifests and tags of one repository in one transaction, for who decided beforehand
 * which: each goes only if `still` says so once nobody else can change it, and as above; a manifest
 * that an index names stays, and so does what a rule of immutability keeps. What is not there any
 * more is passed over.
 */
struct delete_item {
	int64_t manifest_id;
	digest digest;
	str tag;   /* empty: the manifest with its tags; else this tag of it */
	bool gone; /* what became of it */
};
struct delete_batch {
	int64_t project_id, repository_id;
	str repository;	 /* its full name, for who is told of it */
	const char *how; /* who does it, for them and the history of the tags: "retention" */
	struct delete_item *items;
	size_t count;
	err_t (*still)(struct ctx *ctx, struct sql_tx *tx, const struct delete_item *item,
		       void *arg, bool *ret);
	/* It is gone, if the transaction is committed: for who records it. */
	err_t (*gone)(struct ctx *ctx, struct sql_tx *tx, const struct delete_item *item,
		      void *arg);
	void *arg;
};
err_t delete_batch(struct ctx *ctx, struct registry *registry, struct delete_batch *batch);

/* A repository with everything in it. ERR_BUSY while somebody uploads to it. */
err_t repository_delete(struct ctx *ctx, struct registry *registry, str name);

/* One in which there is no manifest: an upload made it. ERR_PRECONDITION_FAILED when there is. */
err_t repository_delete_empty(struct ctx *ctx, struct registry *registry, str name);

err_t blob_delete(struct ctx *ctx, struct registry *registry, str repository, digest d);
