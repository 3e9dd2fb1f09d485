/* SPDX-License-Identifier: Apache-2.0 */
/* s3_object.c - see s3_object.h: writing, copying, removing, listing. */
#include "s3_object.h"
#include "base/mem.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/url.h"
#include "crypto/md5.h"

#include <string.h>

#include "base/banned.h"

#define PAGE_TEXT "1000"
#define PAGES_MAX 10000000 /* a list that never ends is a broken server's */
#define PART_TEXT 200	   /* bytes of one part in what completes an upload */
#define SSE_KMS	  STR("aws:kms")

/* --- etags ---------------------------------------------------------------------------------- */

static bool is_md5(const char *etag)
{
	unsigned char bytes[MD5_BYTES];
	return strlen(etag) == MD5_TEXT_LEN && hex_decode(str_from(etag), bytes);
}

/* Encrypted under a managed key, or the client's, an etag is no MD5 though it looks like one. */
static bool hides_md5(const struct client_response *raw)
{
	str encryption = client_response_field(raw, STR("x-amz-server-side-encryption"));
	return str_has_prefix(encryption, SSE_KMS) ||
	       client_response_field(raw, STR("x-amz-server-side-encryption-customer-algorithm"))
		       .len;
}

static err_t compare_etag(struct ctx *ctx, const struct s3_client *client,
			  const struct client_response *raw, str key, str bytes, const char *etag,
			  bool *ret_proved)
{
	char want[MD5_TEXT_LEN + 1];
	*ret_proved = false;
	if (client->options.verify != S3_VERIFY_ETAG || !is_md5(etag) || hides_md5(raw) ||
	    !md5_text(bytes, want))
		return OK;
	if (strcmp(want, etag) != 0)
		return fail(ctx, ERR_CORRUPT,
			    "the server stored something else as " STR_FMT
			    ": its etag is %s, not %s",
			    STR_ARG(key), etag, want);
	*ret_proved = true;
	return OK;
}

/* --- single objects ------------------------------------------------------------------------- */

err_t s3_put(struct ctx *ctx, struct s3_client *client, str key, str bytes, bool *ret_proved)
{
	REMOTE_CALL(call, ctx);
	const struct s3_request rq = { .method = "PUT", .key = key, .body = bytes };
	struct s3_response answer;
	char etag[REMOTE_ETAG_MAX + 1];
	bool proved;
	TRY(s3_send(&call.ctx, client, &rq, &answer));
	TRY(remote_etag_copy(&call.ctx, client_response_field(&answer.raw, STR("ETag")), etag));
	TRY(compare_etag(&call.ctx, client, &answer.raw, key, bytes, etag, &proved));
	if (ret_proved)
		*ret_proved = proved;
	return OK;
}

err_t s3_head(struct ctx *ctx, struct s3_client *client, str key, struct s3_object *ret)
{
	REMOTE_CALL(call, ctx);
	const struct s3_request rq = { .method = "HEAD", .key = key };
	struct s3_response answer;
	uint64_t size_bytes;
	TRY(s3_send(&call.ctx, client, &rq, &answer));
	if (!str_to_u64(client_response_field(&answer.raw, STR("Content-Length")), INT64_MAX,
			&size_bytes))
		return fail(&call.ctx, ERR_STORAGE,
			    "the server does not say how long " STR_FMT " is", STR_ARG(key));
	TRY(remote_etag_copy(&call.ctx, client_response_field(&answer.raw, STR("ETag")),
			     ret->etag));
	ret->size_bytes = size_bytes;
	ret->etag_is_md5 = is_md5(ret->etag) && !hides_md5(&answer.raw);
	return OK;
}

bool s3_object_differs(const struct s3_client *client, const struct s3_object *object, str bytes)
{
	char want[MD5_TEXT_LEN + 1];
	return client->options.verify == S3_VERIFY_ETAG && object->etag_is_md5 &&
	       md5_text(bytes, want) && strcmp(want, object->etag) != 0;
}

