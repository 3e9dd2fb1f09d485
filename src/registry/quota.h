/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quota.h - what projects and tenants may hold, charged in the transaction that holds it.
 *
 *	struct quota_charge charge = { .repository_id = id };
 *	TRY(db_content_claim_link(ctx, tx, id, blob.id, &charge.more[QUOTA_STORAGE]));	…
 *	return quota_charge(ctx, tx, registry, &charge);
 */
#pragma once

#include "db/quota.h"
#include "registry/registry.h"

/* How many bytes a new project may hold unless somebody says otherwise. */
int64_t quota_default(const struct registry *registry);

/* The last statement of its transaction; does nothing when nothing is charged. ERR_QUOTA when it
 * does not fit; the detail says what of what, and is for the client. */
err_t quota_charge(struct ctx *ctx, struct sql_tx *tx, struct registry *registry,
		   const struct quota_charge *charge);
