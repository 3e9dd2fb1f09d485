/* SPDX-License-Identifier: Apache-2.0 */
/* s3_client.c - see s3_client.h. What refusals mean is in s3_refusal.c. */
#include "s3_client.h"
#include "base/clock.h"
#include "base/mem.h"
#include "s3_refusal.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define MEMORY_BYTES  MIB(2)
#define REFUSAL_BYTES KIB(16)

/* --- options -------------------------------------------------------------------------------- */

static void client_done(struct s3_client **client)
{
	s3_client_free(*client);
}

static bool is_bucket(str name)
{
	if (name.len < 3 || name.len > 63)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!name.ptr[i] ||
		    !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
			    name.ptr[i]))
			return false;
	return name.ptr[0] != '.';
}

/* Without the port that the scheme has anyway: libcurl leaves it out of `Host` as well. */
static str host_of(str scheme, str authority)
{
	str port = str_eq(scheme, STR("https://")) ? STR(":443") : STR(":80");
	return str_has_suffix(authority, port) ? str_take(authority, authority.len - port.len)
					       : authority;
}

err_t s3_site_read(struct ctx *ctx, struct s3_client *c, str endpoint, struct s3_site *ret)
{
	static const str schemes[] = { STR_INIT("https://"), STR_INIT("http://") };
	str scheme = STR_NONE;
	if (!endpoint.len)
		endpoint = arena_printf(&c->memory, "https://s3." STR_FMT ".amazonaws.com",
					STR_ARG(c->options.region));
	for (size_t i = 0; i < COUNT_OF(schemes); i++)
		if (str_has_prefix(endpoint, schemes[i]))
			scheme = schemes[i];
	str host = str_skip(endpoint, scheme.len);
	if (str_has_suffix(host, STR("/")))
		host = str_take(host, host.len - 1);
	if (!scheme.len || !client_url_is_valid(endpoint) || str_has_byte(host, '/') ||
	    str_has_byte(host, '?') || str_has_byte(host, '#'))
		return fail(ctx, ERR_CONFIG,
			    "an S3 endpoint is https:// or http:// and a host: " STR_FMT,
			    STR_ARG(endpoint));
	host = host_of(scheme, host);
	ret->scheme = scheme;
	ret->host = c->options.path_style ? arena_copy(&c->memory, host)
					  : arena_printf(&c->memory, STR_FMT "." STR_FMT,
							 STR_ARG(c->options.bucket), STR_ARG(host));
	return OK;
}

static err_t set_up(struct ctx *ctx, const struct s3_options *options, struct s3_client *c)
{
	if (!is_bucket(options->bucket))
		return fail(ctx, ERR_CONFIG, "not the name of a bucket: '" STR_FMT "'",
			    STR_ARG(options->bucket));
	c->options = *options;
	c->options.region =
		arena_copy(&c->memory, options->region.len ? options->region : STR("us-east-1"));
	c->options.bucket = arena_copy(&c->memory, options->bucket);
	TRY(s3_site_read(ctx, c, options->endpoint, &c->site));
	TRY(remote_ca_read(ctx, options->ca_file, &c->memory, &c->ca_pem));
	TRY(s3_credentials_new(ctx, &options->credentials, &c->credentials));
	return remote_client_new(ctx, &c->http);
}

err_t s3_client_new(struct ctx *ctx, const struct s3_options *options, struct s3_client **ret)
{
	CLEANUP(client_done) struct s3_client *client = NEW(struct s3_client);
	arena_init(&client->memory, MEMORY_BYTES);
	client->copies = (struct s3_copies){ .whole_bytes_max = S3_COPY_BYTES_MAX,
					     .part_bytes = S3_COPY_PART_BYTES };
	TRY(set_up(ctx, options, client));
	*ret = take(client);
	return OK;
}

void s3_client_free(struct s3_client *client)
{
	if (!client)
		return;
	client_free(client->http);
	s3_credentials_free(client->credentials);
	arena_done(&client->memory);
	free(client);
}

