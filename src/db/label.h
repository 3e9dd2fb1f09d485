/* SPDX-License-Identifier: Apache-2.0 */
/* label.h - labels of a tenant or of one of its projects, and the artifacts that wear them. */
#pragma once

#include "sql/sql.h"

struct label {
	int64_t id;
	int64_t tenant_id;
	int64_t project_id; /* 0: of the whole tenant */
	str name;	    /* one of its kind in the project or in the tenant */
	str description;
	str color;
	int64_t created_at_us, updated_at_us;
	int64_t artifact_id; /* of db_label_on_artifacts(): who wears it */
};

/* ERR_EXISTS when there is one of that name; ERR_ABSENT when the project is gone. */
err_t db_label_insert(struct ctx *ctx, struct sql_tx *tx, const struct label *label,
		      int64_t *ret_id);
/* ERR_EXISTS likewise. */
err_t db_label_update(struct ctx *ctx, struct sql_tx *tx, const struct label *label);
err_t db_label_get(struct ctx *ctx, struct sql_tx *tx, int64_t tenant_id, int64_t id,
		   struct label *ret);
/* Off all artifacts too; ERR_ABSENT. */
err_t db_label_delete(struct ctx *ctx, struct sql_tx *tx, int64_t id);

enum label_order {
	LABEL_BY_NAME,
	LABEL_BY_CREATION,
	LABEL_BY_UPDATE,
	LABEL_BY_ID,
	LABEL_ORDER_COUNT,
};

struct label_query {
	int64_t tenant_id;
	int64_t project_id; /* 0: those of the tenant */
	str name_like;	    /* for LIKE; empty: any */
	enum label_order order;
	bool descending;
	int64_t max, offset;
};
err_t db_label_count(struct ctx *ctx, struct sql_tx *tx, const struct label_query *query,
		     int64_t *ret);
err_t db_label_page(struct ctx *ctx, struct sql_tx *tx, const struct label_query *query,
		    struct label **ret, size_t *ret_count);

/* ERR_EXISTS when the artifact wears it; ERR_ABSENT when one of them is gone. */
err_t db_label_put_on(struct ctx *ctx, struct sql_tx *tx, int64_t artifact_id, int64_t label_id);
err_t db_label_take_off(struct ctx *ctx, struct sql_tx *tx, int64_t artifact_id, int64_t label_id);
err_t db_label_count_on(struct ctx *ctx, struct sql_tx *tx, int64_t artifact_id, int64_t *ret);

/* Of the artifacts whose ids are listed as "1,2,3". */
err_t db_label_on_artifacts(struct ctx *ctx, struct sql_tx *tx, str ids, size_t max,
			    struct label **ret, size_t *ret_count);
