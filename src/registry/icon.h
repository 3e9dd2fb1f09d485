/* SPDX-License-Identifier: Apache-2.0 */
/*
 * icon.h - pictures for kinds of artifacts, known by their digests as Harbor's clients ask for
 * them: our own for each kind, and those that artifacts bring as a layer.
 */
#pragma once

#include "base/buf.h"
#include "registry/registry.h"

#define ICON_MAX     MIB(1) /* of one that an artifact brings */
#define ICON_HOLDERS 16

/* The digest of the picture for a type of artifact ("IMAGE"); never empty. */
str icon_of_type(struct arena *arena, str type);

/* One of ours into the buf; false when there is none of this digest. */
bool icon_built_in(str digest_text, struct buf *into, str *ret_content_type);

/* Some repositories with artifacts that bring it. */
err_t icon_holders(struct ctx *ctx, struct registry *registry, str digest_text, str **ret,
		   size_t *ret_count);

/* The layer of a repository, if it is a PNG, JPEG or GIF. ERR_NOT_FOUND otherwise. */
err_t icon_read(struct ctx *ctx, struct registry *registry, str repository, digest d,
		struct buf *into, str *ret_content_type);
