/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delete.h - tags, manifests and blobs away. Atomic, and gone from every cache of this process
 * before the call returns. A blob only leaves its repository; its bytes are garbage collection's.
 */
#pragma once

#include "registry/registry.h"

err_t tag_delete(struct ctx *ctx, struct registry *registry, str repository, str tag);

/* With all tags that point to it. */
err_t manifest_delete(struct ctx *ctx, struct registry *registry, str repository, digest d);

err_t blob_delete(struct ctx *ctx, struct registry *registry, str repository, digest d);
