/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h - whether what somebody proved earlier still counts.
 *
 * Tokens, sessions and remembered passwords are proofs of some time ago. Accounts and robots have
 * an epoch, a number that grows whenever something about them changes that such a proof relies on:
 * password, rights, a block, a deletion. An identity carries the epoch it was established in
 * (model/access.h), in tokens and caches alike; state_check() compares it with the subject's own,
 * which is remembered for STATE_REMEMBER_S so that a warm request costs a look-up in memory.
 *
 * Who changes a row calls state_drop() after the commit: from then on nothing old passes in this
 * process. Other nodes are told (auth/told.h).
 *
 * Another kind of subject is one row in state.c.
 */
#pragma once

#include "auth/auth.h"

#define STATE_REMEMBER_S 10

/* OK; ERR_UNAUTHORIZED when the subject is gone or blocked or has changed since, or when the
 * personal access token or secret behind it is gone. Identities without an id (nobody, and who has
 * no account) always pass. */
err_t state_check(struct ctx *ctx, struct auth *auth, const struct identity *who);

/* Who a subject is as of now, in the arena. ERR_ABSENT, unrecorded, when it is gone or blocked. */
err_t state_identity(struct ctx *ctx, struct auth *auth, enum subject subject, int64_t id,
		     struct identity *ret);

void state_drop(struct auth *auth, enum subject subject, int64_t id);
/* A user's personal access token, or a robot's secret. */
void state_drop_secret(struct auth *auth, enum subject subject, int64_t id);
