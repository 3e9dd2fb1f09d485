/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing.h - keeps what lists show in step with tags and manifests; private to registry.
 *
 * Whoever changes a tag or a manifest tells it here, in the same transaction, and finishes with
 * listing_finish(), which takes the locks on the repository's row and on the quota last:
 *
 *	struct listing listing = LISTING(registry, id);
 *	TRY(listing_put_tag(ctx, tx, &listing, name, manifest_id, &gained));
 *	TRY(listing_pushed(ctx, tx, &listing, …));
 *	return listing_finish(ctx, tx, &listing);
 */
#pragma once

#include "db/artifact.h"
#include "registry/quota.h"

struct listing {
	struct registry *registry;
	int64_t repository_id;
	struct quota_charge charge;
	int64_t listed; /* so many artifacts more than before */
	bool relisted;	/* what is listed is not what was, even if it is as many */
	bool touched;	/* something was pushed or deleted */
};
#define LISTING(the_registry, id)                                                                  \
	{                                                                                          \
		.registry = (the_registry), .repository_id = (id),                                 \
		.charge = { .repository_id = (id) },                                               \
	}

/* Points a tag; `*gained` grows by one when the manifest had not got it. The manifest's own tags
 * are counted by listing_pushed(). */
err_t listing_put_tag(struct ctx *ctx, struct sql_tx *tx, struct listing *listing, str name,
		      int64_t manifest_id, int64_t *gained);

/* A manifest that is there, or was made just now, and got so many tags. */
struct listing_push {
	int64_t id;
	bool made;
	bool is_index;
	int64_t gained;
	const struct artifact_facts *facts;
	bool described; /* false: the config could not be read, somebody will later */
};
err_t listing_pushed(struct ctx *ctx, struct sql_tx *tx, struct listing *listing,
		     const struct listing_push *push);

/* A tag that was not there is, of a manifest that had not got it. */
void listing_tag_made(struct listing *listing);

/* A tag of the manifest is gone, or points to another now. */
err_t listing_tag_gone(struct ctx *ctx, struct sql_tx *tx, struct listing *listing,
		       int64_t manifest_id);

/* The manifest is about to be deleted, and so many tags are gone with it. */
err_t listing_manifest_goes(struct ctx *ctx, struct sql_tx *tx, struct listing *listing,
			    int64_t manifest_id, size_t tag_count);

/* Writes down what changed for the repository and charges it. ERR_QUOTA. */
err_t listing_finish(struct ctx *ctx, struct sql_tx *tx, const struct listing *listing);

/*
 * What lists will say of a manifest: reads its config, in bounds. `*ret_described` is false when it
 * should be tried again later; that is no error. No transaction may be open.
 */
void listing_describe(struct ctx *ctx, struct registry *registry, str repository,
		      struct artifact_source *source, struct artifact_facts *ret,
		      bool *ret_described);
