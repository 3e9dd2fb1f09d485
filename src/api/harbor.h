/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harbor.h - the wire conventions of Harbor's API, for the handlers in harbor_*.c and berth_*.c.
 *
 * A list:
 *	struct list list;
 *	TRY(list_begin(ctx, rq, &list));
 *	… rows from list.offset, at most list.page_size, filtered by list_text(&list, "name") …
 *	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
 *	struct json_writer w = JSON_WRITER(&body);
 *	json_write_array_begin(&w, NULL);
 *	…
 *	json_write_array_end(&w);
 *	return list_answer(rq, &list, total, &body);
 *
 * A body, which lives as long as the request:
 *	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
 *	struct label_body label = { 0 };
 *	TRY(body_read(ctx, rq, &doc));
 *	TRY(body_shape(ctx, doc.root, label_fields, COUNT_OF(label_fields), &label));
 *
 * Creation answers 201 with the new object's path: answer_created(rq, id). Everything else 200.
 */
#pragma once

#include "api/answer.h"
#include "codec/harbor_query.h"
#include "codec/json_shape.h"
#include "codec/json_writer.h"

#define HARBOR_BODY_MAX	     MIB(4) /* of an answer in memory */
#define HARBOR_PAGE_DEFAULT  10
#define HARBOR_PAGE_SIZE_MAX 100

/* --- lists -------------------------------------------------------------------------------------
 */

struct list {
	int64_t page; /* from 1 */
	int64_t page_size;
	int64_t offset; /* (page - 1) * page_size */
	struct harbor_query query;
};

/*
 * Reads page, page_size, q and sort. ERR_UNPROCESSABLE, or ERR_REQUEST_INVALID for a malformed q.
 * 0 is the first page, and the largest.
 */
err_t list_begin(struct ctx *ctx, struct request *rq, struct list *ret);

/* X-Total-Count and Link, then the body, which is a complete JSON array. */
err_t list_answer(struct request *rq, const struct list *list, int64_t total,
		  const struct buf *body);

/* The exact or fuzzy text asked for under a key of `q`; empty when there is none. */
str list_text(const struct list *list, const char *key);
/* True when the key is there and means "contains". */
bool list_is_fuzzy(const struct list *list, const char *key);
/* The number asked for under a key; false when absent; ERR_REQUEST_INVALID when it is none. */
err_t list_number(struct ctx *ctx, const struct list *list, const char *key, bool *ret_has,
		  int64_t *ret);
/* A range of times, microseconds; open ends are 0 and INT64_MAX. */
err_t list_times(struct ctx *ctx, const struct list *list, const char *key, int64_t *ret_from_us,
		 int64_t *ret_until_us);

/* A pattern for SQL's LIKE (ESCAPE '\') that finds `text` anywhere; empty for an empty text. */
str like_pattern(struct arena *arena, str text);
/* One that finds `text` alone. */
str like_exactly(struct arena *arena, str text);

/* The position of the list's first sort key among `columns` ("name", "creation_time", …), or
 * `otherwise`.
 * `*ret_descending` likewise. */
size_t list_sort(const struct list *list, const char *const *columns, size_t count,
		 size_t otherwise, bool *ret_descending);

/* --- bodies ------------------------------------------------------------------------------------
 */

/* The request's JSON object. ERR_REQUEST_INVALID when it is none. */
err_t body_read(struct ctx *ctx, struct request *rq, struct json_document *ret);

/* json_shape_read(), failing with ERR_UNPROCESSABLE and the member's name. */
err_t body_shape(struct ctx *ctx, const struct json_value *object, const struct json_field *fields,
		 size_t count, void *into);

/* --- answers -----------------------------------------------------------------------------------
 */

/* 201 with Location: <request path>/<id>. */
err_t answer_created(struct request *rq, int64_t id);
/* The same with the new object as the body. */
err_t answer_created_with(struct ctx *ctx, struct request *rq, int64_t id, const struct buf *body);
err_t answer_created_name(struct request *rq, str name);

/* The body of one object, built in `body`; ERR_LIMIT when it did not fit. */
err_t answer_object(struct ctx *ctx, struct request *rq, const struct buf *body);

/* "2026-01-02T03:04:05.678Z"; absent (nothing written) for 0. */
void json_write_time(struct json_writer *w, const char *key, int64_t at_us);

/* A query parameter as a boolean: `otherwise` when absent, ERR_UNPROCESSABLE when it is no boolean.
 */
err_t query_bool(struct ctx *ctx, struct request *rq, str name, bool otherwise, bool *ret);
/* Likewise as a whole number from 0. */
err_t query_i64(struct ctx *ctx, struct request *rq, str name, int64_t otherwise, int64_t *ret);

/* --- decisions that need the object --------------------------------------------------------------
 */

/*
 * Asks for a permission beyond the route's, about a project by id (0: none). OK, ERR_UNAUTHORIZED
 * or ERR_DENIED. For objects that belong to a project but are addressed by their own id.
 */
err_t request_require(struct ctx *ctx, struct request *rq, enum action action, int64_t project_id);
