/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3_fixture.h - a part of a bucket for each test: of the server that BERTH_TEST_S3 names ("URL
 * BUCKET ACCESS_KEY SECRET_KEY", as tests/tools/with-ceph sets it), else of one in Python that
 * lives as long as the test.
 */
#pragma once

#include "crypto/random.h"
#include "python_fixture.h"
#include "store/s3.h"

#include <string.h>

static struct {
	struct python_server python;
	char words[4][128];
	char prefix[64];
	struct s3_client *client; /* for looking at what the store did */
	struct s3_store names;
} s3_fixture;

static const struct store_setting *s3_fixture_settings(size_t *ret_count)
{
	static struct store_setting settings[8];
	*ret_count = 0;
	settings[(*ret_count)++] =
		(struct store_setting){ STR("endpoint"), str_from(s3_fixture.words[0]) };
	settings[(*ret_count)++] =
		(struct store_setting){ STR("bucket"), str_from(s3_fixture.words[1]) };
	settings[(*ret_count)++] =
		(struct store_setting){ STR("access_key"), str_from(s3_fixture.words[2]) };
	settings[(*ret_count)++] =
		(struct store_setting){ STR("secret_key"), str_from(s3_fixture.words[3]) };
	return settings;
}

static err_t s3_fixture_open(struct ctx *ctx, struct store **ret)
{
	struct store_place place = { .location = s3_fixture.prefix };
	place.settings = s3_fixture_settings(&place.setting_count);
	return store_driver_find(STR("s3"))->open(ctx, &place, ret);
}

static void s3_fixture_start(struct ctx *ctx)
{
	char id[UUID_TEXT_LEN + 1];
	python_server_words(&s3_fixture.python, "BERTH_TEST_S3", "s3.py", s3_fixture.words);
	random_uuid(id);
	snprintf(s3_fixture.prefix, sizeof s3_fixture.prefix, "t %s/",
		 id); /* a blank, which has to be escaped */
	const struct s3_options options = {
		.endpoint = str_from(s3_fixture.words[0]),
		.bucket = str_from(s3_fixture.words[1]),
		.path_style = true,
		.credentials.key = { str_from(s3_fixture.words[2]), str_from(s3_fixture.words[3]),
				     STR_NONE },
	};
	cr_assert_eq(s3_client_new(ctx, &options, &s3_fixture.client), OK, "%s",
		     ctx->failure.detail);
}

static void s3_fixture_stop(struct ctx *ctx)
{
	s3_client_free(s3_fixture.client);
	python_stop(&s3_fixture.python);
}

static str s3_fixture_key(struct ctx *ctx, const char *name)
{
	return arena_printf(ctx->arena, "%s%s", s3_fixture.prefix, name);
}

static bool s3_fixture_exists(struct ctx *ctx, const char *name)
{
	struct s3_object object;
	struct failure before = ctx->failure;
	ctx_forgive(ctx);
	err_t err = s3_head(ctx, s3_fixture.client, s3_fixture_key(ctx, name), &object);
	ctx_forgive(ctx);
	ctx->failure = before;
	cr_assert(err == OK || err == ERR_ABSENT);
	return err == OK;
}

static void s3_fixture_put(struct ctx *ctx, const char *name, const char *text)
{
	cr_assert_eq(
		s3_put(ctx, s3_fixture.client, s3_fixture_key(ctx, name), str_from(text), NULL), OK,
		"%s", ctx->failure.detail);
}
