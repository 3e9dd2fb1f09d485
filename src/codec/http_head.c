/* SPDX-License-Identifier: Apache-2.0 */
/* http_head.c - see http_head.h. The end of the head is found first; the lines are then cut in
 * place. */
#include "codec/http_head.h"

#include <string.h>

#include "base/banned.h"

#define METHOD_BYTES_MAX 32

/* What a byte may be part of. */
enum { IS_TOKEN = 1, IS_TARGET = 2, IS_VALUE = 4, IS_HOST = 8 };

#define T     IS_TOKEN
#define U     IS_TARGET
#define V     IS_VALUE
#define H     IS_HOST
#define ALNUM (T | U | V | H)
/* RFC 9110 §5.6.2 (token), RFC 3986 §2 without '#' (target), RFC 9110 §5.5 (value), §3.2.2 (host)
 */
static const unsigned char byte_class[256] = {
	['\t'] = V,
	[' '] = V,
	['!'] = T | U | V,
	['"'] = U | V,
	['#'] = T | V,
	['$'] = T | U | V,
	['%'] = T | U | V | H,
	['&'] = T | U | V,
	['\''] = T | U | V,
	['('] = U | V,
	[')'] = U | V,
	['*'] = T | U | V,
	['+'] = T | U | V,
	[','] = U | V,
	['-'] = T | U | V | H,
	['.'] = T | U | V | H,
	['/'] = U | V,
	['0' ... '9'] = ALNUM,
	[':'] = U | V,
	[';'] = U | V,
	['<'] = U | V,
	['='] = U | V,
	['>'] = U | V,
	['?'] = U | V,
	['@'] = U | V,
	['A' ... 'Z'] = ALNUM,
	['['] = U | V,
	['\\'] = U | V,
	[']'] = U | V,
	['^'] = T | U | V,
	['_'] = T | U | V | H,
	['`'] = T | U | V,
	['a' ... 'z'] = ALNUM,
	['{'] = U | V,
	['|'] = T | U | V,
	['}'] = U | V,
	['~'] = T | U | V | H,
	[0x80 ... 0xFF] = V,
};
#undef T
#undef U
#undef V
#undef H
#undef ALNUM

static bool all_of(str s, unsigned char class)
{
	for (size_t i = 0; i < s.len; i++)
		if (!(byte_class[(unsigned char)s.ptr[i]] & class))
			return false;
	return true;
}

bool http_token_is_valid(str s)
{
	return s.len && all_of(s, IS_TOKEN);
}

bool http_value_is_valid(str s)
{
	return all_of(s, IS_VALUE);
}

static bool is_ip_literal(str s)
{
	if (s.len < 4 || s.ptr[0] != '[' || s.ptr[s.len - 1] != ']')
		return false;
	for (size_t i = 1; i < s.len - 1; i++)
		if (!strchr("0123456789abcdefABCDEF:.", s.ptr[i]))
			return false;
	return true;
}

bool http_host_is_valid(str s)
{
	str name = s, port;
	uint64_t number;
	size_t bracket = s.len && s.ptr[0] == '[' ? 1 : 0;
	if (bracket && str_has_suffix(s, STR("]")))
		return is_ip_literal(s);
	if (str_cut_last(s, ':', &name, &port) && !str_to_u64(port, 65535, &number))
		return false;
	return bracket ? is_ip_literal(name) : name.len && all_of(name, IS_HOST);
}

