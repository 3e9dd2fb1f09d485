/* SPDX-License-Identifier: Apache-2.0 */
/* immutable.c - see immutable.h. */
#include "db/immutable.h"
#include "immutable.sql.h"
#include "rows.h"

#include "base/banned.h"

static void read_rule(struct ctx *ctx, const struct sql_rows *rows, void *item)
{
	struct immutable_rule *rule = item;
	*rule = (struct immutable_rule){
		.id = sql_i64(rows, 0),
		.priority = sql_i64(rows, 1),
		.disabled = sql_i64(rows, 2) != 0,
		.tag_excludes = sql_i64(rows, 3) != 0,
		.repository_excludes = sql_i64(rows, 4) != 0,
		.allow_same = sql_i64(rows, 5) != 0,
		.signatures = sql_i64(rows, 6) != 0,
		.after_h = sql_i64(rows, 7),
	};
	for (unsigned i = 0; i < IMMUTABLE_TEXTS; i++)
		*immutable_text(rule, i) = db_text(ctx, rows, (int)(8 + i));
}

err_t db_immutable_list(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
			struct immutable_rule **ret, size_t *ret_count)
{
	static const struct row_reader reader = { sizeof(struct immutable_rule), read_rule };
	return db_rows_read(ctx, tx, &SQL_IMMUTABLE_LIST,
			    SQL_ARGS(SQL_I64(project_id), SQL_I64(IMMUTABLE_RULES_MAX)), &reader,
			    (void **)ret, ret_count);
}

err_t db_immutable_hold(struct ctx *ctx, struct sql_tx *tx, int64_t project_id)
{
	int64_t id;
	return db_one_i64(ctx, tx, &SQL_IMMUTABLE_HOLD_PROJECT, SQL_ARGS(SQL_I64(project_id)), &id);
}

#define RULE_VALUES(project, rule)                                                                 \
	SQL_I64(project), SQL_I64((rule)->priority), SQL_I64((rule)->disabled),                    \
		SQL_I64((rule)->tag_excludes), SQL_I64((rule)->repository_excludes),               \
		SQL_I64((rule)->allow_same), SQL_I64((rule)->signatures),                          \
		SQL_I64((rule)->after_h), SQL_TEXT((rule)->tags), SQL_TEXT((rule)->repositories),  \
		SQL_TEXT((rule)->except_tags), SQL_TEXT((rule)->except_repositories),              \
		SQL_TEXT((rule)->except_identities)

err_t db_immutable_insert(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
			  const struct immutable_rule *rule, int64_t *ret_id)
{
	return db_one_i64(ctx, tx, &SQL_IMMUTABLE_INSERT, SQL_ARGS(RULE_VALUES(project_id, rule)),
			  ret_id);
}

err_t db_immutable_update(struct ctx *ctx, struct sql_tx *tx, int64_t project_id,
			  const struct immutable_rule *rule)
{
	return db_exec_one(ctx, tx, &SQL_IMMUTABLE_UPDATE,
			   SQL_ARGS(RULE_VALUES(project_id, rule), SQL_I64(rule->id)));
}

err_t db_immutable_delete(struct ctx *ctx, struct sql_tx *tx, int64_t project_id, int64_t id)
{
	return db_exec_one(ctx, tx, &SQL_IMMUTABLE_DELETE,
			   SQL_ARGS(SQL_I64(project_id), SQL_I64(id)));
}

err_t db_immutable_delete_all(struct ctx *ctx, struct sql_tx *tx, int64_t project_id)
{
	return sql_exec(ctx, tx, &SQL_IMMUTABLE_DELETE_ALL, SQL_ARGS(SQL_I64(project_id)), NULL);
}
