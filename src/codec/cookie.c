/* SPDX-License-Identifier: Apache-2.0 */
/* cookie.c - see cookie.h. */
#include "codec/cookie.h"

#include "base/banned.h"

static bool is_value(str value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] <= ' ' || value.ptr[i] >= 0x7f ||
		    str_has_byte(STR("\",;\\"), value.ptr[i]))
			return false;
	return true;
}

str cookie_get(str header, str name)
{
	for (str pair; str_next(&header, ';', &pair);) {
		str have, value;
		if (str_cut(pair, '=', &have, &value) && str_eq(str_trim(have), name)) {
			value = str_trim(value);
			return is_value(value) ? value : STR_NONE;
		}
	}
	return STR_NONE;
}
