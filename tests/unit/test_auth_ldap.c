/* SPDX-License-Identifier: Apache-2.0 */
/* What directories are told and how their names are compared; the rest needs a server
 * (tests/identities/test_ldap.py). */
#include <criterion/criterion.h>

#include "auth/directory.h"
#include "auth/ldap_connect.h"
#include "auth/ldap_link.h"

static struct arena arena;
static struct ctx ctx;

static void start(void)
{
	arena_init(&arena, MIB(16));
	ctx_init(&ctx, &arena);
}

static void stop(void)
{
	arena_done(&arena);
}

TestSuite(ldap, .init = start, .fini = stop);

Test(ldap, values_in_filters_mean_nothing)
{
	static const struct {
		str value;
		const char *text;
	} cases[] = {
		{ STR_INIT("anna"), "anna" },
		{ STR_INIT("*"), "\\2a" },
		{ STR_INIT("a)(uid=*"), "a\\29\\28uid=\\2a" },
		{ STR_INIT("back\\slash"), "back\\5cslash" },
		{ STR_INIT("nul\0byte"), "nul\\00byte" },
		{ STR_INIT("\xc3\xbc"), "\\c3\\bc" },
		{ STR_INIT("uid=a,dc=b c"), "uid=a,dc=b c" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(1));
		ldap_filter_add(&b, cases[i].value);
		cr_expect(str_eq(buf_str(&b), str_from(cases[i].text)), "%s", cases[i].text);
	}
}

Test(ldap, filters_get_their_parentheses)
{
	cr_expect(str_eq(ldap_filter_wrap(&ctx, STR(" a=b ")), STR("(a=b)")));
	cr_expect(str_eq(ldap_filter_wrap(&ctx, STR("(a=b)")), STR("(a=b)")));
	cr_expect_eq(ldap_filter_wrap(&ctx, STR("  ")).len, 0);
}

static struct ldap_dn dn(const char *text)
{
	struct ldap_dn parsed;
	cr_assert(ldap_dn_parse(&ctx, str_from(text), &parsed), "%s", text);
	return parsed;
}

Test(ldap, names_are_compared_by_their_parts)
{
	struct ldap_dn a = dn("CN=Developers, OU=Groups,dc=Example,dc=com");
	struct ldap_dn b = dn("cn=developers,ou=groups,DC=example,DC=COM");
	struct ldap_dn base = dn("dc=example,dc=com"), other = dn("dc=ample,dc=com");
	cr_expect(ldap_dn_equal(&a, &b));
	cr_expect(ldap_dn_is_under(&a, &base));
	cr_expect_not(ldap_dn_is_under(&a, &other));
	cr_expect_not(ldap_dn_is_under(&base, &a));
	cr_expect(str_eq(ldap_dn_text(&ctx, &a), STR("cn=developers,ou=groups,dc=example,dc=com")));

	/* One part that looks like three. */
	struct ldap_dn trick = dn("cn=x\\,dc=example,dc=com");
	cr_expect_not(ldap_dn_is_under(&trick, &base));
}

Test(ldap, what_is_no_name_is_refused)
{
	static const char *const texts[] = { "", "developers", "cn", "=x", "cn=a,,dc=b", "cn=a\\" };
	struct ldap_dn parsed;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		cr_expect_not(ldap_dn_parse(&ctx, str_from(texts[i]), &parsed), "%s", texts[i]);
	cr_expect_not(ldap_dn_parse(&ctx, STR("cn=a\0,dc=b"), &parsed));
}

Test(ldap, urls_are_taken_apart)
{
	static const struct {
		const char *url, *host;
		uint16_t port;
	} cases[] = { { "ldap://directory.example", "directory.example", 389 },
		      { "ldaps://directory.example/", "directory.example", 636 },
		      { "ldap://Directory:3389//", "directory", 3389 },
		      { "ldaps://[2001:db8::1]", "2001:db8::1", 636 },
		      { "ldap://[::1]:1389", "::1", 1389 },
		      { "ldap://192.0.2.1:65535", "192.0.2.1", 65535 } };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct host host;
		uint16_t port;
		cr_assert(ldap_url_read(str_from(cases[i].url), &host, &port), "%s", cases[i].url);
		cr_expect(str_eq(host_str(&host), str_from(cases[i].host)), "%s", cases[i].url);
		cr_expect_eq(port, cases[i].port, "%s", cases[i].url);
	}
}

Test(ldap, settings_that_cannot_be)
{
	static const struct {
		enum provider_setting setting;
		const char *text;
	} cases[] = {
		{ PROVIDER_LDAP_URL, "http://example.com" },
		{ PROVIDER_LDAP_URL, "ldapi:///var/run/ldapi" },
		{ PROVIDER_LDAP_URL, "ldap://" },
		{ PROVIDER_LDAP_URL, "ldap://example.com/dc=example" },
		{ PROVIDER_LDAP_URL, "ldap://user@example.com" },
		{ PROVIDER_LDAP_URL, "ldap://a.example ldap2://b.example" },
		{ PROVIDER_LDAP_URL, "ldap://example.com:0" },
		{ PROVIDER_LDAP_URL, "ldap://example.com:65536" },
		{ PROVIDER_LDAP_URL, "ldap://example.com:" },
		{ PROVIDER_LDAP_URL, "ldap://[::1" },
		{ PROVIDER_LDAP_URL, "ldap://::1:389" },
		{ PROVIDER_LDAP_BASE_DN, "example" },
		{ PROVIDER_LDAP_SEARCH_DN, "reader" },
		{ PROVIDER_LDAP_GROUP_BASE_DN, "groups" },
		{ PROVIDER_LDAP_GROUP_ADMIN_DN, "admins" },
		{ PROVIDER_LDAP_UID, "uid)(a=" },
		{ PROVIDER_LDAP_GROUP_NAME, "cn=" },
		{ PROVIDER_LDAP_MEMBERSHIP, "member of" },
		{ PROVIDER_LDAP_CA, "certificate" },
		{ PROVIDER_LDAP_CA, "-----BEGIN CERTIFICATE-----\nAAAA\n" },
		{ PROVIDER_LDAP_CA, "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----" },
	};
	struct identity_provider p;
	identity_provider_init(&p, PROVIDER_LDAP, 1, STR("directory"));
	p.values[PROVIDER_LDAP_URL] = STR("ldap://one.example.com ldaps://two.example.com:636/");
	p.values[PROVIDER_LDAP_MEMBERSHIP] = STR("memberof:" LDAP_OID_IN_CHAIN ":");
	cr_expect_eq(directory_check(&ctx, &p), OK, "%s", ctx.failure.detail);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct identity_provider changed = p;
		ctx_forgive(&ctx);
		changed.values[cases[i].setting] = str_from(cases[i].text);
		cr_expect_eq(directory_check(&ctx, &changed), ERR_REQUEST_INVALID, "%s",
			     cases[i].text);
	}
}
