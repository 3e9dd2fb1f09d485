/* SPDX-License-Identifier: Apache-2.0 */
/* expiry.c - see expiry.h. */
#include "codec/expiry.h"
#include "codec/harbor_query.h"

#include "base/banned.h"

static const struct {
	char letter;
	int64_t seconds;
} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', INT64_C(7) * 86400 } };

bool expiry_after_parse(str text, int64_t *ret_s)
{
	uint64_t number;
	if (text.len < 2 || text.len > EXPIRY_TEXT_MAX)
		return false;
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (text.ptr[text.len - 1] != units[i].letter)
			continue;
		uint64_t max = (uint64_t)(EXPIRY_AFTER_MAX_S / units[i].seconds);
		if (!str_to_u64(str_take(text, text.len - 1), max, &number) || !number)
			return false;
		*ret_s = (int64_t)number * units[i].seconds;
		return true;
	}
	return false;
}

bool expiry_at_parse(str text, int64_t *ret_us)
{
	int64_t at_us;
	if (text.len > EXPIRY_TEXT_MAX || !harbor_time_parse(text, &at_us) || at_us <= 0)
		return false;
	*ret_us = at_us;
	return true;
}

void expiry_read(const struct json_value *texts, struct expiry *ret)
{
	static const char *const after[] = { "quay.expires-after", "berth.expires-after" };
	for (size_t i = 0; i < COUNT_OF(after) && !ret->after_s; i++)
		expiry_after_parse(json_value_str(json_member(texts, after[i])), &ret->after_s);
	if (!ret->at_us)
		expiry_at_parse(json_value_str(json_member(texts, "berth.expires-at")),
				&ret->at_us);
}
