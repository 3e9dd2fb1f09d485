/* SPDX-License-Identifier: Apache-2.0 */
/* s3_credentials.c - see s3_credentials.h. */
#include "s3_credentials.h"
#include "base/clock.h"
#include "base/mem.h"
#include "codec/harbor_query.h"
#include "codec/json.h"
#include "http/client.h"
#include "os/file.h"
#include "os/thread.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/banned.h"

#define METADATA_TIMEOUT_MS 5000
#define METADATA_BYTES_MAX  KIB(64)
#define TOKEN_TTL	    "21600"
#define REFRESH_NS                                                                                 \
	(300 * CLOCK_S) /* how often a key of the metadata service is asked for again              \
			 */
#define RETRY_NS	(2 * CLOCK_S)		 /* after a failure, and near the end of a key */
#define BEFORE_END_US	(300 * INT64_C(1000000)) /* by then there is a new one */
#define KEY_ARENA_BYTES KIB(64)

enum source { SOURCE_FIXED, SOURCE_FILE, SOURCE_METADATA };

struct s3_credentials {
	enum source source;
	struct arena memory; /* of the options */
	str file, profile, metadata;
	struct client *client; /* of the metadata service */

	pthread_mutex_t lock; /* guards what follows; held while the first key is fetched */
	struct arena key_memory;
	struct aws_key key;
	bool has_key;
	bool asks;		 /* somebody asks for the next, while others sign with this one */
	int64_t next_ns;	 /* when it is asked for again */
	struct timespec changed; /* the file, when it was read */
	ino_t inode;
};

static struct aws_key copy_key(struct arena *arena, const struct aws_key *key)
{
	return (struct aws_key){ arena_copy(arena, key->access_key),
				 arena_copy(arena, key->secret_key),
				 arena_copy(arena, key->session_token) };
}

static void keep_key(struct s3_credentials *c, const struct aws_key *key)
{
	arena_reset(&c->key_memory);
	c->key = copy_key(&c->key_memory, key);
	c->has_key = true;
}

/* --- the file ------------------------------------------------------------------------------- */

static void take_member(struct aws_key *key, str name, str value)
{
	if (str_eq(name, STR("aws_access_key_id")))
		key->access_key = value;
	else if (str_eq(name, STR("aws_secret_access_key")))
		key->secret_key = value;
	else if (str_eq(name, STR("aws_session_token")))
		key->session_token = value;
}

static struct aws_key parse_file(str text, str profile)
{
	struct aws_key key = { STR_NONE, STR_NONE, STR_NONE };
	bool ours = false;
	for (str line, name, value; str_next(&text, '\n', &line);) {
		if (str_has_suffix(line, STR("\r")))
			line = str_take(line, line.len - 1);
		line = str_trim(line);
		if (str_has_prefix(line, STR("[")))
			ours = str_eq(str_trim(str_take(str_skip(line, 1), line.len - 2)), profile);
		else if (ours && !str_has_prefix(line, STR("#")) &&
			 str_cut(line, '=', &name, &value))
			take_member(&key, str_trim(name), str_trim(value));
	}
	return key;
}

static err_t read_file(struct ctx *ctx, struct s3_credentials *c)
{
	struct stat info;
	str text;
	if (stat(c->file.ptr, &info) != 0)
		return fail_errno(ctx, ERR_STORAGE, "could not read credentials in %s",
				  c->file.ptr);
	if (c->has_key && info.st_mtim.tv_sec == c->changed.tv_sec &&
	    info.st_mtim.tv_nsec == c->changed.tv_nsec && info.st_ino == c->inode)
		return OK;
	if (file_read_all(ctx, AT_FDCWD, c->file.ptr, S3_CREDENTIALS_FILE_MAX, &text) != OK)
		return ERR_STORAGE;
	struct aws_key key = parse_file(text, c->profile);
	if (!key.access_key.len || !key.secret_key.len)
		return fail(ctx, ERR_STORAGE,
			    "no aws_access_key_id and aws_secret_access_key in section [" STR_FMT
			    "] of %s",
			    STR_ARG(c->profile), c->file.ptr);
	keep_key(c, &key);
	c->changed = info.st_mtim;
	c->inode = info.st_ino;
	return OK;
}

/* --- the metadata service ------------------------------------------------------------------- */

static err_t ask(struct ctx *ctx, struct s3_credentials *c, const char *method, str path,
		 const struct client_field *field, str *ret)
{
	struct client_request rq = {
		.method = method,
		.url = arena_printf(ctx->arena, STR_FMT "/latest/" STR_FMT, STR_ARG(c->metadata),
				    STR_ARG(path)),
		.fields = field,
		.field_count = 1,
		.response_bytes_max = METADATA_BYTES_MAX,
	};
	struct client_response answer;
	TRY_CTX(ctx, client_send(ctx, c->client, &rq, &answer), "metadata service");
	if (answer.status != 200)
		return fail(ctx, ERR_STORAGE, "metadata service answers %d to " STR_FMT,
			    answer.status, STR_ARG(path));
	*ret = str_trim(answer.body);
	return OK;
}

/* When to ask for the next: in time before this one ends, if the service says when that is. */
static int64_t next_after(const struct json_value *root)
{
	int64_t now_ns = clock_now_ns(), ends_us;
	str ends = STR_NONE;
	if (json_get_str(root, "Expiration", &ends) != JSON_FOUND ||
	    !harbor_time_parse(ends, &ends_us))
		return now_ns + REFRESH_NS;
	int64_t left_us = ends_us - BEFORE_END_US - clock_wall_us();
	return now_ns + MAX(MIN(left_us * CLOCK_US, REFRESH_NS), RETRY_NS);
}

