/* SPDX-License-Identifier: Apache-2.0 */
/* s3_check.c - see s3_check.h. A check is a row of the table; what it finds odd it says with
 * store_check_quirk(). */
#include "s3_check.h"
#include "base/mem.h"
#include "crypto/md5.h"
#include "s3.h"

#include <string.h>

#include "base/banned.h"

#define TEXT	     STR("what was stored is what is read")
#define PART_BYTES   (S3_PART_BYTES_MIN + 3)
#define STRANGE_NAME "strange name+~&%41='\xc3\xa9"
#define PRESIGNED_S  60

static struct s3_store *s3_at(const struct store_check *check)
{
	return s3_of(check->store);
}

static str key_of(struct ctx *ctx, const struct store_check *check, const char *name)
{
	return arena_printf(ctx->arena, STR_FMT "%s", STR_ARG(check->folder), name);
}

static err_t put(struct ctx *ctx, struct store_check *check, const char *name, str bytes)
{
	return s3_put(ctx, s3_at(check)->client, key_of(ctx, check, name), bytes, NULL);
}

static err_t expect(struct ctx *ctx, struct store_check *check, const char *name, str want)
{
	CLEANUP(remote_reader_done) struct remote_reader reader = { 0 };
	TRY(remote_reader_open_newest(ctx, s3_source(s3_at(check)->client),
				      key_of(ctx, check, name), MAX(want.len, (size_t)1), &reader));
	if (reader.size_bytes != want.len || !str_eq((str){ reader.first, reader.first_len }, want))
		return fail(ctx, ERR_STORAGE, "other bytes came back");
	return OK;
}

/* --- the checks ----------------------------------------------------------------------------- */

static err_t ask(struct ctx *ctx, struct store_check *check)
{
	const struct aws_pair query[] = { { STR("list-type"), STR("2") },
					  { STR("max-keys"), STR("1") },
					  { STR("prefix"), check->folder } };
	const struct s3_request rq = {
		.method = "GET", .query = query, .query_count = COUNT_OF(query), .once = true
	};
	struct s3_response answer;
	return s3_send(ctx, s3_at(check)->client, &rq, &answer);
}

static err_t write_and_read(struct ctx *ctx, struct store_check *check)
{
	TRY(put(ctx, check, "a", TEXT));
	TRY(expect(ctx, check, "a", TEXT));
	TRY(put(ctx, check, "a", STR("another")));
	return expect(ctx, check, "a", STR("another"));
}

static err_t etags(struct ctx *ctx, struct store_check *check)
{
	struct s3_object object;
	TRY(s3_head(ctx, s3_at(check)->client, key_of(ctx, check, "a"), &object));
	if (strlen(object.etag) != MD5_TEXT_LEN)
		return store_check_quirk(
			ctx, check,
			"etags are no MD5, so what is stored is compared by size only; set "
			"verify to content "
			"if the server is not to be trusted");
	return OK;
}

static err_t payloads(struct ctx *ctx, struct store_check *check)
{
	const struct s3_request rq = { .method = "PUT",
				       .key = key_of(ctx, check, "lie"),
				       .body = STR("a"),
				       .payload_hash = aws_hash(ctx->arena, STR("b")),
				       .no_words = true };
	struct s3_response answer;
	TRY(s3_send(ctx, s3_at(check)->client, &rq, &answer));
	if (answer.status / 100 == 2)
		return store_check_quirk(
			ctx, check,
			"bodies are not compared with their SHA-256: what is changed on the "
			"way shows by the "
			"etag only");
	return OK;
}

static err_t signatures(struct ctx *ctx, struct store_check *check)
{
	struct client_response answer;
	const struct client_request rq = {
		.method = "GET",
		.url = arena_printf(ctx->arena, STR_FMT STR_FMT "%s" STR_FMT "/" STR_FMT "a",
				    STR_ARG(s3_at(check)->client->site.scheme),
				    STR_ARG(s3_at(check)->client->site.host),
				    s3_at(check)->client->options.path_style ? "/" : "",
				    STR_ARG(s3_at(check)->client->options.path_style
						    ? s3_at(check)->client->options.bucket
						    : STR_NONE),
				    STR_ARG(check->folder)),
		.ca_pem = s3_at(check)->client->ca_pem
	};
	TRY(client_send(ctx, s3_at(check)->client->http, &rq, &answer));
	if (answer.status / 100 == 2)
		return store_check_quirk(
			ctx, check,
			"the bucket is open to everybody: whoever knows a digest can read the "
			"blob");
	return OK;
}

