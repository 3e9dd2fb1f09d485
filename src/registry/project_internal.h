/* SPDX-License-Identifier: Apache-2.0 */
/* project_internal.h - what project.c and project_change.c share. */
#pragma once

#include "registry/project.h"

#define PROJECT_NAME_MAX 255

/* A row, its quota, and its owner as the project's administrator. ERR_EXISTS, unrecorded; ERR_QUOTA
 * when its tenant may have no more. */
err_t project_insert(struct ctx *ctx, struct sql_tx *tx, struct registry *registry,
		     struct project *row, int64_t storage_limit_bytes);

/* After a commit: what was remembered of it. */
void project_forget(struct ctx *ctx, struct registry *registry, int64_t id, str name);
