/* SPDX-License-Identifier: Apache-2.0 */
/* A value in a filter has no byte that means something; a name of a directory, once in our
 * spelling, stays as it is; a server's URL has a host and a port. */
#include "auth/ldap_connect.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_filter(str value)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(MIB(4));
	ldap_filter_add(&b, value);
	for (size_t i = 0; i < b.len; i++)
		CHECK(!str_has_byte(STR("*()\0&|!<>~:\"\n"), b.ptr[i]) && (b.ptr[i] & 0x80) == 0);
}

static void check_name(struct ctx *ctx, str text)
{
	struct ldap_dn first, again;
	if (!ldap_dn_parse(ctx, text, &first))
		return;
	CHECK(ldap_dn_equal(&first, &first) && ldap_dn_is_under(&first, &first));
	if (ldap_dn_parse(ctx, ldap_dn_text(ctx, &first), &again))
		CHECK(ldap_dn_equal(&first, &again));
}

static void check_url(str text)
{
	struct host host;
	uint16_t port;
	if (!ldap_url_read(text, &host, &port))
		return;
	CHECK(port && host.len);
	for (size_t i = 0; i < text.len; i++)
		CHECK(text.ptr[i] > ' ' && !str_has_byte(STR("?#@,\\"), text.ptr[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(arena_done) struct arena arena;
	struct ctx ctx;
	str input = { (const char *)bytes, len };
	arena_init(&arena, MIB(16));
	ctx_init(&ctx, &arena);
	check_filter(input);
	check_name(&ctx, input);
	check_url(input);
	return 0;
}
