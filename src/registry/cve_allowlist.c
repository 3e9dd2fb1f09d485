/* SPDX-License-Identifier: Apache-2.0 */
/* cve_allowlist.c - see cve_allowlist.h. */
#include "registry/cve_allowlist.h"
#include "db/db.h"
#include "internal.h"

#include <stdlib.h>

#include "base/banned.h"

struct work {
	int64_t project_id;
	struct cve_allowlist *found;
	const struct cve_allowlist *wanted;
};

static err_t find_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct work *work = arg;
	return db_cve_allowlist_find(ctx, tx, work->project_id, work->found);
}

static err_t put_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct work *work = arg;
	return db_cve_allowlist_put(ctx, tx, work->wanted);
}

err_t cve_allowlist_get(struct ctx *ctx, struct registry *registry, int64_t project_id,
			struct cve_allowlist *ret)
{
	struct work work = { .project_id = project_id, .found = ret };
	err_t err = db_run(ctx, registry->db, SQL_READ, find_body, &work);
	if (err != ERR_ABSENT)
		return err;
	*ret = (struct cve_allowlist){ .project_id = project_id };
	return OK;
}

err_t cve_allowlist_put(struct ctx *ctx, struct registry *registry,
			const struct cve_allowlist *list)
{
	struct work work = { .wanted = list };
	TRY(cve_allowlist_check(ctx, list));
	return db_run(ctx, registry->db, SQL_WRITE, put_body, &work);
}

static bool is_cve_id(str id)
{
	for (size_t i = 0; i < id.len; i++)
		if (id.ptr[i] <= ' ' || id.ptr[i] >= 0x7f)
			return false;
	return id.len && id.len <= CVE_ID_BYTES_MAX;
}

static int compare_ids(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

err_t cve_allowlist_check(struct ctx *ctx, const struct cve_allowlist *list)
{
	if (list->count > CVE_ALLOWLIST_IDS_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "more than %d CVEs", CVE_ALLOWLIST_IDS_MAX);
	if (list->expires_at_s < 0)
		return fail(ctx, ERR_REQUEST_INVALID, "expires_at is before 1970");
	str *sorted = ARENA_ARRAY(ctx->arena, str, list->count);
	for (size_t i = 0; i < list->count; i++) {
		sorted[i] = list->cve_ids[i];
		if (!is_cve_id(sorted[i]))
			return fail(ctx, ERR_REQUEST_INVALID, "CVE %zu is no id", i);
	}
	qsort(sorted, list->count, sizeof *sorted, compare_ids);
	for (size_t i = 1; i < list->count; i++)
		if (str_eq(sorted[i - 1], sorted[i]))
			return fail(ctx, ERR_REQUEST_INVALID, STR_FMT " is there twice",
				    STR_ARG(sorted[i]));
	return OK;
}

bool cve_allowlist_has(const struct cve_allowlist *list, str cve_id, int64_t now_s)
{
	if (list->expires_at_s && list->expires_at_s < now_s)
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (str_eq(list->cve_ids[i], cve_id))
			return true;
	return false;
}
