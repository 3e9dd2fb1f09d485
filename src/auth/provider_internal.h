/* SPDX-License-Identifier: Apache-2.0 */
/* provider_internal.h - what the files of identity providers share. */
#pragma once

#include "auth/identity_provider.h"

struct setting {
	enum provider_kind kind;
	enum setting_type type;
	const char *name;	/* in the row's JSON */
	const char *harbor_key; /* may be NULL */
	str fallback;
};

extern const struct setting provider_settings[PROVIDER_SETTING_COUNT];

/* The members of the provider's kind, secret ones or the others. */
err_t provider_read_members(struct ctx *ctx, const struct json_value *object,
			    struct identity_provider *p, size_t *ret_taken);
void provider_write_members(struct json_writer *w, const struct identity_provider *p, bool secret);

/* identity_provider_put_configuration() in the caller's transaction. */
err_t provider_put_configuration(struct ctx *ctx, const struct identity_providers *ips,
				 struct sql_tx *tx, int64_t tenant_id,
				 const struct json_value *flat);

/* "oidc_auth"; NULL for kinds that Harbor does not know. */
const char *provider_auth_mode_of(enum provider_kind kind);