/* "/bucket/key", escaped. */
static str copy_source(struct ctx *ctx, const struct s3_client *client, str key)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(8));
	struct aws_request rq = { .path = arena_printf(ctx->arena, "/" STR_FMT "/" STR_FMT,
						       STR_ARG(client->options.bucket),
						       STR_ARG(key)) };
	aws_target(&b, &rq);
	return arena_copy(ctx->arena, buf_str(&b));
}

err_t s3_copy(struct ctx *ctx, struct s3_client *client, str from, const struct s3_object *what,
	      str to, char etag[REMOTE_ETAG_MAX + 1])
{
	REMOTE_CALL(call, ctx);
	const struct aws_pair fields[] = { { STR("x-amz-copy-source"),
					     copy_source(&call.ctx, client, from) } };
	const struct s3_request rq = {
		.method = "PUT", .key = to, .fields = fields, .field_count = COUNT_OF(fields)
	};
	struct s3_response answer;
	TRY(s3_send(&call.ctx, client, &rq, &answer));
	TRY(remote_etag_copy(&call.ctx, answer.answer.etag, etag));
	if (client->options.verify == S3_VERIFY_ETAG && is_md5(what->etag) && is_md5(etag) &&
	    !hides_md5(&answer.raw) && strcmp(what->etag, etag) != 0)
		return fail(&call.ctx, ERR_CORRUPT,
			    "the copy " STR_FMT " has another etag than what was copied",
			    STR_ARG(to));
	return OK;
}

/* --- removing ------------------------------------------------------------------------------- */

static err_t remove_one(struct ctx *ctx, struct s3_client *client, str key, bool once)
{
	const struct s3_request rq = { .method = "DELETE", .key = key, .once = once };
	struct s3_response answer;
	err_t err = s3_send(ctx, client, &rq, &answer);
	if (err == ERR_ABSENT) {
		ctx_forgive(ctx);
		return OK;
	}
	return err;
}

err_t s3_remove_bad(struct ctx *ctx, struct s3_client *client, str key, const struct s3_object *bad)
{
	REMOTE_CALL(call, ctx);
	const struct aws_pair fields[] = { { STR("if-match"),
					     arena_printf(call.ctx.arena, "\"%s\"", bad->etag) } };
	const struct s3_request rq = {
		.method = "DELETE", .key = key, .fields = fields, .field_count = 1
	};
	struct s3_response answer;
	return s3_send(&call.ctx, client, &rq, &answer);
}

static err_t list_to_remove(struct ctx *ctx, const str *keys, size_t count, struct s3_request *ret)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(MIB(4)), sum_text = BUF_INIT(64);
	static const struct aws_pair query[] = { { STR_INIT("delete"), STR_INIT("") } };
	struct aws_pair *fields = arena_alloc(ctx->arena, sizeof *fields);
	unsigned char sum[MD5_BYTES];
	buf_add(&body, STR("<Delete><Quiet>true</Quiet>"));
	for (size_t i = 0; i < count; i++) {
		buf_add(&body, STR("<Object><Key>"));
		s3_xml_escape(&body, keys[i]);
		buf_add(&body, STR("</Key></Object>"));
	}
	buf_add(&body, STR("</Delete>"));
	CHECK(!buf_overrun(&body));
	*ret = (struct s3_request){ .method = "POST",
				    .query = query,
				    .query_count = 1,
				    .body = arena_copy(ctx->arena, buf_str(&body)) };
	if (!md5(ret->body, sum)) /* AWS wants it, or a checksum of another kind */
		return ERR_UNSUPPORTED;
	base64_encode(&sum_text, BASE64_STANDARD, (str){ (const char *)sum, sizeof sum });
	fields[0] =
		(struct aws_pair){ STR("Content-MD5"), arena_copy(ctx->arena, buf_str(&sum_text)) };
	ret->fields = fields;
	ret->field_count = 1;
	return OK;
}

