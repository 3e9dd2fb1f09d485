/* SPDX-License-Identifier: Apache-2.0 */
/*
 * told.h - what other nodes changed, and whether all of it is heard of.
 *
 * The rows tell it (src/db/README.md lists the words); here it is forgotten as the one does who
 * changes it: after the commit. Told of what this node changed itself, it forgets once more.
 */
#pragma once

#include "base/cache.h"
#include "registry/registry.h"

/* False when the word is nobody's here. */
bool registry_told(struct registry *registry, str payload);

void registry_trust(struct registry *registry, enum cache_trust trust);
