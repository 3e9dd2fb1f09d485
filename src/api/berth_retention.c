/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth_retention.c - retention beyond Harbor's API: by the project's name, with a preview of rules
 * that nobody keeps, and with the reason for each artifact or tag, page by page.
 */
#include "api/audit.h"
#include "api/handlers_retention.h"
#include "api/retention_view.h"
#include "registry/expiry.h"

#include <string.h>

#include "base/banned.h"

#define LINES_MAX MIB(4)

static struct registry *registry_of(struct request *rq)
{
	return rq->api->options.registry;
}

static err_t find(struct ctx *ctx, struct request *rq, struct retention_row *ret)
{
	return retention_of_project(ctx, registry_of(rq), rq->project_found.id, ret);
}

/* --- the policy ------------------------------------------------------------------------------- */

static err_t answer_policy(struct ctx *ctx, struct request *rq, const struct retention_row *row)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	retention_write_policy(ctx, &w, row);
	json_write_bool(&w, "tried", row->tried_version == row->version);
	json_write_time(&w, "creation_time", row->created_at_us);
	json_write_time(&w, "update_time", row->updated_at_us);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

err_t berth_retention_get(struct ctx *ctx, struct request *rq)
{
	struct retention_row row;
	TRY(find(ctx, rq, &row));
	return answer_policy(ctx, rq, &row);
}

/* Whether there was one or not, there is this one then. */
err_t berth_retention_put(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct retention_body body;
	struct retention_row row;
	TRY(body_read(ctx, rq, &doc));
	TRY(retention_body_read(ctx, doc.root, &body));
	err_t err = find(ctx, rq, &row);
	if (err == ERR_NOT_FOUND) {
		ctx_forgive(ctx);
		row = (struct retention_row){ .project_id = rq->project_found.id,
					      .rules = body.rules,
					      .cron = body.cron };
		TRY(retention_make(ctx, rq, &row));
	} else {
		TRY(err);
		TRY(retention_change(ctx, rq, &row, &body));
	}
	TRY(find(ctx, rq, &row));
	return answer_policy(ctx, rq, &row);
}

err_t berth_retention_delete(struct ctx *ctx, struct request *rq)
{
	struct retention_row row;
	TRY(find(ctx, rq, &row));
	TRY(retention_remove(ctx, rq, &row));
	return answer_empty(rq, 200);
}

/* --- runs ------------------------------------------------------------------------------------- */

static err_t answer_started(struct ctx *ctx, struct request *rq, int64_t id)
{
	exchange_header(rq->x, STR("Location"),
			arena_printf(ctx->arena, "/api/berth/v1/projects/%lld/retention/runs/%lld",
				     (long long)rq->project_found.id, (long long)id));
	return answer_empty(rq, 201);
}

err_t berth_retention_preview(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct retention_body body;
	struct retention_wish wish = { .project_id = rq->project_found.id, .dry = true };
	int64_t id;
	TRY(body_read(ctx, rq, &doc));
	TRY(retention_body_read(ctx, doc.root, &body));
	wish.rules = body.rules;
	TRY(retention_start(ctx, rq, &wish, &id));
	return answer_started(ctx, rq, id);
}

err_t berth_retention_start(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct retention_wish wish = { 0 };
	struct retention_row row;
	int64_t id;
	static const struct json_field fields[] = {
		JSON_FIELD_BOOL(struct retention_wish, "dry_run", dry),
		JSON_FIELD_BOOL(struct retention_wish, "force", forced),
	};
	TRY(find(ctx, rq, &row));
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &wish));
	wish.project_id = row.project_id;
	wish.policy_id = row.id;
	TRY(retention_start(ctx, rq, &wish, &id));
	return answer_started(ctx, rq, id);
}

static void write_run(struct json_writer *w, const struct job_row *row)
{
	json_write_i64(w, "id", row->id);
	json_write_str(w, "status", str_from(background_status(row)));
	json_write_str(w, "trigger", str_from(background_trigger(row->cause)));
	json_write_str(w, "asked_by", row->asked_by);
	json_write_bool(w, "dry_run", retention_run_is_dry(row));
	json_write_str(w, "error", row->error);
	json_write_time(w, "creation_time", row->created_at_us);
	json_write_time(w, "start_time", row->started_at_us);
	json_write_time(w, "end_time", row->finished_at_us);
}

err_t berth_retention_runs(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct job_row *rows;
	size_t count;
	int64_t total;
	TRY(list_begin(ctx, rq, &list));
	TRY(retention_runs(ctx, rq, rq->project_found.id, &list, &rows, &count, &total));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++) {
		json_write_object_begin(&w, NULL);
		write_run(&w, &rows[i]);
		json_write_object_end(&w);
	}
	json_write_array_end(&w);
	return list_answer(rq, &list, total, &body);
}

static void write_task(struct json_writer *w, const struct retention_task *task,
		       const struct job_row *row)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", task->id);
	json_write_str(w, "repository", task->repository);
	json_write_str(w, "status", str_from(retention_task_status(task, row)));
	json_write_i64(w, "total", task->total);
	json_write_i64(w, "retained", task->retained);
	json_write_time(w, "start_time", task->started_at_us);
	json_write_time(w, "end_time", task->finished_at_us);
	json_write_object_end(w);
}

