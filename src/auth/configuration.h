/* SPDX-License-Identifier: Apache-2.0 */
/*
 * configuration.h - Harbor's system configuration as a whole: the settings of the system
 * (settings/system.h) and the first identity provider of each kind (identity_provider.h), which
 * Harbor keeps among the same flat keys.
 */
#pragma once

#include "auth/auth.h"
#include "codec/json.h"
#include "codec/json_writer.h"

/* Whether a PUT with this key changes something; Harbor ignores the others. */
bool configuration_owns_key(str key);

/* All of them, as members `"read_only":{"value":…,"editable":…}` of the object begun. No secret is
 * among them. */
err_t configuration_write(struct ctx *ctx, struct auth *auth, int64_t tenant_id,
			  struct json_writer *w);

/*
 * Takes over the members of a flat object, all or none: one transaction. Null and unknown ones are
 * ignored. When it returns they count. ERR_REQUEST_INVALID for a value that cannot be, ERR_DENIED
 * for one that the server's options have fixed.
 */
err_t configuration_put(struct ctx *ctx, struct auth *auth, int64_t tenant_id,
			const struct json_value *flat);
