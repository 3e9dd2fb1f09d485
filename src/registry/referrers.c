/* SPDX-License-Identifier: Apache-2.0 */
/* referrers.c - see referrers.h. */
#include "registry/referrers.h"
#include "codec/manifest.h"
#include "codec/reference.h"
#include "internal.h"
#include "registry/repository.h"

#include <string.h>

#include "base/banned.h"

#define FALLBACK_HEX_MAX 64

/* The tag under which older clients keep the list: distribution-spec, "Referrers Tag Schema". */
static str fallback_tag(struct arena *arena, digest subject)
{
	str text = str_from(digest_format(subject).text);
	str algorithm, hex;
	if (!str_cut(text, ':', &algorithm, &hex))
		return STR_NONE;
	return arena_printf(arena, STR_FMT "-" STR_FMT, STR_ARG(algorithm),
			    STR_ARG(str_take(hex, FALLBACK_HEX_MAX)));
}

static err_t read_fallback_index(struct ctx *ctx, struct sql_tx *tx,
				 const struct referrer_query *query, struct manifest *ret)
{
	struct manifest_row row;
	TRY(db_manifest_find_by_tag(ctx, tx, query->repository_id,
				    fallback_tag(ctx->arena, query->subject), &row));
	err_t err = manifest_parse(ctx, row.media_type, row.content, ret);
	if (err == ERR_MANIFEST_INVALID) { /* a tag of that form may hold anything */
		ctx_forgive(ctx);
		return ERR_ABSENT;
	}
	return err;
}

/* Describes child `reference` as a referrer. ERR_ABSENT when it is gone, listed anyway, or filtered
 * out. */
static err_t describe_child(struct ctx *ctx, struct sql_tx *tx, const struct referrer_query *query,
			    const struct manifest_reference *reference, struct referrer *ret)
{
	if (digest_is_none(reference->digest))
		return ERR_ABSENT;
	struct manifest_row row;
	TRY(db_manifest_find(ctx, tx, query->repository_id, reference->digest, &row));
	struct manifest parsed;
	TRY(manifest_parse(ctx, row.media_type, row.content, &parsed));
	if (parsed.has_subject && digest_equal(parsed.subject, query->subject))
		return ERR_ABSENT;
	if (query->artifact_type.len && !str_eq(query->artifact_type, parsed.artifact_type))
		return ERR_ABSENT;
	*ret = (struct referrer){ reference->digest_text, row.media_type, parsed.artifact_type,
				  parsed.annotations_json, (int64_t)row.content.len };
	return OK;
}

static err_t fold_fallback(struct ctx *ctx, struct sql_tx *tx, const struct referrer_query *query,
			   struct referrers_page *page)
{
	struct manifest index;
	err_t err = read_fallback_index(ctx, tx, query, &index);
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);

	size_t children = MIN(index.reference_count, (size_t)REFERRERS_FOLDED_MAX);
	struct referrer *items = ARENA_ARRAY(ctx->arena, struct referrer, page->count + children);
	if (page->count)
		memcpy(items, page->items, page->count * sizeof *items);
	page->items = items;
	for (size_t i = 0; i < children; i++) {
		err = describe_child(ctx, tx, query, &index.references[i], &items[page->count]);
		if (err == OK)
			page->count++;
		else if (err != ERR_ABSENT)
			return err;
	}
	return OK;
}

err_t referrers_list(struct ctx *ctx, struct registry *registry, str repository,
		     const struct referrer_query *query, struct referrers_page *ret)
{
	struct referrer_query asked = *query;
	struct referrers_page page = { 0 };
	err_t err = repository_find(ctx, registry, repository, &asked.repository_id);
	if (err == ERR_NAME_UNKNOWN) {
		ctx_forgive(ctx);
		*ret = page;
		return OK;
	}
	TRY(err);

	asked.max = MIN(asked.max, (size_t)REFERRERS_PAGE_MAX) + 1;
	CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
	TRY(registry_read(ctx, registry, &tx));
	TRY(db_manifest_referrers(ctx, &tx, &asked, &page.items, &page.count));
	page.more = page.count == asked.max;
	if (page.more)
		page.last = page.items[--page.count - 1].digest_text;
	if (!asked.last.len)
		TRY(fold_fallback(ctx, &tx, &asked, &page));
	*ret = page;
	return OK;
}
