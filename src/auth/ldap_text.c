/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_text.c - see ldap_link.h: filters and names as text. */
#include "auth/ldap_link.h"
#include "ldap_library.h"

#include "base/banned.h"

#define DN_BYTES_MAX KIB(8)

/* All but what is surely harmless, so that neither bytes above ASCII nor controls reach a parser.
 */
void ldap_filter_add(struct buf *b, str value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || str_has_byte(STR(".-_@=,+ "), c);
		if (plain)
			buf_add_byte(b, c);
		else
			buf_printf(b, "\\%02x", (unsigned char)c);
	}
}

str ldap_filter_wrap(struct ctx *ctx, str filter)
{
	filter = str_trim(filter);
	if (!filter.len || filter.ptr[0] == '(')
		return filter;
	return arena_printf(ctx->arena, "(" STR_FMT ")", STR_ARG(filter));
}

/* --- names ---------------------------------------------------------------------------------- */

/* Values of almost all attributes in names ignore case and blanks at their ends. */
static str lower(struct ctx *ctx, const char *text)
{
	str copy = str_from(text);
	char *into = arena_cstr(ctx->arena, copy);
	for (size_t i = 0; i < copy.len; i++)
		if (into[i] >= 'A' && into[i] <= 'Z')
			into[i] = (char)(into[i] | 0x20);
	return (str){ into, copy.len };
}

static void dn_done(LDAPDN *dn)
{
	if (*dn)
		libldap.ldap_dnfree(*dn);
}

bool ldap_dn_parse(struct ctx *ctx, str text, struct ldap_dn *ret)
{
	CLEANUP(dn_done) LDAPDN dn = NULL;
	struct ldap_dn parsed = { .count = 0 };
	if (ldap_library_open(ctx) != OK) {
		ctx_forgive(ctx); /* who connects will say it */
		return false;
	}
	if (!text.len || text.len > DN_BYTES_MAX || str_has_byte(text, '\0') ||
	    libldap.ldap_str2dn(arena_cstr(ctx->arena, text), &dn, LDAP_DN_FORMAT_LDAPV3) !=
		    LDAP_SUCCESS ||
	    !dn)
		return false;
	for (; dn[parsed.count]; parsed.count++) {
		char *part = NULL;
		if (parsed.count == LDAP_DN_PARTS_MAX ||
		    libldap.ldap_rdn2str(dn[parsed.count], &part, LDAP_DN_FORMAT_LDAPV3) !=
			    LDAP_SUCCESS)
			return false;
		parsed.parts[parsed.count] = lower(ctx, part);
		libldap.ldap_memfree(part);
	}
	*ret = parsed;
	return parsed.count > 0;
}

bool ldap_dn_is_under(const struct ldap_dn *dn, const struct ldap_dn *base)
{
	if (dn->count < base->count)
		return false;
	for (size_t i = 1; i <= base->count; i++)
		if (!str_eq(dn->parts[dn->count - i], base->parts[base->count - i]))
			return false;
	return true;
}

bool ldap_dn_equal(const struct ldap_dn *a, const struct ldap_dn *b)
{
	return a->count == b->count && ldap_dn_is_under(a, b);
}

str ldap_dn_text(struct ctx *ctx, const struct ldap_dn *dn)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(2 * DN_BYTES_MAX);
	for (size_t i = 0; i < dn->count; i++) {
		if (i)
			buf_add_byte(&b, ',');
		buf_add(&b, dn->parts[i]);
	}
	return arena_copy(ctx->arena, buf_str(&b));
}
