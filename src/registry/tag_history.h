/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tag_history.h - who moved which tag from what to what, and one call to go back.
 *
 * Each change of a tag is a row, written in the transaction of the change (listing.h does). Rows go
 * with their repository, keep their place when it is renamed, and are removed when they are older
 * than registry_options.tag_history_ms; with 0 none are written.
 */
#pragma once

#include "codec/digest.h"
#include "db/tag_event.h"
#include "registry/registry.h"

/* The newest first. Of the query all but the repository's id is the caller's. ERR_NAME_UNKNOWN. */
err_t tag_history(struct ctx *ctx, struct registry *registry, str repository,
		  struct tag_event_query *query, struct tag_event **ret, size_t *ret_count);

/*
 * What a tag is to go back to: a digest; or what it was before change number `event_id`; or, with
 * neither, before its last change. A tag that was deleted is made again.
 */
struct tag_revert {
	str repository, tag;
	digest d;	  /* none: by the change */
	int64_t event_id; /* 0: the last one */
};

/* Where that is. ERR_NOT_FOUND: no such change; ERR_UNPROCESSABLE: before it there was no such
 * tag. */
err_t tag_revert_find(struct ctx *ctx, struct registry *registry, const struct tag_revert *revert,
		      digest *ret);

/*
 * Points the tag to a manifest that the repository still has; the change is itself history.
 * ERR_MANIFEST_UNKNOWN when it has it no more (what a trash still has must be restored first);
 * ERR_IMMUTABLE, ERR_QUOTA.
 */
err_t tag_revert(struct ctx *ctx, struct registry *registry, str repository, str tag, digest d);

/* Removes at most `max` rows that are too old; less than that: there are no more. */
err_t tag_history_purge(struct ctx *ctx, struct registry *registry, size_t max, size_t *ret_count,
			bool *ret_more);
