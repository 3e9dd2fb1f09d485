/* SPDX-License-Identifier: Apache-2.0 */
/* cron.c - see cron.h. */
#include "codec/cron.h"

#include <string.h>

#include "base/banned.h"

#define SECOND_US INT64_C(1000000)
#define DAY_S	  INT64_C(86400)
#define EVERY_MAX (366 * DAY_S)
/* 29 February is at most eight years away (1896, 1904). */
#define DAYS_MAX (9 * 366)

struct reader {
	str text;
	size_t at;
	struct cron_problem problem;
};

static bool wrong(struct reader *r, size_t at, const char *text)
{
	r->problem = (struct cron_problem){ text, at };
	return false;
}

static char peek(const struct reader *r)
{
	return r->at < r->text.len ? r->text.ptr[r->at] : '\0';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void skip_blanks(struct reader *r)
{
	while (is_blank(peek(r)))
		r->at++;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* --- fields ----------------------------------------------------------------------------------- */

struct field {
	unsigned low, high;
	const char *names; /* of three letters each, from `low` on; NULL: none */
	const char *out_of_range;
};

enum { SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };

static const struct field fields[FIELDS] = {
	[SECOND] = { 0, 59, NULL, "a second is 0 to 59" },
	[MINUTE] = { 0, 59, NULL, "a minute is 0 to 59" },
	[HOUR] = { 0, 23, NULL, "an hour is 0 to 23" },
	[DAY] = { 1, 31, NULL, "a day of the month is 1 to 31" },
	[MONTH] = { 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec",
		    "a month is 1 to 12, or jan to dec" },
	[WEEKDAY] = { 0, 6, "sunmontuewedthufrisat", "a weekday is 0 to 6, or sun to sat" },
};

static bool read_number(struct reader *r, const char *out_of_range, unsigned max, unsigned *ret)
{
	size_t at = r->at;
	unsigned number = 0;
	while (is_digit(peek(r))) {
		number = number * 10 + (unsigned)(peek(r) - '0');
		if (number > max)
			return wrong(r, at, out_of_range);
		r->at++;
	}
	if (r->at == at)
		return wrong(r, at, "a number is missing");
	*ret = number;
	return true;
}

static bool read_name(struct reader *r, const struct field *field, unsigned *ret)
{
	size_t at = r->at;
	while (is_letter(peek(r)))
		r->at++;
	str word = { r->text.ptr + at, r->at - at };
	for (unsigned i = 0; word.len == 3 && field->names && i <= field->high - field->low; i++) {
		if (!str_eq_nocase(word, (str){ field->names + 3 * i, 3 }))
			continue;
		*ret = field->low + i;
		return true;
	}
	return wrong(r, at, field->out_of_range);
}

static bool read_value(struct reader *r, const struct field *field, unsigned *ret)
{
	size_t at = r->at;
	if (is_letter(peek(r)))
		return read_name(r, field, ret);
	if (!read_number(r, field->out_of_range, field->high, ret))
		return false;
	return *ret >= field->low || wrong(r, at, field->out_of_range);
}

struct range {
	unsigned low, high, step;
	bool any;
};

static bool read_step(struct reader *r, struct range *range)
{
	size_t at = r->at;
	if (!read_number(r, "a step is 1 to 99", 99, &range->step))
		return false;
	range->any &= range->step == 1;
	return range->step > 0 || wrong(r, at, "a step is 1 to 99");
}

/* *, a, a-b, and each of them with /n behind */
static bool read_range(struct reader *r, const struct field *field, struct range *ret)
{
	size_t at = r->at;
	bool any = peek(r) == '*' || peek(r) == '?', single = false;
	*ret = (struct range){ field->low, field->high, 1, any };
	if (any) {
		r->at++;
	} else {
		if (!read_value(r, field, &ret->low))
			return false;
		ret->high = ret->low;
		single = peek(r) != '-';
		if (!single && (r->at++, !read_value(r, field, &ret->high)))
			return false;
	}
	if (ret->low > ret->high)
		return wrong(r, at, "a range ends before it begins");
	if (peek(r) != '/')
		return true;
	r->at++;
	if (single)
		ret->high = field->high;
	return read_step(r, ret);
}

static bool read_field(struct reader *r, const struct field *field, uint64_t *ret, bool *ret_any)
{
	struct range range;
	*ret = 0;
	*ret_any = false;
	for (;; r->at++) {
		if (!read_range(r, field, &range))
			return false;
		*ret_any |= range.any;
		for (unsigned i = range.low; i <= range.high; i += range.step)
			*ret |= UINT64_C(1) << i;
		if (peek(r) != ',')
			break;
	}
	if (r->at < r->text.len && !is_blank(peek(r)))
		return wrong(r, r->at, "a field is values, ranges and steps, with commas");
	return true;
}

static bool read_line(struct reader *r, struct cron *ret)
{
	static const char all[] = "six fields: second minute hour day month weekday";
	uint64_t bits[FIELDS];
	bool any[FIELDS];
	for (size_t i = 0; i < FIELDS; i++) {
		skip_blanks(r);
		if (r->at == r->text.len)
			return wrong(r, r->at, all);
		if (!read_field(r, &fields[i], &bits[i], &any[i]))
			return false;
	}
	skip_blanks(r);
	if (r->at < r->text.len)
		return wrong(r, r->at, all);
	*ret = (struct cron){ .seconds = bits[SECOND],
			      .minutes = bits[MINUTE],
			      .hours = (uint32_t)bits[HOUR],
			      .days = (uint32_t)bits[DAY],
			      .months = (uint32_t)bits[MONTH],
			      .weekdays = (uint32_t)bits[WEEKDAY],
			      .any_day = any[DAY],
			      .any_weekday = any[WEEKDAY] };
	return true;
}

/* --- words ------------------------------------------------------------------------------------ */

static const struct {
	str word;
	const char *line;
} words[] = {
	{ STR_INIT("@yearly"), "0 0 0 1 1 *" },	 { STR_INIT("@annually"), "0 0 0 1 1 *" },
	{ STR_INIT("@monthly"), "0 0 0 1 * *" }, { STR_INIT("@weekly"), "0 0 0 * * 0" },
	{ STR_INIT("@daily"), "0 0 0 * * *" },	 { STR_INIT("@midnight"), "0 0 0 * * *" },
	{ STR_INIT("@hourly"), "0 0 * * * *" },
};

/* 1h30m10s, each part once and in this order. */
static bool read_every(struct reader *r, struct cron *ret)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
	static const char shape[] = "@every wants a time like 1h30m10s";
	int64_t sum_s = 0;
	size_t next = 0;
	skip_blanks(r);
	while (r->at < r->text.len) {
		unsigned number;
		if (!read_number(r, shape, (unsigned)EVERY_MAX, &number))
			return wrong(r, r->at, shape);
		while (next < COUNT_OF(units) && units[next].unit != peek(r))
			next++;
		if (next == COUNT_OF(units))
			return wrong(r, r->at, shape);
		sum_s += number * units[next++].seconds;
		r->at++;
	}
	if (sum_s < 1 || sum_s > EVERY_MAX)
		return wrong(r, r->at, "@every wants one second to 366 days");
	*ret = (struct cron){ .every_s = sum_s };
	return true;
}

static bool read_word(struct reader *r, struct cron *ret)
{
	str every = STR("@every ");
	if (str_has_prefix(r->text, every)) {
		r->at = every.len;
		return read_every(r, ret);
	}
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_eq(r->text, words[i].word))
			return read_line(&(struct reader){ .text = str_from(words[i].line) }, ret);
	return wrong(r, 0, "@yearly, @monthly, @weekly, @daily, @hourly and @every are known");
}

