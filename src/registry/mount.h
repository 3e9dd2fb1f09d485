/* SPDX-License-Identifier: Apache-2.0 */
/* mount.h - lend a blob of one repository to another, without moving bytes. */
#pragma once

#include "registry/repository.h"

/* Links `d` of repository `source` to `target`. ERR_BLOB_UNKNOWN when the source does not have it
 * or its bytes are not there. Makes `target` as repository_ensure() does. */
err_t blob_mount(struct ctx *ctx, struct registry *registry, str source, digest d, str target,
		 struct project_maker *maker);

/* Names of at most `max` repositories that hold `d`: candidates for a mount that names no source.
 */
err_t blob_holders(struct ctx *ctx, struct registry *registry, digest d, size_t max, str **ret,
		   size_t *ret_count);