/* --- one request ---------------------------------------------------------------------------- */

static str path_of(struct ctx *ctx, const struct s3_client *client, str key)
{
	str bucket = client->options.path_style ? client->options.bucket : STR_NONE;
	return arena_printf(ctx->arena, "%s" STR_FMT "%s" STR_FMT, bucket.len ? "/" : "",
			    STR_ARG(bucket), key.len || !bucket.len ? "/" : "", STR_ARG(key));
}

static struct aws_request describe(struct ctx *ctx, const struct s3_client *client,
				   const char *method, str key)
{
	return (struct aws_request){ .method = str_from(method),
				     .host = client->site.host,
				     .path = path_of(ctx, client, key),
				     .region = client->options.region,
				     .service = STR("s3"),
				     .time_s = clock_wall_us() / 1000000 };
}

/* The request as it goes out, all of it in the arena. */
static err_t sign(struct ctx *ctx, struct s3_client *client, const struct s3_request *rq,
		  struct client_request *ret)
{
	struct aws_pair *fields = arena_alloc(ctx->arena, (rq->field_count + 3) * sizeof *fields);
	struct client_field *sent = arena_alloc(ctx->arena, (rq->field_count + 4) * sizeof *sent);
	struct aws_key key;
	struct aws_request signed_rq = describe(ctx, client, rq->method, rq->key);
	size_t count = rq->field_count;
	TRY(s3_credentials_get(ctx, client->credentials, &key));
	signed_rq.payload_hash =
		rq->payload_hash.len ? rq->payload_hash : aws_hash(ctx->arena, rq->body);
	for (size_t i = 0; i < count; i++)
		fields[i] = rq->fields[i];
	fields[count++] = (struct aws_pair){ STR("x-amz-content-sha256"), signed_rq.payload_hash };
	fields[count++] =
		(struct aws_pair){ STR("x-amz-date"), aws_date(ctx->arena, signed_rq.time_s) };
	if (key.session_token.len)
		fields[count++] =
			(struct aws_pair){ STR("x-amz-security-token"), key.session_token };
	signed_rq.query = rq->query;
	signed_rq.query_count = rq->query_count;
	signed_rq.fields = fields;
	signed_rq.field_count = count;
	for (size_t i = 0; i < count; i++)
		sent[i] = (struct client_field){ fields[i].name, fields[i].value };
	sent[count] = (struct client_field){ STR("Authorization"),
					     aws_authorization(ctx->arena, &key, &signed_rq) };

	CLEANUP(buf_done) struct buf url = BUF_INIT(CLIENT_URL_BYTES_MAX);
	buf_printf(&url, STR_FMT STR_FMT, STR_ARG(client->site.scheme), STR_ARG(client->site.host));
	aws_target(&url, &signed_rq);
	if (buf_overrun(&url))
		return fail(ctx, ERR_STORAGE, "name of an object too long");
	*ret = (struct client_request){ .method = rq->method,
					.url = arena_copy(ctx->arena, buf_str(&url)),
					.fields = sent,
					.field_count = count + 1,
					.once = rq->once,
					.ca_pem = client->ca_pem,
					.response_bytes_max = S3_ANSWER_BYTES_MAX };
	return OK;
}

static err_t send_once(struct ctx *ctx, struct s3_client *client, const struct s3_request *rq,
		       struct s3_response *ret)
{
	struct client_request request;
	struct remote_body body;
	TRY(sign(ctx, client, rq, &request));
	remote_body_set(&request, &body, rq->body);
	*ret = (struct s3_response){ 0 };
	TRY(client_send(ctx, client->http, &request, &ret->raw));
	ret->status = ret->raw.status;
	ret->body = ret->raw.body;
	str problem;
	bool is_head = strcmp(rq->method, "HEAD") == 0;
	if (!is_head && ret->body.len &&
	    !s3_answer_parse(ctx->arena, ret->body, &ret->answer, &problem) &&
	    ret->status / 100 == 2)
		return fail(ctx, ERR_UPSTREAM_INVALID, "answer is no XML: " STR_FMT,
			    STR_ARG(problem));
	return OK;
}

