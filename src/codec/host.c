/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - see host.h. */
#include "codec/host.h"
#include "codec/cidr.h"

#include <string.h>

#include "base/banned.h"

#define LABEL_BYTES_MAX 63
#define PORT_MAX	65535

/* RFC 3986 lets the digits be missing. */
static bool is_port(str text)
{
	uint64_t port;
	return text.len == 0 || str_to_u64(text, PORT_MAX, &port);
}

/* Takes ":port" off the end of what has no brackets. An address with many colons keeps them all. */
static bool take_port(str text, str *ret_host, bool *ret_has_port)
{
	str host, port, before, after;
	*ret_host = text;
	*ret_has_port = str_cut(text, ':', &host, &port);
	if (!*ret_has_port)
		return true;
	if (str_cut(port, ':', &before, &after)) {
		*ret_has_port = false;
		return true;
	}
	*ret_host = host;
	return is_port(port);
}

static bool take_brackets(str text, str *ret_host, bool *ret_has_port)
{
	str after;
	if (!str_cut(str_skip(text, 1), ']', ret_host, &after) || !str_has_byte(*ret_host, ':'))
		return false;
	*ret_has_port = after.len != 0;
	return after.len == 0 || (after.ptr[0] == ':' && is_port(str_skip(after, 1)));
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_label(str label, bool *ret_all_digits)
{
	*ret_all_digits = true;
	if (label.len == 0 || label.len > LABEL_BYTES_MAX || label.ptr[0] == '-' ||
	    label.ptr[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++) {
		char c = lower(label.ptr[i]);
		*ret_all_digits &= is_digit(c);
		if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '_')
			return false;
	}
	return true;
}

static bool is_name(str name)
{
	bool all_digits = true;
	if (name.len == 0 || name.len > HOST_BYTES_MAX)
		return false;
	str rest = name, label;
	while (str_next(&rest, '.', &label))
		if (!is_label(label, &all_digits))
			return false;
	return !all_digits && name.ptr[name.len - 1] != '.';
}

static void set(struct host *host, str text)
{
	for (size_t i = 0; i < text.len; i++)
		host->text[i] = lower(text.ptr[i]);
	host->len = text.len;
}

bool host_read(str text, struct host *ret)
{
	char formatted[IP_TEXT_MAX];
	bool bracketed = text.len && text.ptr[0] == '[', has_port;
	str name;
	ip address;
	if (!(bracketed ? take_brackets : take_port)(text, &name, &has_port))
		return false;
	if (ip_parse(name, &address)) {
		set(ret, ip_format(address, formatted));
	} else {
		if (!bracketed && str_has_suffix(name, STR(".")))
			name = str_take(name, name.len - 1);
		if (bracketed || !is_name(name))
			return false;
		set(ret, name);
	}
	ret->has_port = has_port;
	return true;
}
