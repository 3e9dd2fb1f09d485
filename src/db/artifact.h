/* SPDX-License-Identifier: Apache-2.0 */
/*
 * artifact.h - manifests as lists show them: a row beside each, and the counters that decide which
 * ones a list shows.
 *
 * An artifact is listed when it stands for itself: no accessory, and with a tag or without an index
 * that names it. `tag_count`, `parent_count` and `listed` are kept in step by whoever changes tags
 * or manifests, in the same transaction: registry/listing.h. A page of the plain list costs a page.
 */
#pragma once

#include "codec/artifact.h"
#include "sql/sql.h"

struct artifact {
	int64_t id; /* of its manifest */
	int64_t repository_id;
	int64_t project_id;
	str repository;
	str digest_text;
	str manifest_media_type;
	str artifact_type;
	str annotations_json;
	str type;
	str media_type;
	int64_t size_bytes;
	str icon;
	str extra_attrs_json;
	str children_json;
	str accessory; /* Harbor's type of accessory; empty: none */
	str subject_text;
	int64_t tag_count;
	int64_t pushed_at_us;
	int64_t pulled_at_us;
	int64_t pull_count;
};

/* --- upkeep -------------------------------------------------------------------------------------
 */

/* The row of a manifest that was just inserted, with as many tags as it has got meanwhile. */
err_t db_artifact_insert(struct ctx *ctx, struct sql_tx *tx, int64_t id,
			 const struct artifact_facts *facts, int64_t tags, bool described,
			 bool *ret_listed);

/* What was not known of it when it was pushed. */
err_t db_artifact_describe(struct ctx *ctx, struct sql_tx *tx, int64_t id,
			   const struct artifact_facts *facts);

/* Adds to a counter; its rows are locked from then on. Who loses a tag is untagged from now on, if
 * it was the last. */
err_t db_artifact_count_tags(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t change);
/* If it has no tag, it counts as untagged from now on only. */
err_t db_artifact_still_untagged(struct ctx *ctx, struct sql_tx *tx, int64_t id);
/* The parents of all children of index `id`. */
err_t db_artifact_count_parents(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t change);

/* Unless it is an accessory already. */
err_t db_artifact_mark_accessory(struct ctx *ctx, struct sql_tx *tx, int64_t id, str type,
				 str subject_text);

/* Lists or unlists it as its counters say now; adds 1 or -1 to `*listed` when that was a change. */
err_t db_artifact_list(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *listed);
err_t db_artifact_unlist(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *listed);
/* Unlists the children of index `id` that have no tag. */
err_t db_artifact_unlist_children(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *listed);

err_t db_artifact_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *listed);

/* How many indexes name it. */
err_t db_artifact_parents(struct ctx *ctx, struct sql_tx *tx, int64_t id, int64_t *ret);

/* What goes when `id` goes: its accessories, and children that have no tag and no other parent. */
struct artifact_follower {
	int64_t id;
	str digest_text;
};
err_t db_artifact_followers(struct ctx *ctx, struct sql_tx *tx, int64_t id,
			    struct artifact_follower **ret, size_t *ret_count);

struct artifact_undescribed {
	int64_t id;
	int64_t repository_id;
	str repository;
	str digest_text;
	str media_type;
	str content;
};
err_t db_artifact_undescribed(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
			      struct artifact_undescribed **ret, size_t *ret_count);

/* For fsck: manifests whose counters are wrong, and repositories that count their artifacts wrong,
 * with ids after `last_id`. */
struct artifact_wrong {
	int64_t id;
	str repository;
	str digest_text; /* empty: the repository itself */
};
err_t db_artifact_wrong(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
			struct artifact_wrong **ret, size_t *ret_count);
err_t db_artifact_wrong_counts(struct ctx *ctx, struct sql_tx *tx, int64_t last_id, size_t max,
			       struct artifact_wrong **ret, size_t *ret_count);

/* --- lists --------------------------------------------------------------------------------------
 */

