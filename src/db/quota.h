/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quota.h - limits of tenants and projects, and what is used of them.
 *
 * A charge belongs to the transaction that makes what is charged, as its last statement: it takes a
 * lock that many may want. It counts for the project and for its tenant, exactly: it is refused
 * when it does not fit into what is left, and never otherwise. Charges of the same project do not
 * wait for each other, as long as one of its stripes is free (see the migration).
 *
 * A holder without a row is unlimited and uses nothing; the first charge makes it.
 */
#pragma once

#include "sql/sql.h"

#define QUOTA_UNLIMITED INT64_C(-1)
#define QUOTA_LIMIT_MAX (INT64_C(1) << 50) /* of bytes, and of everything else */

enum quota_scope { QUOTA_TENANT = 1, QUOTA_PROJECT = 2 };

/* X(name, text): what can be limited, in the order of the columns. */
#define QUOTA_RESOURCES(X)                                                                         \
	X(STORAGE, "storage") /* bytes: blobs and manifests */                                     \
	X(REPOSITORIES, "repositories")                                                            \
	X(TAGS, "tags")                                                                            \
	X(ARTIFACTS, "artifacts") /* manifests: an index and each of its images */                 \
	X(PROJECTS, "projects")	  /* of a tenant only */

enum quota_resource {
#define QUOTA_ENUM(name, text) QUOTA_##name,
	QUOTA_RESOURCES(QUOTA_ENUM)
#undef QUOTA_ENUM
		QUOTA_RESOURCE_COUNT,
};

struct quota_charge {
	int64_t repository_id; /* whose project's; 0: see project_id */
	int64_t project_id;
	int64_t more[QUOTA_RESOURCE_COUNT]; /* or less */
	int64_t more_reserved_bytes;
	bool even_beyond; /* the project's limits count, and do not refuse */
};

/* What a charge fell on, or what refused it. */
struct quota_charged {
	bool limited; /* project or tenant has limits: it may have passed a threshold */
	enum quota_scope refused_by;
	int64_t project_id, tenant_id; /* set when limited or refused */
};

/* ERR_EXISTS, unrecorded, when it does not fit: `*ret` says whose quota refused. */
err_t db_quota_charge(struct ctx *ctx, struct sql_tx *tx, const struct quota_charge *charge,
		      struct quota_charged *ret);

struct quota {
	enum quota_scope scope;
	int64_t holder_id;
	int64_t tenant_id;		     /* whose project it is, or itself */
	int64_t limit[QUOTA_RESOURCE_COUNT]; /* QUOTA_UNLIMITED */
	int64_t used[QUOTA_RESOURCE_COUNT];
	int64_t reserved_bytes; /* by uploads that run */
	int64_t warned_percent; /* the highest threshold that was reported */
	int64_t created_at_us, updated_at_us;
	str name;  /* of the project or tenant */
	str owner; /* of the project */
};

/* ERR_ABSENT, unrecorded. */
err_t db_quota_get(struct ctx *ctx, struct sql_tx *tx, enum quota_scope scope, int64_t holder_id,
		   struct quota *ret);

/* Makes the row and its stripes unless they are there. */
err_t db_quota_ensure(struct ctx *ctx, struct sql_tx *tx, enum quota_scope scope,
		      int64_t holder_id);

/* New limits, all of them; makes the row if need be. They may be below what is used: then nothing
 * fits until enough was freed. */
err_t db_quota_limit(struct ctx *ctx, struct sql_tx *tx, enum quota_scope scope, int64_t holder_id,
		     const int64_t limit[QUOTA_RESOURCE_COUNT]);

err_t db_quota_delete(struct ctx *ctx, struct sql_tx *tx, enum quota_scope scope,
		      int64_t holder_id);

/* At most `max` who are at another threshold (0, `percent` or 100) than was reported. */
err_t db_quota_passed(struct ctx *ctx, struct sql_tx *tx, int64_t percent, size_t max,
		      struct quota **ret, size_t *ret_count);

/* Remembers that a threshold was reported; ERR_ABSENT, unrecorded, when somebody else was first. */
err_t db_quota_warn(struct ctx *ctx, struct sql_tx *tx, const struct quota *quota, int64_t percent);

/* How many bytes still fit into the quota of a repository's project and tenant; `*ret_limited` is
 * false when there is no limit at all. Others may take them meanwhile. */
err_t db_quota_room(struct ctx *ctx, struct sql_tx *tx, int64_t repository_id, int64_t *ret_bytes,
		    bool *ret_limited);

/* --- lists: a tenant's projects -----------------------------------------------------------------
 */

enum quota_order {
	QUOTA_BY_ID,
	QUOTA_BY_CREATION,
	QUOTA_BY_UPDATE,
	QUOTA_BY_LIMIT,
	QUOTA_BY_USED,
	QUOTA_ORDER_COUNT,
};
struct quota_query {
	int64_t tenant_id;
	int64_t project_id; /* 0: all */
	enum quota_order order;
	bool descending;
	int64_t limit, offset;
};
err_t db_quota_count(struct ctx *ctx, struct sql_tx *tx, const struct quota_query *query,
		     int64_t *ret);
err_t db_quota_page(struct ctx *ctx, struct sql_tx *tx, const struct quota_query *query,
		    struct quota **ret, size_t *ret_count);

/* --- proof --------------------------------------------------------------------------------------
 */

/* Holders whose rows say something else than what is there, or whose room does not add up. */
struct quota_wrong {
	enum quota_scope scope;
	int64_t holder_id;
	str name;
	struct quota actual, said; /* `used` and `reserved_bytes` */
};
err_t db_quota_wrong(struct ctx *ctx, struct sql_tx *tx, size_t max, struct quota_wrong **ret,
		     size_t *ret_count);

/* Counts one anew while nobody can charge it, and writes down what is there. */
err_t db_quota_recount(struct ctx *ctx, struct sql_tx *tx, enum quota_scope scope,
		       int64_t holder_id);