static const char *const method_names[HTTP_METHOD_COUNT] = {
	[HTTP_GET] = "GET",	    [HTTP_HEAD] = "HEAD",	   [HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT",	    [HTTP_PATCH] = "PATCH",	   [HTTP_DELETE] = "DELETE",
	[HTTP_OPTIONS] = "OPTIONS", [HTTP_METHOD_OTHER] = "OTHER",
};

const char *http_method_name(enum http_method method)
{
	return method < HTTP_METHOD_COUNT ? method_names[method] : "OTHER";
}

static enum http_method method_of(str text)
{
	for (enum http_method m = 0; m < HTTP_METHOD_OTHER; m++)
		if (str_eq(text, str_from(method_names[m])))
			return m;
	return HTTP_METHOD_OTHER;
}

/* scheme "://" authority path-abempty, for servers that are asked as a proxy (RFC 9112 §3.2.2). */
static err_t parse_absolute_form(str target, struct http_head *head, str *ret_rest)
{
	str scheme = str_take(target, str_has_prefix(str_skip(target, 4), STR(":")) ? 4 : 5);
	if (!str_eq_nocase(scheme, STR("http")) && !str_eq_nocase(scheme, STR("https")))
		return ERR_REQUEST_INVALID;
	str rest = str_skip(target, scheme.len);
	if (!str_has_prefix(rest, STR("://")))
		return ERR_REQUEST_INVALID;
	rest = str_skip(rest, 3);
	size_t len = 0;
	while (len < rest.len && rest.ptr[len] != '/' && rest.ptr[len] != '?')
		len++;
	head->host = str_take(rest, len);
	*ret_rest = str_skip(rest, len);
	return http_host_is_valid(head->host) ? OK : ERR_REQUEST_INVALID;
}

static err_t parse_target(str target, struct http_head *head)
{
	if (!all_of(target, IS_TARGET) || target.len == 0)
		return ERR_REQUEST_INVALID;
	if (str_eq(target, STR("*")) && head->method == HTTP_OPTIONS) {
		head->path = target;
		return OK;
	}
	if (target.ptr[0] != '/')
		TRY(parse_absolute_form(target, head, &target));
	if (!str_cut(target, '?', &head->path, &head->query))
		head->path = target;
	if (head->path.len == 0)
		head->path = STR("/");
	return OK;
}

static err_t parse_version(str version, struct http_head *head)
{
	bool well_formed = version.len == 8 && str_has_prefix(version, STR("HTTP/")) &&
			   version.ptr[5] >= '0' && version.ptr[5] <= '9' &&
			   version.ptr[6] == '.' && version.ptr[7] >= '0' && version.ptr[7] <= '9';
	if (!well_formed)
		return ERR_REQUEST_INVALID;
	if (version.ptr[5] != '1' || version.ptr[7] > '1')
		return ERR_HTTP_VERSION;
	head->minor_version = version.ptr[7] - '0';
	return OK;
}

static err_t parse_request_line(str line, struct http_head *head)
{
	str method, target, version;
	if (!str_cut(line, ' ', &method, &line) || !str_cut(line, ' ', &target, &version))
		return ERR_REQUEST_INVALID;
	if (!http_token_is_valid(method) || method.len > METHOD_BYTES_MAX)
		return ERR_REQUEST_INVALID;
	if (target.len > HTTP_TARGET_BYTES_MAX)
		return ERR_URI_TOO_LONG;
	TRY(parse_version(version, head));
	head->method_text = method;
	head->method = method_of(method);
	return parse_target(target, head);
}

static err_t parse_field(str line, struct http_head *head)
{
	if (head->field_count == HTTP_FIELDS_MAX)
		return ERR_HEADERS_TOO_LARGE;
	size_t len = 0;
	while (len < line.len && (byte_class[(unsigned char)line.ptr[len]] & IS_TOKEN))
		len++;
	if (len == 0 || len == line.len || line.ptr[len] != ':')
		return ERR_REQUEST_INVALID;
	str value = str_skip(line, len + 1);
	if (!all_of(value, IS_VALUE))
		return ERR_REQUEST_INVALID;
	head->fields[head->field_count++] =
		(struct http_field){ str_take(line, len), str_trim(value) };
	return OK;
}

/* What has been seen of the fields that frame the message. */
struct framing {
	str host;
	bool has_host;
	bool has_transfer_coding;
	bool wants_close;
	bool wants_keep_alive;
};

static err_t see_host(struct http_head *head, struct framing *framing, str value)
{
	if (framing->has_host || !http_host_is_valid(value))
		return ERR_REQUEST_INVALID;
	framing->has_host = true;
	framing->host = value;
	return OK;
}

static err_t see_length(struct http_head *head, struct framing *framing, str value)
{
	if (head->has_length || !str_to_u64(value, INT64_MAX, &head->length_bytes))
		return ERR_REQUEST_INVALID;
	head->has_length = true;
	return OK;
}

static err_t see_transfer_coding(struct http_head *head, struct framing *framing, str value)
{
	if (framing->has_transfer_coding)
		return ERR_REQUEST_INVALID;
	framing->has_transfer_coding = true;
	if (!str_eq_nocase(value, STR("chunked")))
		return ERR_METHOD_UNKNOWN;
	head->chunked = true;
	return OK;
}

static err_t see_connection(struct http_head *head, struct framing *framing, str value)
{
	for (str option; str_next(&value, ',', &option);) {
		option = str_trim(option);
		framing->wants_close |= str_eq_nocase(option, STR("close"));
		framing->wants_keep_alive |= str_eq_nocase(option, STR("keep-alive"));
	}
	return OK;
}

static err_t see_expectation(struct http_head *head, struct framing *framing, str value)
{
	if (!str_eq_nocase(value, STR("100-continue")))
		return ERR_EXPECTATION_FAILED;
	head->expect_continue = head->minor_version >= 1;
	return OK;
}

static const struct {
	str name;
	err_t (*see)(struct http_head *head, struct framing *framing, str value);
} framing_fields[] = {
	{ STR_INIT("host"), see_host },
	{ STR_INIT("content-length"), see_length },
	{ STR_INIT("transfer-encoding"), see_transfer_coding },
	{ STR_INIT("connection"), see_connection },
	{ STR_INIT("expect"), see_expectation },
};

static err_t see_field(struct http_head *head, struct framing *framing,
		       const struct http_field *field)
{
	for (size_t i = 0; i < COUNT_OF(framing_fields); i++)
		if (str_eq_nocase(field->name, framing_fields[i].name))
			return framing_fields[i].see(head, framing, field->value);
	return OK;
}

/* Whatever two servers could read in two ways ends here (RFC 9112 §3.2, §6.1, §9.3). */
static err_t decide_framing(struct http_head *head)
{
	struct framing framing = { 0 };
	for (size_t i = 0; i < head->field_count; i++)
		TRY(see_field(head, &framing, &head->fields[i]));

	if (head->minor_version >= 1 && !framing.has_host)
		return ERR_REQUEST_INVALID;
	if (head->host.len && framing.has_host && !str_eq_nocase(head->host, framing.host))
		return ERR_REQUEST_INVALID;
	if (head->host.len == 0)
		head->host = framing.host;
	if (head->chunked && (head->has_length || head->minor_version == 0))
		return ERR_REQUEST_INVALID;
	head->keep_alive =
		!framing.wants_close && (head->minor_version >= 1 || framing.wants_keep_alive);
	if (!head->chunked && head->length_bytes == 0)
		head->expect_continue = false;
	return OK;
}

static err_t parse_lines(str text, struct http_head *head)
{
	const char *end = memchr(text.ptr, '\n', text.len);
	str line = str_take(text, (size_t)(end - text.ptr) - 1);
	TRY(parse_request_line(line, head));
	for (;;) {
		text = str_skip(text, line.len + 2);
		end = memchr(text.ptr, '\n', text.len);
		line = str_take(text, (size_t)(end - text.ptr) - 1);
		if (line.len == 0)
			return decide_framing(head);
		TRY(parse_field(line, head));
	}
}

/* Finds the empty line. Every line feed must follow a carriage return. */
static enum http_parse find_end(str text, size_t *seen, size_t *ret_len)
{
	while (*seen < text.len) {
		const char *found = memchr(text.ptr + *seen, '\n', text.len - *seen);
		if (!found)
			break;
		size_t at = (size_t)(found - text.ptr);
		if (at == 0 || text.ptr[at - 1] != '\r')
			return HTTP_PARSE_REFUSED;
		*seen = at + 1;
		if (at >= 3 && text.ptr[at - 2] == '\n') {
			*ret_len = at + 1;
			return HTTP_PARSE_DONE;
		}
	}
	*seen = text.len;
	return HTTP_PARSE_MORE;
}

/* Why a head that is not complete yet need not be waited for; OK when it must be. */
static err_t refuse_early(str text)
{
	if (text.len == 0)
		return OK;
	if (!(byte_class[(unsigned char)text.ptr[0]] & IS_TOKEN))
		return ERR_REQUEST_INVALID;
	size_t line_max = HTTP_TARGET_BYTES_MAX + METHOD_BYTES_MAX + 16;
	if (text.len > line_max && !memchr(text.ptr, '\n', line_max))
		return ERR_URI_TOO_LONG;
	return text.len >= HTTP_HEAD_BYTES_MAX ? ERR_HEADERS_TOO_LARGE : OK;
}

static bool is_client_hello(str bytes)
{
	return bytes.len >= 2 && bytes.ptr[0] == 0x16 && bytes.ptr[1] == 0x03;
}

enum http_parse http_head_parse(str bytes, size_t *seen, struct http_head *head, size_t *ret_len,
				err_t *ret_err)
{
	/* One empty line in front is what old clients send behind a body (RFC 9112 §2.2). */
	size_t blank = str_has_prefix(bytes, STR("\r\n")) ? 2 : 0;
	str text = str_skip(bytes, blank);
	if (text.len == 0 || str_eq(text, STR("\r")) || str_eq(text, STR("\x16"))) {
		bool more = text.len == 0 || blank == 0;
		if (!more)
			*ret_err = ERR_REQUEST_INVALID;
		return more ? HTTP_PARSE_MORE : HTTP_PARSE_REFUSED;
	}
	if (is_client_hello(bytes)) {
		*ret_err = ERR_TLS_ON_PLAIN;
		return HTTP_PARSE_REFUSED;
	}

	size_t len = 0;
	size_t looked = *seen > blank ? *seen - blank : 0;
	enum http_parse found = find_end(text, &looked, &len);
	*seen = looked + blank;
	err_t err = found == HTTP_PARSE_REFUSED ? ERR_REQUEST_INVALID : refuse_early(text);
	if (found == HTTP_PARSE_DONE && err == OK && len > HTTP_HEAD_BYTES_MAX)
		err = ERR_HEADERS_TOO_LARGE;
	if (found == HTTP_PARSE_MORE && err == OK)
		return HTTP_PARSE_MORE;
	if (err == OK) {
		memset(head, 0, offsetof(struct http_head, fields));
		head->field_count = 0;
		err = parse_lines(str_take(text, len), head);
	}
	if (err != OK) {
		*ret_err = err;
		return HTTP_PARSE_REFUSED;
	}
	*ret_len = blank + len;
	return HTTP_PARSE_DONE;
}

str http_head_get(const struct http_head *head, str name)
{
	size_t at = 0;
	str value;
	return http_head_next(head, name, &at, &value) ? value : STR_NONE;
}

bool http_head_next(const struct http_head *head, str name, size_t *at, str *ret_value)
{
	while (*at < head->field_count) {
		const struct http_field *field = &head->fields[(*at)++];
		if (str_eq_nocase(field->name, name)) {
			*ret_value = field->value;
			return true;
		}
	}
	return false;
}
