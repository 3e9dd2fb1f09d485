/* SPDX-License-Identifier: Apache-2.0 */
/* s3_answer.c - see s3_answer.h. Expat finds the elements; which of them count is a table. */
#include "codec/s3_answer.h"
#include "base/error.h"

#include <expat.h>
#include <stddef.h>

#include "base/banned.h"

#define PATH_MAX_BYTES 256

static const struct {
	const char *path; /* below the root */
	size_t offset;
} members[] = {
	{ "Code", offsetof(struct s3_answer, code) },
	{ "Message", offsetof(struct s3_answer, message) },
	{ "Region", offsetof(struct s3_answer, region) },
	{ "Endpoint", offsetof(struct s3_answer, endpoint) },
	{ "UploadId", offsetof(struct s3_answer, upload_id) },
	{ "ETag", offsetof(struct s3_answer, etag) },
	{ "EncodingType", offsetof(struct s3_answer, encoding) },
	{ "IsTruncated", offsetof(struct s3_answer, truncated) },
	{ "NextContinuationToken", offsetof(struct s3_answer, next_token) },
	{ "NextKeyMarker", offsetof(struct s3_answer, next_key) },
	{ "NextUploadIdMarker", offsetof(struct s3_answer, next_upload_id) },
	{ "NextPartNumberMarker", offsetof(struct s3_answer, next_part) },
}, item_members[] = {
	{ "Key", offsetof(struct s3_item, key) },
	{ "Size", offsetof(struct s3_item, size) },
	{ "ETag", offsetof(struct s3_item, etag) },
	{ "UploadId", offsetof(struct s3_item, upload_id) },
	{ "PartNumber", offsetof(struct s3_item, part_number) },
	{ "Code", offsetof(struct s3_item, code) },
	{ "Message", offsetof(struct s3_item, message) },
};

static const char *const item_names[] = { "Contents", "Upload", "Part", "Error" };

struct reader {
	XML_Parser expat;
	struct arena *arena;
	struct s3_answer answer;
	size_t item_capacity;
	unsigned depth;
	char path[PATH_MAX_BYTES]; /* of the element read now, below the root: "Contents/Key" */
	size_t path_len;
	struct buf text;
	const char *problem;
};

static void stop(struct reader *r, const char *problem)
{
	if (!r->problem)
		r->problem = problem;
	XML_StopParser(r->expat, XML_FALSE);
}

static str local_name(const char *name)
{
	str before, local = str_from(name);
	str_cut(local, ':', &before, &local);
	return local;
}

static bool is_item(str name)
{
	for (size_t i = 0; i < COUNT_OF(item_names); i++)
		if (str_eq(name, str_from(item_names[i])))
			return true;
	return false;
}

static void add_item(struct reader *r)
{
	struct s3_answer *answer = &r->answer;
	if (answer->item_count == S3_ANSWER_ITEMS_MAX) {
		stop(r, "too many items");
		return;
	}
	if (answer->item_count == r->item_capacity) {
		size_t capacity = r->item_capacity ? 2 * r->item_capacity : 16;
		struct s3_item *longer = arena_try(r->arena, capacity * sizeof *longer);
		if (!longer) {
			stop(r, "too large");
			return;
		}
		for (size_t i = 0; i < answer->item_count; i++)
			longer[i] = answer->items[i];
		answer->items = longer;
		r->item_capacity = capacity;
	}
	answer->items[answer->item_count++] = (struct s3_item){ 0 };
}

static void push_name(struct reader *r, str name)
{
	if (r->path_len + name.len + 1 > sizeof r->path) {
		stop(r, "names too long");
		return;
	}
	if (r->path_len)
		r->path[r->path_len++] = '/';
	for (size_t i = 0; i < name.len; i++)
		r->path[r->path_len++] = name.ptr[i];
}