static err_t ranges(struct ctx *ctx, struct store_check *check)
{
	CLEANUP(remote_reader_done) struct remote_reader reader = { 0 };
	char bytes[8];
	size_t len;
	TRY(put(ctx, check, "a", TEXT));
	TRY(remote_reader_open(ctx, s3_source(s3_at(check)->client), key_of(ctx, check, "a"),
			       &reader));
	TRY(remote_reader_read(ctx, &reader, 5, bytes, 3, &len));
	if (!str_eq((str){ bytes, len }, str_take(str_skip(TEXT, 5), len)))
		return fail(ctx, ERR_STORAGE, "a range has other bytes");
	return OK;
}

static err_t conditions(struct ctx *ctx, struct store_check *check)
{
	const struct aws_pair fields[] = { { STR("if-match"),
					     STR("\"00000000000000000000000000000000\"") } };
	const struct s3_request rq = { .method = "HEAD",
				       .key = key_of(ctx, check, "a"),
				       .fields = fields,
				       .field_count = 1,
				       .no_words = true };
	struct s3_response answer;
	TRY(s3_send(ctx, s3_at(check)->client, &rq, &answer));
	if (answer.status / 100 == 2)
		return store_check_quirk(
			ctx, check,
			"If-Match does nothing: an object replaced while it is read shows by "
			"its etag only");
	return OK;
}

/* Of HEAD there is a status only, of GET a code. */
static err_t absences(struct ctx *ctx, struct store_check *check)
{
	CLEANUP(remote_reader_done) struct remote_reader reader = { 0 };
	struct s3_object object;
	str key = key_of(ctx, check, "absent");
	err_t err = s3_head(ctx, s3_at(check)->client, key, &object);
	if (err == ERR_ABSENT) {
		ctx_forgive(ctx);
		err = remote_reader_open(ctx, s3_source(s3_at(check)->client), key, &reader);
	}
	if (err == ERR_ABSENT) {
		ctx_forgive(ctx);
		return OK;
	}
	return err != OK ? err
			 : fail(ctx, ERR_STORAGE, "an object that was never written is there");
}

static err_t copies(struct ctx *ctx, struct store_check *check)
{
	struct s3_object object;
	char etag[REMOTE_ETAG_MAX + 1];
	TRY(s3_head(ctx, s3_at(check)->client, key_of(ctx, check, "a"), &object));
	TRY(s3_copy(ctx, s3_at(check)->client, key_of(ctx, check, "a"), &object,
		    key_of(ctx, check, STRANGE_NAME), etag));
	return expect(ctx, check, STRANGE_NAME, TEXT);
}

static err_t end_parts(struct ctx *ctx, struct store_check *check, str key, const char *id,
		       str bytes)
{
	struct s3_part parts[2];
	struct s3_object object;
	TRY(s3_part_put(ctx, s3_at(check)->client, key, id, 1, bytes, &parts[0]));
	const struct s3_piece piece = { key_of(ctx, check, "a"), 0, TEXT.len };
	TRY(s3_part_copy(ctx, s3_at(check)->client, key, id, 2, &piece, &parts[1]));
	TRY(s3_multipart_complete(ctx, s3_at(check)->client, key, id, parts, COUNT_OF(parts),
				  NULL));
	TRY(s3_head(ctx, s3_at(check)->client, key, &object));
	if (object.size_bytes != bytes.len + TEXT.len)
		return fail(ctx, ERR_STORAGE, "an object of parts has %llu bytes",
			    (unsigned long long)object.size_bytes);
	return OK;
}

static err_t parts(struct ctx *ctx, struct store_check *check)
{
	CLEANUP(mem_done) char *bytes = mem_new(PART_BYTES);
	char id[S3_UPLOAD_ID_MAX + 1];
	str key = key_of(ctx, check, "parts");
	TRY(s3_multipart_begin(ctx, s3_at(check)->client, key, id, NULL));
	err_t err = end_parts(ctx, check, key, id, (str){ bytes, PART_BYTES });
	if (err != OK) {
		struct failure why = ctx->failure;
		(void)!s3_multipart_abort(ctx, s3_at(check)->client, key, str_from(id));
		ctx->failure = why;
	}
	return err;
}

static err_t count_one(struct ctx *ctx, void *arg, str key, str id)
{
	++*(size_t *)arg;
	return OK;
}

static err_t unfinished(struct ctx *ctx, struct store_check *check)
{
	char id[S3_UPLOAD_ID_MAX + 1];
	str key = key_of(ctx, check, "unfinished");
	size_t during = 0, beside = 0, after = 0;
	TRY(s3_multipart_begin(ctx, s3_at(check)->client, key, id, NULL));
	const struct s3_visitor now = { .upload = count_one, .arg = &during },
				all = { .upload = count_one, .arg = &beside },
				then = { .upload = count_one, .arg = &after };
	err_t err = s3_multipart_list(ctx, s3_at(check)->client, key, &now);
	if (err == OK)
		err = s3_multipart_list(ctx, s3_at(check)->client, check->folder, &all);
	TRY(s3_multipart_abort(ctx, s3_at(check)->client, key, str_from(id)));
	if (err != OK || during != 1)
		return store_check_quirk(
			ctx, check,
			"multipart uploads cannot be listed: one whose node died stays; let a "
			"rule of the "
			"bucket end them after some days");
	if (!beside)
		return store_check_quirk(
			ctx, check,
			"multipart uploads are listed by their whole name only: fsck does not see "
			"one that nothing else knows of; let the server end them after some days");
	TRY(s3_multipart_list(ctx, s3_at(check)->client, key, &then));
	return after ? store_check_quirk(ctx, check,
					 "a multipart upload that was aborted is still listed")
		     : OK;
}

