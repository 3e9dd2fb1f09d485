/* SPDX-License-Identifier: Apache-2.0 */
/* oci_referrers.c - what points at a manifest, as an image index (distribution-spec, "Listing
 * referrers"). */
#include "api/handlers.h"
#include "codec/json_writer.h"
#include "codec/manifest.h"
#include "codec/url.h"
#include "registry/referrers.h"

#include "base/banned.h"

/* Clients cap what they read at 4 MiB (oras-go); a page ends well before. */
#define PAGE_BYTES_MAX MIB(1)
#define BODY_BYTES_MAX MIB(8)

static void write_descriptor(struct json_writer *w, const struct referrer *referrer)
{
	json_write_object_begin(w, NULL);
	json_write_str(w, "mediaType", referrer->media_type);
	json_write_str(w, "digest", referrer->digest_text);
	json_write_i64(w, "size", referrer->size_bytes);
	if (referrer->annotations_json.len)
		json_write_raw(w, "annotations", referrer->annotations_json);
	if (referrer->artifact_type.len)
		json_write_str(w, "artifactType", referrer->artifact_type);
	json_write_object_end(w);
}

/* Adds descriptors until the page is full by bytes; then the page ends there. */
static void write_page(struct buf *body, struct referrers_page *page)
{
	struct json_writer w = JSON_WRITER(body);
	json_write_object_begin(&w, NULL);
	json_write_i64(&w, "schemaVersion", 2);
	json_write_str(&w, "mediaType", STR(MEDIA_OCI_INDEX));
	json_write_array_begin(&w, "manifests");
	for (size_t i = 0; i < page->count; i++) {
		write_descriptor(&w, &page->items[i]);
		if (body->len >= PAGE_BYTES_MAX && i + 1 < page->count) {
			page->more = true;
			page->last = page->items[i].digest_text;
			break;
		}
	}
	json_write_array_end(&w);
	json_write_object_end(&w);
}

static void link_next(struct ctx *ctx, struct request *rq, const struct referrers_page *page,
		      const struct referrer_query *query)
{
	if (!page->more)
		return;
	CLEANUP(buf_done) struct buf extra = BUF_INIT(KIB(2));
	if (query->artifact_type.len) {
		buf_add(&extra, STR("&artifactType="));
		url_encode(&extra, query->artifact_type);
	}
	struct next_page next = { rq->x->head->path, page->last, query->max, buf_str(&extra) };
	answer_link(rq, &next);
}

err_t oci_referrers_get(struct ctx *ctx, struct request *rq)
{
	struct referrer_query query = {
		.subject = rq->digest,
		.artifact_type = request_query(rq, STR("artifactType")),
	};
	TRY(page_parameters(ctx, rq, REFERRERS_PAGE_MAX, &query.max, &query.last));
	if (query.max == 0)
		query.max = REFERRERS_PAGE_MAX;
	struct referrers_page page;
	TRY(referrers_list(ctx, rq->api->options.registry, rq->repository, &query, &page));

	CLEANUP(buf_done) struct buf body = BUF_INIT(BODY_BYTES_MAX);
	write_page(&body, &page);
	if (buf_overrun(&body))
		return fail(ctx, ERR_LIMIT, "one referrer is larger than a page");
	link_next(ctx, rq, &page, &query);
	if (query.artifact_type.len)
		exchange_header(rq->x, STR("OCI-Filters-Applied"), STR("artifactType"));
	exchange_header(rq->x, STR("Content-Type"), STR(MEDIA_OCI_INDEX));
	return exchange_answer(rq->x, 200, buf_str(&body));
}
