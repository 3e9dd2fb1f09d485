/* SPDX-License-Identifier: Apache-2.0 */
/* repository.h - repositories by their full name ("project/rest"), remembered. */
#pragma once

#include "registry/registry.h"

/* ERR_NAME_UNKNOWN when there is no such repository. */
err_t repository_find(struct ctx *ctx, struct registry *registry, str name, int64_t *ret_id);

/*
 * Finds the repository or makes it. Its project is made too when `may_create_project`; without that
 * a missing project is ERR_NAME_UNKNOWN.
 */
err_t repository_ensure(struct ctx *ctx, struct registry *registry, str name,
			bool may_create_project, int64_t *ret_id);
