/* SPDX-License-Identifier: Apache-2.0 */
/* tenant_fixture.h - another tenant, for tests of what is whose; for db_run(), `arg` an int64_t. */
#pragma once

#include "db/storage.h"
#include "db/tenant.h"

static err_t make_tenant(struct ctx *c, struct sql_tx *tx, void *ret_id)
{
	struct storage_row storage = { .name = STR("another"),
				       .driver = STR("filesystem"),
				       .location = STR("another"),
				       .settings = STR("{}"),
				       .secrets = STR("") };
	struct tenant_row tenant = { .name = STR("another"), .title = STR(""), .reason = STR("") };
	TRY(db_storage_insert(c, tx, &storage));
	tenant.storage_id = storage.id;
	TRY(db_tenant_insert(c, tx, &tenant));
	*(int64_t *)ret_id = tenant.id;
	return OK;
}