static err_t read_key(struct ctx *ctx, struct s3_credentials *c, str text)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	struct aws_key key = { STR_NONE, STR_NONE, STR_NONE };
	if (!json_parse(text, JSON_LIMITS_SMALL, &doc, &problem) ||
	    json_get_str(doc.root, "AccessKeyId", &key.access_key) != JSON_FOUND ||
	    json_get_str(doc.root, "SecretAccessKey", &key.secret_key) != JSON_FOUND ||
	    json_get_str(doc.root, "Token", &key.session_token) == JSON_WRONG)
		return fail(ctx, ERR_STORAGE, "metadata service gives no key");
	keep_key(c, &key);
	c->next_ns = next_after(doc.root);
	return OK;
}

static err_t ask_metadata(struct ctx *ctx, struct s3_credentials *c, str *ret)
{
	static const str roles = STR_INIT("meta-data/iam/security-credentials/");
	const struct client_field ttl = { STR("X-aws-ec2-metadata-token-ttl-seconds"),
					  STR(TOKEN_TTL) };
	struct client_field token = { STR("X-aws-ec2-metadata-token"), STR_NONE };
	str role, rest;
	TRY(ask(ctx, c, "PUT", STR("api/token"), &ttl, &token.value));
	TRY(ask(ctx, c, "GET", roles, &token, &role));
	if (str_cut(role, '\n', &role, &rest))
		role = str_trim(role);
	return ask(ctx, c, "GET",
		   arena_printf(ctx->arena, STR_FMT STR_FMT, STR_ARG(roles), STR_ARG(role)), &token,
		   ret);
}

/* With the lock held. Whoever has a key that may still do is not kept waiting: one asks for the
 * next, and not again at once when that fails. */
static err_t renew(struct ctx *ctx, struct s3_credentials *c)
{
	str text;
	bool beside = c->has_key;
	if (beside && (c->asks || clock_now_ns() < c->next_ns))
		return OK;
	c->asks = true;
	if (beside)
		pthread_mutex_unlock(&c->lock);
	err_t err = ask_metadata(ctx, c, &text);
	if (beside)
		pthread_mutex_lock(&c->lock);
	c->asks = false;
	c->next_ns = clock_now_ns() + RETRY_NS;
	return err == OK ? read_key(ctx, c, text) : err;
}

/* --- all ------------------------------------------------------------------------------------ */

static void credentials_done(struct s3_credentials **credentials)
{
	s3_credentials_free(*credentials);
}

static err_t choose(struct ctx *ctx, const struct s3_credential_options *o,
		    struct s3_credentials *c)
{
	struct aws_key from_environment = { str_from(getenv("AWS_ACCESS_KEY_ID")),
					    str_from(getenv("AWS_SECRET_ACCESS_KEY")),
					    str_from(getenv("AWS_SESSION_TOKEN")) };
	const struct client_options metadata_client = { .purpose = CLIENT_FOR_STORAGE,
							.request_timeout_ms = METADATA_TIMEOUT_MS,
							.ignore_proxy = true };
	if (o->key.access_key.len && o->key.secret_key.len) {
		keep_key(c, &o->key);
		return OK;
	}
	if (o->key.access_key.len || o->key.secret_key.len)
		return fail(ctx, ERR_CONFIG, "an S3 key is both: access_key and secret_key");
	if (o->file.len) {
		c->source = SOURCE_FILE;
		return OK;
	}
	if (o->metadata.len) {
		c->source = SOURCE_METADATA;
		return client_new(ctx, &metadata_client, &c->client);
	}
	if (!o->environment || !from_environment.access_key.len || !from_environment.secret_key.len)
		return fail(ctx, ERR_CONFIG,
			    "no S3 credentials: neither access_key and secret_key, nor another "
			    "source of them");
	keep_key(c, &from_environment);
	return OK;
}

err_t s3_credentials_new(struct ctx *ctx, const struct s3_credential_options *options,
			 struct s3_credentials **ret)
{
	CLEANUP(credentials_done) struct s3_credentials *c = NEW(struct s3_credentials);
	arena_init(&c->memory, KIB(64));
	arena_init(&c->key_memory, KEY_ARENA_BYTES);
	pthread_mutex_init(&c->lock, NULL);
	c->file = arena_copy(&c->memory, options->file);
	c->profile =
		arena_copy(&c->memory, options->profile.len ? options->profile : STR("default"));
	c->metadata = arena_copy(&c->memory, options->metadata);
	TRY(choose(ctx, options, c));
	*ret = take(c);
	return OK;
}

void s3_credentials_free(struct s3_credentials *c)
{
	if (!c)
		return;
	client_free(c->client);
	arena_done(&c->key_memory);
	arena_done(&c->memory);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

err_t s3_credentials_get(struct ctx *ctx, struct s3_credentials *c, struct aws_key *ret)
{
	static err_t (*const fetch[])(struct ctx *, struct s3_credentials *) = { NULL, read_file,
										 renew };
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&c->lock);
	err_t err = fetch[c->source] ? fetch[c->source](ctx, c) : OK;
	if (err != OK && !c->has_key)
		return err == ERR_DEADLINE || err == ERR_CANCELLED ? err : ERR_STORAGE;
	if (err != OK) /* the one we have may still do */
		ctx_forgive(ctx);
	*ret = copy_key(ctx->arena, &c->key);
	return OK;
}

bool s3_credentials_expire(struct s3_credentials *c)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&c->lock);
	if (c->source == SOURCE_FIXED)
		return false;
	c->has_key = false;
	return true;
}
