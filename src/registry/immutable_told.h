/* SPDX-License-Identifier: Apache-2.0 */
/* immutable_told.h - a project's rules of immutability changed, here or at another node; private to
 * registry. */
#pragma once

#include "registry/registry.h"

void immutable_forget(struct registry *registry, int64_t project_id);
