/* SPDX-License-Identifier: Apache-2.0 */
/* swift_object.c - see swift_object.h: writing, removing, listing. */
#include "swift_object.h"
#include "base/mem.h"
#include "codec/hex.h"
#include "codec/json_writer.h"
#include "codec/url.h"

#include <stdatomic.h>
#include <string.h>

#include "base/banned.h"

#define PAGE_TEXT      "1000"
#define PAGES_MAX      10000000 /* a list that never ends is a broken server's */
#define MANIFEST_MAX   MIB(4)
#define BULK_MIN       3 /* fewer are removed one by one */
#define REMOVE_AT_ONCE 1000
#define UPLOAD_FIELD   "X-Object-Meta-Berth-Upload"

enum swift_bulk { BULK_UNKNOWN, BULK_NONE, BULK_THERE };

/* --- single objects ------------------------------------------------------------------------- */

/* All but the size, of what a server says of an object. */
static err_t read_fields(struct ctx *ctx, const struct client_response *raw,
			 struct swift_object *ret)
{
	str large = client_response_field(raw, STR("X-Static-Large-Object"));
	str upload = client_response_field(raw, STR(UPLOAD_FIELD));
	TRY(remote_etag_copy(ctx, client_response_field(raw, STR("ETag")), ret->etag));
	ret->is_large = str_eq_nocase(large, STR("true"));
	ret->upload[0] = '\0';
	if (ret->is_large && remote_id_is(upload)) {
		memcpy(ret->upload, upload.ptr, upload.len);
		ret->upload[upload.len] = '\0';
	}
	return OK;
}

err_t swift_put(struct ctx *ctx, struct swift_client *client, str key, str bytes,
		char etag[MD5_TEXT_LEN + 1])
{
	REMOTE_CALL(call, ctx);
	char want[MD5_TEXT_LEN + 1], have[REMOTE_ETAG_MAX + 1];
	struct client_response answer;
	md5_text(bytes, want);
	const struct client_field fields[] = {
		{ STR("Content-Type"), STR("application/octet-stream") },
		{ STR("ETag"), str_from(want) },
	};
	const struct swift_request rq = { .method = "PUT",
					  .key = key,
					  .fields = fields,
					  .field_count = want[0] ? 2 : 1,
					  .body = bytes };
	TRY(swift_send(&call.ctx, client, &rq, &answer));
	TRY(remote_etag_copy(&call.ctx, client_response_field(&answer, STR("ETag")), have));
	if (want[0] && strcmp(want, have) != 0)
		return fail(&call.ctx, ERR_CORRUPT,
			    "the server stored something else as " STR_FMT
			    ": its etag is %s, not %s",
			    STR_ARG(key), have, want);
	if (etag)
		memcpy(etag, want, sizeof want);
	return OK;
}

err_t swift_head(struct ctx *ctx, struct swift_client *client, str key, bool is_there,
		 struct swift_object *ret)
{
	REMOTE_CALL(call, ctx);
	const struct swift_request rq = { .method = "HEAD", .key = key, .is_there = is_there };
	struct client_response answer;
	struct swift_object object;
	TRY(swift_send(&call.ctx, client, &rq, &answer));
	if (!str_to_u64(client_response_field(&answer, STR("Content-Length")), INT64_MAX,
			&object.size_bytes))
		return fail(&call.ctx, ERR_STORAGE,
			    "the server does not say how long " STR_FMT " is", STR_ARG(key));
	TRY(read_fields(&call.ctx, &answer, &object));
	*ret = object;
	return OK;
}

/* --- manifests ------------------------------------------------------------------------------ */

void swift_whole_etag(const struct swift_segment *segments, size_t count,
		      char into[MD5_TEXT_LEN + 1])
{
	CLEANUP(buf_done) struct buf all = BUF_INIT(MANIFEST_MAX);
	for (size_t i = 0; i < count; i++)
		buf_add(&all, str_from(segments[i].etag));
	md5_text(buf_str(&all), into);
}

static void write_manifest(struct ctx *ctx, const struct swift_client *client,
			   const struct swift_manifest *manifest, struct buf *b)
{
	struct json_writer w = JSON_WRITER(b);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < manifest->count; i++) {
		const struct swift_segment *segment = &manifest->segments[i];
		json_write_object_begin(&w, NULL);
		json_write_str(&w, "path",
			       arena_printf(ctx->arena, "/" STR_FMT "/" STR_FMT "%s",
					    STR_ARG(client->container), STR_ARG(manifest->folder),
					    segment->name));
		if (segment->etag[0])
			json_write_str(&w, "etag", str_from(segment->etag));
		json_write_i64(&w, "size_bytes", (int64_t)segment->size_bytes);
		json_write_object_end(&w);
	}
	json_write_array_end(&w);
}

