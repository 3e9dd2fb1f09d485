/* SPDX-License-Identifier: Apache-2.0 */
/*
 * origin.c - who asks, and how they named us: the socket's view, corrected by what trusted proxies
 * say.
 *
 * X-Forwarded-For is read from the right, where the nearest proxy wrote: the first address that is
 * not itself a trusted proxy is the client. What stands further left anybody could have sent.
 */
#include "http/worker.h"

#include "codec/client_certificate.h"

#include "base/banned.h"

/* The last item of the last field `name`: what the nearest proxy says. */
static str last_item(const struct http_head *head, str name)
{
	str value = STR_NONE, field, before, after;
	for (size_t at = 0; http_head_next(head, name, &at, &field);)
		value = field;
	return str_trim(str_cut_last(value, ',', &before, &after) ? after : value);
}

/* False when no proxy named an address. */
static bool find_client(const struct http_head *head, const struct cidr_list *trusted, ip *ret)
{
	bool found = false;
	for (size_t i = head->field_count; i-- > 0;) {
		const struct http_field *field = &head->fields[i];
		if (!str_eq_nocase(field->name, STR("x-forwarded-for")))
			continue;
		str rest = field->value, item, before;
		do {
			bool more = str_cut_last(rest, ',', &before, &item);
			item = more ? item : rest;
			rest = more ? before : STR_NONE;
			ip address;
			if (!ip_parse_with_port(str_trim(item), &address))
				return found;
			*ret = address;
			found = true;
			if (!cidr_list_has(trusted, address))
				return true;
		} while (rest.len);
	}
	return found;
}

static void believe_proxies(struct exchange *x)
{
	const struct connection *c = x->connection;
	char text[IP_TEXT_MAX];
	ip client;
	if (find_client(x->head, &c->server->trusted.ranges, &client))
		x->peer = arena_copy(x->ctx->arena, ip_format(client, text));
	str scheme = last_item(x->head, STR("x-forwarded-proto"));
	if (str_eq_nocase(scheme, STR("https")))
		x->scheme = STR("https");
	else if (str_eq_nocase(scheme, STR("http")))
		x->scheme = STR("http");
	str host = last_item(x->head, STR("x-forwarded-host"));
	if (http_host_is_valid(host))
		x->host = host;
}

/* What two fields say could be two clients; what nobody can read is nobody's. */
static str forwarded_certificate(struct exchange *x, str header)
{
	str field, der;
	size_t at = 0;
	if (!http_head_next(x->head, header, &at, &field) ||
	    !client_certificate_decode(x->ctx->arena, field, &der) ||
	    http_head_next(x->head, header, &at, &field))
		return STR_NONE;
	return der;
}

static void find_certificate(struct exchange *x)
{
	const struct connection *c = x->connection;
	str header = str_from(c->server->options.certificate_header);
	if (c->trusted && header.len)
		x->client_certificate = forwarded_certificate(x, header);
	else if (c->tls)
		x->client_certificate = tls_peer_certificate(c->tls, x->ctx->arena);
}

void exchange_find_origin(struct exchange *x)
{
	const struct connection *c = x->connection;
	x->peer = str_from(c->peer);
	x->scheme = c->wants_tls ? STR("https") : STR("http");
	x->host = x->head->host;
	if (c->trusted)
		believe_proxies(x);
	find_certificate(x);
	if (x->host.len == 0)
		x->host = socket_local_address(x->ctx, c->fd);
}

/* What a proxy adds by which it can be told, whoever's it is. */
static bool came_by_proxy(const struct http_head *head)
{
	static const str marks[] = { STR_INIT("x-forwarded-for"), STR_INIT("forwarded"),
				     STR_INIT("via") };
	for (size_t i = 0; i < COUNT_OF(marks); i++) {
		str value;
		size_t at = 0;
		if (http_head_next(head, marks[i], &at, &value))
			return true;
	}
	return false;
}

bool exchange_client(const struct exchange *x, ip *ret)
{
	const struct connection *c = x->connection;
	ip address;
	if (!ip_parse(x->peer, &address) ||
	    (c->trusted ? cidr_list_has(&c->server->trusted.ranges, address)
			: came_by_proxy(x->head)))
		return false;
	*ret = address;
	return true;
}