/* ERR_UNSUPPORTED when the server takes no lists. */
static err_t send_list(struct ctx *ctx, struct s3_client *client, const str *keys, size_t count,
		       bool once, struct s3_answer *ret)
{
	struct s3_request rq;
	struct s3_response answer;
	TRY(list_to_remove(ctx, keys, count, &rq));
	rq.no_words = true;
	rq.once = once;
	TRY(s3_send(ctx, client, &rq, &answer));
	if (answer.status / 100 != 2 || !str_eq(answer.answer.root, STR("DeleteResult")))
		return ERR_UNSUPPORTED;
	*ret = answer.answer;
	return OK;
}

/* An Error of a list. */
static err_t refuse(struct ctx *ctx, const struct s3_item *refused)
{
	if (str_eq(refused->code, STR("NoSuchKey")))
		return OK;
	return fail(ctx, ERR_STORAGE, "could not remove " STR_FMT ": " STR_FMT " " STR_FMT,
		    STR_ARG(refused->key), STR_ARG(refused->code), STR_ARG(refused->message));
}

static err_t remove_many(struct ctx *ctx, struct s3_client *client, const str *keys, size_t count)
{
	struct s3_answer answer;
	TRY(send_list(ctx, client, keys, count, false, &answer));
	for (size_t i = 0; i < answer.item_count; i++)
		TRY(refuse(ctx, &answer.items[i]));
	return OK;
}

static const struct s3_item *refusal_of(const struct s3_answer *answer, str key)
{
	for (size_t i = 0; i < answer->item_count; i++)
		if (str_eq(answer->items[i].key, key))
			return &answer->items[i];
	return NULL;
}

/* All Errors are of keys that were asked for. */
static bool is_of(const struct s3_answer *answer, const str *keys, size_t count)
{
	size_t found = 0;
	for (size_t i = 0; i < count; i++)
		found += refusal_of(answer, keys[i]) != NULL;
	return found == answer->item_count;
}

err_t s3_remove_blobs(struct ctx *ctx, struct s3_client *client, const str *keys, size_t count,
		      const struct s3_told *told)
{
	REMOTE_CALL(call, ctx);
	CHECK(count <= S3_REMOVE_MAX);
	struct s3_answer answer;
	err_t err = send_list(&call.ctx, client, keys, count, true, &answer);
	if (err == ERR_UNSUPPORTED || err == ERR_CANCELLED || err == ERR_DEADLINE)
		return err;
	if (err == OK && !is_of(&answer, keys, count))
		err = fail(&call.ctx, ERR_STORAGE, "the server refuses what it was not asked for");
	struct failure why = call.ctx.failure;
	for (size_t i = 0; i < count; i++) {
		const struct s3_item *refused = err == OK ? refusal_of(&answer, keys[i]) : NULL;
		call.ctx.failure = why;
		told->tell(&call.ctx, told->arg, refused ? refuse(&call.ctx, refused) : err);
	}
	ctx_forgive(&call.ctx);
	return OK;
}

err_t s3_remove_blob(struct ctx *ctx, struct s3_client *client, str key)
{
	REMOTE_CALL(call, ctx);
	return remove_one(&call.ctx, client, key, true);
}

err_t s3_remove(struct ctx *ctx, struct s3_client *client, const str *keys, size_t count)
{
	REMOTE_CALL(call, ctx);
	CHECK(count <= S3_REMOVE_MAX);
	if (count > 1) {
		err_t err = remove_many(&call.ctx, client, keys, count);
		if (err != ERR_UNSUPPORTED)
			return err;
	}
	for (size_t i = 0; i < count; i++)
		TRY(remove_one(&call.ctx, client, keys[i], false));
	return OK;
}

/* --- lists ---------------------------------------------------------------------------------- */

