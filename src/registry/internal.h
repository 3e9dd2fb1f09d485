/* SPDX-License-Identifier: Apache-2.0 */
/*
 * internal.h - what the files of this folder share: the registry's parts and the keys of its cache.
 *
 * One cache holds fourteen kinds of things, told apart by the first byte of the key:
 *	p<names><tenant><name>  project: its id
 *	i<names><tenant><id>    project by its id: its name, and whether it is public
 *	r<names><tenant><name>  repository: struct repository_known
 *	n<names><tenant><id>    repository by its id: its name and its project
 *	t<repository><tag>   digest
 *	m<repository><digest>  struct manifest_image, media type, bytes
 *	b<repository><digest>  struct stored_blob
 *	v<repository><digest>  when its link was last looked at for who relies on it (pull.h)
 *	w<names><tenant><id>    project by its id: what webhooks want to know of it (event.c)
 *	u<project>           its rules of immutability: how many, and they themselves (immutable.c)
 *	q<repository>        whether there is a quota: struct hint (upload_quota.c)
 *	c<storage><digest>     a small blob's bytes, for whoever got past `b`
 *	a<repository><list>    of a list of its artifacts: its length, where pages begin (anchors.h)
 *	l<project><list>       the same of a list of a project's repositories
 *	L<tenant><list>        … of a tenant's
 *
 * No key is one in two tenants: a tenant finds only what it put there itself. Nothing negative is
 * cached. A writer commits first and drops after (who erases a storage, all of its `c`); a fill
 * that raced with it is refused by its ticket (base/cache.h). Of `a`, `l` and `L` the value itself
 * says of which state of the list it is.
 *
 * <names> is a number that grows whenever something was renamed or an alias was deleted
 * (registry_names_changed()): nothing that was known by a name before counts after. What an alias
 * leads to is looked up by its id, so that who changes or deletes it drops its name and its id and
 * need not know the aliases.
 */
#pragma once

#include "base/cache.h"
#include "crypto/secretbox.h"
#include "registry/health.h"
#include "pull_counts.h"
#include "registry/collect.h"
#include "registry/live_uploads.h"
#include "registry/registry.h"

#include <pthread.h>
#include "storages.h"

/* What health.c remembers, by its lock. */
struct registry_health {
	pthread_mutex_t lock;
	int64_t tried_at_ns; /* 0: never */
	bool trying;
	struct health last;
};

/* What collectors have done, by its lock. */
struct registry_collected {
	pthread_mutex_t lock;
	struct collected_here here;
};

struct registry {
	struct registry_health health;
	struct registry_collected collected;
	struct registry_options options;
	struct secretbox_key master_key;
	bool has_master_key;
	struct sql *db;
	struct storages *storages;
	struct cache *cache;
	struct live_uploads *uploads;
	struct pull_counts *pulls;
	_Atomic(unsigned) rings;	      /* uploads that have one */
	_Atomic(unsigned) quota_looks;	      /* see quota_watch() */
	_Atomic(uint64_t) quota_generation;   /* of limits set here */
	_Atomic(uint64_t) webhook_generation; /* of policies changed */
	void (*wake)(void *arg);	      /* see registry_set_wake() */
	void *wake_arg;
	_Atomic(uint64_t) names; /* see the top of the file */
};

#define CACHE_KEY_MAX 280
#define LIST_NAME_MAX (CACHE_KEY_MAX - 1 - sizeof(int64_t)) /* of a list in a key */

struct cache_key {
	char bytes[CACHE_KEY_MAX];
	size_t len;
};

/* Of a name, or an id, in ctx's tenant. */
struct cache_key key_named(const struct ctx *ctx, const struct registry *registry, char kind,
			   str name);
struct cache_key key_numbered(const struct ctx *ctx, const struct registry *registry, char kind,
			      int64_t id);
struct cache_key key_in_repository(char kind, int64_t repository_id, str rest);
struct cache_key key_of_digest(char kind, int64_t repository_id, digest d);

/* What the keys `c` of a storage begin with. */
struct cache_key key_in_storage(int64_t storage_id);

static inline str key_str(const struct cache_key *key)
{
	return (str){ key->bytes, key->len };
}

/*
 * Reads a small value through the cache: from memory, else by `load` in a transaction of its own,
 * kept for the next time. What `load` fails with (ERR_ABSENT too) comes back and is not remembered;
 * it sets
 * `*ret` only on success.
 */
struct cached_kind {
	err_t (*load)(struct ctx *ctx, struct sql_tx *tx, const void *arg, void *ret);
	size_t size_bytes;
};
err_t registry_cached(struct ctx *ctx, struct registry *registry, const struct cache_key *key,
		      const struct cached_kind *kind, const void *arg, void *ret);

/* What the key of a storage's own is sealed for (`what` empty), and what its secrets are. */
str storage_context(struct ctx *ctx, int64_t id, const char *what);
/* Where a storage is, with its settings and secrets, all of it in ctx's arena. */
err_t storage_place(struct ctx *ctx, struct registry *registry, const struct store_driver *driver,
		    const struct storage_row *row, struct store_place *ret);
/* Adds the members of a JSON object of strings. */
err_t storage_add_settings(struct ctx *ctx, str text, struct store_place *place);
#define STORAGE_KEY	""
#define STORAGE_SECRETS "/secrets"
/* After the commit that renamed something or deleted an alias, and before its answer. */
void registry_names_changed(struct registry *registry);

/* Keeps a manifest that was read with a repository, and where its tag leads (empty: none); what was
 * dropped since the tickets were taken stays so. One that is not what its digest says is left for
 * who asks for it to find out. */
struct manifest_row;
void manifest_remember(struct ctx *ctx, struct registry *registry, int64_t repository_id, str tag,
		       const struct manifest_row *row, const struct cache_tickets *tickets);

/* Opens a read transaction. */
err_t registry_read(struct ctx *ctx, struct registry *registry, struct sql_tx *ret);
