/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing.h - keeps what lists show in step with tags and manifests; private to registry.
 *
 * Whoever changes a tag or a manifest tells it here, in the same transaction: here the rules of
 * immutability are asked (ERR_IMMUTABLE) and the tag's history is written. He finishes with
 * listing_finish(), which takes the locks on the repository's row and on the quota last:
 *
 *	struct listing listing = LISTING(registry, id, &rules, "push");
 *	TRY(listing_put_tag(ctx, tx, &listing, name, manifest_id, &gained));
 *	TRY(listing_pushed(ctx, tx, &listing, …));
 *	return listing_finish(ctx, tx, &listing);
 */
#pragma once

#include "db/artifact.h"
#include "registry/immutable.h"
#include "registry/quota.h"

struct listing {
	struct registry *registry;
	int64_t repository_id;
	const struct immutability *rules; /* of the repository's project */
	const char *how;		  /* tags change, for their history */
	struct quota_charge charge;
	int64_t listed; /* so many artifacts more than before */
	bool relisted;	/* what is listed is not what was, even if it is as many */
	bool touched;	/* something was pushed or deleted */
};
#define LISTING(the_registry, id, the_rules, by)                                                   \
	{                                                                                          \
		.registry = (the_registry), .repository_id = (id), .rules = (the_rules),           \
		.how = (by), .charge = { .repository_id = (id) },                                  \
	}

/* Points a tag; `*gained` grows by one when the manifest had not got it. The manifest's own tags
 * are counted by listing_pushed(). A tag that may not move and points there already stays as it is
 * when its rule lets that pass. */
err_t listing_put_tag(struct ctx *ctx, struct sql_tx *tx, struct listing *listing, str name,
		      int64_t manifest_id, int64_t *gained);

/* A manifest that is there, or was made just now, and got so many tags. */
struct listing_push {
	int64_t id;
	bool made;
	bool is_index;
	bool untagged; /* pushed by its digest alone */
	int64_t gained;
	const struct artifact_facts *facts;
	bool described; /* false: the config could not be read, somebody will later */
};
err_t listing_pushed(struct ctx *ctx, struct sql_tx *tx, struct listing *listing,
		     const struct listing_push *push);

/* Makes a tag of a manifest that had not got it; ERR_EXISTS when it is there. */
err_t listing_create_tag(struct ctx *ctx, struct sql_tx *tx, struct listing *listing, str name,
			 int64_t manifest_id);

/* A tag was deleted that was this. */
err_t listing_tag_deleted(struct ctx *ctx, struct sql_tx *tx, struct listing *listing,
			  const struct tag_state *state);

/* Deletes all tags of a manifest that is about to go. */
err_t listing_delete_tags(struct ctx *ctx, struct sql_tx *tx, struct listing *listing,
			  int64_t manifest_id, struct tag_state **ret, size_t *ret_count);

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
