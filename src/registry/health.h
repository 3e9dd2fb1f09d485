/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health.h - whether what a registry stands on still works: tried, not believed.
 *
 * The database answers a question; a storage takes a byte and gives up its file again: the default
 * one, and of the open ones of tenants the HEALTH_STORAGES_MAX that were used last. A result
 * counts for HEALTH_REMEMBER_MS, because anybody may ask: whoever asks meanwhile, or while somebody
 * else is trying, gets the last one.
 */
#pragma once

#include "registry/registry.h"

#define HEALTH_REMEMBER_MS  1000
#define HEALTH_DEADLINE_MS  5000 /* for each part */
#define HEALTH_STORAGES_MAX 16

struct health {
	err_t database; /* OK, or why not */
	err_t writes;	/* ERR_DATABASE_READ_ONLY while the database can only be read */
	err_t storage;	/* the first one that does not work */
};

void registry_health(struct ctx *ctx, struct registry *registry, struct health *ret);

/* The default storage: its driver's name, and its room in bytes (both 0 where there is no such
 * bound). */
const char *registry_storage_name(const struct registry *registry);
err_t registry_storage_space(struct ctx *ctx, struct registry *registry, uint64_t *ret_total_bytes,
			     uint64_t *ret_free_bytes);
