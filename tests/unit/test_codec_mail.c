/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that mail may go to, and how text of any kind is written into a message. */
#include <criterion/criterion.h>

#include "codec/mail.h"

#define A10 "aaaaaaaaaa"
#define A50 A10 A10 A10 A10 A10

Test(mail, addresses)
{
	static const struct {
		const char *text;
		bool is_valid;
	} cases[] = {
		{ "a@b", true },
		{ "first.last+tag@mail.example.com", true },
		{ "o'neill!#$%&*-/=?^_`{|}~@example.com", true },
		{ A50 A10 "aaaa@example.com", true },
		{ A50 A10 "aaaaa@example.com", false },
		{ "a@" A50 A10 "aaa.com", true },
		{ "a@" A50 A10 "aaaa.com", false },
		{ "a@" A50 "." A50 "." A50 "." A50 "." A50, false },
		{ "", false },
		{ "a", false },
		{ "@b", false },
		{ "a@", false },
		{ "a@b@c", false },
		{ ".a@b", false },
		{ "a.@b", false },
		{ "a..b@c", false },
		{ "a@b.", false },
		{ "a@.b", false },
		{ "a@-b", false },
		{ "a@b-", false },
		{ "a@b_c", false },
		{ "a b@c", false },
		{ "<a@b>", false },
		{ "\"a\"@b", false },
		{ "a@[127.0.0.1]", false },
		{ "a@b\r\nBcc: c@d", false },
		{ "a\n@b", false },
		{ "\xc3\xa4@b", false },
		{ "a@\xc3\xa4.com", false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		cr_assert(mail_address_is_valid(str_from(cases[i].text)) == cases[i].is_valid, "%s",
			  cases[i].text);
	cr_assert(!mail_address_is_valid(STR("a\0b@c")));
}

Test(mail, lists)
{
	static const struct {
		const char *text;
		size_t count; /* 0: none */
	} cases[] = {
		{ "mailto:a@b", 1 },
		{ "a@b", 1 },
		{ "mailto:a@b,c@d", 2 },
		{ "mailto:a@b, c@d ", 2 },
		{ "a@b,a@c,a@d,a@e,a@f,a@g,a@h,a@i,a@j,a@k,a@l,a@m,a@n,a@o,a@p,a@q", 16 },
		{ "a@b,a@c,a@d,a@e,a@f,a@g,a@h,a@i,a@j,a@k,a@l,a@m,a@n,a@o,a@p,a@q,a@r", 0 },
		{ "", 0 },
		{ "mailto:", 0 },
		{ "mailto:a@b,", 0 },
		{ ",a@b", 0 },
		{ "a@b,a@b", 0 },
		{ "mailto:a@b?subject=x", 0 },
		{ "mailto:a%40b", 0 },
		{ "https://a@b", 0 },
		{ "a@b;c@d", 0 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct mail_list list = { 0 };
		cr_assert(mail_list_parse(str_from(cases[i].text), &list) == (cases[i].count > 0) &&
				  list.count == cases[i].count,
			  "%s", cases[i].text);
	}
	struct mail_list list;
	cr_assert(mail_list_parse(STR("mailto:a@b, c@d"), &list) &&
		  str_eq(list.addresses[0], STR("a@b")) && str_eq(list.addresses[1], STR("c@d")));
}

static void expect_field(str text, const char *wanted)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
	mail_write_field(&b, "Subject", text);
	cr_assert(str_eq(buf_str(&b), str_from(wanted)), "is " STR_FMT, STR_ARG(buf_str(&b)));
}

Test(mail, header_fields)
{
	expect_field(STR("PUSH_ARTIFACT a/b:v1"), "Subject: PUSH_ARTIFACT a/b:v1\r\n");
	expect_field(STR(""), "Subject: \r\n");
	expect_field(STR("f\xc3\xbcr"), "Subject: =?UTF-8?B?ZsO8cg==?=\r\n");
	/* What looks like an encoded word would be read as one. */
	expect_field(STR("=?x?="), "Subject: =?UTF-8?B?PT94Pz0=?=\r\n");
	/* Nobody's text begins a line: the line's end became blanks. */
	expect_field(STR("a\r\nBcc: b@c"), "Subject: =?UTF-8?B?YSAgQmNjOiBiQGM=?=\r\n");
	/* 39 bytes fit behind the name, 45 on the next lines; a letter of two bytes is not cut. */
	expect_field(STR(A10 A10 A10 "aaaaaaaa\xc3\xbcz"),
		     "Subject: =?UTF-8?B?YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=?=\r\n"
		     " =?UTF-8?B?w7x6?=\r\n");
	/* 76 bytes fit with the name, 77 do not. */
	expect_field(STR(A50 A10 "aaaaaaa"), "Subject: " A50 A10 "aaaaaaa\r\n");
	expect_field(STR(A50 A10 "aaaaaaaa"),
		     "Subject: =?UTF-8?B?YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh?=\r\n"
		     " =?UTF-8?B?YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=?=\r\n");
}

Test(mail, addresses_are_written_one_a_line)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
	struct mail_list list;
	cr_assert(mail_list_parse(STR("a@b,c@d,e@f"), &list));
	mail_write_addresses(&b, "To", &list);
	cr_assert(str_eq(buf_str(&b), STR("To: a@b,\r\n c@d,\r\n e@f\r\n")));
}

static void expect_text(const char *text, const char *wanted)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
	mail_write_text(&b, str_from(text));
	cr_assert(str_eq(buf_str(&b), str_from(wanted)), "is " STR_FMT, STR_ARG(buf_str(&b)));
}

Test(mail, bodies_are_seven_bit_lines)
{
	expect_text("", "");
	expect_text("a\nb\n", "a\r\nb\r\n");
	expect_text("a", "a\r\n");
	expect_text("a=b \n\t\nf\xc3\xbcr\r\n", "a=3Db=20\r\n=09\r\nf=C3=BCr=0D\r\n");
	expect_text("a ", "a=20\r\n");
	expect_text(A50 A10 A10 "aaaaa\n", A50 A10 A10 "aaaaa\r\n");
	expect_text(A50 A10 A10 "aaaaab\n", A50 A10 A10 "aaaaa=\r\nb\r\n");
	expect_text(A50 A10 A10 "aaa=b\n", A50 A10 A10 "aaa=\r\n=3Db\r\n");
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(4));
	mail_write_bytes(&b, STR(A50 "aaaaaaab"));
	cr_assert(str_eq(buf_str(&b), STR("YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh"
					  "YWFhYWFhYWFhYWFhYWFh"
					  "\r\nYg==\r\n")),
		  "is " STR_FMT, STR_ARG(buf_str(&b)));
}