err_t swift_put_manifest(struct ctx *ctx, struct swift_client *client, str key,
			 const struct swift_manifest *manifest)
{
	REMOTE_CALL(call, ctx);
	CLEANUP(buf_done) struct buf body = BUF_INIT(MANIFEST_MAX);
	const struct client_field fields[] = { { STR("Content-Type"), SWIFT_MANIFEST_TYPE },
					       { STR(UPLOAD_FIELD), manifest->upload } };
	struct client_response answer;
	write_manifest(&call.ctx, client, manifest, &body);
	if (buf_overrun(&body))
		return fail(&call.ctx, ERR_STORAGE, "a manifest of %zu segments is too long",
			    manifest->count);
	const struct swift_request rq = { .method = "PUT",
					  .key = key,
					  .query = STR("multipart-manifest=put"),
					  .fields = fields,
					  .field_count = COUNT_OF(fields),
					  .body = buf_str(&body),
					  .is_there = true /* its segments */ };
	return swift_send(&call.ctx, client, &rq, &answer);
}

/* --- removing ------------------------------------------------------------------------------- */

static err_t remove_one(struct ctx *ctx, struct swift_client *client, str key)
{
	REMOTE_CALL(call, ctx);
	const struct swift_request rq = { .method = "DELETE", .key = key };
	struct client_response answer;
	err_t err = swift_send(&call.ctx, client, &rq, &answer);
	if (err == ERR_ABSENT) {
		ctx_forgive(&call.ctx);
		return OK;
	}
	return err;
}

/* Answered and no list of what a server can do: ERR_ABSENT. */
err_t swift_ask_info(struct ctx *ctx, struct swift_client *client, struct swift_info *ret)
{
	REMOTE_CALL(call, ctx);
	const struct swift_request rq = { .method = "GET", .at = SWIFT_AT_INFO, .no_words = true };
	struct client_response answer;
	str why;
	TRY(swift_send(&call.ctx, client, &rq, &answer));
	if (answer.status != 200 || !swift_info_parse(&call.arena, answer.body, ret, &why))
		return ERR_ABSENT;
	return OK;
}

static bool has_bulk(struct ctx *ctx, struct swift_client *client)
{
	struct swift_info info = { 0 };
	int known = atomic_load(&client->bulk);
	if (known != BULK_UNKNOWN)
		return known == BULK_THERE;
	err_t err = swift_ask_info(ctx, client, &info);
	if (err != OK && err != ERR_ABSENT) { /* it may say so another time */
		ctx_forgive(ctx);
		return false;
	}
	atomic_store(&client->bulk, info.bulk_delete ? BULK_THERE : BULK_NONE);
	return info.bulk_delete;
}

/* ERR_UNSUPPORTED when the server takes no lists. */
static err_t remove_many(struct ctx *ctx, struct swift_client *client, const str *keys,
			 size_t count)
{
	REMOTE_CALL(call, ctx);
	CLEANUP(buf_done) struct buf body = BUF_INIT(MIB(4));
	static const struct client_field fields[] = {
		{ STR_INIT("Content-Type"), STR_INIT("text/plain") },
		{ STR_INIT("Accept"), STR_INIT("application/json") },
	};
	struct client_response answer;
	str why;
	for (size_t i = 0; i < count; i++) {
		buf_add(&body, swift_path(&call.ctx, client, keys[i]));
		buf_add_byte(&body, '\n');
	}
	CHECK(!buf_overrun(&body));
	const struct swift_request rq = { .method = "POST",
					  .at = SWIFT_AT_ACCOUNT,
					  .query = STR("bulk-delete"),
					  .fields = fields,
					  .field_count = COUNT_OF(fields),
					  .body = buf_str(&body),
					  .no_words = true };
	TRY(swift_send(&call.ctx, client, &rq, &answer));
	if (answer.status / 100 != 2)
		return ERR_UNSUPPORTED;
	if (!swift_removal_parse(&call.arena, answer.body, &why))
		return fail(&call.ctx, ERR_STORAGE, "could not remove %zu objects: " STR_FMT, count,
			    STR_ARG(why));
	return OK;
}

err_t swift_remove(struct ctx *ctx, struct swift_client *client, const str *keys, size_t count)
{
	CHECK(count <= REMOVE_AT_ONCE);
	if (count >= BULK_MIN && has_bulk(ctx, client)) {
		err_t err = remove_many(ctx, client, keys, count);
		if (err != ERR_UNSUPPORTED)
			return err;
		atomic_store(&client->bulk, BULK_NONE);
	}
	for (size_t i = 0; i < count; i++)
		TRY(remove_one(ctx, client, keys[i]));
	return OK;
}

/* --- lists ---------------------------------------------------------------------------------- */

struct list {
	struct swift_client *client;
	str prefix;
	const struct swift_visitor *visitor;
	char marker[REMOTE_KEY_MAX + 1]; /* the last name of the page before */
	bool more;
};

static str page_query(struct ctx *ctx, const struct list *list)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(8));
	buf_add(&b, STR("format=json&limit=" PAGE_TEXT "&prefix="));
	url_encode(&b, list->prefix);
	if (list->marker[0]) {
		buf_add(&b, STR("&marker="));
		url_encode(&b, str_from(list->marker));
	}
	return arena_copy(ctx->arena, buf_str(&b));
}

