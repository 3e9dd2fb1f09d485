/* SPDX-License-Identifier: Apache-2.0 */
/* mail.c - see mail.h. */
#include "codec/mail.h"
#include "codec/base64.h"

#include <string.h>

#include "base/banned.h"

#define LOCAL_MAX	64
#define LABEL_MAX	63
#define LINE_MAX_BYTES	76
#define WORD_FRAME	12 /* "=?UTF-8?B?" and "?=" */
#define BASE64_LINE_MAX 57 /* of bytes: 76 digits */

/* --- addresses -------------------------------------------------------------------------------- */

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* RFC 5322 §3.2.3 */
static bool is_atom(str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!text.ptr[i] ||
		    (!is_alphanumeric(text.ptr[i]) && !strchr("!#$%&'*+-/=?^_`{|}~", text.ptr[i])))
			return false;
	return text.len > 0;
}

static bool is_label(str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_alphanumeric(text.ptr[i]) && text.ptr[i] != '-')
			return false;
	return text.len > 0 && text.len <= LABEL_MAX && text.ptr[0] != '-' &&
	       text.ptr[text.len - 1] != '-';
}

static bool is_dotted(str text, bool (*is_part)(str text))
{
	str part, rest;
	for (; str_cut(text, '.', &part, &rest); text = rest)
		if (!is_part(part))
			return false;
	return is_part(text);
}

bool mail_address_is_valid(str text)
{
	str local, domain;
	return text.len <= MAIL_ADDRESS_MAX && str_cut(text, '@', &local, &domain) &&
	       local.len <= LOCAL_MAX && is_dotted(local, is_atom) && is_dotted(domain, is_label);
}

static bool list_has(const struct mail_list *list, str address)
{
	for (size_t i = 0; i < list->count; i++)
		if (str_eq(list->addresses[i], address))
			return true;
	return false;
}

bool mail_list_parse(str text, struct mail_list *ret)
{
	struct mail_list list = { 0 };
	bool more = true;
	if (str_has_prefix(text, STR("mailto:")))
		text = str_skip(text, 7);
	if (str_has_byte(text, '?') || str_has_byte(text, '%'))
		return false;
	while (more) {
		str address = text;
		more = str_cut(text, ',', &address, &text);
		address = str_trim(address);
		if (list.count == MAIL_RECIPIENTS_MAX || !mail_address_is_valid(address) ||
		    list_has(&list, address))
			return false;
		list.addresses[list.count++] = address;
	}
	*ret = list;
	return true;
}

/* --- header fields ---------------------------------------------------------------------------- */

static bool is_plain(const char *name, str text)
{
	size_t at;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < ' ' || text.ptr[i] > '~')
			return false;
	return strlen(name) + 2 + text.len <= LINE_MAX_BYTES && !str_find(text, STR("=?"), &at);
}

/* As much as a word takes behind `column` bytes, without cutting a character. */
static size_t word_length(str text, size_t column)
{
	size_t len = MIN(text.len, (LINE_MAX_BYTES - WORD_FRAME - column) / 4 * 3);
	for (size_t i = 0; i < 3 && len < text.len && ((unsigned char)text.ptr[len] & 0xc0) == 0x80;
	     i++)
		len--;
	return len;
}

static void write_word(struct buf *b, str text)
{
	char clean[LINE_MAX_BYTES];
	for (size_t i = 0; i < text.len; i++)
		clean[i] =
			(unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 127 ? ' ' : text.ptr[i];
	buf_add(b, STR("=?UTF-8?B?"));
	base64_encode(b, BASE64_STANDARD, (str){ clean, text.len });
	buf_add(b, STR("?="));
}

void mail_write_field(struct buf *b, const char *name, str text)
{
	buf_printf(b, "%s: ", name);
	if (is_plain(name, text)) {
		buf_add(b, text);
		buf_add(b, STR("\r\n"));
		return;
	}
	for (size_t column = strlen(name) + 2; text.len; column = 1) {
		size_t len = word_length(text, column);
		write_word(b, str_take(text, len));
		text = str_skip(text, len);
		buf_add(b, text.len ? STR("\r\n ") : STR("\r\n"));
	}
}

void mail_write_addresses(struct buf *b, const char *name, const struct mail_list *list)
{
	buf_printf(b, "%s: ", name);
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			buf_add(b, STR(",\r\n "));
		buf_add(b, list->addresses[i]);
	}
	buf_add(b, STR("\r\n"));
}

/* --- bodies ----------------------------------------------------------------------------------- */

static bool is_literal(str text, size_t at)
{
	char c = text.ptr[at];
	if (c == ' ' || c == '\t')
		return at + 1 < text.len && text.ptr[at + 1] != '\n';
	return c > ' ' && c <= '~' && c != '=';
}

void mail_write_text(struct buf *b, str text)
{
	size_t column = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\n') {
			buf_add(b, STR("\r\n"));
			column = 0;
			continue;
		}
		size_t width = is_literal(text, i) ? 1 : 3;
		if (column + width > LINE_MAX_BYTES - 1) {
			buf_add(b, STR("=\r\n"));
			column = 0;
		}
		if (width == 1)
			buf_add_byte(b, text.ptr[i]);
		else
			buf_printf(b, "=%02X", (unsigned char)text.ptr[i]);
		column += width;
	}
	if (column)
		buf_add(b, STR("\r\n"));
}

void mail_write_bytes(struct buf *b, str bytes)
{
	while (bytes.len) {
		size_t len = MIN(bytes.len, BASE64_LINE_MAX);
		base64_encode(b, BASE64_STANDARD, str_take(bytes, len));
		buf_add(b, STR("\r\n"));
		bytes = str_skip(bytes, len);
	}
}
