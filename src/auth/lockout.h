/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lockout.h - wrong passwords cost something, and only those who send them.
 *
 * Two token buckets: one per name and address together, one per address. Every attempt takes a
 * token of each before anything is verified, and gets both back unless the password was wrong: so a
 * thousand attempts at once are no way around. An empty bucket answers ERR_TOO_MANY_REQUESTS, with
 * the time to wait in ctx->retry_after_s, for names that exist and names that do not.
 *
 * Nobody else is held up. A name is blocked from one address only. And who has logged in from an
 * address before is known there: a password that fits the one that was right last (64 bits of a
 * keyed hash, in memory) passes both buckets, whatever his neighbours behind the same address do.
 *
 * Besides, a bounded number of attempts is under way at a time (ERR_BUSY beyond), known ones a few
 * more, so that no flood and no directory that hangs takes all threads.
 *
 * The table has a fixed size. Where it is full, what is nearest to being full of tokens goes, and
 * who has something to lose first: guilt is kept longest.
 *
 * Names that differ only in the case of ASCII letters are one. An IPv6 address counts as its /64,
 * because a customer has at least that much.
 */
#pragma once

#include "base/ctx.h"

struct lockout_options {
	unsigned name_attempts;	     /* tokens of a name at an address; 0: no limit */
	int64_t name_interval_ms;    /* for one more */
	unsigned address_attempts;   /* tokens of an address; 0: no limit */
	int64_t address_interval_ms; /* for one more */
	unsigned at_once_max;	     /* attempts of strangers under way */
	unsigned at_once_known_max;  /* all attempts under way */
	size_t entries_max;	     /* rounded up to a power of two */
};

struct lockout;

struct lockout *lockout_new(const struct lockout_options *options);
void lockout_free(struct lockout *lockout); /* NULL is fine */

/* Who tries, from where, and what: `proof` is a hash of name and password under a secret key. */
struct attempt {
	str name;
	str address;
	uint64_t proof;

	/* The lockout's own. */
	bool known;
	bool under_way;
};

enum verdict { VERDICT_RIGHT, VERDICT_WRONG, VERDICT_NONE };

/* OK: verify now, and say what came of it. */
err_t lockout_begin(struct ctx *ctx, struct lockout *lockout, struct attempt *attempt);
void lockout_end(struct lockout *lockout, struct attempt *attempt, enum verdict verdict);
