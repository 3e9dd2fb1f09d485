/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_keys.h - the keys that sign checkpoints: their own, not those of tokens, because a token's
 * key is forgotten when no living token can name it, and a checkpoint must be verifiable for ever.
 * Sealed under the master key; private to notify.
 */
#pragma once

#include "crypto/jws.h"
#include "crypto/secretbox.h"
#include "sql/sql.h"

/* All keys, the newest signing. Without any, one is made when `make`, else ERR_ABSENT. */
err_t audit_keys_open(struct ctx *ctx, struct sql *db, const struct secretbox_key *master,
		      bool make, struct jws_ring **ret);
