/* SPDX-License-Identifier: Apache-2.0 */
/* outbound.c - see outbound.h. */
#include "http/outbound.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/tenant.h"
#include "client_internal.h"

#include "base/banned.h"

#define URL_SHOWN_BYTES 120

struct outbound {
	struct client *operators; /* goes wherever it is led */
	struct client *tenants;	  /* guarded */
};

static void outbound_done(struct outbound **outbound)
{
	outbound_free(*outbound);
}

err_t outbound_new(struct ctx *ctx, const struct outbound_options *options, struct outbound **ret)
{
	CLEANUP(outbound_done) struct outbound *outbound = NEW(struct outbound);
	struct client_options client = options->client;
	client.guard = false;
	TRY(client_new(ctx, &client, &outbound->operators));
	client.guard = true;
	client.allow = options->tenants_allow;
	TRY_CTX(ctx, client_new(ctx, &client, &outbound->tenants), "outbound.tenants_allow");
	*ret = take(outbound);
	return OK;
}

void outbound_free(struct outbound *outbound)
{
	if (!outbound)
		return;
	client_free(outbound->operators);
	client_free(outbound->tenants);
	free(outbound);
}

bool outbound_is_guarded(int64_t tenant_id)
{
	return tenant_id != TENANT_DEFAULT;
}

static struct client *client_of(const struct outbound *outbound, int64_t tenant_id)
{
	return outbound_is_guarded(tenant_id) ? outbound->tenants : outbound->operators;
}

bool outbound_may_connect(const struct outbound *outbound, int64_t tenant_id,
			  const struct sockaddr *address)
{
	return client_may_connect_to(client_of(outbound, tenant_id), address);
}

/* The one who may mend it by an option is not the one who gets the answer. */
static void tell_operator(int64_t tenant_id, str what)
{
	LOG(LOG_WARN, "a tenant's server is at no address that outbound.tenants_allow lets it have",
	    LOG_I64("tenant", tenant_id), LOG_STR("server", what));
}

err_t outbound_refuse(struct ctx *ctx, int64_t tenant_id, str what)
{
	what = str_take(what, URL_SHOWN_BYTES);
	tell_operator(tenant_id, what);
	return fail(ctx, ERR_UPSTREAM_FORBIDDEN, STR_FMT " has no address that may be connected to",
		    STR_ARG(what));
}

err_t outbound_send(struct ctx *ctx, const struct outbound *outbound, int64_t tenant_id,
		    const struct client_request *request, struct client_response *ret)
{
	err_t err = client_send(ctx, client_of(outbound, tenant_id), request, ret);
	if (err == ERR_UPSTREAM_FORBIDDEN)
		tell_operator(tenant_id, str_take(request->url, URL_SHOWN_BYTES));
	return err;
}

/* "host:port" of "scheme://host:port/path". */
static str authority_of(str url)
{
	size_t at;
	if (str_find(url, STR("://"), &at))
		url = str_skip(url, at + 3);
	for (at = 0; at < url.len && !str_has_byte(STR("/?#"), url.ptr[at]); at++)
		;
	return str_take(url, at);
}

err_t outbound_check(struct ctx *ctx, const struct outbound *outbound, int64_t tenant_id, str urls)
{
	ip address;
	for (str url; str_next(&urls, ' ', &url);) {
		str host = authority_of(url);
		if (ip_parse_with_port(host, &address) &&
		    !client_may_connect(client_of(outbound, tenant_id), address))
			return fail(ctx, ERR_REQUEST_INVALID,
				    STR_FMT " is not an address that a tenant's server may have",
				    STR_ARG(host));
	}
	return OK;
}