/* --- trying --------------------------------------------------------------------------------- */

/* What came of one try: OK, or an error with words, and whether another try may do. */
static err_t judge(struct ctx *ctx, struct s3_client *client, const struct s3_request *rq,
		   err_t err, struct s3_response *response, struct s3_verdict *ret)
{
	*ret = (struct s3_verdict){ 0 };
	if (err != OK)
		return s3_network_error(ctx, rq, err, ret);
	bool is_busy =
		response->status == 429 || (response->status / 100 == 5 && response->status != 501);
	if (rq->no_words && !is_busy)
		return OK;
	if (response->status / 100 == 2 && !str_eq(response->answer.root, STR("Error")))
		return OK;
	err = s3_refusal(ctx, client, rq, response, ret);
	if (ret->key_expired)
		ret->again = s3_credentials_expire(client->credentials);
	return err;
}

/* True when there is to be another try; the failure of the last one stays when not. */
static bool goes_on(struct ctx *ctx, const struct s3_request *rq, const struct s3_verdict *verdict,
		    unsigned try)
{
	if (!verdict->again || rq->once || try >= REMOTE_TRIES_MAX ||
	    remote_wait(ctx, try, verdict->after_s) != OK)
		return false;
	ctx_forgive(ctx);
	return true;
}

err_t s3_send(struct ctx *ctx, struct s3_client *client, const struct s3_request *rq,
	      struct s3_response *ret)
{
	for (unsigned try = 1;; try++) {
		struct s3_verdict verdict;
		err_t err = judge(ctx, client, rq, send_once(ctx, client, rq, ret), ret, &verdict);
		ret->tries = try;
		if (err == OK || !goes_on(ctx, rq, &verdict, try))
			return err;
	}
}

static void read_refusal(struct ctx *ctx, struct client_pull *pull, struct s3_response *ret)
{
	str problem;
	ret->body = remote_refusal_read(ctx, pull, REFUSAL_BYTES);
	(void)s3_answer_parse(ctx->arena, ret->body, &ret->answer, &problem);
}

static err_t pull_once(struct ctx *ctx, struct s3_client *client, const struct s3_request *rq,
		       struct s3_response *ret, struct client_pull **ret_pull)
{
	struct client_request request;
	CLEANUP(client_pull_end) struct client_pull *pull = NULL;
	TRY(sign(ctx, client, rq, &request));
	TRY(client_pull_begin(ctx, client->http, &request, &ret->raw, &pull));
	ret->status = ret->raw.status;
	if (ret->status / 100 == 2)
		*ret_pull = take(pull);
	else
		read_refusal(ctx, pull, ret);
	return OK;
}

err_t s3_pull(struct ctx *ctx, struct s3_client *client, const struct s3_request *rq,
	      struct client_response *ret, struct client_pull **ret_pull)
{
	for (unsigned try = 1;; try++) {
		struct s3_response response = { 0 };
		struct s3_verdict verdict;
		err_t err = judge(ctx, client, rq, pull_once(ctx, client, rq, &response, ret_pull),
				  &response, &verdict);
		*ret = response.raw;
		if (err == OK || !goes_on(ctx, rq, &verdict, try))
			return err;
	}
}

err_t s3_presign(struct ctx *ctx, struct s3_client *client, const struct s3_presigning *what,
		 str *ret_url)
{
	struct aws_key credentials;
	struct aws_request rq = describe(ctx, client, "GET", what->key);
	TRY(s3_credentials_get(ctx, client->credentials, &credentials));
	rq.host = what->site->host;
	rq.query = what->query;
	rq.query_count = what->query_count;
	str target = aws_presigned_target(ctx->arena, &credentials, &rq, what->expires_s);
	*ret_url = arena_printf(ctx->arena, STR_FMT STR_FMT STR_FMT, STR_ARG(what->site->scheme),
				STR_ARG(what->site->host), STR_ARG(target));
	return OK;
}
