/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_seal.h - gives records their places in the chain, passes them on, and signs checkpoints;
 * private to notify.
 *
 * Every node tries at each turn; the one that takes the chain's row does it, the others leave it to
 * that one. A crash between a record and its place leaves the record waiting, for whoever is next.
 */
#pragma once

#include "base/ctx.h"

struct audit;

/* Seals some of what waits, or removes it when it is not to be kept, and passes it on; `*ret_more`
 * when there may be more. OK, too, when another node is at it. */
err_t audit_seal_batch(struct ctx *ctx, struct audit *audit, bool *ret_more);

/* Signs the chain as it is, when something was sealed since the last time and that is long enough
 * ago, or at once if `now`. */
err_t audit_seal_checkpoint(struct ctx *ctx, struct audit *audit, bool now);