/* A run with a page of its tasks. */
err_t berth_retention_run(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct job_row row;
	TRY(list_begin(ctx, rq, &list));
	TRY(retention_run_find(ctx, rq, rq->project_found.id, rq->id, &row));
	struct retention_tasks tasks = { .job_id = row.id,
					 .max = list.page_size,
					 .offset = list.offset };
	TRY(retention_tasks(ctx, registry_of(rq), &tasks));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	write_run(&w, &row);
	json_write_array_begin(&w, "tasks");
	for (size_t i = 0; i < tasks.count; i++)
		write_task(&w, &tasks.list[i], &row);
	json_write_array_end(&w);
	json_write_object_end(&w);
	return list_answer(rq, &list, tasks.total, &body);
}

err_t berth_retention_stop(struct ctx *ctx, struct request *rq)
{
	struct job_row row;
	TRY(retention_run_find(ctx, rq, rq->project_found.id, rq->id, &row));
	TRY(background_end(ctx, rq, row.id));
	return answer_empty(rq, 200);
}

/* Page `page` (from 1) of what was decided in one repository; an empty one is behind the last. */
err_t berth_retention_lines(struct ctx *ctx, struct request *rq)
{
	struct job_row row;
	struct retention_task task;
	int64_t page;
	str lines;
	TRY(query_i64(ctx, rq, STR("page"), 1, &page));
	TRY(retention_run_find(ctx, rq, rq->project_found.id, rq->id, &row));
	TRY(retention_task(ctx, registry_of(rq), row.id, rq->sub_id, &task));
	err_t err = page < 1 ? ERR_ABSENT
			     : retention_lines(ctx, registry_of(rq), task.id, page - 1, &lines);
	if (err == ERR_ABSENT)
		lines = STR("[]");
	else
		TRY(err);
	CLEANUP(buf_done) struct buf body = BUF_INIT(LINES_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "repository", task.repository);
	json_write_i64(&w, "total", task.total);
	json_write_i64(&w, "retained", task.retained);
	json_write_i64(&w, "page", page);
	json_write_raw(&w, "lines", lines);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

/* --- what expires ----------------------------------------------------------------------------- */

static err_t write_expiry(struct ctx *ctx, struct request *rq, struct json_writer *w,
			  const struct expiry_row *row)
{
	struct retention_tag *tags;
	size_t count;
	TRY(expiry_tags(ctx, registry_of(rq), row->manifest_id, &tags, &count));
	json_write_object_begin(w, NULL);
	json_write_str(w, "repository", row->repository);
	json_write_str(w, "digest", row->digest_text);
	json_write_str(w, "cursor",
		       arena_printf(ctx->arena, "%lld-%lld", (long long)row->due_at_us,
				    (long long)row->manifest_id));
	if (!count)
		json_write_time(w, "expires_at", expiry_time(&row->expiry, row->pushed_at_us));
	json_write_array_begin(w, "tags");
	for (size_t i = 0; i < MIN(count, RETENTION_LINE_TAGS); i++) {
		json_write_object_begin(w, NULL);
		json_write_str(w, "name", tags[i].name);
		json_write_time(w, "expires_at", expiry_time(&row->expiry, tags[i].pushed_at_us));
		json_write_object_end(w);
	}
	json_write_array_end(w);
	json_write_object_end(w);
	return OK;
}

static err_t read_cursor(struct ctx *ctx, struct request *rq, struct expiry_row *after)
{
	str cursor = request_query(rq, STR("cursor")), due, id;
	uint64_t due_at_us, manifest_id;
	if (!cursor.len)
		return OK;
	if (!str_cut(cursor, '-', &due, &id) || !str_to_u64(due, INT64_MAX, &due_at_us) ||
	    !str_to_u64(id, INT64_MAX, &manifest_id))
		return fail(ctx, ERR_UNPROCESSABLE, "cursor is none of a row of this list");
	after->due_at_us = (int64_t)due_at_us;
	after->manifest_id = (int64_t)manifest_id;
	return OK;
}

/* What is due next, first; a page goes on behind the `cursor` of the last row. */
err_t berth_expiry_list(struct ctx *ctx, struct request *rq)
{
	struct expiry_row *rows, after = { .project_id = rq->project_found.id };
	size_t count;
	int64_t max;
	TRY(read_cursor(ctx, rq, &after));
	TRY(query_i64(ctx, rq, STR("page_size"), HARBOR_PAGE_SIZE_MAX, &max));
	max = MAX(MIN(max, HARBOR_PAGE_SIZE_MAX), 1);
	TRY(expiry_list(ctx, registry_of(rq), &after, max, &rows, &count));
	CLEANUP(buf_done) struct buf body = BUF_INIT(LINES_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++)
		TRY(write_expiry(ctx, rq, &w, &rows[i]));
	json_write_array_end(&w);
	return answer_object(ctx, rq, &body);
}
