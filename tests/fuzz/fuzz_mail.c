/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever is given, a list that was taken is written so that it is read the same way again, and
 * what is written into a message is seven-bit lines that are not too long, none of them a field of
 * somebody's own. */
#include "codec/mail.h"
#include "base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_lines(str text, bool is_header)
{
	str line;
	bool first = true;
	CHECK(!text.len || str_has_suffix(text, STR("\r\n")));
	for (; str_next(&text, '\n', &line); first = false) {
		CHECK(line.len && line.len <= 77 && line.ptr[line.len - 1] == '\r');
		for (size_t i = 0; i + 1 < line.len; i++)
			CHECK((line.ptr[i] >= ' ' && line.ptr[i] <= '~') || line.ptr[i] == '\t');
		CHECK(!is_header || first || line.ptr[0] == ' ');
	}
}

static void try_list(str text)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(64));
	struct mail_list list, again;
	if (!mail_list_parse(text, &list))
		return;
	for (size_t i = 0; i < list.count; i++) {
		CHECK(mail_address_is_valid(list.addresses[i]));
		if (i)
			buf_add_byte(&b, ',');
		buf_add(&b, list.addresses[i]);
	}
	CHECK(mail_list_parse(buf_str(&b), &again) && again.count == list.count);
	for (size_t i = 0; i < list.count; i++)
		CHECK(str_eq(list.addresses[i], again.addresses[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(buf_done) struct buf field = BUF_INIT(KIB(64));
	CLEANUP(buf_done) struct buf text = BUF_INIT(KIB(64));
	CLEANUP(buf_done) struct buf raw = BUF_INIT(KIB(64));
	str given = { (const char *)bytes, len };
	if (len > KIB(4))
		return 0;
	try_list(given);
	mail_write_field(&field, "Subject", given);
	check_lines(buf_str(&field), true);
	mail_write_text(&text, given);
	check_lines(buf_str(&text), false);
	mail_write_bytes(&raw, given);
	check_lines(buf_str(&raw), false);
	return 0;
}
