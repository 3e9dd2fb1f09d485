/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_connect.c - see ldap_connect.h. */
#include "ldap_connect.h"

#include "base/clock.h"
#include "http/outbound.h"
#include "os/fault.h"
#include "os/resolve.h"
#include "os/socket.h"

#include "base/banned.h"

#define PORT_LDAP  389
#define PORT_LDAPS 636

/* What comes after the scheme, without "/" at the end; false for another scheme. */
static bool cut_scheme(str url, str *ret_rest, uint16_t *ret_port)
{
	bool tls = str_has_prefix(url, STR("ldaps://"));
	if (!tls && !str_has_prefix(url, STR("ldap://")))
		return false;
	*ret_rest = str_skip(url, tls ? sizeof "ldaps://" - 1 : sizeof "ldap://" - 1);
	*ret_port = tls ? PORT_LDAPS : PORT_LDAP;
	while (str_has_suffix(*ret_rest, STR("/")))
		*ret_rest = str_take(*ret_rest, ret_rest->len - 1);
	return true;
}

bool ldap_url_read(str url, struct host *ret_host, uint16_t *ret_port)
{
	str rest, before, text;
	uint64_t port;
	struct host host;
	uint16_t usual;
	if (!cut_scheme(url, &rest, &usual) || !host_read(rest, &host) ||
	    (str_has_byte(host_str(&host), ':') && !str_has_prefix(rest, STR("["))))
		return false;
	port = usual;
	if (host.has_port && (!str_cut_last(rest, ':', &before, &text) ||
			      !str_to_u64(text, UINT16_MAX, &port) || !port))
		return false;
	*ret_host = host;
	*ret_port = (uint16_t)port;
	return true;
}

static bool may_connect(const struct ldap_server *server, const struct sockaddr_storage *at)
{
	return !server->outbound || outbound_may_connect(server->outbound, server->tenant_id,
							 (const struct sockaddr *)at);
}

static bool is_guarded(const struct ldap_server *server)
{
	return server->outbound && outbound_is_guarded(server->tenant_id);
}

/* Those that may be connected to stay. */
static void keep_allowed(const struct ldap_server *server, struct resolved *found)
{
	size_t kept = 0;
	for (size_t i = 0; i < found->count; i++)
		if (may_connect(server, &found->at[i]))
			found->at[kept++] = found->at[i];
	found->count = kept;
}

/* A name that does not exist and one that leads inside are told in the same words. */
static err_t find(struct ctx *ctx, const struct ldap_server *server, str url, int64_t until_ns,
		  struct resolved *ret)
{
	struct host host;
	struct resolve_query query = { .until_ns = until_ns, .owner = server->tenant_id };
	if (!ldap_url_read(url, &host, &query.port))
		return fail(ctx, ERR_REQUEST_INVALID, "not an LDAP server's URL");
	query.host = host_str(&host);
	err_t err = resolve(ctx, &query, ret);
	if (err == ERR_UPSTREAM_UNREACHABLE && is_guarded(server) && clock_now_ns() < until_ns) {
		ctx_forgive(ctx);
		return outbound_refuse(ctx, server->tenant_id, url);
	}
	TRY_CTX(ctx, err, "ldap connect");
	keep_allowed(server, ret);
	return ret->count ? OK : outbound_refuse(ctx, server->tenant_id, url);
}

err_t ldap_connect_to(struct ctx *ctx, const struct ldap_server *server, str url, int64_t until_ns,
		      int *ret_fd)
{
	struct resolved found;
	TRY(find(ctx, server, url, until_ns, &found));
	if (FAULT("ldap.connect"))
		return fail_errno(ctx, ERR_UPSTREAM_UNREACHABLE, "ldap connect");
	for (size_t i = 0;; i++) {
		/* Who does not answer leaves time for those after him. */
		int64_t left_ns = until_ns - clock_now_ns();
		int64_t turn_ns = clock_now_ns() + left_ns / (int64_t)(found.count - i);
		err_t err = socket_connect(ctx, (const struct sockaddr *)&found.at[i],
					   resolved_len(&found.at[i]), turn_ns, ret_fd);
		if (err == OK)
			return OK;
		if (err != ERR_UPSTREAM_UNREACHABLE || i + 1 == found.count) {
			ctx_note(ctx, "ldap connect: " STR_FMT, STR_ARG(url));
			return err;
		}
		ctx_forgive(ctx);
	}
}
