/* SPDX-License-Identifier: Apache-2.0 */
/*
 * label.h - words that people put on artifacts: of the whole tenant, or of one project.
 *
 * Callers have decided who may: a label of the tenant is its administrators', one of a project its
 * members'.
 */
#pragma once

#include "db/label.h"
#include "registry/registry.h"

#define LABEL_NAME_MAX	128
#define LABELS_WORN_MAX 100 /* by one artifact */

struct label_page {
	struct label *items;
	size_t count;
	int64_t total;
};

/* ERR_EXISTS; ERR_NOT_FOUND when the project is gone. `label->tenant_id` is set to ctx's. */
err_t label_create(struct ctx *ctx, struct registry *registry, struct label *label);
/* ERR_NOT_FOUND, as of a label of another tenant. */
err_t label_get(struct ctx *ctx, struct registry *registry, int64_t id, struct label *ret);
err_t label_list(struct ctx *ctx, struct registry *registry, const struct label_query *query,
		 struct label_page *ret);
/* Name, description and color. ERR_EXISTS, ERR_NOT_FOUND. */
err_t label_update(struct ctx *ctx, struct registry *registry, const struct label *label);
err_t label_delete(struct ctx *ctx, struct registry *registry, int64_t id);

/* ERR_EXISTS when the artifact wears it, ERR_NOT_FOUND, ERR_LIMIT. */
err_t label_put_on(struct ctx *ctx, struct registry *registry, int64_t artifact_id,
		   int64_t label_id);
/* ERR_NOT_FOUND when the artifact does not wear it. */
err_t label_take_off(struct ctx *ctx, struct registry *registry, int64_t artifact_id,
		     int64_t label_id);
