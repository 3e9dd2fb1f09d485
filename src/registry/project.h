/* SPDX-License-Identifier: Apache-2.0 */
/* project.h - projects by name, remembered. */
#pragma once

#include "db/project.h"
#include "registry/registry.h"

struct project_info {
	int64_t id;
	bool is_public;
};

/* ERR_ABSENT, unrecorded, when there is no such project. */
err_t project_find(struct ctx *ctx, struct registry *registry, str name, struct project_info *ret);

/* The same by id; its name lies in the arena. */
err_t project_find_id(struct ctx *ctx, struct registry *registry, int64_t id, str *ret_name,
		      struct project_info *ret);

/* The whole row; ERR_ABSENT likewise. Reads the database. */
err_t project_get(struct ctx *ctx, struct registry *registry, str name, struct project *ret);

err_t project_create(struct ctx *ctx, struct registry *registry, str name,
		     bool is_public); /* ERR_EXISTS */
err_t project_set_public(struct ctx *ctx, struct registry *registry, str name,
			 bool is_public); /* ERR_ABSENT */
err_t project_page(struct ctx *ctx, struct registry *registry, str last, bool all, size_t max,
		   struct project **ret, size_t *ret_count);