/* --- when ------------------------------------------------------------------------------------- */

struct day {
	int64_t number; /* since 1970 */
	int year;
	unsigned month, day, weekday;
};

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned month_days(const struct day *d)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return days[d->month - 1] + (d->month == 2 && is_leap(d->year));
}

static void next_day(struct day *d)
{
	d->number++;
	d->weekday = (d->weekday + 1) % 7;
	if (d->day++ < month_days(d))
		return;
	d->day = 1;
	if (d->month++ < 12)
		return;
	d->month = 1;
	d->year++;
}

/* Years of 400 at a time have the same number of days; within them, years and months one by one. */
static struct day day_of(int64_t number)
{
	const int64_t days_of_400_years = 146097;
	int64_t rounds = number / days_of_400_years;
	struct day d = { number, 1970 + (int)(rounds * 400), 1, 1, (unsigned)((number + 4) % 7) };
	int64_t left = number % days_of_400_years;
	for (; left >= 365 + is_leap(d.year); d.year++)
		left -= 365 + is_leap(d.year);
	for (; left >= month_days(&d); d.month++)
		left -= month_days(&d);
	d.day = (unsigned)left + 1;
	return d;
}

static bool has_bit(uint64_t bits, unsigned bit)
{
	return bits >> bit & 1;
}

static bool is_on(const struct cron *cron, const struct day *d)
{
	bool day = has_bit(cron->days, d->day), weekday = has_bit(cron->weekdays, d->weekday);
	if (!has_bit(cron->months, d->month))
		return false;
	return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

/* The first second of a day, from `from_s` on; -1: none. */
static int64_t second_of(const struct cron *cron, int64_t from_s)
{
	for (int64_t s = from_s; s < DAY_S;) {
		if (!has_bit(cron->hours, (unsigned)(s / 3600)))
			s = (s / 3600 + 1) * 3600;
		else if (!has_bit(cron->minutes, (unsigned)(s / 60 % 60)))
			s = (s / 60 + 1) * 60;
		else if (!has_bit(cron->seconds, (unsigned)(s % 60)))
			s++;
		else
			return s;
	}
	return -1;
}

/* -1: never. */
static int64_t find(const struct cron *cron, int64_t from_s)
{
	struct day d = day_of(from_s / DAY_S);
	int64_t first_s = from_s % DAY_S;
	for (int i = 0; i < DAYS_MAX; i++, next_day(&d), first_s = 0) {
		int64_t s = is_on(cron, &d) ? second_of(cron, first_s) : -1;
		if (s >= 0)
			return d.number * DAY_S + s;
	}
	return -1;
}

int64_t cron_next(const struct cron *cron, int64_t after_us)
{
	int64_t after_s = after_us / SECOND_US;
	if (cron->every_s)
		return (after_s + cron->every_s) * SECOND_US;
	return find(cron, after_s + 1) * SECOND_US;
}

bool cron_parse(str text, struct cron *ret, struct cron_problem *ret_problem)
{
	struct reader r = { .text = text };
	struct cron cron = { 0 };
	bool parsed;
	if (text.len > CRON_TEXT_MAX)
		parsed = wrong(&r, CRON_TEXT_MAX, "too long");
	else if (peek(&r) == '@')
		parsed = read_word(&r, &cron);
	else
		parsed = read_line(&r, &cron);
	if (parsed && !cron.every_s && find(&cron, 0) < 0)
		parsed = wrong(&r, 0, "there is no such day");
	if (parsed)
		*ret = cron;
	else
		*ret_problem = r.problem;
	return parsed;
}
