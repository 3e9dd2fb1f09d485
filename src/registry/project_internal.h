/* SPDX-License-Identifier: Apache-2.0 */
/* project_internal.h - what project.c and project_change.c share. */
#pragma once

#include "codec/reference.h"
#include "registry/project.h"

#define PROJECT_NAME_MAX 255

/* A row, its quota, and its owner as the project's administrator. ERR_EXISTS, unrecorded; ERR_QUOTA
 * when its tenant may have no more. */
err_t project_insert(struct ctx *ctx, struct sql_tx *tx, struct registry *registry,
		     struct project *row, int64_t storage_limit_bytes);

/* False when `name`, of a project or of a repository, has come to mean another project than was
 * decided about (ctx->project). */
static inline bool project_is_meant(const struct ctx *ctx, str name, int64_t project_id)
{
	return !ctx->project_id || ctx->project_id == project_id ||
	       !str_eq(reference_project(name), ctx->project);
}

/* After a commit: what was remembered of it. */
void project_forget(struct ctx *ctx, struct registry *registry, int64_t id, str name);
