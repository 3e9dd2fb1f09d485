/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lockout.c - see lockout.h. A table of small sets: an entry may stand in any place of its set, and
 * the least guilty of a full set makes room. Tokens are counted in thousandths, so that slow
 * refills are exact.
 */
#include "auth/lockout.h"

#include "base/clock.h"
#include "base/mem.h"
#include "codec/cidr.h"
#include "os/thread.h"

#include <string.h>

#include "base/banned.h"

#define WAYS	     8
#define WHOLE	     1000 /* of one token */
#define KEY_TEXT_MAX 512

struct entry {
	uint64_t key;	/* 0: free */
	uint64_t proof; /* of the last right password; 0: none */
	int64_t at_ms;	/* when `tokens` was counted */
	int64_t tokens; /* thousandths */
};

struct limit {
	int64_t tokens_max; /* thousandths; 0: none */
	int64_t interval_ms;
};

struct lockout {
	pthread_mutex_t lock;
	struct limit name, address;
	unsigned at_once_max, at_once_known_max;
	unsigned under_way;
	size_t set_count;
	struct entry *entries;
};

struct lockout *lockout_new(const struct lockout_options *options)
{
	struct lockout *lockout = NEW(struct lockout);
	pthread_mutex_init(&lockout->lock, NULL);
	lockout->name = (struct limit){ (int64_t)options->name_attempts * WHOLE,
					MAX(options->name_interval_ms, 1) };
	lockout->address = (struct limit){ (int64_t)options->address_attempts * WHOLE,
					   MAX(options->address_interval_ms, 1) };
	lockout->at_once_max = options->at_once_max;
	lockout->at_once_known_max = MAX(options->at_once_known_max, options->at_once_max);
	lockout->set_count = 1;
	while (lockout->set_count * WAYS < options->entries_max)
		lockout->set_count *= 2;
	lockout->entries = mem_new(lockout->set_count * WAYS * sizeof(struct entry));
	return lockout;
}

void lockout_free(struct lockout *lockout)
{
	if (!lockout)
		return;
	free(lockout->entries);
	pthread_mutex_destroy(&lockout->lock);
	free(lockout);
}

/* --- the table -------------------------------------------------------------------------------- */

