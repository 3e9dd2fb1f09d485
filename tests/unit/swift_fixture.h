/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swift_fixture.h - a part of a container for each test: of the server that BERTH_TEST_SWIFT names
 * ("AUTH_URL CONTAINER USER KEY", as tests/tools/with-ceph sets it), else of one in Python that
 * lives as long as the test.
 */
#pragma once

#include "crypto/random.h"
#include "python_fixture.h"
#include "store/swift.h"

#include <string.h>

static struct {
	struct python_server python;
	char words[4][128];
	char prefix[64];
	struct swift_client *client; /* for looking at what the store did */
} swift_fixture;

static const struct store_setting *swift_fixture_settings(size_t *ret_count)
{
	static const char *const names[] = { "auth_url", "container", "user", "key" };
	static struct store_setting settings[8];
	for (*ret_count = 0; *ret_count < COUNT_OF(names); ++*ret_count)
		settings[*ret_count] =
			(struct store_setting){ str_from(names[*ret_count]),
						str_from(swift_fixture.words[*ret_count]) };
	return settings;
}

static err_t swift_fixture_open(struct ctx *ctx, struct store **ret)
{
	struct store_place place = { .location = swift_fixture.prefix };
	place.settings = swift_fixture_settings(&place.setting_count);
	return store_driver_find(STR("swift"))->open(ctx, &place, ret);
}

static void swift_fixture_start(struct ctx *ctx)
{
	char id[UUID_TEXT_LEN + 1];
	python_server_words(&swift_fixture.python, "BERTH_TEST_SWIFT", "swift.py",
			    swift_fixture.words);
	random_uuid(id);
	/* A blank, which has to be escaped. */
	snprintf(swift_fixture.prefix, sizeof swift_fixture.prefix, "t %s/", id);
	const struct swift_options options = {
		.auth = { .url = str_from(swift_fixture.words[0]),
			  .user = str_from(swift_fixture.words[2]),
			  .key = str_from(swift_fixture.words[3]) },
		.container = str_from(swift_fixture.words[1]),
	};
	cr_assert_eq(swift_client_new(ctx, &options, &swift_fixture.client), OK, "%s",
		     ctx->failure.detail);
}

static void swift_fixture_stop(struct ctx *ctx)
{
	swift_client_free(swift_fixture.client);
	python_stop(&swift_fixture.python);
}

static str swift_fixture_key(struct ctx *ctx, const char *name)
{
	return arena_printf(ctx->arena, "%s%s", swift_fixture.prefix, name);
}

static bool swift_fixture_exists(struct ctx *ctx, const char *name)
{
	struct swift_object object;
	struct failure before = ctx->failure;
	ctx_forgive(ctx);
	err_t err =
		swift_head(ctx, swift_fixture.client, swift_fixture_key(ctx, name), false, &object);
	ctx_forgive(ctx);
	ctx->failure = before;
	cr_assert(err == OK || err == ERR_ABSENT);
	return err == OK;
}

static void swift_fixture_put(struct ctx *ctx, const char *name, const char *text)
{
	cr_assert_eq(swift_put(ctx, swift_fixture.client, swift_fixture_key(ctx, name),
			       str_from(text), NULL),
		     OK, "%s", ctx->failure.detail);
}
