/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3_answer.h - what an S3 server answers in XML: lists, upload ids, errors; and the escaping of
 * what it is asked with.
 *
 * One struct for all answers, since they share their members. What an answer does not have is
 * empty. Names may have a prefix of a namespace. Parsed strictly and within bounds: no document
 * type (and so no entities but XML's own five), at most S3_ANSWER_DEPTH_MAX elements deep,
 * S3_ANSWER_ITEMS_MAX items, S3_ANSWER_TEXT_MAX bytes in an element that counts.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

#define S3_ANSWER_BYTES_MAX MIB(4)
#define S3_ANSWER_DEPTH_MAX 16
#define S3_ANSWER_ITEMS_MAX 10000
#define S3_ANSWER_TEXT_MAX  KIB(8)

/* A `Contents` of a list of objects, an `Upload` of a list of uploads, a `Part` of a list of parts,
 * an `Error` in the answer to deleting many. */
struct s3_item {
	str key;
	str size; /* decimal digits, if the server is right */
	str etag; /* with its quotes */
	str upload_id;
	str part_number;
	str code, message; /* of an Error */
};

struct s3_answer {
	str root;			     /* name of the outermost element */
	str code, message, region, endpoint; /* of an Error */
	str upload_id;
	str etag;		      /* with its quotes */
	str encoding;		      /* "url": keys are escaped */
	str truncated;		      /* "true": the list goes on behind … */
	str next_token;		      /* … this (objects) */
	str next_key, next_upload_id; /* … these (uploads) */
	str next_part;		      /* … this (parts) */
	struct s3_item *items;
	size_t item_count;
};

/* False, with a reason in the arena, for what is not such an answer. All strings are in the arena.
 */
bool s3_answer_parse(struct arena *arena, str xml, struct s3_answer *ret, str *ret_problem);

/* Appends `text` as the content of an element. */
void s3_xml_escape(struct buf *b, str text);
