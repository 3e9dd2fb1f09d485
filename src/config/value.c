/* SPDX-License-Identifier: Apache-2.0 */
/* value.c - see value.h. */
#include "config/value.h"

#include <inttypes.h>

#include "base/banned.h"

struct unit {
	str name;
	int64_t factor;
};

static const struct unit size_units[] = {
	{ STR_INIT("B"), 1 },
	{ STR_INIT("KiB"), INT64_C(1) << 10 },
	{ STR_INIT("MiB"), INT64_C(1) << 20 },
	{ STR_INIT("GiB"), INT64_C(1) << 30 },
	{ STR_INIT("TiB"), INT64_C(1) << 40 },
};

static const struct unit duration_units[] = {
	{ STR_INIT("ms"), 1 },	    { STR_INIT("s"), 1000 },	 { STR_INIT("m"), 60000 },
	{ STR_INIT("h"), 3600000 }, { STR_INIT("d"), 86400000 },
};

bool value_read_bool(str text, bool *ret)
{
	static const str yes[] = { STR_INIT("true"), STR_INIT("yes"), STR_INIT("on"),
				   STR_INIT("1") };
	static const str no[] = { STR_INIT("false"), STR_INIT("no"), STR_INIT("off"),
				  STR_INIT("0") };
	for (size_t i = 0; i < COUNT_OF(yes); i++) {
		if (str_eq_nocase(text, yes[i]) || str_eq_nocase(text, no[i])) {
			*ret = str_eq_nocase(text, yes[i]);
			return true;
		}
	}
	return false;
}

bool value_read_int(str text, int64_t *ret)
{
	uint64_t number;
	if (!str_to_u64(text, INT64_MAX, &number))
		return false;
	*ret = (int64_t)number;
	return true;
}

/* Splits "64 MiB" into its number and its unit. */
static bool split_number(str text, int64_t *ret_number, str *ret_unit)
{
	size_t digits = 0;
	while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
		digits++;
	if (!value_read_int(str_take(text, digits), ret_number))
		return false;
	*ret_unit = str_trim(str_skip(text, digits));
	return true;
}

static bool read_with_unit(str text, const struct unit *units, size_t count, int64_t *ret)
{
	int64_t number;
	str unit;
	if (!split_number(text, &number, &unit))
		return false;
	for (size_t i = 0; i < count; i++) {
		int64_t product;
		if (str_eq_nocase(unit, units[i].name) &&
		    !__builtin_mul_overflow(number, units[i].factor, &product)) {
			*ret = product;
			return true;
		}
	}
	return false;
}

bool value_read_size(str text, int64_t *ret_bytes)
{
	return value_read_int(text, ret_bytes) ||
	       read_with_unit(text, size_units, COUNT_OF(size_units), ret_bytes);
}

bool value_read_duration(str text, int64_t *ret_ms)
{
	if (str_eq(text, STR("0"))) {
		*ret_ms = 0;
		return true;
	}
	return read_with_unit(text, duration_units, COUNT_OF(duration_units), ret_ms);
}

bool value_read_choice(str text, const char *choices, int *ret_position)
{
	str rest = str_from(choices);
	int position = 0;
	for (str choice; str_next(&rest, '|', &choice); position++) {
		if (str_eq_nocase(choice, text)) {
			*ret_position = position;
			return true;
		}
	}
	return false;
}

static void print_with_unit(struct buf *b, int64_t value, const struct unit *units, size_t count)
{
	size_t best = 0;
	for (size_t i = 0; i < count; i++)
		if (value != 0 && value % units[i].factor == 0)
			best = i;
	buf_printf(b, "%" PRId64, value / units[best].factor);
	if (value != 0)
		buf_add(b, units[best].name);
}

void value_print_size(struct buf *b, int64_t bytes)
{
	print_with_unit(b, bytes, size_units, COUNT_OF(size_units));
}

void value_print_duration(struct buf *b, int64_t ms)
{
	print_with_unit(b, ms, duration_units, COUNT_OF(duration_units));
}
