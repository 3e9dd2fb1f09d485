/* SPDX-License-Identifier: Apache-2.0 */
/* s3_refusal.c - see s3_refusal.h. */
#include "s3_refusal.h"

#include "base/banned.h"

enum then { GIVE_UP, AGAIN, NEW_KEY, MOVED };

/* The codes whose status does not say it all. `words` are for who configures a bucket. */
static const struct {
	const char *code;
	err_t err;
	enum then then;
	const char *words;
} refusals[] = {
	{ "NoSuchKey", ERR_ABSENT, GIVE_UP, "no such object" },
	{ "NotFound", ERR_ABSENT, GIVE_UP, "not there" },
	{ "NoSuchUpload", ERR_ABSENT, GIVE_UP, "no such multipart upload" },
	{ "NoSuchBucket", ERR_STORAGE, GIVE_UP, "there is no bucket of this name" },
	{ "AccessDenied", ERR_STORAGE, GIVE_UP,
	  "the key may not do this, or the bucket is somebody else's" },
	{ "AllAccessDisabled", ERR_STORAGE, GIVE_UP, "the bucket is closed" },
	{ "InvalidAccessKeyId", ERR_STORAGE, GIVE_UP, "the server does not know this access key" },
	{ "XAdminUserNotFound", ERR_STORAGE, GIVE_UP, "the server does not know this access key" },
	{ "SignatureDoesNotMatch", ERR_STORAGE, GIVE_UP,
	  "the secret key is wrong, or something in between changes requests" },
	{ "RequestTimeTooSkewed", ERR_STORAGE, GIVE_UP,
	  "the clocks of this machine and of the server differ" },
	{ "ExpiredToken", ERR_STORAGE, NEW_KEY, "the credentials have expired" },
	{ "TokenRefreshRequired", ERR_STORAGE, NEW_KEY, "the credentials have expired" },
	{ "InvalidToken", ERR_STORAGE, NEW_KEY, "the session token is wrong" },
	{ "PermanentRedirect", ERR_STORAGE, MOVED, "the bucket is elsewhere" },
	{ "TemporaryRedirect", ERR_STORAGE, MOVED, "the bucket is elsewhere" },
	{ "AuthorizationHeaderMalformed", ERR_STORAGE, MOVED, "the bucket is in another region" },
	{ "IllegalLocationConstraintException", ERR_STORAGE, MOVED,
	  "the bucket is in another region" },
	{ "QuotaExceeded", ERR_STORAGE_FULL, GIVE_UP,
	  "the bucket's or its owner's quota is used up" },
	{ "InsufficientCapacity", ERR_STORAGE_FULL, GIVE_UP, "the server is full" },
	{ "XMinioStorageFull", ERR_STORAGE_FULL, GIVE_UP, "the server is full" },
	{ "SlowDown", ERR_BUSY, AGAIN, "the server wants fewer requests" },
	{ "RequestTimeout", ERR_STORAGE, AGAIN, "the server did not get the body in time" },
	{ "InternalError", ERR_STORAGE, AGAIN, "the server has an error of its own" },
	{ "OperationAborted", ERR_STORAGE, AGAIN, "something else changes the same object" },
	{ "XAmzContentSHA256Mismatch", ERR_STORAGE, AGAIN, "the body was changed on its way" },
	{ "BadDigest", ERR_STORAGE, AGAIN, "the body was changed on its way" },
	{ "IncompleteBody", ERR_STORAGE, AGAIN, "the body was cut on its way" },
	{ "InvalidRange", ERR_CORRUPT, GIVE_UP, "the object is shorter than what is asked for" },
	{ "InvalidPart", ERR_STORAGE, GIVE_UP,
	  "a part is not what was sent: somebody else wrote to this upload" },
};

static const struct {
	int status;
	err_t err;
	enum then then;
	const char *words;
} statuses[] = {
	{ 403, ERR_STORAGE, GIVE_UP, "access is refused" },
	{ 404, ERR_ABSENT, GIVE_UP, "not there" },
	{ 408, ERR_STORAGE, AGAIN, "the server did not get the request in time" },
	{ 412, ERR_STORAGE, GIVE_UP, "the object was replaced meanwhile" },
	{ 429, ERR_BUSY, AGAIN, "the server wants fewer requests" },
	{ 500, ERR_STORAGE, AGAIN, "the server has an error of its own" },
	{ 502, ERR_BUSY, AGAIN, "a proxy has no answer" },
	{ 503, ERR_BUSY, AGAIN, "the server wants fewer requests" },
	{ 504, ERR_BUSY, AGAIN, "a proxy has no answer" },
	{ 507, ERR_STORAGE_FULL, GIVE_UP, "the server is full" },
};