static void begin_element(void *arg, const char *name, const char **attributes)
{
	struct reader *r = arg;
	str local = local_name(name);
	if (r->problem)
		return;
	if (r->depth++ == 0) {
		r->answer.root = arena_copy(r->arena, str_take(local, PATH_MAX_BYTES));
		return;
	}
	if (r->depth > S3_ANSWER_DEPTH_MAX) {
		stop(r, "too deep");
		return;
	}
	push_name(r, local);
	buf_clear(&r->text);
	if (r->depth == 2 && is_item(local))
		add_item(r);
}

static str *member_of(struct reader *r, str path)
{
	str item, member;
	if (str_cut(path, '/', &item, &member)) {
		for (size_t i = 0; is_item(item) && i < COUNT_OF(item_members); i++)
			if (str_eq(member, str_from(item_members[i].path)))
				return (str *)(void *)((char *)&r->answer
							       .items[r->answer.item_count - 1] +
						       item_members[i].offset);
		return NULL;
	}
	for (size_t i = 0; i < COUNT_OF(members); i++)
		if (str_eq(path, str_from(members[i].path)))
			return (str *)(void *)((char *)&r->answer + members[i].offset);
	return NULL;
}

static void keep_text(struct reader *r, str *member)
{
	str text = buf_str(&r->text);
	if (buf_overrun(&r->text)) {
		stop(r, "text too long");
		return;
	}
	char *copy = arena_try(r->arena, text.len + 1);
	if (!copy) {
		stop(r, "too large");
		return;
	}
	for (size_t i = 0; i < text.len; i++)
		copy[i] = text.ptr[i];
	*member = (str){ copy, text.len };
}

static void end_element(void *arg, const char *name)
{
	struct reader *r = arg;
	str path = { r->path, r->path_len }, before, last;
	if (r->problem)
		return;
	str *member = r->depth > 1 ? member_of(r, path) : NULL;
	if (member)
		keep_text(r, member);
	buf_clear(&r->text);
	r->path_len = str_cut_last(path, '/', &before, &last) ? before.len : 0;
	r->depth--;
}

static void take_text(void *arg, const char *text, int len)
{
	struct reader *r = arg;
	buf_add(&r->text, (str){ text, (size_t)len });
}

static void refuse_document_type(void *arg, const char *name, const char *system,
				 const char *public, int has_subset)
{
	stop(arg, "a document type");
}

static void expat_done(XML_Parser *expat)
{
	XML_ParserFree(*expat);
}

bool s3_answer_parse(struct arena *arena, str xml, struct s3_answer *ret, str *ret_problem)
{
	CLEANUP(expat_done) XML_Parser expat = XML_ParserCreate(NULL);
	CHECK(expat);
	struct reader r = { .expat = expat, .arena = arena, .text = BUF_INIT(S3_ANSWER_TEXT_MAX) };
	XML_SetUserData(expat, &r);
	XML_SetElementHandler(expat, begin_element, end_element);
	XML_SetCharacterDataHandler(expat, take_text);
	XML_SetStartDoctypeDeclHandler(expat, refuse_document_type);
	if (xml.len > S3_ANSWER_BYTES_MAX)
		r.problem = "too long";
	bool good = !r.problem && XML_Parse(expat, xml.len ? xml.ptr : "", (int)xml.len,
					    XML_TRUE) == XML_STATUS_OK;
	buf_done(&r.text);
	if (!good) {
		*ret_problem =
			str_from(r.problem ? r.problem : XML_ErrorString(XML_GetErrorCode(expat)));
		return false;
	}
	*ret = r.answer;
	return true;
}

void s3_xml_escape(struct buf *b, str text)
{
	static const struct {
		char byte;
		const char *escaped;
	} escapes[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" } };
	for (size_t i = 0; i < text.len; i++) {
		const char *escaped = NULL;
		for (size_t e = 0; e < COUNT_OF(escapes); e++)
			if (text.ptr[i] == escapes[e].byte)
				escaped = escapes[e].escaped;
		if (escaped)
			buf_add(b, str_from(escaped));
		else
			buf_add_byte(b, text.ptr[i]);
	}
}
