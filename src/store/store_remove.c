/* SPDX-License-Identifier: Apache-2.0 */
/* store_remove.c - see store_remove.h. */
#include "store/store_remove.h"
#include "base/clock.h"

#include "base/banned.h"

err_t store_remove_each(struct ctx *ctx, struct store *store, const struct store_removal *removal)
{
	for (size_t i = 0; i < removal->count; i++) {
		TRY(ctx_check(ctx));
		if (clock_now_ns() > removal->until_ns)
			return OK;
		const blob_name *name = &removal->names[i];
		err_t err = store->driver->blob_remove(ctx, store, *name);
		removal->told(ctx, removal->arg, name, err);
		ctx_forgive(ctx);
	}
	return OK;
}

err_t store_remove_blobs(struct ctx *ctx, struct store *store, const struct store_removal *removal)
{
	const struct store_driver *driver = store->driver;
	return driver->blobs_remove ? driver->blobs_remove(ctx, store, removal)
				    : store_remove_each(ctx, store, removal);
}
