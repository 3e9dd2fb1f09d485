/* SPDX-License-Identifier: Apache-2.0 */
/* program_store.c - the default storage by the options; see program.h. */
#include "program.h"

#include "base/banned.h"

/* As the table of options has them. */
enum { DRIVER_FILESYSTEM, DRIVER_S3, DRIVER_SWIFT };
static const char *const driver_names[] = { "filesystem", "s3", "swift" };
static const char *const addressings[] = { "auto", "path", "virtual" };
static const char *const verifies[] = { "etag", "size", "content" };
static const char *const interfaces[] = { "public", "internal", "admin" };
static const char *const swift_verifies[] = { "etag", "content" };

const struct store_driver *program_store_driver(const struct program *p)
{
	const struct store_driver *driver =
		store_driver_find(str_from(driver_names[p->config.storage_driver]));
	CHECK(driver != NULL);
	return driver;
}

static struct store_place place_of(struct ctx *ctx, str prefix, const struct store_setting *from,
				   size_t count)
{
	struct store_setting *settings = ARENA_ARRAY(ctx->arena, struct store_setting, count);
	for (size_t i = 0; i < count; i++)
		settings[i] = from[i];
	return (struct store_place){ prefix.ptr, settings, count };
}

static struct store_place s3_place(struct ctx *ctx, const struct config *c)
{
	const struct store_setting settings[] = {
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
		{ STR("redirect_networks"), c->storage_s3_redirect_networks },
		{ STR("redirect_expiry_s"),
		  arena_printf(ctx->arena, "%lld",
			       (long long)c->storage_s3_redirect_expiry_ms / 1000) },
		{ STR("redirect_endpoint"), c->storage_s3_redirect_endpoint },
	};
	return place_of(ctx, c->storage_s3_prefix, settings, COUNT_OF(settings));
}

static struct store_place swift_place(struct ctx *ctx, const struct config *c)
{
	const struct store_setting settings[] = {
		{ STR("auth_url"), c->storage_swift_auth_url },
		{ STR("region"), c->storage_swift_region },
		{ STR("interface"), str_from(interfaces[c->storage_swift_interface]) },
		{ STR("container"), c->storage_swift_container },
		{ STR("verify"), str_from(swift_verifies[c->storage_swift_verify]) },
		{ STR("application_credential_id"), c->storage_swift_application_credential_id },
		{ STR("application_credential_secret"),
		  c->storage_swift_application_credential_secret },
		{ STR("user"), c->storage_swift_user },
		{ STR("key"), c->storage_swift_key },
		{ STR("ca_certificate"), c->storage_swift_ca_certificate },
	};
	return place_of(ctx, c->storage_swift_prefix, settings, COUNT_OF(settings));
}

struct store_place program_store_place(struct ctx *ctx, const struct program *p)
{
	switch (p->config.storage_driver) {
	case DRIVER_S3:
		return s3_place(ctx, &p->config);
	case DRIVER_SWIFT:
		return swift_place(ctx, &p->config);
	default:
		return (struct store_place){ .location = p->config.data_dir.ptr };
	}
}
