/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_chain.h - what is hashed, and how: the definition of the chain, for who checks it without
 * us.
 *
 * A field is 4 bytes of length (big endian) and its bytes; a number is its decimal text. Two
 * hashes, both SHA-256:
 *
 *	personal = H("berth-audit-personal-1" || salt || actor_id, actor, resource, address, detail)
 *	hash(n)  = H("berth-audit-1" || hash(n-1) || n, record id, time in microseconds, tenant id,
 *		     project id, project, actor type, operation, resource type, digest, request id,
 *		     result as a number, personal)
 *
 * with hash(0) = 32 zero bytes and a salt of 32 random bytes. So personal data can be erased: the
 * fields are replaced and the salt is thrown away; `personal` stays, the chain stays whole, and
 * without the salt nobody can guess what was there by trying names.
 */
#pragma once

#include "db/audit_chain.h"

#define AUDIT_HASH_BYTES 32
#define AUDIT_SALT_BYTES 32

/* Bytes in the arena. */
str audit_hash_personal(struct arena *arena, str salt, const struct audit_row *row);
str audit_hash_chain(struct arena *arena, str before, int64_t seq, const struct audit_row *row,
		     str personal);

/* The hash before the first place. */
extern const str audit_hash_none;

/* The payload of a checkpoint, and back. False when it is not one. */
struct audit_checkpoint_claims {
	int64_t seq;
	str hash; /* bytes */
	int64_t time_us;
};
str audit_checkpoint_write(struct arena *arena, const struct audit_checkpoint_claims *claims);
bool audit_checkpoint_read(struct arena *arena, str payload, struct audit_checkpoint_claims *ret);
