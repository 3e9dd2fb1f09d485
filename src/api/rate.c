/* SPDX-License-Identifier: Apache-2.0 */
/* rate.c - see rate.h. */
#include "api/rate.h"
#include "api/watch.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "codec/cidr.h"
#include "config/rates.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

#define BUCKETS	   (256 * 1024)
#define POLICY_MAX 64
#define LINES_MAX  (256 + 2 * RATES_TAKEN_MAX * POLICY_MAX)

/* What headers say of a policy, written once: "user-pull";q=100;w=1 */
struct written {
	char text[POLICY_MAX];
	size_t len, name_len; /* all of it, and as far as the second quote */
};

struct rate_limits {
	struct rate_table *table;
	struct rate_policy policies[RATE_WHO_COUNT][RATE_CLASS_COUNT];
	struct written written[RATE_WHO_COUNT][RATE_CLASS_COUNT];
	uint8_t classes[]; /* of each row of api_routes; RATE_CLASS_COUNT: not counted */
};

static const char *const who_names[RATE_WHO_COUNT] = {
	[RATE_ADDRESS] = "address", [RATE_ANONYMOUS] = "anonymous", [RATE_USER] = "user",
	[RATE_ROBOT] = "robot",	    [RATE_TENANT] = "tenant",
};

/* --- at the start ----------------------------------------------------------------------------- */

static bool is_counted(const char *pattern)
{
	/* An upload that has begun goes on; a probe must not be told that the server is not well.
	 */
	static const char *const not [] = { "/uploads/{upload}", "/api/v2.0/health",
					    "/api/v2.0/ping" };
	for (size_t i = 0; i < COUNT_OF(not ); i++)
		if (strstr(pattern, not [i]))
			return false;
	return true;
}

static enum rate_class class_of(const struct route *route)
{
	str pattern = str_from(route->pattern);
	bool reads = route->method == HTTP_GET || route->method == HTTP_HEAD;
	if (!is_counted(route->pattern) || route->kind == ROUTE_SIGHT)
		return RATE_CLASS_COUNT;
	if (str_has_prefix(pattern, STR("/v2")))
		return reads ? RATE_PULL : RATE_PUSH;
	if (str_has_prefix(pattern, STR("/api/")))
		return reads ? RATE_READ : RATE_WRITE;
	return RATE_LOGIN;
}

static void write_policy(struct rate_limits *limits, enum rate_who who, enum rate_class class)
{
	const struct rate_policy *policy = &limits->policies[who][class];
	struct written *written = &limits->written[who][class];
	int len = snprintf(written->text, POLICY_MAX, "\"%s-%s\";q=%lld;w=%lld", who_names[who],
			   rate_class_name(class), (long long)policy->count,
			   (long long)(policy->window_ns / CLOCK_S));
	CHECK(len > 0 && len < POLICY_MAX);
	written->len = (size_t)len;
	written->name_len = (size_t)(strchr(written->text, ';') - written->text);
}

static void read_policies(struct rate_limits *limits, enum rate_who who, str text)
{
	CHECK(rates_read(text, limits->policies[who])); /* config has looked */
	for (enum rate_class class = 0; class < RATE_CLASS_COUNT; class ++)
		if (limits->policies[who][class].count)
			write_policy(limits, who, class);
}

struct rate_limits *rate_limits_new(const str texts[RATE_WHO_COUNT])
{
	size_t len = 0;
	for (size_t who = 0; who < RATE_WHO_COUNT; who++)
		len += texts[who].len;
	if (!len)
		return NULL;
	struct rate_limits *limits = mem_new(sizeof *limits + api_route_count);
	limits->table = rate_table_new(BUCKETS);
	for (enum rate_who who = 0; who < RATE_WHO_COUNT; who++)
		read_policies(limits, who, texts[who]);
	for (size_t i = 0; i < api_route_count; i++)
		limits->classes[i] = (uint8_t)class_of(&api_routes[i]);
	return limits;
}

void rate_limits_free(struct rate_limits *limits)
{
	if (!limits)
		return;
	rate_table_free(limits->table);
	free(limits);
}

/* --- for each request ------------------------------------------------------------------------- */

static int64_t seconds(int64_t ns)
{
	return (ns + CLOCK_S - 1) / CLOCK_S;
}

static enum rate_class class_of_request(const struct request *rq)
{
	return (enum rate_class)rq->api->rates->classes[rq->route - api_routes];
}

/* Hashes are keyed, so nobody can aim at another's bucket. */
static uint64_t key_of(enum rate_who who, enum rate_class class, str whom)
{
	const uint64_t parts[] = { (uint64_t)who << 8 | (uint64_t) class, str_hash(whom) };
	return str_hash((str){ (const char *)parts, sizeof parts });
}