static err_t visit_page(struct ctx *outer, struct list *list, const struct swift_item *items,
			size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_has_prefix(items[i].name, list->prefix))
			TRY(list->visitor->object(outer, list->visitor->arg, &items[i]));
	return OK;
}

/* A page that is not empty says where the next one begins: servers differ in how many they give. */
static err_t list_page(struct ctx *outer, struct list *list)
{
	REMOTE_CALL(call, outer);
	const struct swift_request rq = { .method = "GET", .query = page_query(&call.ctx, list) };
	struct client_response answer;
	struct swift_item *items = NULL;
	size_t count = 0;
	str why;
	TRY(swift_send(&call.ctx, list->client, &rq, &answer));
	if (answer.status != 204 &&
	    !swift_list_parse(&call.arena, answer.body, &items, &count, &why))
		return fail(&call.ctx, ERR_STORAGE, "a list that cannot be read: " STR_FMT,
			    STR_ARG(why));
	list->more = count > 0;
	if (!list->more)
		return OK;
	str last = items[count - 1].name;
	if (last.len > REMOTE_KEY_MAX || str_cmp(last, str_from(list->marker)) <= 0)
		return fail(&call.ctx, ERR_STORAGE, "a list that goes on nowhere");
	memcpy(list->marker, last.ptr, last.len);
	list->marker[last.len] = '\0';
	return visit_page(outer, list, items, count);
}

err_t swift_list(struct ctx *ctx, struct swift_client *client, str prefix,
		 const struct swift_visitor *visitor)
{
	struct list list = { .client = client, .prefix = prefix, .visitor = visitor, .more = true };
	for (unsigned pages = 0; list.more; pages++) {
		TRY(ctx_check(ctx));
		if (pages == PAGES_MAX)
			return fail(ctx, ERR_STORAGE, "a list without an end");
		TRY(list_page(ctx, &list));
	}
	return OK;
}

/* --- removing what is listed ---------------------------------------------------------------- */

struct sweep {
	struct swift_client *client;
	bool (*is_kept)(void *arg, str key);
	void *arg;
	struct arena names;
	str keys[REMOVE_AT_ONCE];
	size_t count;
};

static err_t sweep_out(struct ctx *ctx, struct sweep *sweep)
{
	size_t count = sweep->count;
	sweep->count = 0;
	err_t err = count ? swift_remove(ctx, sweep->client, sweep->keys, count) : OK;
	arena_reset(&sweep->names);
	return err;
}

static err_t sweep_one(struct ctx *ctx, void *arg, const struct swift_item *item)
{
	struct sweep *sweep = arg;
	if (sweep->is_kept && sweep->is_kept(sweep->arg, item->name))
		return OK;
	sweep->keys[sweep->count++] = arena_copy(&sweep->names, item->name);
	return sweep->count == REMOVE_AT_ONCE ? sweep_out(ctx, sweep) : OK;
}

err_t swift_remove_all(struct ctx *ctx, struct swift_client *client, str prefix,
		       bool (*is_kept)(void *arg, str key), void *arg)
{
	CLEANUP(mem_done) struct sweep *sweep = NEW(struct sweep);
	*sweep = (struct sweep){ .client = client, .is_kept = is_kept, .arg = arg };
	arena_init(&sweep->names, 2 * REMOVE_AT_ONCE * REMOTE_KEY_MAX);
	const struct swift_visitor visitor = { sweep_one, sweep };
	err_t err = swift_list(ctx, client, prefix, &visitor);
	if (err == OK)
		err = sweep_out(ctx, sweep);
	arena_done(&sweep->names);
	return err;
}

/* --- reading -------------------------------------------------------------------------------- */

static err_t pull_source(struct ctx *ctx, void *client, const struct remote_ask *ask,
			 struct client_response *ret, str *ret_etag, struct client_pull **ret_pull)
{
	struct client_field fields[2];
	struct swift_request rq = { .method = "GET", .key = ask->key, .fields = fields };
	char *etag = arena_alloc(ctx->arena, REMOTE_ETAG_MAX + 1);
	CLEANUP(client_pull_end) struct client_pull *pull = NULL;
	if (ask->range.len)
		fields[rq.field_count++] = (struct client_field){ STR("Range"), ask->range };
	if (ask->newest)
		fields[rq.field_count++] = (struct client_field){ STR("X-Newest"), STR("true") };
	TRY(swift_pull(ctx, client, &rq, ret, &pull));
	TRY(remote_etag_copy(ctx, client_response_field(ret, STR("ETag")), etag));
	*ret_etag = str_from(etag);
	*ret_pull = take(pull);
	return OK;
}

static err_t size_of_source(struct ctx *ctx, void *client, str key, uint64_t *ret_size_bytes)
{
	struct swift_object object;
	TRY(swift_head(ctx, client, key, false, &object));
	*ret_size_bytes = object.size_bytes;
	return OK;
}

struct remote_source swift_source(struct swift_client *client)
{
	static const struct remote_source_ops ops = { pull_source, size_of_source };
	return (struct remote_source){ &ops, client };
}
