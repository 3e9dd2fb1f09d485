/* SPDX-License-Identifier: Apache-2.0 */
/* Cron lines: what each sign means, when it is next, and what is wrong with those that are none. */
#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "codec/cron.h"

#define SECOND_US INT64_C(1000000)

static int64_t at(const char *text)
{
	struct tm t = { 0 };
	const char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &t);
	cr_assert(end && !*end, "%s", text);
	return (int64_t)timegm(&t) * SECOND_US;
}

static const char *text_of(int64_t us)
{
	static char text[64];
	time_t seconds = (time_t)(us / SECOND_US);
	struct tm t;
	gmtime_r(&seconds, &t);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &t);
	return text;
}

static struct cron parse(const char *text)
{
	struct cron cron;
	struct cron_problem problem = { "", 0 };
	cr_assert(cron_parse(str_from(text), &cron, &problem), "%s: %s", text, problem.text);
	return cron;
}

Test(codec_cron, when_it_is_next)
{
	static const struct {
		const char *line, *after, *next;
	} cases[] = {
		/* Each sign. */
		{ "* * * * * *", "2026-11-26 10:00:00", "2026-11-26 10:00:01" },
		{ "? ? ? ? ? ?", "2026-11-26 10:00:00", "2026-11-26 10:00:01" },
		{ "*/15 * * * * *", "2026-11-26 10:00:31", "2026-11-26 10:00:45" },
		{ "*/15 * * * * *", "2026-11-26 10:00:45", "2026-11-26 10:01:00" },
		{ "5/20 * * * * *", "2026-11-26 10:00:26", "2026-11-26 10:00:45" },
		{ "0 10-12 * * * *", "2026-11-26 10:12:00", "2026-11-26 11:10:00" },
		{ "0 0-59/20 * * * *", "2026-11-26 10:20:00", "2026-11-26 10:40:00" },
		{ "0 5,3 * * * *", "2026-11-26 10:03:00", "2026-11-26 10:05:00" },
		{ "59 59 23 31 12 *", "2026-11-26 10:00:00", "2026-12-31 23:59:59" },
		{ "59 59 23 31 12 *", "2026-12-31 23:59:59", "2027-12-31 23:59:59" },
		{ "  0\t0  0 *  * * ", "2026-11-26 00:00:00", "2026-11-27 00:00:00" },
		/* Names. */
		{ "0 0 0 1 jan *", "2026-11-26 10:00:00", "2027-01-01 00:00:00" },
		{ "0 0 0 1 Jan,FEB *", "2027-01-01 00:00:00", "2027-02-01 00:00:00" },
		{ "0 0 12 * * Mon-Fri", "2026-11-27 12:00:00", "2026-11-30 12:00:00" },
		{ "0 0 12 * * sat", "2026-11-26 10:00:00", "2026-11-28 12:00:00" },
		{ "0 0 12 ? * 0", "2026-11-26 10:00:00", "2026-11-29 12:00:00" },
		/* A day that either names; one of them any: the other decides. */
		{ "0 0 0 15 * sun", "2026-11-26 00:00:00", "2026-11-29 00:00:00" },
		{ "0 0 0 15 * sun", "2026-12-13 00:00:00", "2026-12-15 00:00:00" },
		{ "0 0 0 15 * *", "2026-11-26 00:00:00", "2026-12-15 00:00:00" },
		{ "0 0 0 */31 * sun", "2026-11-26 00:00:00", "2026-11-29 00:00:00" },
		/* The calendar. */
		{ "0 0 0 31 * *", "2026-11-01 00:00:00", "2026-12-31 00:00:00" },
		{ "0 0 0 29 2 *", "2026-11-26 00:00:00", "2028-02-29 00:00:00" },
		{ "0 0 0 29 2 *", "2096-02-29 00:00:00", "2104-02-29 00:00:00" },
		{ "0 0 0 29 2 *", "1999-01-01 00:00:00", "2000-02-29 00:00:00" },
		{ "0 0 0 1 1 *", "2399-06-01 00:00:00", "2400-01-01 00:00:00" },
		/* Words. */
		{ "@yearly", "2026-11-26 10:00:00", "2027-01-01 00:00:00" },
		{ "@annually", "2026-11-26 10:00:00", "2027-01-01 00:00:00" },
		{ "@monthly", "2026-11-26 10:00:00", "2026-12-01 00:00:00" },
		{ "@weekly", "2026-11-26 10:00:00", "2026-11-29 00:00:00" },
		{ "@daily", "2026-11-26 10:00:00", "2026-11-27 00:00:00" },
		{ "@midnight", "2026-11-26 10:00:00", "2026-11-27 00:00:00" },
		{ "@hourly", "2026-11-26 10:59:59", "2026-11-26 11:00:00" },
		{ "@every 1h30m10s", "2026-11-26 10:00:00", "2026-11-26 11:30:10" },
		{ "@every 90s", "2026-11-26 10:00:00", "2026-11-26 10:01:30" },
		{ "@every 48h", "2026-11-26 10:00:00", "2026-11-28 10:00:00" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cron cron = parse(cases[i].line);
		int64_t next_us = cron_next(&cron, at(cases[i].after));
		cr_expect_eq(next_us, at(cases[i].next), "%s after %s is %s, not %s", cases[i].line,
			     cases[i].after, text_of(next_us), cases[i].next);
	}
}

/* Parts of a second do not make it fire a second time in it. */
Test(codec_cron, a_second_is_over_when_it_began)
{
	struct cron cron = parse("* * * * * *");
	int64_t now_us = at("2026-11-26 10:00:00");
	cr_assert_eq(cron_next(&cron, now_us + 999999), now_us + SECOND_US);
	cr_assert_eq(cron_next(&cron, now_us), now_us + SECOND_US);
}

/* Against a calendar of the system's: every day of eight years, at noon. */
Test(codec_cron, days_are_those_of_the_calendar)
{
	struct cron cron = parse("0 0 12 * * *"), monday = parse("0 0 12 * * mon");
	int64_t now_us = at("2095-01-01 00:00:00"), week_us = now_us;
	for (int i = 0; i < 8 * 366; i++) {
		now_us = cron_next(&cron, now_us);
		cr_assert_eq(now_us, at("2095-01-01 12:00:00") + i * 86400 * SECOND_US);
	}
	for (int i = 0; i < 8 * 52; i++) {
		week_us = cron_next(&monday, week_us);
		time_t seconds = (time_t)(week_us / SECOND_US);
		struct tm t;
		gmtime_r(&seconds, &t);
		cr_assert_eq(t.tm_wday, 1, "%s", text_of(week_us));
	}
}

Test(codec_cron, what_is_wrong_and_where)
{
	static const struct {
		const char *line, *problem;
		size_t at;
	} cases[] = {
		{ "", "six fields: second minute hour day month weekday", 0 },
		{ "0 0 0 * *", "six fields: second minute hour day month weekday", 9 },
		{ "0 0 0 * * * *", "six fields: second minute hour day month weekday", 12 },
		{ "60 * * * * *", "a second is 0 to 59", 0 },
		{ "* 60 * * * *", "a minute is 0 to 59", 2 },
		{ "* * 24 * * *", "an hour is 0 to 23", 4 },
		{ "* * * 0 * *", "a day of the month is 1 to 31", 6 },
		{ "* * * 32 * *", "a day of the month is 1 to 31", 6 },
		{ "* * * * 13 *", "a month is 1 to 12, or jan to dec", 8 },
		{ "* * * * foo *", "a month is 1 to 12, or jan to dec", 8 },
		{ "* * * * * 7", "a weekday is 0 to 6, or sun to sat", 10 },
		{ "* * * * * sunday", "a weekday is 0 to 6, or sun to sat", 10 },
		{ "jan * * * * *", "a second is 0 to 59", 0 },
		{ "99999999999999999999 * * * * *", "a second is 0 to 59", 0 },
		{ "5-1 * * * * *", "a range ends before it begins", 0 },
		{ "*/0 * * * * *", "a step is 1 to 99", 2 },
		{ "*/100 * * * * *", "a step is 1 to 99", 2 },
		{ "*/ * * * * *", "a number is missing", 2 },
		{ "1,, * * * * *", "a number is missing", 2 },
		{ "-1 * * * * *", "a number is missing", 0 },
		{ "1-2-3 * * * * *", "a field is values, ranges and steps, with commas", 3 },
		{ "1L * * * * *", "a field is values, ranges and steps, with commas", 1 },
		{ "0 0 0 30 2 *", "there is no such day", 0 },
		{ "TZ=UTC 0 0 0 * *", "a second is 0 to 59", 0 },
		{ "@reboot", "@yearly, @monthly, @weekly, @daily, @hourly and @every are known",
		  0 },
		{ "@daily ", "@yearly, @monthly, @weekly, @daily, @hourly and @every are known",
		  0 },
		{ "@every", "@yearly, @monthly, @weekly, @daily, @hourly and @every are known", 0 },
		{ "@every ", "@every wants one second to 366 days", 7 },
		{ "@every 0s", "@every wants one second to 366 days", 9 },
		{ "@every 5", "@every wants a time like 1h30m10s", 8 },
		{ "@every 5m3h", "@every wants a time like 1h30m10s", 10 },
		{ "@every 9000h", "@every wants one second to 366 days", 12 },
		{ "@every 1.5h", "@every wants a time like 1h30m10s", 8 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cron cron;
		struct cron_problem problem = { "", 0 };
		cr_expect(!cron_parse(str_from(cases[i].line), &cron, &problem), "%s",
			  cases[i].line);
		cr_expect_str_eq(problem.text, cases[i].problem, "%s: %s", cases[i].line,
				 problem.text);
		cr_expect_eq(problem.at, cases[i].at, "%s: %zu", cases[i].line, problem.at);
	}
	char *tail = malloc(CRON_TEXT_MAX + 2);
	struct cron cron;
	struct cron_problem problem;
	memset(tail, ' ', CRON_TEXT_MAX + 1);
	cr_assert(!cron_parse((str){ tail, CRON_TEXT_MAX + 1 }, &cron, &problem));
	cr_assert_str_eq(problem.text, "too long");
	free(tail);
}
