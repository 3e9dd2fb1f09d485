/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.h - an identity as one block of bytes, to be kept in a cache.
 *
 * The block holds lengths instead of pointers, so it may be copied anywhere. A view has its strs in
 * the block and its array of grants in the arena.
 */
#pragma once

#include "base/arena.h"
#include "model/access.h"

str identity_image_make(struct arena *arena, const struct identity *who);
void identity_image_view(struct arena *arena, str image, struct identity *ret);
