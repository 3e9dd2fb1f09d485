/* SPDX-License-Identifier: Apache-2.0 */
/* told.c - see told.h. */
#include "registry/told.h"
#include "immutable_told.h"
#include "internal.h"
#include "project_internal.h"
#include "registry/event.h"
#include "registry/storage_binding.h"

#include <string.h>

#include "base/banned.h"

static bool read_id(str *rest, int64_t *ret)
{
	str word;
	uint64_t id;
	if (!str_next(rest, ' ', &word) || !str_to_u64(word, INT64_MAX, &id))
		return false;
	*ret = (int64_t)id;
	return true;
}

static void drop(struct registry *registry, struct cache_key key)
{
	cache_drop(registry->cache, key_str(&key));
}

static bool tag_told(struct registry *registry, str rest)
{
	int64_t repository_id;
	if (!read_id(&rest, &repository_id))
		return false;
	drop(registry, key_in_repository('t', repository_id, rest));
	return true;
}

static bool digest_told(struct registry *registry, char kind, str rest)
{
	int64_t repository_id;
	digest d;
	if (!read_id(&rest, &repository_id) || !digest_parse(rest, &d))
		return false;
	drop(registry, key_of_digest(kind, repository_id, d));
	return true;
}

static bool manifest_told(struct registry *registry, str rest)
{
	return digest_told(registry, 'm', rest);
}

static bool link_told(struct registry *registry, str rest)
{
	return digest_told(registry, 'b', rest);
}

/* So much of it is gone that it was not worth a list. */
static bool content_told(struct registry *registry, str rest)
{
	int64_t repository_id;
	if (!read_id(&rest, &repository_id))
		return false;
	for (const char *kind = "tmb"; *kind; kind++) {
		struct cache_key key = key_in_repository(*kind, repository_id, STR_NONE);
		cache_drop_prefix(registry->cache, key_str(&key));
	}
	return true;
}

/* Names are known per tenant: `<tenant> <id> <name>`. */
static bool read_named(struct ctx *ctx, str rest, int64_t *ret_id, str *ret_name)
{
	ctx_init(ctx, NULL);
	*ret_name = STR_NONE;
	if (!read_id(&rest, &ctx->tenant_id) || !read_id(&rest, ret_id))
		return false;
	*ret_name = rest;
	return true;
}

static bool repository_told(struct registry *registry, str rest)
{
	struct ctx ctx;
	int64_t id;
	str name;
	if (!read_named(&ctx, rest, &id, &name))
		return false;
	drop(registry, key_named(&ctx, registry, 'r', name));
	drop(registry, key_numbered(&ctx, registry, 'n', id));
	return true;
}

static bool project_told(struct registry *registry, str rest)
{
	struct ctx ctx;
	int64_t id;
	str name;
	if (!read_named(&ctx, rest, &id, &name))
		return false;
	project_forget(&ctx, registry, id, name);
	return true;
}

static bool rules_told(struct registry *registry, str rest)
{
	int64_t project_id;
	if (!read_id(&rest, &project_id))
		return false;
	immutable_forget(registry, project_id);
	return true;
}

static bool storage_told(struct registry *registry, str rest)
{
	int64_t id;
	if (!read_id(&rest, &id))
		return false;
	if (id != STORAGE_DEFAULT && str_eq(rest, STR("erased")))
		storage_forget(registry, id);
	else if (id != STORAGE_DEFAULT)
		storages_drop(registry->storages, id, false);
	return true;
}

/* Somebody else's: whoever asks for one of them by a name that was remembered must not get it. */
static bool names_told(struct registry *registry, str rest)
{
	registry_names_changed(registry);
	return false; /* logins go by names, too */
}

static bool quota_told(struct registry *registry, str rest)
{
	atomic_fetch_add(&registry->quota_generation, 1);
	return true;
}

static bool webhooks_told(struct registry *registry, str rest)
{
	event_policies_changed(registry);
	return true;
}

static const struct {
	const char *word;
	bool (*told)(struct registry *registry, str rest);
} words[] = {
	{ "t", tag_told },	{ "m", manifest_told },	  { "b", link_told },
	{ "x", content_told },	{ "r", repository_told }, { "p", project_told },
	{ "c", storage_told },	{ "n", names_told },	  { "q", quota_told },
	{ "w", webhooks_told }, { "i", rules_told },
};

bool registry_told(struct registry *registry, str payload)
{
	str word = payload, rest = STR_NONE;
	(void)str_cut(payload, ' ', &word, &rest);
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_eq(word, str_from(words[i].word)))
			return words[i].told(registry, rest);
	return false;
}

void registry_trust(struct registry *registry, enum cache_trust trust)
{
	cache_trust(registry->cache, trust);
	storages_trust(registry->storages, trust);
	if (trust == CACHE_KEPT) {
		registry_names_changed(registry);
		atomic_fetch_add(&registry->quota_generation, 1);
		event_policies_changed(registry);
	}
}