static uint64_t key_of(char kind, str address, str name)
{
	char text[KEY_TEXT_MAX];
	ip parsed;
	size_t len = 0;
	text[len++] = kind;
	str customer = str_take(ip_customer(address, &parsed), sizeof parsed.bytes);
	memcpy(text + len, customer.ptr ? customer.ptr : "", customer.len);
	len += customer.len;
	text[len++] = '\0';
	str kept = str_take(name, sizeof text - len);
	/* To a directory ANNA is anna: were they two names, ten letters gave a thousand times the
	 * attempts. */
	for (size_t i = 0; i < kept.len; i++) {
		char c = kept.ptr[i];
		text[len++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	}
	uint64_t key = str_hash((str){ text, len });
	return key ? key : 1;
}

static struct entry *set_of(struct lockout *lockout, uint64_t key)
{
	return &lockout->entries[(key & (lockout->set_count - 1)) * WAYS];
}

static struct entry *find(struct lockout *lockout, uint64_t key)
{
	struct entry *set = set_of(lockout, key);
	for (size_t i = 0; i < WAYS; i++)
		if (set[i].key == key)
			return &set[i];
	return NULL;
}

static void refill(struct entry *entry, const struct limit *limit, int64_t now_ms)
{
	/* So long ago that it is full again: no product that could overflow. */
	if (now_ms - entry->at_ms >= limit->interval_ms * (limit->tokens_max / WHOLE)) {
		entry->tokens = limit->tokens_max;
	} else {
		int64_t more = (now_ms - entry->at_ms) * WHOLE / limit->interval_ms;
		entry->tokens = MIN(entry->tokens + more, limit->tokens_max);
		/* What was not enough for a thousandth stays in the time. */
		now_ms = entry->at_ms + more * limit->interval_ms / WHOLE;
	}
	entry->at_ms = now_ms;
}

/* The first to make room: who has the most tokens, and of those who is known to nobody. */
static struct entry *least_guilty(struct entry *set)
{
	struct entry *least = &set[0];
	for (size_t i = 0; i < WAYS; i++) {
		if (!set[i].key)
			return &set[i];
		if (set[i].tokens > least->tokens ||
		    (set[i].tokens == least->tokens && !set[i].proof && least->proof))
			least = &set[i];
	}
	return least;
}

/* The entry of a key, made when there is none, with its tokens as of now. */
static struct entry *take_entry(struct lockout *lockout, uint64_t key, const struct limit *limit)
{
	int64_t now_ms = clock_now_ns() / CLOCK_MS;
	struct entry *entry = find(lockout, key);
	if (!entry) {
		entry = least_guilty(set_of(lockout, key));
		*entry = (struct entry){ .key = key, .at_ms = now_ms, .tokens = limit->tokens_max };
	}
	refill(entry, limit, now_ms);
	return entry;
}

/* --- attempts --------------------------------------------------------------------------------- */

static const struct limit *limit_of(const struct lockout *lockout, bool by_name)
{
	return by_name ? &lockout->name : &lockout->address;
}

static uint64_t attempt_key(const struct attempt *attempt, bool by_name)
{
	return by_name ? key_of('n', attempt->address, attempt->name)
		       : key_of('a', attempt->address, STR_NONE);
}

static err_t take_token(struct ctx *ctx, struct lockout *lockout, const struct attempt *attempt,
			bool by_name)
{
	const struct limit *limit = limit_of(lockout, by_name);
	if (!limit->tokens_max)
		return OK;
	struct entry *entry = take_entry(lockout, attempt_key(attempt, by_name), limit);
	if (entry->tokens < WHOLE) {
		int64_t wait_ms = (WHOLE - entry->tokens) * limit->interval_ms / WHOLE;
		ctx->retry_after_s = (unsigned)(wait_ms / 1000 + 1);
		return fail(ctx, ERR_TOO_MANY_REQUESTS, "too many wrong passwords %s",
			    by_name ? "for this name from this address" : "from this address");
	}
	entry->tokens -= WHOLE;
	return OK;
}

static void give_token(struct lockout *lockout, const struct attempt *attempt, bool by_name)
{
	const struct limit *limit = limit_of(lockout, by_name);
	struct entry *entry =
		limit->tokens_max ? find(lockout, attempt_key(attempt, by_name)) : NULL;
	if (entry)
		entry->tokens = MIN(entry->tokens + WHOLE, limit->tokens_max);
}

static bool is_known(struct lockout *lockout, const struct attempt *attempt)
{
	const struct entry *entry = find(lockout, attempt_key(attempt, true));
	return attempt->proof && entry && entry->proof == attempt->proof;
}

static err_t begin(struct ctx *ctx, struct lockout *lockout, struct attempt *attempt)
{
	attempt->known = is_known(lockout, attempt);
	unsigned max = attempt->known ? lockout->at_once_known_max : lockout->at_once_max;
	if (lockout->under_way >= max)
		return fail(ctx, ERR_BUSY, "%u attempts to log in are under way",
			    lockout->under_way);
	if (attempt->known)
		return OK;
	TRY(take_token(ctx, lockout, attempt, false));
	err_t err = take_token(ctx, lockout, attempt, true);
	if (err != OK)
		give_token(lockout, attempt, false);
	return err;
}

err_t lockout_begin(struct ctx *ctx, struct lockout *lockout, struct attempt *attempt)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&lockout->lock);
	TRY(begin(ctx, lockout, attempt));
	lockout->under_way++;
	attempt->under_way = true;
	return OK;
}

static void remember(struct lockout *lockout, const struct attempt *attempt, uint64_t proof)
{
	struct entry *entry =
		take_entry(lockout, attempt_key(attempt, true), limit_of(lockout, true));
	entry->proof = proof;
}

void lockout_end(struct lockout *lockout, struct attempt *attempt, enum verdict verdict)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&lockout->lock);
	CHECK(attempt->under_way);
	attempt->under_way = false;
	lockout->under_way--;
	if (verdict != VERDICT_WRONG && !attempt->known) {
		give_token(lockout, attempt, false);
		give_token(lockout, attempt, true);
	}
	if (verdict == VERDICT_RIGHT)
		remember(lockout, attempt, attempt->proof);
	else if (verdict == VERDICT_WRONG && attempt->known)
		remember(lockout, attempt, 0); /* his password is another now */
}
