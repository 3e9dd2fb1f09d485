/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nodes.c - what other nodes change reaches those who remember it; see sql_listen() in sql/sql.h.
 *
 * A word that nobody knows comes from a node of a newer version: then nothing that was remembered
 * counts any more.
 */
#include "auth/told.h"
#include "program.h"
#include "registry/told.h"
#include "settings/system.h"
#include "sql/listen.h"

#include "base/banned.h"

static void trust(void *arg, enum sql_trust how)
{
	static const enum cache_trust trusts[] = {
		[SQL_TRUST_KEPT] = CACHE_KEPT,
		[SQL_TRUST_NONE] = CACHE_NONE,
		[SQL_TRUST_STALE] = CACHE_STALE,
	};
	struct program *p = arg;
	registry_trust(p->registry, trusts[how]);
	auth_trust(p->auth, trusts[how]);
	if (how == SQL_TRUST_KEPT)
		system_told(p->settings);
}

static void told(void *arg, str payload)
{
	struct program *p = arg;
	if (str_eq(payload, STR("y"))) {
		system_told(p->settings);
	} else if (!registry_told(p->registry, payload) && !auth_told(p->auth, payload)) {
		trust(p, SQL_TRUST_NONE);
		trust(p, SQL_TRUST_KEPT);
	}
}

err_t program_hear_nodes(struct ctx *ctx, struct program *p)
{
	const struct sql_listener listener = { told, trust, p, p->config.database_outage_ms };
	return sql_listen(ctx, p->db, &listener);
}
