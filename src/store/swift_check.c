/* SPDX-License-Identifier: Apache-2.0 */
/* swift_check.c - see swift_check.h. A check is a row of the table. */
#include "swift_check.h"
#include "base/mem.h"
#include "swift.h"

#include <string.h>

#include "base/banned.h"

#define TEXT	     STR("what was stored is what is read")
#define STRANGE_NAME "strange name+~&%41='\xc3\xa9"

static struct swift_client *client_at(const struct store_check *check)
{
	return swift_of(check->store)->client;
}

static str key_of(struct ctx *ctx, const struct store_check *check, const char *name)
{
	return arena_printf(ctx->arena, STR_FMT "%s", STR_ARG(check->folder), name);
}

static err_t put(struct ctx *ctx, struct store_check *check, const char *name, str bytes)
{
	return swift_put(ctx, client_at(check), key_of(ctx, check, name), bytes, NULL);
}

static err_t expect(struct ctx *ctx, struct store_check *check, const char *name, str want)
{
	CLEANUP(remote_reader_done) struct remote_reader reader = { 0 };
	TRY(remote_reader_open_newest(ctx, swift_source(client_at(check)), key_of(ctx, check, name),
				      MAX(want.len, (size_t)1), &reader));
	if (reader.size_bytes != want.len || !str_eq((str){ reader.first, reader.first_len }, want))
		return fail(ctx, ERR_STORAGE, "other bytes came back");
	return OK;
}

/* --- the checks ----------------------------------------------------------------------------- */

static err_t ask(struct ctx *ctx, struct store_check *check)
{
	const struct swift_request rq = { .method = "HEAD", .once = true };
	struct client_response answer;
	return swift_send(ctx, client_at(check), &rq, &answer);
}

static err_t write_and_read(struct ctx *ctx, struct store_check *check)
{
	TRY(put(ctx, check, "a", STR("another")));
	TRY(expect(ctx, check, "a", STR("another")));
	TRY(put(ctx, check, "a", TEXT));
	TRY(expect(ctx, check, "a", TEXT));
	TRY(put(ctx, check, STRANGE_NAME, TEXT));
	return expect(ctx, check, STRANGE_NAME, TEXT);
}

static err_t etags(struct ctx *ctx, struct store_check *check)
{
	const struct client_field fields[] = {
		{ STR("ETag"), STR("00000000000000000000000000000000") },
	};
	const struct swift_request rq = { .method = "PUT",
					  .key = key_of(ctx, check, "lie"),
					  .fields = fields,
					  .field_count = 1,
					  .body = TEXT,
					  .no_words = true };
	struct client_response answer;
	TRY(swift_send(ctx, client_at(check), &rq, &answer));
	if (answer.status / 100 == 2)
		return store_check_quirk(ctx, check,
					 "bodies are not compared with their MD5: what is changed "
					 "on the way shows by the etag in the answer only");
	return OK;
}

static err_t strangers(struct ctx *ctx, struct store_check *check)
{
	struct swift_session session;
	struct client_response answer;
	TRY(swift_auth_get(ctx, client_at(check)->auth, &session));
	const struct client_request rq = {
		.method = "GET",
		.url = arena_printf(
			ctx->arena, STR_FMT "/" STR_FMT, STR_ARG(session.url),
			STR_ARG(swift_path(ctx, client_at(check), key_of(ctx, check, "a")))),
		.ca_pem = client_at(check)->ca_pem
	};
	TRY(client_send(ctx, client_at(check)->http, &rq, &answer));
	if (answer.status / 100 == 2)
		return store_check_quirk(ctx, check,
					 "the container is open to everybody: whoever knows a "
					 "digest can read the blob");
	return OK;
}

static err_t ranges(struct ctx *ctx, struct store_check *check)
{
	CLEANUP(remote_reader_done) struct remote_reader reader = { 0 };
	TRY(remote_reader_open_newest(ctx, swift_source(client_at(check)), key_of(ctx, check, "a"),
				      4, &reader));
	if (reader.size_bytes != TEXT.len ||
	    !str_eq((str){ reader.first, reader.first_len }, str_take(TEXT, 4)))
		return fail(ctx, ERR_STORAGE, "a range has other bytes");
	return OK;
}

static err_t absences(struct ctx *ctx, struct store_check *check)
{
	struct swift_object object;
	err_t err = swift_head(ctx, client_at(check), key_of(ctx, check, "absent"), false, &object);
	if (err == ERR_ABSENT) {
		ctx_forgive(ctx);
		return OK;
	}
	return err != OK ? err
			 : fail(ctx, ERR_STORAGE, "an object that was never written is there");
}

static err_t put_segments(struct ctx *ctx, struct store_check *check,
			  struct swift_segment segments[2])
{
	static const char *const names[] = { "1", "2" };
	const str bytes[] = { str_take(TEXT, 9), str_skip(TEXT, 9) };
	for (size_t i = 0; i < 2; i++) {
		segments[i] = (struct swift_segment){ .size_bytes = bytes[i].len };
		memcpy(segments[i].name, names[i], 2);
		str key = arena_printf(ctx->arena, STR_FMT "segments/%s", STR_ARG(check->folder),
				       names[i]);
		TRY(swift_put(ctx, client_at(check), key, bytes[i], segments[i].etag));
	}
	return OK;
}

