/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_gap.h - what stands in the chain for places that a purge removed; private to notify.
 *
 * A gap says that the places from `first` to `last` were purged, and which hashes the chain has
 * before and at the end of them, and is signed by the key of the checkpoints. So who has not that
 * key can neither remove records as if they had been purged, nor go on from another hash.
 */
#pragma once

#include "crypto/jws.h"
#include "db/audit_gap.h"

struct audit_gap_claims {
	int64_t first, last;
	str before, hash; /* bytes: of place first - 1, of place last */
	int64_t time_us;  /* when it was last made larger */
};

str audit_gap_write(struct arena *arena, const struct audit_gap_claims *claims);
bool audit_gap_read(struct arena *arena, str payload, struct audit_gap_claims *ret);

/* False when it is not signed by one of the keys (NULL: there are none) for just these places. */
bool audit_gap_verify(struct ctx *ctx, const struct jws_ring *keys, const struct audit_gap *gap,
		      struct audit_gap_claims *ret);
