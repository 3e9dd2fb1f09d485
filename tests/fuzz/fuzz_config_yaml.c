/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a configuration file: accepted or refused in one line, nothing else. */
#include "config/settings.h"

#include <string.h>

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(arena_done) struct arena arena;
	struct settings settings;
	struct ctx ctx;

	/* A secret's file could be anything of the machine. */
	if (memmem(bytes, len, "_file", 5))
		return 0;

	arena_init(&arena, MIB(16));
	ctx_init(&ctx, &arena);
	CHECK(settings_init(&ctx, &settings) == OK);
	settings.source = SOURCE_FILE;

	err_t err = settings_read_yaml(&ctx, &settings, (str){ (const char *)bytes, len },
				       STR("berth.yaml"));
	if (err == OK)
		err = settings_finish(&ctx, &settings);
	CHECK(err == OK || err == ERR_CONFIG);
	CHECK(err == OK || strlen(ctx.failure.detail) > 0);
	CHECK(!strchr(ctx.failure.detail, '\n'));
	return 0;
}
