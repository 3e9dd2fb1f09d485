/* SPDX-License-Identifier: Apache-2.0 */
/* rates.c - see rates.h. */
#include "config/rates.h"

#include "base/clock.h"
#include "config/value.h"

#include <string.h>

#include "base/banned.h"

#define WINDOW_MS_MAX (INT64_C(31) * 24 * 3600 * 1000)

static const char *const names[RATE_CLASS_COUNT] = {
#define RATE_NAME(name, text, ...) [RATE_##name] = text,
	RATE_CLASSES(RATE_NAME)
#undef RATE_NAME
};

const char *rate_class_name(enum rate_class class)
{
	return names[class];
}

static bool read_class(str text, enum rate_class *ret)
{
	for (int i = 0; i < RATE_CLASS_COUNT; i++)
		if (str_eq(text, str_from(names[i]))) {
			*ret = (enum rate_class)i;
			return true;
		}
	return false;
}

static bool read_count(str text, int64_t *ret)
{
	uint64_t count;
	if (!str_to_u64(str_trim(text), RATE_COUNT_MAX, &count) || !count)
		return false;
	*ret = (int64_t)count;
	return true;
}

/* "s" is a second, "10s" ten: whole seconds, for that is what headers can say. */
static bool read_window(str text, int64_t *ret_ns)
{
	char with_one[16] = "1";
	int64_t ms;
	text = str_trim(text);
	if (!text.len || text.len > sizeof with_one - 1)
		return false;
	bool number = text.ptr[0] >= '0' && text.ptr[0] <= '9';
	memcpy(with_one + 1, text.ptr, text.len);
	str whole = number ? text : (str){ with_one, text.len + 1 };
	if (!value_read_duration(whole, &ms) || ms < 1000 || ms % 1000 || ms > WINDOW_MS_MAX)
		return false;
	*ret_ns = ms * CLOCK_MS;
	return true;
}

/* "100/s:500" */
static bool read_policy(str text, struct rate_policy *ret)
{
	str rate, burst, count, window;
	bool has_burst = str_cut(text, ':', &rate, &burst);
	if (!str_cut(has_burst ? rate : text, '/', &count, &window))
		return false;
	if (!read_count(count, &ret->count) || !read_window(window, &ret->window_ns))
		return false;
	ret->burst = ret->count;
	return !has_burst || read_count(burst, &ret->burst);
}

bool rates_read(str text, struct rate_policy ret[RATE_CLASS_COUNT])
{
	struct rate_policy found[RATE_CLASS_COUNT] = { 0 };
	for (str item; str_next(&text, ',', &item);) {
		enum rate_class class;
		str name, policy;
		if (!str_cut(item, '=', &name, &policy) || !read_class(str_trim(name), &class) ||
		    found[class].count || !read_policy(policy, &found[class]))
			return false;
	}
	memcpy(ret, found, sizeof found);
	return true;
}
