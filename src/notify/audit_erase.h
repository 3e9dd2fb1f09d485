/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_erase.h - takes a person out of the trail and leaves the chain whole.
 *
 * In every record by this name, and about the account of this name, the name becomes a pseudonym
 * (the same in all of them), and address, user agent, reason and changes go. The salts of those
 * records are thrown away, so what was there cannot be guessed from the hashes that stay
 * (audit_chain.h). Each transaction that does so also records that it did, with the pseudonym and
 * how many; verifying compares that with what it finds, so nobody can pass a changed record off as
 * an erased one.
 */
#pragma once

#include "db/audit.h"
#include "notify/audit.h"

struct audit_erased {
	str pseudonym;
	int64_t records;
};

/* `by` says who erases: actor, address, request. ERR_ABSENT when nobody of this name is in the
 * trail. */
err_t audit_erase(struct ctx *ctx, struct audit *audit, str name, const struct audit_event *by,
		  struct audit_erased *ret);

/* For verifying: what records say was erased, and what the trail says of it. */
struct audit_erasure {
	struct audit_erasure *next;
	str pseudonym;
	int64_t found, told;
};
struct audit_erasures {
	struct arena *arena;
	struct audit_erasure *first;
};

/* A record without a salt. False when it does not say as whom it was erased. */
bool audit_erasures_add_record(struct audit_erasures *erasures, const struct audit_row *row);
/* Any record; those that tell of an erasure count. */
void audit_erasures_add_event(struct audit_erasures *erasures, const struct audit_row *row);
/* False, with one of them, when more is found than told. */
bool audit_erasures_add_up(const struct audit_erasures *erasures, str *ret_pseudonym);
