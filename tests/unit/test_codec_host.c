/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts as clients write them, in the one form in which they are compared. */
#include <criterion/criterion.h>

#include "codec/host.h"

#include <string.h>

static void expect(const char *text, const char *want, bool has_port)
{
	struct host host;
	cr_assert(host_read(str_from(text), &host), "%s", text);
	cr_expect(str_eq(host_str(&host), str_from(want)), "%s: " STR_FMT, text,
		  STR_ARG(host_str(&host)));
	cr_expect_eq(host.has_port, has_port, "%s", text);
}

static void refuse(const char *text)
{
	struct host host;
	cr_expect_not(host_read(str_from(text), &host), "%s", text);
}

Test(host, names)
{
	expect("registry.example", "registry.example", false);
	expect("Registry.EXAMPLE:5000", "registry.example", true);
	expect("registry.example:", "registry.example", true);
	expect("registry.example.", "registry.example", false);
	expect("registry.example.:443", "registry.example", true);
	expect("a", "a", false);
	expect("1-2.3a", "1-2.3a", false);
	expect("_registry.xn--bcher-kva", "_registry.xn--bcher-kva", false);
}

Test(host, addresses)
{
	expect("192.0.2.1", "192.0.2.1", false);
	expect("192.0.2.1:80", "192.0.2.1", true);
	expect("[2001:DB8:0:0::1]", "2001:db8::1", false);
	expect("[2001:db8::1]:5000", "2001:db8::1", true);
	expect("2001:db8::1", "2001:db8::1", false);
	expect("[::ffff:192.0.2.1]", "192.0.2.1", false);
}

Test(host, what_is_none)
{
	refuse("");
	refuse(".");
	refuse("a..b");
	refuse("registry.example..");
	refuse("-a.example");
	refuse("a-.example");
	refuse("a b");
	refuse("a/b");
	refuse("user@registry.example");
	refuse("b\xc3\xbc"
	       "cher.example");
	refuse("192.0.2.256");
	refuse("192.0.2.1.");
	refuse("1.2.3");
	refuse("a:65536");
	refuse("a:80a");
	refuse("a:80:80");
	refuse("[::1");
	refuse("[::1]80");
	refuse("[::1]:x");
	refuse("[192.0.2.1]");
	refuse("[registry.example]");
	refuse("[fe80::1%eth0]");
}

Test(host, sizes)
{
	char label[80], name[300];
	struct host host;
	memset(label, 'a', sizeof label);
	cr_expect(host_read((str){ label, 63 }, &host));
	cr_expect_not(host_read((str){ label, 64 }, &host));
	memset(name, 'a', sizeof name);
	for (size_t i = 1; i < sizeof name; i += 2)
		name[i] = '.';
	cr_expect(host_read((str){ name, HOST_BYTES_MAX }, &host));
	cr_expect_not(host_read((str){ name, HOST_BYTES_MAX + 2 }, &host));
}
