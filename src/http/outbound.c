/* SPDX-License-Identifier: Apache-2.0 */
/* outbound.c - see outbound.h. */
#include "http/outbound.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/tenant.h"

#include "base/banned.h"

#define URL_SHOWN_BYTES 120

struct outbound {
	struct client *operators; /* go wherever they lead */
	struct client *tenants;	  /* guarded */
	struct cidr_list allow;
	struct arena memory;
};

static void outbound_done(struct outbound **outbound)
{
	outbound_free(*outbound);
}

err_t outbound_new(struct ctx *ctx, const struct outbound_options *options, struct outbound **ret)
{
	CLEANUP(outbound_done) struct outbound *outbound = NEW(struct outbound);
	struct client_options client = options->client;
	arena_init(&outbound->memory, KIB(64));
	if (!cidr_list_parse(&outbound->memory, options->tenants_allow, &outbound->allow))
		return fail(ctx, ERR_CONFIG, "outbound.tenants_allow does not parse");
	client.guard = false;
	TRY(client_new(ctx, &client, &outbound->operators));
	client.guard = true;
	client.allow = options->tenants_allow;
	TRY(client_new(ctx, &client, &outbound->tenants));
	*ret = take(outbound);
	return OK;
}

void outbound_free(struct outbound *outbound)
{
	if (!outbound)
		return;
	client_free(outbound->operators);
	client_free(outbound->tenants);
	arena_done(&outbound->memory);
	free(outbound);
}

bool outbound_is_guarded(int64_t tenant_id)
{
	return tenant_id != TENANT_DEFAULT;
}

bool outbound_may_connect(const struct outbound *outbound, int64_t tenant_id, ip address)
{
	return !outbound_is_guarded(tenant_id) || ip_is_public(address) ||
	       cidr_list_has(&outbound->allow, address);
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
	bool guarded = outbound_is_guarded(tenant_id);
	err_t err =
		client_send(ctx, guarded ? outbound->tenants : outbound->operators, request, ret);
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
		    !outbound_may_connect(outbound, tenant_id, address))
			return fail(ctx, ERR_REQUEST_INVALID,
				    STR_FMT " is not an address that a tenant's server may have",
				    STR_ARG(host));
	}
	return OK;
}
