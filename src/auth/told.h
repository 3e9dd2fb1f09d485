/* SPDX-License-Identifier: Apache-2.0 */
/* told.h - what other nodes changed of accounts, robots, members and tenants; as registry/told.h.
 */
#pragma once

#include "auth/auth.h"
#include "base/cache.h"

/* False when the word is nobody's here. */
bool auth_told(struct auth *auth, str payload);

void auth_trust(struct auth *auth, enum cache_trust trust);
