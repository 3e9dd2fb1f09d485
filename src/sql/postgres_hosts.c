/* SPDX-License-Identifier: Apache-2.0 */
/* postgres_hosts.c - see postgres_hosts.h. */
#include "postgres_hosts.h"

#include "base/clock.h"
#include "driver.h"

#include <stdio.h>

#include "base/banned.h"

/* A path is a Unix socket's, and so is what begins with "@". */
static bool is_on_network(const char *host)
{
	return *host && *host != '/' && *host != '@';
}

static void list(const struct resolved *found, str host, struct postgres_hosts *ret)
{
	char text[RESOLVE_TEXT_MAX];
	int hosts_len = 0, addresses_len = 0;
	for (size_t i = 0; i < found->count; i++) {
		const char *comma = i ? "," : "";
		str address = resolved_text(&found->at[i], text);
		hosts_len += snprintf(ret->hosts + hosts_len, sizeof ret->hosts - (size_t)hosts_len,
				      "%s" STR_FMT, comma, STR_ARG(host));
		addresses_len += snprintf(ret->addresses + addresses_len,
					  sizeof ret->addresses - (size_t)addresses_len,
					  "%s" STR_FMT, comma, STR_ARG(address));
		CHECK((size_t)hosts_len < sizeof ret->hosts);
		CHECK((size_t)addresses_len < sizeof ret->addresses);
	}
}

err_t postgres_hosts_find(struct ctx *ctx, const char *host, int64_t until_ns,
			  struct postgres_hosts *ret)
{
	ret->hosts[0] = ret->addresses[0] = '\0';
	if (!is_on_network(host))
		return OK;
	int64_t now_ns = clock_now_ns();
	const struct resolve_query query = { .host = str_from(host),
					     .until_ns = now_ns + (until_ns - now_ns) / 2 };
	struct resolved found;
	err_t err = resolve(ctx, &query, &found);
	if (err == OK) {
		list(&found, query.host, ret);
		return OK;
	}
	if (err == ERR_DEADLINE || err == ERR_CANCELLED)
		return err;
	ctx->failure.code = ERR_DATABASE;
	ctx->failure.sys_errno = SQL_ERRNO_LOST;
	ctx_note(ctx, "could not connect to the database");
	return ERR_DATABASE;
}
