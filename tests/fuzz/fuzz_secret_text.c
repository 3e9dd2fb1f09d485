/* SPDX-License-Identifier: Apache-2.0 */
/* What passes for a secret of ours is one that we could have made, and no other text of it passes.
 */
#include "base/error.h"
#include "codec/secret_text.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define PREFIX STR(SECRET_PREFIX_PERSONAL)

static void check_made_again(struct arena *arena, str text)
{
	str random = str_take(str_skip(text, PREFIX.len), SECRET_TEXT_RANDOM);
	CHECK(str_eq(secret_text_make(arena, PREFIX, random), text));
	char *changed = arena_alloc(arena, text.len);
	for (size_t i = PREFIX.len; i < text.len; i++) {
		memcpy(changed, text.ptr, text.len);
		changed[i] = changed[i] == 'x' ? 'y' : 'x';
		CHECK(!secret_text_is((str){ changed, text.len }, PREFIX));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char letters[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	CLEANUP(arena_done) struct arena arena;
	str text = { (const char *)bytes, len };
	arena_init(&arena, KIB(64));
	if (secret_text_is(text, PREFIX))
		check_made_again(&arena, text);
	if (len < SECRET_TEXT_RANDOM)
		return 0;
	char random[SECRET_TEXT_RANDOM];
	for (size_t i = 0; i < sizeof random; i++)
		random[i] = letters[bytes[i] % 62];
	str made = secret_text_make(&arena, PREFIX, (str){ random, sizeof random });
	CHECK(secret_text_is(made, PREFIX));
	check_made_again(&arena, made);
	return 0;
}
