/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy.h - an artifact to another repository, without moving bytes: what it refers to is mounted,
 * and its manifest is pushed once more.
 *
 * Its children, its accessories and theirs come along; its tags too, when it is the one that was
 * asked for. What is there already stays as it is. The caller has decided that the source may be
 * pulled and the target be pushed to.
 */
#pragma once

#include "codec/reference.h"
#include "registry/registry.h"

#define COPY_ARTIFACTS_MAX 10000 /* children and accessories of one copy */

struct artifact_copy {
	str source; /* repository */
	struct reference reference;
	str target; /* repository; its project is there */
};

/* ERR_NAME_UNKNOWN, ERR_MANIFEST_UNKNOWN; ERR_DENIED for an accessory: it goes with its subject. */
err_t artifact_copy(struct ctx *ctx, struct registry *registry, const struct artifact_copy *copy);
