/* SPDX-License-Identifier: Apache-2.0 */
/* oci_base.c - ping, extensions, and the two lists of names: tags and catalog. */
#include "api/handlers.h"
#include "codec/json_writer.h"
#include "registry/list.h"

#include "base/banned.h"

#define NAMES_BODY_MAX MIB(4)

err_t oci_ping(struct ctx *ctx, struct request *rq)
{
	return answer_json(rq, 200, STR("{}"));
}

err_t oci_discover_get(struct ctx *ctx, struct request *rq)
{
	return answer_json(
		rq, 200,
		STR("{\"extensions\":[{\"name\":\"_oci\",\"description\":\"extension discovery\","
		    "\"url\":\"https://github.com/opencontainers/distribution-spec/blob/main/"
		    "extensions/_oci.md\",\"endpoints\":[\"_oci/ext/discover\"]}]}"));
}

static void write_names(struct json_writer *w, const char *key, const struct name_page *page)
{
	json_write_array_begin(w, key);
	for (size_t i = 0; i < page->count; i++)
		json_write_str(w, NULL, page->names[i]);
	json_write_array_end(w);
}

static void link_next(struct request *rq, str path, const struct name_page *page, size_t n)
{
	if (!page->more || page->count == 0)
		return;
	struct next_page next = { .path = path, .last = page->names[page->count - 1], .n = n };
	answer_link(rq, &next);
}

err_t oci_tags_get(struct ctx *ctx, struct request *rq)
{
	size_t n;
	str last;
	TRY(page_parameters(ctx, rq, rq->api->options.tags_page_max, &n, &last));
	struct name_page page;
	TRY(tag_list(ctx, rq->api->options.registry, rq->repository, last, n, &page));

	CLEANUP(buf_done) struct buf body = BUF_INIT(NAMES_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "name", rq->name_asked);
	write_names(&w, "tags", &page);
	json_write_object_end(&w);
	link_next(rq, rq->x->head->path, &page, n);
	return answer_json(rq, 200, buf_str(&body));
}

err_t oci_catalog_get(struct ctx *ctx, struct request *rq)
{
	size_t n;
	str last;
	TRY(page_parameters(ctx, rq, rq->api->options.catalog_page_max, &n, &last));
	struct name_page page;
	TRY(catalog_list(ctx, rq->api->options.registry, last, true, n, &page));

	CLEANUP(buf_done) struct buf body = BUF_INIT(NAMES_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	write_names(&w, "repositories", &page);
	json_write_object_end(&w);
	link_next(rq, rq->x->head->path, &page, n);
	return answer_json(rq, 200, buf_str(&body));
}