static err_t decode_key(struct ctx *ctx, const struct s3_answer *answer, str *key)
{
	str decoded;
	if (!str_eq(answer->encoding, STR("url")))
		return OK;
	/* Some write a space as `+`; a plus itself is always escaped. */
	char *copy = arena_cstr(ctx->arena, *key);
	for (char *c = copy; *c; c++)
		if (*c == '+')
			*c = ' ';
	if (!url_decode(ctx->arena, str_from(copy), &decoded))
		return OK; /* no text: reported as it came */
	*key = decoded;
	return OK;
}

static bool goes_on(const struct s3_answer *answer)
{
	return str_eq(answer->truncated, STR("true"));
}

struct list {
	struct s3_client *client;
	str prefix;
	const struct s3_visitor *visitor;
	char next[2][KIB(2)]; /* where the next page begins */
	bool more;
};

static err_t keep_next(struct ctx *ctx, struct list *list, int which, str from)
{
	if (from.len >= sizeof list->next[which])
		return fail(ctx, ERR_STORAGE, "a list's next page is named by %zu bytes", from.len);
	if (from.len)
		memcpy(list->next[which], from.ptr, from.len);
	list->next[which][from.len] = '\0';
	return OK;
}

static err_t visit_objects(struct ctx *ctx, struct ctx *outer, struct list *list,
			   const struct s3_answer *answer)
{
	for (size_t i = 0; i < answer->item_count; i++) {
		str key = answer->items[i].key;
		uint64_t size_bytes;
		if (!str_to_u64(answer->items[i].size, INT64_MAX, &size_bytes))
			return fail(ctx, ERR_STORAGE, "a list without sizes");
		TRY(decode_key(ctx, answer, &key));
		if (str_has_prefix(key, list->prefix))
			TRY(list->visitor->object(outer, list->visitor->arg, key, size_bytes));
	}
	return OK;
}

static err_t list_objects(struct ctx *outer, struct list *list)
{
	REMOTE_CALL(call, outer);
	const struct aws_pair query[] = {
		{ STR("list-type"), STR("2") },
		{ STR("prefix"), list->prefix },
		{ STR("max-keys"), STR(PAGE_TEXT) },
		{ STR("encoding-type"), STR("url") },
		{ STR("continuation-token"), str_from(list->next[0]) },
	};
	const struct s3_request rq = { .method = "GET",
				       .query = query,
				       .query_count = COUNT_OF(query) - !list->next[0][0] };
	struct s3_response answer;
	TRY(s3_send(&call.ctx, list->client, &rq, &answer));
	list->more = goes_on(&answer.answer);
	if (list->more && !answer.answer.next_token.len)
		return fail(&call.ctx, ERR_STORAGE, "a list that goes on nowhere");
	TRY(keep_next(&call.ctx, list, 0, answer.answer.next_token));
	return visit_objects(&call.ctx, outer, list, &answer.answer);
}

static err_t list_uploads(struct ctx *outer, struct list *list)
{
	REMOTE_CALL(call, outer);
	const struct aws_pair query[] = {
		{ STR("uploads"), STR("") },
		{ STR("prefix"), list->prefix },
		{ STR("max-uploads"), STR(PAGE_TEXT) },
		{ STR("key-marker"), str_from(list->next[0]) },
		{ STR("upload-id-marker"), str_from(list->next[1]) },
	};
	const struct s3_request rq = { .method = "GET",
				       .query = query,
				       .query_count =
					       COUNT_OF(query) - (list->next[0][0] ? 0 : 2) };
	struct s3_response answer;
	TRY(s3_send(&call.ctx, list->client, &rq, &answer));
	list->more = goes_on(&answer.answer);
	if (list->more && !answer.answer.next_key.len)
		return fail(&call.ctx, ERR_STORAGE, "a list that goes on nowhere");
	TRY(keep_next(&call.ctx, list, 0, answer.answer.next_key));
	TRY(keep_next(&call.ctx, list, 1, answer.answer.next_upload_id));
	for (size_t i = 0; i < answer.answer.item_count; i++)
		if (str_has_prefix(answer.answer.items[i].key, list->prefix))
			TRY(list->visitor->upload(outer, list->visitor->arg,
						  answer.answer.items[i].key,
						  answer.answer.items[i].upload_id));
	return OK;
}