static err_t large_objects(struct ctx *ctx, struct store_check *check)
{
	struct swift_segment segments[2];
	struct swift_object object;
	char want[MD5_TEXT_LEN + 1];
	TRY(put_segments(ctx, check, segments));
	swift_whole_etag(segments, 2, want);
	const struct swift_manifest manifest = { key_of(ctx, check, "segments/"), STR("abc"),
						 segments, 2 };
	TRY(swift_put_manifest(ctx, client_at(check), key_of(ctx, check, "large"), &manifest));
	TRY(expect(ctx, check, "large", TEXT));
	TRY(swift_head(ctx, client_at(check), key_of(ctx, check, "large"), true, &object));
	if (object.size_bytes != TEXT.len || !object.is_large || strcmp(object.upload, "abc") != 0)
		return fail(ctx, ERR_STORAGE,
			    "a large object has %llu bytes, or does not say that it is one",
			    (unsigned long long)object.size_bytes);
	if (want[0] && strcmp(want, object.etag) != 0)
		return fail(ctx, ERR_STORAGE, "a large object's etag is not that of its segments");
	return OK;
}

static err_t wrong_segments(struct ctx *ctx, struct store_check *check)
{
	struct swift_segment segments[2];
	TRY(put_segments(ctx, check, segments));
	memset(segments[1].etag, '0', MD5_TEXT_LEN);
	const struct swift_manifest manifest = { key_of(ctx, check, "segments/"), STR("abc"),
						 segments, 2 };
	if (swift_put_manifest(ctx, client_at(check), key_of(ctx, check, "wrong"), &manifest) == OK)
		return store_check_quirk(ctx, check,
					 "a manifest is not compared with the etags of its "
					 "segments: they count as they were when they were sent");
	ctx_forgive(ctx);
	return OK;
}

static err_t abilities(struct ctx *ctx, struct store_check *check)
{
	struct swift_info info;
	err_t err = swift_ask_info(ctx, client_at(check), &info);
	if (err == ERR_ABSENT)
		return store_check_quirk(ctx, check,
					 "the server does not say what it can do (/info): objects "
					 "are removed one by one");
	TRY(err);
	if (info.segments_max < SWIFT_SEGMENTS_MAX)
		return store_check_quirk(ctx, check,
					 "a manifest has fewer than 1000 segments: the largest "
					 "blobs cannot be stored");
	if (!info.bulk_delete)
		return store_check_quirk(ctx, check,
					 "there is no bulk delete: objects are removed one by one");
	return OK;
}

struct seen {
	size_t count, manifests;
};

static err_t count_object(struct ctx *ctx, void *arg, const struct swift_item *item)
{
	struct seen *seen = arg;
	seen->count++;
	seen->manifests += str_has_prefix(item->content_type, SWIFT_MANIFEST_TYPE);
	return OK;
}

static err_t lists(struct ctx *ctx, struct store_check *check)
{
	struct seen seen = { 0 };
	const struct swift_visitor visitor = { count_object, &seen };
	TRY(swift_list(ctx, client_at(check), check->folder, &visitor));
	if (seen.count < 5)
		return fail(ctx, ERR_STORAGE, "a list lacks objects that were just written");
	if (!seen.manifests)
		return fail(ctx, ERR_STORAGE, "a list does not say what an object's type is");
	return OK;
}

static err_t removals(struct ctx *ctx, struct store_check *check)
{
	struct seen seen = { 0 };
	const struct swift_visitor visitor = { count_object, &seen };
	const str absent = key_of(ctx, check, "absent");
	TRY(swift_remove(ctx, client_at(check), &absent, 1));
	TRY(swift_remove_all(ctx, client_at(check), check->folder, NULL, NULL));
	TRY(swift_list(ctx, client_at(check), check->folder, &visitor));
	return seen.count ? fail(ctx, ERR_STORAGE,
				 "%zu objects are still listed after their removal", seen.count)
			  : OK;
}

static const struct store_check_row checks[] = {
	{ "the container answers", ask },
	{ "objects are written, read, and written again, whatever their names", write_and_read },
	{ "bodies are compared with their MD5", etags },
	{ "who has no token is refused", strangers },
	{ "ranges are read", ranges },
	{ "what is not there is not found", absences },
	{ "large objects are made of segments", large_objects },
	{ "segments are compared with what a manifest says of them", wrong_segments },
	{ "the server says what it can do, and that is enough", abilities },
	{ "lists have what was written", lists },
	{ "many objects are removed at once", removals },
};

/* --- all ------------------------------------------------------------------------------------ */

static void store_done(struct swift_store **swift)
{
	if (*swift)
		(*swift)->store.driver->close(&(*swift)->store);
}

err_t swift_check(struct ctx *ctx, const struct store_place *place,
		  const struct store_check_report *report)
{
	CLEANUP(store_done) struct swift_store *swift = NULL;
	TRY(swift_store_new(ctx, place, &swift));
	store_check_run(ctx, &swift->store, swift->prefix, checks, COUNT_OF(checks), report);
	return OK;
}
