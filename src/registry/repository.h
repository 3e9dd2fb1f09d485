/* SPDX-License-Identifier: Apache-2.0 */
/* repository.h - repositories by their full name ("project/rest"), remembered. */
#pragma once

#include "registry/registry.h"

/* ERR_NAME_UNKNOWN when there is no such repository. */
err_t repository_find(struct ctx *ctx, struct registry *registry, str name, int64_t *ret_id);

/* Whose push may make the project it names. */
struct project_maker {
	int64_t id; /* of his account, which then owns it; 0: he has none */
	str name;
	bool made; /* set when it did */
};

/*
 * Finds the repository or makes it. Its project is made too when there is a `maker`; without one
 * (NULL) a missing project is ERR_NAME_UNKNOWN.
 */
err_t repository_ensure(struct ctx *ctx, struct registry *registry, str name,
			struct project_maker *maker, int64_t *ret_id);