static err_t list_all(struct ctx *ctx, struct list *list,
		      err_t (*page)(struct ctx *outer, struct list *list))
{
	list->more = true;
	for (unsigned pages = 0; list->more; pages++) {
		TRY(ctx_check(ctx));
		if (pages == PAGES_MAX)
			return fail(ctx, ERR_STORAGE, "a list without an end");
		TRY(page(ctx, list));
	}
	return OK;
}

err_t s3_list(struct ctx *ctx, struct s3_client *client, str prefix,
	      const struct s3_visitor *visitor)
{
	struct list list = { .client = client, .prefix = prefix, .visitor = visitor };
	return list_all(ctx, &list, list_objects);
}

err_t s3_multipart_list(struct ctx *ctx, struct s3_client *client, str prefix,
			const struct s3_visitor *visitor)
{
	struct list list = { .client = client, .prefix = prefix, .visitor = visitor };
	return list_all(ctx, &list, list_uploads);
}

/* --- multipart uploads ---------------------------------------------------------------------- */

err_t s3_multipart_begin(struct ctx *ctx, struct s3_client *client, str key,
			 char id[S3_UPLOAD_ID_MAX + 1], bool *ret_more)
{
	REMOTE_CALL(call, ctx);
	static const struct aws_pair query[] = { { STR_INIT("uploads"), STR_INIT("") } };
	const struct s3_request rq = {
		.method = "POST", .key = key, .query = query, .query_count = 1
	};
	struct s3_response answer;
	TRY(s3_send(&call.ctx, client, &rq, &answer));
	str given = answer.answer.upload_id;
	if (given.len == 0 || given.len > S3_UPLOAD_ID_MAX || str_has_byte(given, '\n'))
		return fail(&call.ctx, ERR_STORAGE,
			    "the server gives no upload id that can be used");
	memcpy(id, given.ptr, given.len);
	id[given.len] = '\0';
	if (ret_more)
		*ret_more = answer.tries > 1;
	return OK;
}

struct part_query {
	struct aws_pair pairs[2];
};

static struct part_query part_query(struct ctx *ctx, const char *id, unsigned number)
{
	return (struct part_query){ { { STR("partNumber"), arena_printf(ctx->arena, "%u", number) },
				      { STR("uploadId"), str_from(id) } } };
}

err_t s3_part_put(struct ctx *ctx, struct s3_client *client, str key, const char *id,
		  unsigned number, str bytes, struct s3_part *ret)
{
	REMOTE_CALL(call, ctx);
	struct part_query query = part_query(&call.ctx, id, number);
	const struct s3_request rq = {
		.method = "PUT", .key = key, .query = query.pairs, .query_count = 2, .body = bytes
	};
	struct s3_response answer;
	TRY(s3_send(&call.ctx, client, &rq, &answer));
	TRY(remote_etag_copy(&call.ctx, client_response_field(&answer.raw, STR("ETag")),
			     ret->etag));
	bool proved;
	if (atomic_load(&client->payloads) != S3_PAYLOADS_CHECKED)
		TRY(compare_etag(&call.ctx, client, &answer.raw, key, bytes, ret->etag, &proved));
	ret->size_bytes = bytes.len;
	return OK;
}

void s3_parts_ask_payloads(struct ctx *ctx, struct s3_client *client, str key, const char *id)
{
	if (client->options.verify != S3_VERIFY_ETAG ||
	    atomic_load(&client->payloads) != S3_PAYLOADS_UNKNOWN)
		return;
	REMOTE_CALL(call, ctx);
	struct part_query query = part_query(&call.ctx, id, S3_PARTS_MAX);
	const struct s3_request rq = { .method = "PUT",
				       .key = key,
				       .query = query.pairs,
				       .query_count = 2,
				       .body = STR("a"),
				       .payload_hash = aws_hash(call.ctx.arena, STR("b")),
				       .once = true,
				       .no_words = true };
	struct s3_response answer;
	if (s3_send(&call.ctx, client, &rq, &answer) != OK) {
		ctx_forgive(&call.ctx); /* the next who begins one asks again */
		return;
	}
	bool checked = answer.status == 400 &&
		       str_eq(answer.answer.code, STR("XAmzContentSHA256Mismatch"));
	atomic_store(&client->payloads, checked ? S3_PAYLOADS_CHECKED : S3_PAYLOADS_UNCHECKED);
}