static err_t count_object(struct ctx *ctx, void *arg, str key, uint64_t size_bytes)
{
	++*(size_t *)arg;
	return OK;
}

static err_t lists(struct ctx *ctx, struct store_check *check)
{
	size_t count = 0;
	TRY(s3_list(ctx, s3_at(check)->client, check->folder,
		    &(const struct s3_visitor){ .object = count_object, .arg = &count }));
	if (count < 3)
		return fail(ctx, ERR_STORAGE, "a list lacks objects that were just written");
	return OK;
}

static err_t removals(struct ctx *ctx, struct store_check *check)
{
	const str keys[] = { key_of(ctx, check, "a"), key_of(ctx, check, "parts"),
			     key_of(ctx, check, STRANGE_NAME), key_of(ctx, check, "lie"),
			     key_of(ctx, check, "absent") };
	size_t count = 0;
	TRY(s3_remove(ctx, s3_at(check)->client, keys, COUNT_OF(keys)));
	TRY(s3_list(ctx, s3_at(check)->client, check->folder,
		    &(const struct s3_visitor){ .object = count_object, .arg = &count }));
	return count ? fail(ctx, ERR_STORAGE, "%zu objects are still listed after their removal",
			    count)
		     : OK;
}

static err_t presigned(struct ctx *ctx, struct store_check *check)
{
	struct s3_client *client = s3_at(check)->client;
	const struct s3_presigning what = { .site = &client->site,
					    .key = key_of(ctx, check, "a"),
					    .expires_s = PRESIGNED_S };
	struct client_response answer;
	struct client_request rq = { .method = "GET", .ca_pem = client->ca_pem };
	TRY(s3_presign(ctx, client, &what, &rq.url));
	TRY(client_send(ctx, client->http, &rq, &answer));
	if (answer.status != 200 || !str_eq(answer.body, TEXT))
		return store_check_quirk(
			ctx, check,
			"presigned URLs are refused: clients cannot be sent to the bucket");
	return OK;
}

/* What a client would meet; that the name is not known from here need not be wrong. */
static err_t redirects(struct ctx *ctx, struct store_check *check)
{
	struct s3_client *client = s3_at(check)->client;
	struct client_response answer = { 0 };
	struct client_request rq = { .method = "GET", .ca_pem = client->ca_pem };
	TRY(s3_redirect_sign(ctx, s3_at(check), key_of(ctx, check, "a"), &rq.url));
	if (client_send(ctx, client->http, &rq, &answer) == OK && answer.status == 200 &&
	    str_eq(answer.body, TEXT))
		return OK;
	ctx_forgive(ctx);
	return store_check_quirk(ctx, check,
				 answer.status ? "the bucket refuses who is sent there: no "
						 "redirect_networks can be set"
					       : "redirect_endpoint does not answer from here; "
						 "clients that are sent there must reach it");
}

static const struct store_check_row checks[] = {
	{ "the bucket answers", ask },
	{ "an object is written, read, and written again", write_and_read },
	{ "etags are the MD5 of what is stored", etags },
	{ "bodies are compared with their SHA-256", payloads },
	{ "who has not signed is refused", signatures },
	{ "ranges are read", ranges },
	{ "conditions count", conditions },
	{ "what is not there is not found", absences },
	{ "the server copies, whatever the name", copies },
	{ "large objects are made of parts", parts },
	{ "unfinished uploads are listed and aborted", unfinished },
	{ "a presigned URL is enough", presigned },
	{ "clients can be sent to the bucket", redirects },
	{ "lists have what was written", lists },
	{ "many objects are removed at once", removals },
};

/* --- all ------------------------------------------------------------------------------------ */

static void store_done(struct s3_store **s3)
{
	if (*s3)
		(*s3)->store.driver->close(&(*s3)->store);
}

err_t s3_check(struct ctx *ctx, const struct store_place *place,
	       const struct store_check_report *report)
{
	CLEANUP(store_done) struct s3_store *s3 = NULL;
	TRY(s3_store_new(ctx, place, &s3));
	store_check_run(ctx, &s3->store, s3->prefix, checks, COUNT_OF(checks), report);
	return OK;
}
