/* SPDX-License-Identifier: Apache-2.0 */
/* How option values are written: numbers with units, words, addresses, networks, URLs. */
#include "config/check.h"
#include "config/value.h"

#include <criterion/criterion.h>

#include "base/banned.h"

static int64_t size_of(const char *text)
{
	int64_t bytes = -1;
	value_read_size(str_from(text), &bytes);
	return bytes;
}

static int64_t duration_of(const char *text)
{
	int64_t ms = -1;
	value_read_duration(str_from(text), &ms);
	return ms;
}

Test(config_value, sizes)
{
	cr_assert_eq(size_of("0"), 0);
	cr_assert_eq(size_of("4096"), 4096);
	cr_assert_eq(size_of("4KiB"), 4096);
	cr_assert_eq(size_of("4 mib"), INT64_C(4) << 20);
	cr_assert_eq(size_of("1TiB"), INT64_C(1) << 40);
	cr_assert_eq(size_of("7B"), 7);
}

Test(config_value, sizes_refused)
{
	static const char *const wrong[] = { "",    "KiB",	 "-1",	 "1.5MiB",
					     "4MB", "4 X",	 "0x10", "9223372036854775808",
					     "4Ki", "8388608TiB" };
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		cr_assert_eq(size_of(wrong[i]), -1, "%s", wrong[i]);
}

Test(config_value, durations)
{
	cr_assert_eq(duration_of("0"), 0);
	cr_assert_eq(duration_of("250ms"), 250);
	cr_assert_eq(duration_of("10s"), 10000);
	cr_assert_eq(duration_of("5 m"), 300000);
	cr_assert_eq(duration_of("24H"), 86400000);
	cr_assert_eq(duration_of("30d"), INT64_C(2592000000));
	cr_assert_eq(duration_of("10"), -1, "a number without a unit says nothing");
	cr_assert_eq(duration_of("1w"), -1);
	cr_assert_eq(duration_of("106751991168d"), -1, "too long for 64 bits");
}

Test(config_value, printed_values_read_back)
{
	static const int64_t numbers[] = {
		0, 1, 999, 1024, 1536, 60000, 3600000, INT64_C(1) << 40
	};
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		CLEANUP(buf_done) struct buf size = BUF_INIT(64);
		CLEANUP(buf_done) struct buf duration = BUF_INIT(64);
		int64_t bytes = -1, ms = -1;
		value_print_size(&size, numbers[i]);
		value_print_duration(&duration, numbers[i]);
		cr_assert(value_read_size(buf_str(&size), &bytes));
		cr_assert(value_read_duration(buf_str(&duration), &ms));
		cr_assert_eq(bytes, numbers[i]);
		cr_assert_eq(ms, numbers[i]);
	}
}

Test(config_value, bools_and_choices)
{
	bool yes = false;
	int position = -1;
	cr_assert(value_read_bool(STR("Yes"), &yes) && yes);
	cr_assert(value_read_bool(STR("off"), &yes) && !yes);
	cr_assert_not(value_read_bool(STR("maybe"), &yes));
	cr_assert(value_read_choice(STR("WARN"), "debug|info|warn", &position));
	cr_assert_eq(position, 2);
	cr_assert_not(value_read_choice(STR("warning"), "debug|info|warn", &position));
	cr_assert_not(value_read_choice(STR("debug|info"), "debug|info|warn", &position));
}

Test(config_value, listen_addresses)
{
	static const char *const right[] = {
		"127.0.0.1:5000",   "[::1]:5000",   ":0",	    "unix:/run/b.sock", "fd:3",
		"http:127.0.0.1:1", "https://:443", "http:unix:/b", ":1, :2",
	};
	static const char *const wrong[] = {
		"",	  "5000",  "localhost:5000", "::1:5000",       "127.0.0.1:65536",
		"unix:b", "unix:", "fd:x",	     "ftp::1",	       "127.0.0.1:",
		":1,,:2", "[::1]", "256.0.0.1:80",   "[127.0.0.1]:80",
	};
	for (size_t i = 0; i < COUNT_OF(right); i++)
		cr_assert_null(check_listen(str_from(right[i])), "%s", right[i]);
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		cr_assert_not_null(check_listen(str_from(wrong[i])), "%s", wrong[i]);
}

Test(config_value, listen_takes_sixteen_addresses)
{
	cr_assert_null(check_listen(STR(":1,:1,:1,:1,:1,:1,:1,:1,:1,:1,:1,:1,:1,:1,:1,:1")));
	cr_assert_not_null(check_listen(STR(":1,:1,:1,:1,:1,:1,:1,:1,:1,:1,:1,:1,:1,:1,:1,:1,:1")));
}

Test(config_value, networks)
{
	cr_assert_null(check_networks(STR("")));
	cr_assert_null(check_networks(STR("10.0.0.0/8, ::1, 2001:db8::/32,192.0.2.1")));
	cr_assert_null(check_networks(STR("unix,10.0.0.0/8")));
	cr_assert_not_null(check_networks(STR("unix/8")));
	cr_assert_not_null(check_networks(STR("10.0.0.0/33")));
	cr_assert_not_null(check_networks(STR("::/129")));
	cr_assert_not_null(check_networks(STR("10.0.0/8")));
	cr_assert_not_null(check_networks(STR("example.com")));
}

Test(config_value, urls)
{
	cr_assert_null(check_url(STR("https://registry.example.com:8443")));
	cr_assert_not_null(check_url(STR("registry.example.com")));
	cr_assert_not_null(check_url(STR("https://")));
	cr_assert_not_null(check_url(STR("https://a/b")));
	cr_assert_not_null(check_url(STR("https://user@a")));
	cr_assert_null(check_database_url(STR("postgresql:///berth?host=/run/postgresql")));
	cr_assert_not_null(check_database_url(STR("mysql://x")));
}

Test(config_value, mail)
{
	static const char *const hosts[] = { "", "localhost", "mail.example.com", "192.0.2.1",
					     "[2001:db8::1]" };
	static const char *const no_hosts[] = { "mail.example.com:25", "smtp://mail", "a b", "a/b",
						"user@mail" };
	for (size_t i = 0; i < COUNT_OF(hosts); i++)
		cr_assert_null(check_host_name(str_from(hosts[i])), "%s", hosts[i]);
	for (size_t i = 0; i < COUNT_OF(no_hosts); i++)
		cr_assert_not_null(check_host_name(str_from(no_hosts[i])), "%s", no_hosts[i]);
	cr_assert_null(check_mail_address(STR("")));
	cr_assert_null(check_mail_address(STR("berth@example.com")));
	cr_assert_not_null(check_mail_address(STR("Berth <berth@example.com>")));
	cr_assert_null(check_patterns(STR("")));
	cr_assert_null(check_patterns(STR("*@example.com, ops@example.org")));
	cr_assert_not_null(check_patterns(STR("*@example.com,,a@b")));
	cr_assert_not_null(check_patterns(STR("[a@example.com")));
}