enum artifact_order { ARTIFACT_BY_PUSH, ARTIFACT_BY_PULL, ARTIFACT_BY_SIZE, ARTIFACT_ORDER_COUNT };
/* Two ways to find tags like a text: looking at those of each artifact on the way, or first at all
 * of the repository, when few artifacts have one. */
enum artifact_tagged {
	TAGGED_WHATEVER,
	TAGGED_NOT,
	TAGGED_SOMEHOW,
	TAGGED_LIKE,
	TAGGED_RARELY_LIKE,
};

struct artifact_query {
	bool of_project;
	int64_t of_id;	/* repository or project */
	bool all;	/* untagged children and accessories too */
	bool latest;	/* only the newest of each repository */
	str type;	/* empty: any */
	str media_type; /* empty: any */
	int64_t id;	/* 0: any; else of the repository `of_id` */
	enum artifact_tagged tagged;
	str tag_like; /* for LIKE */
	int64_t pushed_from_us, pushed_until_us;
	int64_t label_count; /* all of so many labels … */
	str label_ids;	     /* … ",1,2," … */
	int64_t label_id;    /* … of which this is one */
	enum artifact_order order;
	bool ascending;
	int64_t max, offset;
};

/* True when nothing narrows the list, whatever its order: then counters know the total. */
bool artifact_query_is_plain(const struct artifact_query *query);

/*
 * True when an index leads to what is wanted and to nothing else: of a repository, all that is
 * listed by push, pull or size, and by push what is of one type or media type, without a tag, with
 * one label, or all there is. Other lists look at every artifact on the way to the page.
 */
bool artifact_query_is_led(const struct artifact_query *query);

/* A row's place in a list's order. */
struct artifact_place {
	int64_t value, id;
};
struct artifact_place artifact_beginning(const struct artifact_query *query);
struct artifact_place artifact_place_of(const struct artifact_query *query,
					const struct artifact *row);

/* A page whose offset counts from a place, the row there included. */
err_t db_artifact_page(struct ctx *ctx, struct sql_tx *tx, const struct artifact_query *query,
		       struct artifact_place from, struct artifact **ret, size_t *ret_count);

/* How many fit; for a query that is not plain. */
err_t db_artifact_count(struct ctx *ctx, struct sql_tx *tx, const struct artifact_query *query,
			int64_t *ret);

err_t db_artifact_get(struct ctx *ctx, struct sql_tx *tx, int64_t id, struct artifact *ret);

struct artifact_tag {
	int64_t id, repository_id, artifact_id;
	str name;
	int64_t pushed_at_us, pulled_at_us;
};
/* Of the artifacts whose ids are listed as "1,2,3", in their order and by name. */
err_t db_artifact_tags(struct ctx *ctx, struct sql_tx *tx, str ids, size_t max,
		       struct artifact_tag **ret, size_t *ret_count);

struct artifact_child {
	int64_t parent_id, id;
	str digest_text;
};
err_t db_artifact_children(struct ctx *ctx, struct sql_tx *tx, str ids, size_t max,
			   struct artifact_child **ret, size_t *ret_count);

struct page {
	int64_t max, offset;
};
/* Tags of one artifact by name; `like` for LIKE, empty: all. */
err_t db_artifact_tag_page(struct ctx *ctx, struct sql_tx *tx, int64_t id, str like,
			   struct page page, struct artifact_tag **ret, size_t *ret_count);
err_t db_artifact_tag_count(struct ctx *ctx, struct sql_tx *tx, int64_t id, str like, int64_t *ret);

/* Accessories of what has this digest in the repository; `type` empty: all. */
err_t db_artifact_accessories(struct ctx *ctx, struct sql_tx *tx, const struct artifact *subject,
			      str type, struct page page, struct artifact **ret, size_t *ret_count);
err_t db_artifact_accessory_count(struct ctx *ctx, struct sql_tx *tx,
				  const struct artifact *subject, str type, int64_t *ret);

/* Names of some of the tenant's repositories with artifacts that bring this icon. */
err_t db_artifact_icon_holders(struct ctx *ctx, struct sql_tx *tx, str digest_text, size_t max,
			       str **ret, size_t *ret_count);
