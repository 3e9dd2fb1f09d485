/* SPDX-License-Identifier: Apache-2.0 */
/* program_store.c - the default storage by the options; see program.h. */
#include "program.h"

#include "base/banned.h"

/* As the table of options has them. */
enum { DRIVER_FILESYSTEM, DRIVER_S3 };
static const char *const driver_names[] = { "filesystem", "s3" };
static const char *const addressings[] = { "auto", "path", "virtual" };
static const char *const verifies[] = { "etag", "size", "content" };

const struct store_driver *program_store_driver(const struct program *p)
{
	const struct store_driver *driver =
		store_driver_find(str_from(driver_names[p->config.storage_driver]));
	CHECK(driver != NULL);
	return driver;
}

struct store_place program_store_place(struct ctx *ctx, const struct program *p)
{
	const struct config *c = &p->config;
	const struct store_setting s3[] = {
		{ STR("endpoint"), c->storage_s3_endpoint },
		{ STR("region"), c->storage_s3_region },
		{ STR("bucket"), c->storage_s3_bucket },
		{ STR("addressing"), str_from(addressings[c->storage_s3_addressing]) },
		{ STR("verify"), str_from(verifies[c->storage_s3_verify]) },
		{ STR("access_key"), c->storage_s3_access_key },
		{ STR("secret_key"), c->storage_s3_secret_key },
		{ STR("session_token"), c->storage_s3_session_token },
		{ STR("credentials_file"), c->storage_s3_credentials_file },
		{ STR("profile"), c->storage_s3_profile },
		{ STR("metadata_endpoint"), c->storage_s3_metadata_endpoint },
		{ STR("ca_certificate"), c->storage_s3_ca_certificate },
		{ STR("environment"), STR("true") },
	};
	if (c->storage_driver == DRIVER_FILESYSTEM)
		return (struct store_place){ .location = c->data_dir.ptr };
	struct store_setting *settings = arena_alloc(ctx->arena, sizeof s3);
	for (size_t i = 0; i < COUNT_OF(s3); i++)
		settings[i] = s3[i];
	return (struct store_place){ c->storage_s3_prefix.ptr, settings, COUNT_OF(s3) };
}
