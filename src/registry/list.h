/* SPDX-License-Identifier: Apache-2.0 */
/* list.h - pages of names: the cost of a page is the cost of a page. */
#pragma once

#include "registry/registry.h"

struct name_page {
	str *names; /* in byte order */
	size_t count;
	bool more; /* there are names after the last one */
};

/* Tags after `last` (which need not exist). ERR_NAME_UNKNOWN. */
err_t tag_list(struct ctx *ctx, struct registry *registry, str repository, str last, size_t max,
	       struct name_page *ret);

/* Repositories with a manifest after `last`; only those of public projects unless `all`. */
err_t catalog_list(struct ctx *ctx, struct registry *registry, str last, bool all, size_t max,
		   struct name_page *ret);
