/* SPDX-License-Identifier: Apache-2.0 */
/* repository.h - repositories, found by their full name, which is one in its tenant. */
#pragma once

#include "sql/sql.h"

struct repository {
	int64_t id;
	int64_t project_id;
	bool is_public;
};

err_t db_repository_find(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, str name,
			 struct repository *ret);

/* Makes the repository, in its project's tenant, unless it is there. */
err_t db_repository_ensure(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, str name);

/* Names of repositories with a manifest. */
struct repository_query {
	int64_t tenant_id;
	str last; /* after this one */
	bool all; /* otherwise only those of public projects */
	size_t max;
};
err_t db_repository_page(struct ctx *ctx, struct sql_tx *tx, const struct repository_query *query,
			 str **ret, size_t *ret_count);
