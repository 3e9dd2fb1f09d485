/* SPDX-License-Identifier: Apache-2.0 */
/*
 * artifact.h - repositories and artifacts as people look at them: lists, one, tags, accessories.
 *
 * Everything here reads rows that pushes, deletes and pulls keep up to date (listing.h,
 * pull_counts.h); nothing parses a manifest or opens a blob.
 */
#pragma once

#include "codec/reference.h"
#include "db/artifact.h"
#include "db/label.h"
#include "db/repository.h"
#include "registry/registry.h"

#define ARTIFACT_TAGS_SHOWN	   100	/* of one artifact in a list of artifacts */
#define ARTIFACT_TAGS_MAX	   1000 /* of one artifact that is asked for alone */
#define ARTIFACT_ACCESSORIES_SHOWN 100

/* Pages: the items from where they were asked for, and how many there are in all. */
struct repository_page {
	struct repository_row *items;
	size_t count;
	int64_t total;
};
struct artifact_page {
	struct artifact *items;
	size_t count;
	int64_t total;
};
struct artifact_tag_page {
	struct artifact_tag *items;
	size_t count;
	int64_t total;
};

/* --- repositories ------------------------------------------------------------------------------
 */

/* ERR_NAME_UNKNOWN. */
err_t repository_get(struct ctx *ctx, struct registry *registry, str name,
		     struct repository_row *ret);
err_t repository_list(struct ctx *ctx, struct registry *registry,
		      const struct repository_search *search, struct repository_page *ret);
err_t repository_describe(struct ctx *ctx, struct registry *registry, str name, str description);

/* --- artifacts ---------------------------------------------------------------------------------
 */

/* By a tag or a digest. ERR_NAME_UNKNOWN, ERR_MANIFEST_UNKNOWN. */
err_t artifact_get(struct ctx *ctx, struct registry *registry, str repository,
		   const struct reference *reference, struct artifact *ret);

/* Of a repository or a project. */
err_t artifact_list(struct ctx *ctx, struct registry *registry, const struct artifact_query *query,
		    struct artifact_page *ret);

/* What belongs to the artifacts of a page: each is an array in the order of the artifacts. */
struct artifact_belongings {
	struct artifact_tag *tags;
	size_t tag_count;
	struct artifact_child *children;
	size_t child_count;
	struct label *labels;
	size_t label_count;
};
/* At most `tags_max` tags of each artifact; labels only if asked for. */
err_t artifact_belongings(struct ctx *ctx, struct registry *registry,
			  const struct artifact *artifacts, size_t count, size_t tags_max,
			  bool with_labels, struct artifact_belongings *ret);

/* Tags of one artifact, by name; `like` for LIKE. */
err_t artifact_tags(struct ctx *ctx, struct registry *registry, int64_t id, str like,
		    struct page page, struct artifact_tag_page *ret);

/* Accessories of one artifact; `type` empty: all. */
err_t artifact_accessories(struct ctx *ctx, struct registry *registry,
			   const struct artifact *subject, str type, struct page page,
			   struct artifact_page *ret);
