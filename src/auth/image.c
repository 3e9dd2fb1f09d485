/* SPDX-License-Identifier: Apache-2.0 */
/* image.c - see image.h. The head, the grants, then all texts in the same order. */
#include "image.h"

#include "base/error.h"

#include <string.h>

#include "base/banned.h"

struct image_grant {
	uint32_t type_len, name_len, actions;
};

struct image_head {
	uint32_t role, by_token, name_len, grant_count;
	struct image_grant grants[];
};

static size_t texts_at(size_t grant_count)
{
	return sizeof(struct image_head) + grant_count * sizeof(struct image_grant);
}

static void put_text(char **at, str text)
{
	if (text.len)
		memcpy(*at, text.ptr, text.len);
	*at += text.len;
}

static str get_text(const char **at, size_t len)
{
	str text = { *at, len };
	*at += len;
	return text;
}

str identity_image_make(struct arena *arena, const struct identity *who)
{
	size_t size = texts_at(who->grant_count) + who->name.len;
	for (size_t i = 0; i < who->grant_count; i++)
		size += who->grants[i].type.len + who->grants[i].name.len;

	struct image_head *head = arena_alloc(arena, size);
	char *at = (char *)head + texts_at(who->grant_count);
	head->role = who->role;
	head->by_token = who->by_token;
	head->name_len = (uint32_t)who->name.len;
	head->grant_count = (uint32_t)who->grant_count;
	put_text(&at, who->name);
	for (size_t i = 0; i < who->grant_count; i++) {
		const struct grant *grant = &who->grants[i];
		head->grants[i] = (struct image_grant){ (uint32_t)grant->type.len,
							(uint32_t)grant->name.len, grant->actions };
		put_text(&at, grant->type);
		put_text(&at, grant->name);
	}
	return (str){ (char *)head, size };
}

void identity_image_view(struct arena *arena, str image, struct identity *ret)
{
	const struct image_head *head = (const void *)image.ptr; /* cache values are aligned */
	const char *at = image.ptr + texts_at(head->grant_count);
	struct grant *grants = ARENA_ARRAY(arena, struct grant, head->grant_count);
	str name = get_text(&at, head->name_len);
	for (size_t i = 0; i < head->grant_count; i++) {
		const struct image_grant *from = &head->grants[i];
		grants[i].type = get_text(&at, from->type_len);
		grants[i].name = get_text(&at, from->name_len);
		grants[i].actions = from->actions;
	}
	CHECK(at == image.ptr + image.len);
	*ret = (struct identity){ (enum role)head->role, name, head->by_token != 0, grants,
				  head->grant_count };
}
