/* SPDX-License-Identifier: Apache-2.0 */
/* swift_client.c - see swift_client.h. */
#include "swift_client.h"
#include "base/mem.h"
#include "codec/url.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define MEMORY_BYTES	    MIB(2)
#define CONTAINER_BYTES_MAX 256
#define REFUSAL_BYTES	    KIB(4)
#define RENEWALS_MAX	    2

/* --- options -------------------------------------------------------------------------------- */

static void client_done(struct swift_client **client)
{
	swift_client_free(*client);
}

static err_t set_up(struct ctx *ctx, const struct swift_options *options, struct swift_client *c)
{
	struct swift_auth_options auth = options->auth;
	if (!options->container.len || options->container.len > CONTAINER_BYTES_MAX ||
	    str_has_byte(options->container, '/') || str_has_byte(options->container, '\0'))
		return fail(ctx, ERR_CONFIG, "not the name of a container: '" STR_FMT "'",
			    STR_ARG(options->container));
	c->container = arena_copy(&c->memory, options->container);
	c->verify = options->verify;
	TRY(remote_ca_read(ctx, options->ca_file, &c->memory, &c->ca_pem));
	TRY(remote_client_new(ctx, &c->http));
	auth.ca_pem = c->ca_pem;
	return swift_auth_new(ctx, &auth, c->http, &c->auth);
}

err_t swift_client_new(struct ctx *ctx, const struct swift_options *options,
		       struct swift_client **ret)
{
	CLEANUP(client_done) struct swift_client *client = NEW(struct swift_client);
	arena_init(&client->memory, MEMORY_BYTES);
	TRY(set_up(ctx, options, client));
	*ret = take(client);
	return OK;
}

void swift_client_free(struct swift_client *client)
{
	if (!client)
		return;
	swift_auth_free(client->auth);
	client_free(client->http);
	arena_done(&client->memory);
	free(client);
}

/* --- one request ---------------------------------------------------------------------------- */

static void add_path(struct buf *b, str key)
{
	for (str segment; str_cut(key, '/', &segment, &key);) {
		url_encode(b, segment);
		buf_add_byte(b, '/');
	}
	url_encode(b, key);
}

str swift_path(struct ctx *ctx, const struct swift_client *client, str key)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(8));
	url_encode(&b, client->container);
	if (key.len)
		buf_add_byte(&b, '/');
	add_path(&b, key);
	return arena_copy(ctx->arena, buf_str(&b));
}

/* /info is beside the version of the accounts: "https://host/swift/v1/AUTH_x" has it at
 * "https://host/swift/info". */
static str url_of(struct ctx *ctx, const struct swift_client *client,
		  const struct swift_session *session, const struct swift_request *rq)
{
	size_t at;
	const char *mark = rq->query.len ? "?" : "";
	if (rq->at == SWIFT_AT_INFO && str_find(session->url, STR("/v1"), &at))
		return arena_printf(ctx->arena, STR_FMT "/info",
				    STR_ARG(str_take(session->url, at)));
	if (rq->at != SWIFT_AT_CONTAINER)
		return arena_printf(ctx->arena, STR_FMT "%s" STR_FMT, STR_ARG(session->url), mark,
				    STR_ARG(rq->query));
	return arena_printf(ctx->arena, STR_FMT "/" STR_FMT "%s" STR_FMT, STR_ARG(session->url),
			    STR_ARG(swift_path(ctx, client, rq->key)), mark, STR_ARG(rq->query));
}