struct meaning {
	err_t err;
	enum then then;
	const char *words;
};

static struct meaning meaning_of(const struct s3_response *response)
{
	str code = response->answer.code;
	for (size_t i = 0; i < COUNT_OF(refusals); i++)
		if (str_eq(code, str_from(refusals[i].code)))
			return (struct meaning){ refusals[i].err, refusals[i].then,
						 refusals[i].words };
	/* Who says something else is not there does not say that of the object. */
	if (response->status == 404 && code.len)
		return (struct meaning){ ERR_STORAGE, GIVE_UP, "the server refuses" };
	for (size_t i = 0; i < COUNT_OF(statuses); i++)
		if (response->status == statuses[i].status)
			return (struct meaning){ statuses[i].err, statuses[i].then,
						 statuses[i].words };
	if (response->status / 100 == 3)
		return (struct meaning){ ERR_STORAGE, MOVED, "the bucket is elsewhere" };
	return (struct meaning){ ERR_STORAGE, GIVE_UP, "the server refuses" };
}

/* "; set region to eu-west-1", as far as the server tells. */
static str where_to(struct ctx *ctx, const struct s3_response *response)
{
	str region = client_response_field(&response->raw, STR("x-amz-bucket-region"));
	str location = client_response_field(&response->raw, STR("Location"));
	if (!region.len)
		region = response->answer.region;
	if (!location.len)
		location = response->answer.endpoint;
	if (region.len)
		return arena_printf(ctx->arena, "; set the region to " STR_FMT,
				    STR_ARG(str_take(region, 64)));
	if (location.len)
		return arena_printf(ctx->arena, "; the server points to " STR_FMT,
				    STR_ARG(str_take(location, 120)));
	return STR_NONE;
}

static str target_of(struct ctx *ctx, const struct s3_request *rq)
{
	return rq->key.len ? rq->key : arena_copy(ctx->arena, STR("(the bucket)"));
}

err_t s3_refusal(struct ctx *ctx, const struct s3_client *client, const struct s3_request *rq,
		 const struct s3_response *response, struct s3_verdict *ret)
{
	struct meaning meaning = meaning_of(response);
	str code = str_take(response->answer.code, 64),
	    message = str_take(response->answer.message, 120), target = target_of(ctx, rq);
	str where = meaning.then == MOVED ? where_to(ctx, response) : STR_NONE;
	ret->again = meaning.then == AGAIN;
	ret->key_expired = meaning.then == NEW_KEY;
	ret->after_s = client_response_retry_after_s(&response->raw);
	if (meaning.err == ERR_BUSY)
		ctx->retry_after_s = MAX(ret->after_s, 1u);
	return fail(ctx, meaning.err,
		    "bucket " STR_FMT ": %s" STR_FMT " (%s " STR_FMT ": %d"
		    "%s" STR_FMT "%s" STR_FMT ")",
		    STR_ARG(client->options.bucket), meaning.words, STR_ARG(where), rq->method,
		    STR_ARG(str_take(target, 160)), response->status, code.len ? " " : "",
		    STR_ARG(code), message.len ? ", " : "", STR_ARG(message));
}

err_t s3_network_error(struct ctx *ctx, const struct s3_request *rq, err_t err,
		       struct s3_verdict *ret)
{
	str target = target_of(ctx, rq);
	if (err == ERR_DEADLINE || err == ERR_CANCELLED || err == ERR_STORAGE)
		return err;
	ret->again =
		err == ERR_UPSTREAM_UNREACHABLE || err == ERR_UPSTREAM_INVALID || err == ERR_BUSY;
	struct failure why = ctx->failure;
	ctx_forgive(ctx);
	return fail(ctx, err, "%s " STR_FMT ": %s", rq->method, STR_ARG(str_take(target, 160)),
		    why.detail);
}
