/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repository.h - repositories by their full name ("project/rest"), remembered.
 *
 * Each is found by its name, by one that it had, and by one that its project had (rename.h). In
 * the project that ctx names (ctx->project), a name that leads to another is unknown.
 */
#pragma once

#include "codec/reference.h"
#include "registry/registry.h"

/* ERR_NAME_UNKNOWN when there is no such repository. */
err_t repository_find(struct ctx *ctx, struct registry *registry, str name, int64_t *ret_id);

/* Where a name leads, or would: what decisions are about. */
struct repository_place {
	int64_t project_id; /* 0: there is no such project */
	str name;	    /* the present one, in the arena, or the name asked for */
};
err_t repository_place(struct ctx *ctx, struct registry *registry, str name,
		       struct repository_place *ret);

/* The same for who is about to pull: if the repository is to be looked up, this manifest is fetched
 * with it and remembered, whoever may see it in the end. */
err_t repository_place_pulled(struct ctx *ctx, struct registry *registry, str name,
			      const struct reference *wanted, struct repository_place *ret);

/* "project/rest", in the arena. */
str repository_name(struct ctx *ctx, str project, str rest);

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