/* The request as it goes out, all of it in the arena. */
static err_t make(struct ctx *ctx, struct swift_client *client, const struct swift_request *rq,
		  struct swift_session *session, struct client_request *ret)
{
	TRY(swift_auth_get(ctx, client->auth, session));
	struct client_field *fields =
		arena_alloc(ctx->arena, (rq->field_count + 1) * sizeof *fields);
	for (size_t i = 0; i < rq->field_count; i++)
		fields[i] = rq->fields[i];
	fields[rq->field_count] = (struct client_field){ STR("X-Auth-Token"), session->token };
	*ret = (struct client_request){ .method = rq->method,
					.url = url_of(ctx, client, session, rq),
					.fields = fields,
					.field_count = rq->field_count + 1,
					.ca_pem = client->ca_pem,
					.response_bytes_max = SWIFT_ANSWER_BYTES_MAX };
	if (ret->url.len > CLIENT_URL_BYTES_MAX)
		return fail(ctx, ERR_STORAGE, "name of an object too long");
	return OK;
}

static err_t send_once(struct ctx *ctx, struct swift_client *client, const struct swift_request *rq,
		       struct swift_session *session, struct client_response *ret)
{
	struct client_request request;
	struct remote_body body;
	TRY(make(ctx, client, rq, session, &request));
	remote_body_set(&request, &body, rq->body);
	return client_send(ctx, client->http, &request, ret);
}

/* --- what answers mean ---------------------------------------------------------------------- */

enum then { GIVE_UP, AGAIN, NEW_TOKEN };

static const struct {
	int status;
	err_t err;
	enum then then;
	const char *words;
} refusals[] = {
	{ 401, ERR_STORAGE, NEW_TOKEN, "the token is refused" },
	{ 403, ERR_STORAGE, GIVE_UP, "the credentials may not do this here" },
	{ 404, ERR_ABSENT, GIVE_UP, "not there" },
	{ 408, ERR_STORAGE, AGAIN, "the server did not get the request in time" },
	{ 409, ERR_STORAGE, AGAIN, "something else changes the same object" },
	{ 413, ERR_STORAGE_FULL, GIVE_UP, "the account's or the container's quota is used up" },
	{ 416, ERR_CORRUPT, GIVE_UP, "the object is shorter than what is asked for" },
	{ 422, ERR_STORAGE, AGAIN, "the body was changed on its way" },
	{ 429, ERR_BUSY, AGAIN, "the server wants fewer requests" },
	{ 498, ERR_BUSY, AGAIN, "the server wants fewer requests" },
	{ 499, ERR_STORAGE, AGAIN, "the body was cut on its way" },
	{ 500, ERR_STORAGE, AGAIN, "the server has an error of its own" },
	{ 502, ERR_BUSY, AGAIN, "a proxy has no answer" },
	{ 503, ERR_BUSY, AGAIN, "the server wants fewer requests" },
	{ 504, ERR_BUSY, AGAIN, "a proxy has no answer" },
	{ 507, ERR_STORAGE_FULL, GIVE_UP, "the server is full" },
};

struct verdict {
	enum then then;
	unsigned after_s;
};

static err_t refuse(struct ctx *ctx, const struct swift_client *client,
		    const struct swift_request *rq, const struct client_response *answer,
		    struct verdict *ret)
{
	err_t err = ERR_STORAGE;
	const char *words =
		answer->status / 100 == 3 ? "the container is elsewhere" : "the server refuses";
	for (size_t i = 0; i < COUNT_OF(refusals); i++)
		if (refusals[i].status == answer->status) {
			err = refusals[i].err;
			words = refusals[i].words;
			ret->then = refusals[i].then;
		}
	if (err == ERR_ABSENT && !rq->key.len && rq->at == SWIFT_AT_CONTAINER) {
		err = ERR_STORAGE;
		words = "there is no container of this name";
	}
	if (err == ERR_ABSENT && rq->is_there)
		ret->then = AGAIN;
	ret->after_s = client_response_retry_after_s(answer);
	if (err == ERR_BUSY)
		ctx->retry_after_s = MAX(ret->after_s, 1u);
	str said = str_trim(str_take(answer->body, 120)), line, more;
	if (str_cut(said, '\n', &line, &more))
		said = line;
	return fail(ctx, err, "container " STR_FMT ": %s (%s " STR_FMT ": %d%s" STR_FMT ")",
		    STR_ARG(client->container), words, rq->method,
		    STR_ARG(rq->key.len ? str_take(rq->key, 160) : STR("(no object)")),
		    answer->status, said.len ? ", " : "", STR_ARG(said));
}