err_t s3_part_copy(struct ctx *ctx, struct s3_client *client, str key, const char *id,
		   unsigned number, const struct s3_piece *piece, struct s3_part *ret)
{
	REMOTE_CALL(call, ctx);
	struct part_query query = part_query(&call.ctx, id, number);
	const struct aws_pair fields[] = {
		{ STR("x-amz-copy-source"), copy_source(&call.ctx, client, piece->from) },
		{ STR("x-amz-copy-source-range"),
		  arena_printf(call.ctx.arena, "bytes=%llu-%llu", (unsigned long long)piece->first,
			       (unsigned long long)(piece->first + piece->len - 1)) },
	};
	const struct s3_request rq = { .method = "PUT",
				       .key = key,
				       .query = query.pairs,
				       .query_count = 2,
				       .fields = fields,
				       .field_count = COUNT_OF(fields) };
	struct s3_response answer;
	TRY(s3_send(&call.ctx, client, &rq, &answer));
	TRY(remote_etag_copy(&call.ctx, answer.answer.etag, ret->etag));
	ret->size_bytes = piece->len;
	return OK;
}

bool s3_whole_etag(const struct s3_part *parts, size_t count, char into[S3_WHOLE_ETAG_BYTES])
{
	CLEANUP(mem_done) char *sums = mem_new(count * MD5_BYTES + 1);
	for (size_t i = 0; i < count; i++)
		if (!is_md5(parts[i].etag) ||
		    !hex_decode(str_from(parts[i].etag), sums + i * MD5_BYTES))
			return false;
	if (!md5_text((str){ sums, count * MD5_BYTES }, into))
		return false;
	struct buf text = { .ptr = into,
			    .len = MD5_TEXT_LEN,
			    .cap = S3_WHOLE_ETAG_BYTES,
			    .max = S3_WHOLE_ETAG_BYTES };
	buf_printf(&text, "-%zu", count);
	buf_add_byte(&text, '\0');
	return true;
}

static err_t compare_whole(struct ctx *ctx, const struct s3_client *client,
			   const struct s3_response *answer, str key, const struct s3_part *parts,
			   size_t count, char have[REMOTE_ETAG_MAX + 1])
{
	char want[S3_WHOLE_ETAG_BYTES];
	have[0] = '\0';
	if (!answer->answer.etag.len)
		return OK;
	TRY(remote_etag_copy(ctx, answer->answer.etag, have));
	if (client->options.verify != S3_VERIFY_ETAG || hides_md5(&answer->raw) ||
	    !s3_whole_etag(parts, count, want))
		return OK;
	if (strlen(have) != strlen(want) || have[MD5_TEXT_LEN] != '-' || strcmp(have, want) == 0)
		return OK;
	return fail(ctx, ERR_CORRUPT,
		    "the server made something else of the parts of " STR_FMT
		    ": its etag is %s, not %s",
		    STR_ARG(key), have, want);
}

