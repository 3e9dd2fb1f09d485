/* SPDX-License-Identifier: Apache-2.0 */
/* configuration.c - see configuration.h. */
#include "auth/configuration.h"
#include "auth/outside.h"
#include "internal.h"
#include "provider_internal.h"

#include "db/db.h"
#include "settings/system.h"

#include "base/banned.h"

bool configuration_owns_key(str key)
{
	return identity_provider_owns_key(key) || system_owns_key(key);
}

err_t configuration_write(struct ctx *ctx, struct auth *auth, int64_t tenant_id,
			  struct json_writer *w)
{
	TRY(identity_provider_get_configuration(ctx, &auth->outside->providers, tenant_id, true,
						w));
	system_write(ctx, w, auth->settings);
	return OK;
}

struct work {
	struct auth *auth;
	int64_t tenant_id;
	const struct json_value *flat;
};

static err_t put_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct work *work = arg;
	TRY(provider_put_configuration(ctx, &work->auth->outside->providers, tx, work->tenant_id,
				       work->flat));
	return system_put(ctx, tx, work->auth->settings, work->flat);
}

err_t configuration_put(struct ctx *ctx, struct auth *auth, int64_t tenant_id,
			const struct json_value *flat)
{
	struct work work = { auth, tenant_id, flat };
	if (!auth->settings)
		return fail(ctx, ERR_INTERNAL, "there are no settings");
	TRY(db_run(ctx, auth->db, SQL_WRITE, put_body, &work));
	return system_refresh(ctx, auth->settings);
}