static err_t network_error(struct ctx *ctx, const struct swift_request *rq, err_t err,
			   struct verdict *ret)
{
	bool passes =
		err == ERR_UPSTREAM_UNREACHABLE || err == ERR_UPSTREAM_INVALID || err == ERR_BUSY;
	ret->then = passes ? AGAIN : GIVE_UP;
	ret->after_s = ctx->retry_after_s;
	if (err == ERR_BUSY)
		ctx->retry_after_s = MAX(ctx->retry_after_s, 1u);
	if (passes)
		ctx_note(ctx, "%s " STR_FMT, rq->method, STR_ARG(str_take(rq->key, 160)));
	return err;
}

static err_t judge(struct ctx *ctx, const struct swift_client *client,
		   const struct swift_request *rq, err_t err, const struct client_response *answer,
		   struct verdict *ret)
{
	*ret = (struct verdict){ GIVE_UP, 0 };
	if (err != OK)
		return network_error(ctx, rq, err, ret);
	int status = answer->status;
	bool passes = status == 401 || status == 429 || status == 498 ||
		      (status / 100 == 5 && status != 501 && status != 505);
	if (status / 100 == 2 || (rq->no_words && !passes))
		return OK;
	return refuse(ctx, client, rq, answer, ret);
}

/* --- trying --------------------------------------------------------------------------------- */

struct tries {
	unsigned count, renewals;
	struct swift_session session;
};

/* True when there is to be another try; the failure of the last one stays when not. */
static bool goes_on(struct ctx *ctx, struct swift_client *client, const struct swift_request *rq,
		    const struct verdict *verdict, struct tries *tries)
{
	if (verdict->then == NEW_TOKEN && tries->renewals < RENEWALS_MAX) {
		swift_auth_expire(client->auth, tries->session.token);
		tries->renewals++;
		ctx_forgive(ctx);
		return true;
	}
	tries->count++;
	if (verdict->then != AGAIN || rq->once || tries->count >= REMOTE_TRIES_MAX ||
	    remote_wait(ctx, tries->count, verdict->after_s) != OK)
		return false;
	ctx_forgive(ctx);
	return true;
}

err_t swift_send(struct ctx *ctx, struct swift_client *client, const struct swift_request *rq,
		 struct client_response *ret)
{
	struct tries tries = { 0 };
	for (;;) {
		struct verdict verdict;
		err_t err = send_once(ctx, client, rq, &tries.session, ret);
		err = judge(ctx, client, rq, err, ret, &verdict);
		if (err == OK || !goes_on(ctx, client, rq, &verdict, &tries))
			return err;
	}
}

static err_t pull_once(struct ctx *ctx, struct swift_client *client, const struct swift_request *rq,
		       struct swift_session *session, struct client_response *ret,
		       struct client_pull **ret_pull)
{
	struct client_request request;
	CLEANUP(client_pull_end) struct client_pull *pull = NULL;
	TRY(make(ctx, client, rq, session, &request));
	TRY(client_pull_begin(ctx, client->http, &request, ret, &pull));
	if (ret->status / 100 == 2)
		*ret_pull = take(pull);
	else
		ret->body = remote_refusal_read(ctx, pull, REFUSAL_BYTES);
	return OK;
}

err_t swift_pull(struct ctx *ctx, struct swift_client *client, const struct swift_request *rq,
		 struct client_response *ret, struct client_pull **ret_pull)
{
	struct tries tries = { 0 };
	for (;;) {
		struct verdict verdict;
		err_t err = pull_once(ctx, client, rq, &tries.session, ret, ret_pull);
		err = judge(ctx, client, rq, err, ret, &verdict);
		if (err == OK || !goes_on(ctx, client, rq, &verdict, &tries))
			return err;
	}
}