static err_t complete(struct ctx *ctx, struct s3_client *client, str key, const char *id,
		      const struct s3_part *parts, size_t count, char etag[REMOTE_ETAG_MAX + 1])
{
	REMOTE_CALL(call, ctx);
	CLEANUP(buf_done) struct buf body = BUF_INIT(S3_PARTS_MAX * PART_TEXT);
	const struct aws_pair query[] = { { STR("uploadId"), str_from(id) } };
	struct s3_response answer;
	buf_add(&body, STR("<CompleteMultipartUpload>"));
	for (size_t i = 0; i < count; i++) {
		buf_printf(&body, "<Part><PartNumber>%zu</PartNumber><ETag>&quot;", i + 1);
		s3_xml_escape(&body, str_from(parts[i].etag));
		buf_add(&body, STR("&quot;</ETag></Part>"));
	}
	buf_add(&body, STR("</CompleteMultipartUpload>"));
	CHECK(!buf_overrun(&body));
	const struct s3_request rq = { .method = "POST",
				       .key = key,
				       .query = query,
				       .query_count = 1,
				       .body = buf_str(&body) };
	TRY(s3_send(&call.ctx, client, &rq, &answer));
	return compare_whole(&call.ctx, client, &answer, key, parts, count, etag);
}

/* Whether the object is these parts: `err` if that cannot be said. */
static err_t find_completed(struct ctx *ctx, struct s3_client *client, str key,
			    const struct s3_part *parts, size_t count, err_t err)
{
	char want[S3_WHOLE_ETAG_BYTES];
	struct s3_object object;
	struct failure why = ctx->failure;
	uint64_t bytes = 0;
	if ((err != ERR_ABSENT && err != ERR_STORAGE) || !s3_whole_etag(parts, count, want))
		return err;
	for (size_t i = 0; i < count; i++)
		bytes += parts[i].size_bytes;
	ctx_forgive(ctx);
	if (s3_head(ctx, client, key, &object) == OK && object.size_bytes == bytes &&
	    strcmp(object.etag, want) == 0)
		return OK;
	ctx_forgive(ctx);
	ctx->failure = why;
	return err;
}

err_t s3_multipart_complete(struct ctx *ctx, struct s3_client *client, str key, const char *id,
			    const struct s3_part *parts, size_t count,
			    char etag[REMOTE_ETAG_MAX + 1])
{
	char said[REMOTE_ETAG_MAX + 1] = "";
	err_t err = complete(ctx, client, key, id, parts, count, said);
	TRY(err == OK ? OK : find_completed(ctx, client, key, parts, count, err));
	if (etag)
		memcpy(etag, said, sizeof said);
	return OK;
}

err_t s3_multipart_abort(struct ctx *ctx, struct s3_client *client, str key, str id)
{
	REMOTE_CALL(call, ctx);
	const struct aws_pair query[] = { { STR("uploadId"), id } };
	const struct s3_request rq = {
		.method = "DELETE", .key = key, .query = query, .query_count = 1
	};
	struct s3_response answer;
	err_t err = s3_send(&call.ctx, client, &rq, &answer);
	if (err == ERR_ABSENT) {
		ctx_forgive(&call.ctx);
		return OK;
	}
	return err;
}

/* --- reading -------------------------------------------------------------------------------- */

static err_t pull_source(struct ctx *ctx, void *client, const struct remote_ask *ask,
			 struct client_response *ret, str *ret_etag, struct client_pull **ret_pull)
{
	struct aws_pair fields[2];
	struct s3_request rq = { .method = "GET", .key = ask->key, .fields = fields };
	if (ask->range.len)
		fields[rq.field_count++] = (struct aws_pair){ STR("range"), ask->range };
	if (ask->etag.len)
		fields[rq.field_count++] = (struct aws_pair){ STR("if-match"), ask->etag };
	TRY(s3_pull(ctx, client, &rq, ret, ret_pull));
	*ret_etag = client_response_field(ret, STR("ETag")); /* as If-Match wants it: quoted */
	return OK;
}

static err_t size_of_source(struct ctx *ctx, void *client, str key, uint64_t *ret_size_bytes)
{
	struct s3_object object;
	TRY(s3_head(ctx, client, key, &object));
	*ret_size_bytes = object.size_bytes;
	return OK;
}

struct remote_source s3_source(struct s3_client *client)
{
	static const struct remote_source_ops ops = { pull_source, size_of_source };
	return (struct remote_source){ &ops, client };
}
