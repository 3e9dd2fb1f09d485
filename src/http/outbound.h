/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbound.h - asking servers that somebody named in a tenant's configuration: identity providers,
 * issuers of tokens, directories.
 *
 * What the default tenant names is the operator's, and leads wherever he wants, as a rule into his
 * own network. Another tenant's administrator is a stranger there: what he names may be at
 * addresses that the whole world can reach, and in the networks of `tenants_allow`. The two have
 * clients of their own, so that no connection of the one is used by the other.
 *
 * The address is looked at when it is connected to, whatever the name, a redirect or a second
 * look-up leads to (client.h); who speaks no HTTP asks outbound_may_connect() about each address
 * before he connects. The administrator is told in the same words whether there is a server, an
 * open port, or not even such a name; who runs the server finds a line in the log.
 *
 *	TRY(outbound_send(ctx, outbound, provider->tenant_id, &request, &answer));
 */
#pragma once

#include "http/client.h"

struct outbound;
struct sockaddr;

struct outbound_options {
	str tenants_allow;	      /* CIDR list; may be empty */
	struct client_options client; /* of both; `guard` and `allow` are set here */
};

/* ERR_CONFIG for a list that does not parse. */
err_t outbound_new(struct ctx *ctx, const struct outbound_options *options, struct outbound **ret);
void outbound_free(struct outbound *outbound); /* NULL is fine */

/* client_send() by the client for this tenant's servers. */
err_t outbound_send(struct ctx *ctx, const struct outbound *outbound, int64_t tenant_id,
		    const struct client_request *request, struct client_response *ret);

/* Whether this tenant's servers are looked at. */
bool outbound_is_guarded(int64_t tenant_id);
bool outbound_may_connect(const struct outbound *outbound, int64_t tenant_id,
			  const struct sockaddr *address);

/* ERR_UPSTREAM_FORBIDDEN, and the line in the log: for `what`, a URL, that leads nowhere where this
 * tenant's servers may be. */
err_t outbound_refuse(struct ctx *ctx, int64_t tenant_id, str what);

/*
 * For who saves `urls` (several separated by blanks; a scheme may be missing): ERR_REQUEST_INVALID
 * for one whose host is written as an address that may not be connected to. Names are not looked up
 * here: what they lead to may change.
 */
err_t outbound_check(struct ctx *ctx, const struct outbound *outbound, int64_t tenant_id, str urls);
