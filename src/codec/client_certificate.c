/* SPDX-License-Identifier: Apache-2.0 */
/* client_certificate.c - see client_certificate.h. */
#include "codec/client_certificate.h"

#include "codec/base64.h"
#include "codec/url.h"

#include <string.h>

#include "base/banned.h"

#define BEGIN STR("-----BEGIN CERTIFICATE-----")
#define END   STR("-----END CERTIFICATE-----")

/* What stands between the lines of a PEM with one certificate, without its line ends. */
static bool pem_body(struct arena *arena, str pem, str *ret)
{
	size_t end;
	str text = str_trim(pem);
	if (!str_has_prefix(text, BEGIN))
		return false;
	text = str_skip(text, BEGIN.len);
	if (!str_find(text, END, &end))
		return false;
	char *body = arena_alloc(arena, end + 1);
	size_t len = 0;
	for (size_t i = 0; i < end; i++)
		if (!strchr("\r\n\t ", text.ptr[i]))
			body[len++] = text.ptr[i];
	*ret = (str){ body, len };
	return true;
}

bool client_certificate_decode(struct arena *arena, str text, str *ret_der)
{
	str body = str_trim(text), pem, der;
	if (!body.len || body.len > CLIENT_CERTIFICATE_MAX)
		return false;
	if (body.ptr[0] == ':') {
		if (body.len < 2 || body.ptr[body.len - 1] != ':')
			return false;
		body = str_take(str_skip(body, 1), body.len - 2);
	} else if (body.ptr[0] == '-') {
		if (!url_decode(arena, body, &pem) || !pem_body(arena, pem, &body))
			return false;
	}
	if (!base64_decode(arena, BASE64_STANDARD, body, &der) || !der.len)
		return false;
	*ret_der = der;
	return true;
}
