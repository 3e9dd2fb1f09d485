/* SPDX-License-Identifier: Apache-2.0 */
/* tag.h - a new tag for a manifest that is there. Moving one is a push, removing one is in
 * delete.h. */
#pragma once

#include "codec/reference.h"
#include "registry/registry.h"

/* ERR_EXISTS, unrecorded, when the repository has the tag; ERR_MANIFEST_UNKNOWN. `name` fits the
 * grammar. */
err_t tag_create(struct ctx *ctx, struct registry *registry, str repository, digest d, str name);
