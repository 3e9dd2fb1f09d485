/* SPDX-License-Identifier: Apache-2.0 */
/* s3_redirect.c - see s3.h: who is sent to the bucket itself for a blob, and with which URL. */
#include "s3.h"

#include "base/banned.h"

#define EXPIRES_S_DEFAULT 900

static err_t read_expiry(struct ctx *ctx, const struct store_place *place, unsigned *ret)
{
	str text = remote_setting(place, "redirect_expiry_s");
	uint64_t seconds = EXPIRES_S_DEFAULT;
	if (text.len && (!str_to_u64(text, AWS_PRESIGNED_S_MAX, &seconds) || seconds == 0))
		return fail(ctx, ERR_CONFIG,
			    "storage: redirect_expiry_s is a number of seconds up to %d: " STR_FMT,
			    AWS_PRESIGNED_S_MAX, STR_ARG(text));
	*ret = (unsigned)seconds;
	return OK;
}

err_t s3_redirect_read(struct ctx *ctx, const struct store_place *place, struct s3_store *s3)
{
	struct s3_client *client = s3->client;
	str networks = remote_setting(place, "redirect_networks"),
	    endpoint = remote_setting(place, "redirect_endpoint");
	if (!cidr_list_parse(&client->memory, networks, &s3->redirect.networks))
		return fail(ctx, ERR_CONFIG,
			    "storage: redirect_networks is a list of networks such as 10.0.0.0/8 "
			    "or fd00::/64: " STR_FMT,
			    STR_ARG(networks));
	TRY(read_expiry(ctx, place, &s3->redirect.expires_s));
	s3->redirect.site = client->site;
	if (endpoint.len)
		TRY_CTX(ctx, s3_site_read(ctx, client, endpoint, &s3->redirect.site),
			"redirect_endpoint");
	return OK;
}

/* The bucket knows no types, and a browser or a cache should read there what it would here. */
err_t s3_redirect_sign(struct ctx *ctx, const struct s3_store *s3, str key, str *ret_url)
{
	static const struct aws_pair query[] = {
		{ STR_INIT("response-cache-control"),
		  STR_INIT("private, max-age=31536000, immutable") },
		{ STR_INIT("response-content-type"), STR_INIT("application/octet-stream") },
	};
	const struct s3_presigning what = { .site = &s3->redirect.site,
					    .key = key,
					    .query = query,
					    .query_count = COUNT_OF(query),
					    .expires_s = s3->redirect.expires_s };
	return s3_presign(ctx, s3->client, &what, ret_url);
}

err_t s3_blob_url(struct ctx *ctx, struct store *store, blob_name name, ip reader, str *ret_url)
{
	char key[REMOTE_KEY_MAX];
	const struct s3_store *s3 = s3_of(store);
	*ret_url = STR_NONE;
	if (!cidr_list_has(&s3->redirect.networks, reader))
		return OK;
	return remote_error(s3_redirect_sign(ctx, s3, s3_blob_key(s3, name, key), ret_url));
}
