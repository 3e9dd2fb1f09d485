/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - see check.h. */
#include "config/check.h"

#include "base/glob.h"
#include "codec/cidr.h"
#include "codec/host.h"
#include "codec/mail.h"
#include "codec/syslog.h"
#include "config/rates.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

#include "base/banned.h"

#define FD_MAX 1048576

/* The textual forms inet_pton() takes are shorter than this. */
#define ADDRESS_TEXT_MAX 64

static bool is_address(int family, str text)
{
	char copy[ADDRESS_TEXT_MAX];
	unsigned char bytes[sizeof(struct in6_addr)];
	if (text.len == 0 || text.len >= sizeof copy || str_has_byte(text, '\0'))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return inet_pton(family, copy, bytes) == 1;
}

const char *check_given(str text)
{
	return text.len ? NULL : "given";
}

/* "", "192.0.2.1" or "[2001:db8::1]" */
static bool is_listen_host(str host)
{
	if (host.len == 0 || is_address(AF_INET, host))
		return true;
	if (!str_has_prefix(host, STR("[")) || !str_has_suffix(host, STR("]")))
		return false;
	return is_address(AF_INET6, str_take(str_skip(host, 1), host.len - 2));
}

static bool is_listen_address(str address)
{
	str host, port;
	uint64_t number;

	if (str_has_prefix(address, STR("unix:"))) {
		str path = str_skip(address, 5);
		return str_has_prefix(path, STR("/")) &&
		       path.len < sizeof((struct sockaddr_un *)0)->sun_path;
	}
	if (str_has_prefix(address, STR("fd:")))
		return str_to_u64(str_skip(address, 3), FD_MAX, &number);
	return str_cut_last(address, ':', &host, &port) && is_listen_host(host) &&
	       str_to_u64(port, 65535, &number);
}

void listen_split(str item, bool has_certificate, struct config_listener *ret)
{
	str address = str_trim(item);
	bool tls = has_certificate && !str_has_prefix(address, STR("unix:"));

	if (str_has_prefix(address, STR("https:"))) {
		tls = true;
		address = str_skip(address, 6);
	} else if (str_has_prefix(address, STR("http:"))) {
		tls = false;
		address = str_skip(address, 5);
	}
	if (str_has_prefix(address, STR("//")))
		address = str_skip(address, 2);
	*ret = (struct config_listener){ .address = address, .tls = tls };
}

const char *check_listen(str text)
{
	static const char want[] =
		"a list of up to 16 addresses such as 127.0.0.1:5000, [::1]:5000, :5000, "
		"unix:/run/berth.sock or fd:3";
	size_t count = 0;

	for (str item; str_next(&text, ',', &item); count++) {
		struct config_listener listener;
		listen_split(item, false, &listener);
		if (!is_listen_address(listener.address))
			return want;
	}
	return count >= 1 && count <= CONFIG_LISTENERS_MAX ? NULL : want;
}

const char *check_listen_one(str text)
{
	if (text.len && (str_has_byte(text, ',') || check_listen(text)))
		return "one address such as 127.0.0.1:9090, :9090, unix:/run/metrics.sock or fd:4";
	return NULL;
}

/* "10.0.0.0/8", or an address without a length */
static bool is_network(str text)
{
	str address, length;
	uint64_t bits;

	if (!str_cut(text, '/', &address, &length))
		return is_address(AF_INET, text) || is_address(AF_INET6, text);
	if (is_address(AF_INET, address))
		return str_to_u64(length, 32, &bits);
	return is_address(AF_INET6, address) && str_to_u64(length, 128, &bits);
}

const char *check_networks(str text)
{
	for (str item; str_next(&text, ',', &item);)
		if (!str_eq(str_trim(item), STR("unix")) && !is_network(str_trim(item)))
			return "a list of networks such as 10.0.0.0/8, ::1 or unix";
	return NULL;
}

const char *check_address_ranges(str text)
{
	size_t count = 0;
	for (str item; str_next(&text, ',', &item); count++)
		if (!is_network(str_trim(item)))
			return "a list of networks such as 10.0.0.0/8 or fd00::/64";
	return count <= CIDR_LIST_MAX ? NULL : "a list of at most 256 networks";
}

const char *check_rates(str text)
{
	struct rate_policy policies[RATE_CLASS_COUNT];
	return rates_read(text, policies)
		       ? NULL
		       : "rates of classes such as pull=100/s:500, push=600/m; "
			 "classes are pull, push, login, read and write, each once";
}

const char *check_database_url(str text)
{
	if (text.len == 0 || str_has_prefix(text, STR("postgresql://")) ||
	    str_has_prefix(text, STR("postgres://")))
		return NULL;
	return "empty or begin with postgresql://";
}

const char *check_url(str text)
{
	static const char want[] = "http:// or https:// and a host, without a path";
	str host = STR_NONE;

	if (text.len == 0)
		return NULL;
	if (str_has_prefix(text, STR("http://")))
		host = str_skip(text, 7);
	else if (str_has_prefix(text, STR("https://")))
		host = str_skip(text, 8);
	if (host.len == 0)
		return want;
	for (size_t i = 0; i < host.len; i++)
		if (host.ptr[i] <= ' ' || strchr("/?#@\"\\", host.ptr[i]))
			return want;
	return NULL;
}

const char *check_syslog(str text)
{
	struct syslog_endpoint endpoint;
	return !text.len || syslog_endpoint_parse(text, &endpoint)
		       ? NULL
		       : "host:port, tcp://host:port or tls://host:port";
}

const char *check_http_url(str text)
{
	static const char want[] = "http:// or https://, a host without a user, and a path";
	str rest, host, path, scheme;

	if (text.len == 0)
		return NULL;
	if (!str_cut(text, ':', &scheme, &rest) || !str_has_prefix(rest, STR("//")) ||
	    (!str_eq(scheme, STR("http")) && !str_eq(scheme, STR("https"))))
		return want;
	rest = str_skip(rest, 2);
	host = str_cut(rest, '/', &host, &path) ? host : rest;
	if (host.len == 0 || str_has_byte(host, '@'))
		return want;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f || strchr("#\"\\", text.ptr[i]))
			return want;
	return NULL;
}

const char *check_host_name(str text)
{
	struct host host;
	return !text.len || (host_read(text, &host) && !host.has_port)
		       ? NULL
		       : "the name of a host, or an address, without a port";
}

const char *check_mail_address(str text)
{
	return !text.len || mail_address_is_valid(text) ? NULL
							: "an address such as berth@example.com";
}

const char *check_patterns(str text)
{
	const char *why;
	for (str item; str_next(&text, ',', &item);)
		if (!str_trim(item).len || !glob_check(str_trim(item), &why))
			return "a list of patterns such as *@example.com";
	return NULL;
}

const char *check_field_value(str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < ' ' || text.ptr[i] >= 0x7f)
			return "printable ASCII";
	return NULL;
}