static err_t take_one(struct ctx *ctx, struct request *rq, enum rate_who who, str whom)
{
	struct rate_limits *limits = rq->api->rates;
	enum rate_class class = class_of_request(rq);
	if (class == RATE_CLASS_COUNT || !limits->policies[who][class].count)
		return OK;
	CHECK(rq->rate_count < RATES_TAKEN_MAX);
	struct rate_taken *taken = &rq->rates[rq->rate_count++];
	taken->who = who;
	if (rate_take(limits->table, key_of(who, class, whom), &limits->policies[who][class],
		      clock_now_ns(), &taken->rate))
		return OK;
	ctx->retry_after_s = (unsigned)seconds(taken->rate.wait_ns);
	watch_limited(who, class);
	return fail(ctx, ERR_TOO_MANY_REQUESTS, "over the rate limit %s-%s", who_names[who],
		    rate_class_name(class));
}

err_t rate_check_address(struct ctx *ctx, struct request *rq)
{
	ip address;
	if (!rq->api->rates)
		return OK;
	return take_one(ctx, rq, RATE_ADDRESS, ip_customer(rq->x->peer, &address));
}

/* Whoever has no row here has a name at least. */
static str account_of(const struct identity *who)
{
	return who->id ? (str){ (const char *)&who->id, sizeof who->id } : who->name;
}

static err_t take_identity(struct ctx *ctx, struct request *rq)
{
	const struct identity *who = &rq->who;
	ip address;
	if (who->subject == SUBJECT_ANONYMOUS)
		return take_one(ctx, rq, RATE_ANONYMOUS, ip_customer(rq->x->peer, &address));
	TRY(take_one(ctx, rq, who->subject == SUBJECT_ROBOT ? RATE_ROBOT : RATE_USER,
		     account_of(who)));
	str tenant = { (const char *)&who->tenant_id, sizeof who->tenant_id };
	return take_one(ctx, rq, RATE_TENANT, tenant);
}

/* --- headers: made on the stack, because every answer has them ----------------------------------
 */

struct lines {
	char text[LINES_MAX];
	size_t len;
};

static void add(struct lines *lines, const char *text, size_t len)
{
	CHECK(len <= sizeof lines->text - lines->len);
	memcpy(lines->text + lines->len, text, len);
	lines->len += len;
}

#define ADD(lines, literal) add((lines), (literal), sizeof(literal) - 1)

static void add_number(struct lines *lines, int64_t number)
{
	char digits[20];
	size_t at = sizeof digits;
	uint64_t left = (uint64_t)number;
	do {
		digits[--at] = (char)('0' + left % 10);
	} while (left /= 10);
	add(lines, digits + at, sizeof digits - at);
}

static const struct written *written_of(const struct request *rq, size_t i)
{
	return &rq->api->rates->written[rq->rates[i].who][class_of_request(rq)];
}

/* RateLimit-Policy: "user-pull";q=100;w=1, … */
static void add_policies(struct lines *lines, const struct request *rq)
{
	ADD(lines, "RateLimit-Policy: ");
	for (size_t i = 0; i < rq->rate_count; i++) {
		if (i)
			ADD(lines, ", ");
		add(lines, written_of(rq, i)->text, written_of(rq, i)->len);
	}
}

/* RateLimit: "user-pull";r=97;t=2, … */
static void add_current(struct lines *lines, const struct request *rq)
{
	ADD(lines, "\r\nRateLimit: ");
	for (size_t i = 0; i < rq->rate_count; i++) {
		if (i)
			ADD(lines, ", ");
		add(lines, written_of(rq, i)->text, written_of(rq, i)->name_len);
		ADD(lines, ";r=");
		add_number(lines, rq->rates[i].rate.remaining);
		ADD(lines, ";t=");
		add_number(lines, seconds(rq->rates[i].rate.full_ns));
	}
}

/* The older form knows one limit: the tightest. */
static void add_tightest(struct lines *lines, const struct request *rq)
{
	const struct rate_taken *tightest = &rq->rates[0];
	for (size_t i = 1; i < rq->rate_count; i++)
		if (rq->rates[i].rate.remaining < tightest->rate.remaining)
			tightest = &rq->rates[i];
	ADD(lines, "\r\nRateLimit-Limit: ");
	add_number(lines, rq->api->rates->policies[tightest->who][class_of_request(rq)].count);
	ADD(lines, "\r\nRateLimit-Remaining: ");
	add_number(lines, tightest->rate.remaining);
	ADD(lines, "\r\nRateLimit-Reset: ");
	add_number(lines, seconds(tightest->rate.full_ns));
	ADD(lines, "\r\n");
}

static void write_headers(struct request *rq)
{
	struct lines lines;
	lines.len = 0;
	add_policies(&lines, rq);
	add_current(&lines, rq);
	add_tightest(&lines, rq);
	exchange_header_lines(rq->x, (str){ lines.text, lines.len });
}

void rate_headers(struct request *rq)
{
	if (rq->rate_count)
		write_headers(rq);
}

err_t rate_check_identity(struct ctx *ctx, struct request *rq)
{
	if (!rq->api->rates)
		return OK;
	TRY(take_identity(ctx, rq));
	rate_headers(rq);
	return OK;
}
