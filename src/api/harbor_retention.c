/* SPDX-License-Identifier: Apache-2.0 */
/* harbor_retention.c - the retention of projects in Harbor's API; berth_retention.c has what it
 * does not know. */
#include "api/audit.h"
#include "api/handlers_retention.h"
#include "api/retention_view.h"

#include <string.h>

#include "base/banned.h"

#define WORD_MAX     16
#define LOG_MAX	     MIB(4)
#define STATUS_FINAL 3 /* Harbor's number of Success, Error and Stopped */

static struct registry *registry_of(struct request *rq)
{
	return rq->api->options.registry;
}

/* --- what there can be ------------------------------------------------------------------------ */

static void write_template(struct json_writer *w, const struct retention_template_info *info)
{
	json_write_object_begin(w, NULL);
	json_write_str(w, "rule_template", str_from(info->name));
	json_write_str(w, "display_text", str_from(info->text));
	json_write_str(w, "action", STR("retain"));
	json_write_array_begin(w, "params");
	if (*info->unit) {
		json_write_object_begin(w, NULL);
		json_write_str(w, "type", STR("int"));
		json_write_str(w, "unit", str_from(info->unit));
		json_write_bool(w, "required", true);
		json_write_object_end(w);
	}
	json_write_array_end(w);
	json_write_object_end(w);
}

static void write_selector(struct json_writer *w, const char *key, const char *text,
			   const char *const decorations[2])
{
	json_write_array_begin(w, key);
	json_write_object_begin(w, NULL);
	json_write_str(w, "display_text", str_from(text));
	json_write_str(w, "kind", STR("doublestar"));
	json_write_array_begin(w, "decorations");
	json_write_str(w, NULL, str_from(decorations[0]));
	json_write_str(w, NULL, str_from(decorations[1]));
	json_write_array_end(w);
	json_write_object_end(w);
	json_write_array_end(w);
}

err_t harbor_retention_metadata(struct ctx *ctx, struct request *rq)
{
	static const char *const tags[2] = { "matches", "excludes" };
	static const char *const repositories[2] = { "repoMatches", "repoExcludes" };
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_array_begin(&w, "templates");
	for (size_t i = 0; i < RETENTION_TEMPLATE_COUNT; i++)
		write_template(&w, &retention_templates[i]);
	json_write_array_end(&w);
	write_selector(&w, "scope_selectors", "Repositories", repositories);
	write_selector(&w, "tag_selectors", "Tags", tags);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

/* --- policies --------------------------------------------------------------------------------- */

/* Whoever may not in its project must not learn whether there is one. */
static err_t find(struct ctx *ctx, struct request *rq, enum action action,
		  struct retention_row *ret)
{
	TRY(retention_get(ctx, registry_of(rq), rq->id, ret));
	return request_require(ctx, rq, action, ret->project_id);
}

static err_t read_scope(struct ctx *ctx, const struct json_value *root, int64_t *ret_project_id)
{
	struct scope {
		str level;
		int64_t ref;
	} scope = { .level = STR_NONE };
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct scope, "level", level, WORD_MAX),
		JSON_FIELD_I64(struct scope, "ref", ref),
	};
	const struct json_value *object;
	if (json_get_object(root, "scope", &object) != JSON_FOUND)
		return fail(ctx, ERR_REQUEST_INVALID,
			    "scope: an object with level and ref is wanted");
	TRY(body_shape(ctx, object, fields, COUNT_OF(fields), &scope));
	if (!str_eq(scope.level, STR("project")))
		return fail(ctx, ERR_REQUEST_INVALID, "scope.level: only project is known");
	if (scope.ref <= 0)
		return fail(ctx, ERR_REQUEST_INVALID, "scope.ref: the id of a project is wanted");
	*ret_project_id = scope.ref;
	return OK;
}

err_t harbor_retention_create(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct retention_body body;
	struct retention_row row = { 0 };
	struct project_info project;
	TRY(body_read(ctx, rq, &doc));
	TRY(read_scope(ctx, doc.root, &row.project_id));
	TRY(request_require(ctx, rq, ACTION_RETENTION_CREATE, row.project_id));
	TRY(retention_body_read(ctx, doc.root, &body));
	err_t err = project_find_id(ctx, registry_of(rq), row.project_id, &project);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_REQUEST_INVALID, "scope.ref: there is no such project");
	TRY(err);
	row.rules = body.rules;
	row.cron = body.cron;
	err = retention_make(ctx, rq, &row);
	if (err == ERR_EXISTS) {
		ctx_forgive(ctx); /* 400, by which Harbor's Terraform provider knows to update it */
		return fail(ctx, ERR_REQUEST_INVALID, "project %lld already has a retention policy",
			    (long long)row.project_id);
	}
	TRY(err);
	return answer_created(rq, row.id);
}

err_t harbor_retention_get(struct ctx *ctx, struct request *rq)
{
	struct retention_row row;
	TRY(find(ctx, rq, ACTION_RETENTION_READ, &row));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	retention_write_policy(ctx, &w, &row);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

err_t harbor_retention_update(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct retention_body body;
	struct retention_row row;
	int64_t project_id;
	TRY(find(ctx, rq, ACTION_RETENTION_UPDATE, &row));
	TRY(body_read(ctx, rq, &doc));
	TRY(read_scope(ctx, doc.root, &project_id));
	if (project_id != row.project_id)
		return fail(ctx, ERR_REQUEST_INVALID,
			    "scope.ref: the policy is of another project");
	TRY(retention_body_read(ctx, doc.root, &body));
	TRY(retention_change(ctx, rq, &row, &body));
	return answer_empty(rq, 200);
}

err_t harbor_retention_delete(struct ctx *ctx, struct request *rq)
{
	struct retention_row row;
	TRY(find(ctx, rq, ACTION_RETENTION_DELETE, &row));
	TRY(retention_remove(ctx, rq, &row));
	return answer_empty(rq, 200);
}

/* --- executions ------------------------------------------------------------------------------- */

err_t harbor_retention_execute(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct retention_row row;
	struct retention_wish wish = { 0 };
	int64_t id;
	static const struct json_field fields[] = {
		JSON_FIELD_BOOL(struct retention_wish, "dry_run", dry),
	};
	TRY(find(ctx, rq, ACTION_RETENTION_UPDATE, &row));
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &wish));
	wish.project_id = row.project_id;
	wish.policy_id = row.id;
	TRY(retention_start(ctx, rq, &wish, &id));
	return answer_created(rq, id);
}

static void write_execution(struct json_writer *w, const struct retention_row *policy,
			    const struct job_row *row)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", row->id);
	json_write_i64(w, "policy_id", policy->id);
	json_write_str(w, "status", str_from(background_status(row)));
	json_write_str(w, "trigger", str_from(background_trigger(row->cause)));
	json_write_bool(w, "dry_run", retention_run_is_dry(row));
	json_write_time(w, "start_time",
			row->started_at_us ? row->started_at_us : row->created_at_us);
	json_write_time(w, "end_time", row->finished_at_us);
	json_write_object_end(w);
}

err_t harbor_retention_executions(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct retention_row policy;
	struct job_row *rows;
	size_t count;
	int64_t total;
	TRY(list_begin(ctx, rq, &list));
	TRY(find(ctx, rq, ACTION_RETENTION_LIST, &policy));
	TRY(retention_runs(ctx, rq, policy.project_id, &list, &rows, &count, &total));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++)
		write_execution(&w, &policy, &rows[i]);
	json_write_array_end(&w);
	return list_answer(rq, &list, total, &body);
}

err_t harbor_retention_operate(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct retention_row policy;
	struct job_row row;
	struct wanted {
		str action;
	} wanted = { .action = STR_NONE };
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct wanted, "action", action, WORD_MAX),
	};
	TRY(find(ctx, rq, ACTION_RETENTION_UPDATE, &policy));
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &wanted));
	if (!str_eq(wanted.action, STR("stop")))
		return fail(ctx, ERR_REQUEST_INVALID, "action: only stop is known");
	TRY(retention_run_find(ctx, rq, policy.project_id, rq->sub_id, &row));
	TRY(background_end(ctx, rq, row.id));
	return answer_empty(rq, 200);
}

/* --- tasks ------------------------------------------------------------------------------------ */

static void write_task(struct ctx *ctx, struct json_writer *w, const struct retention_task *task,
		       const struct job_row *row)
{
	str project, name;
	if (!str_cut(task->repository, '/', &project, &name))
		name = task->repository;
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", task->id);
	json_write_i64(w, "execution_id", row->id);
	json_write_str(w, "repository", name);
	json_write_str(w, "job_id", arena_printf(ctx->arena, "%lld", (long long)row->id));
	json_write_str(w, "status", str_from(retention_task_status(task, row)));
	json_write_i64(w, "status_code",
		       task->state == RETENTION_RUNS ? STATUS_FINAL - 1 : STATUS_FINAL);
	json_write_i64(w, "status_revision", task->started_at_us / 1000000);
	json_write_time(w, "start_time", task->started_at_us);
	json_write_time(w, "end_time", task->finished_at_us);
	json_write_i64(w, "total", task->total);
	json_write_i64(w, "retained", task->retained);
	json_write_object_end(w);
}

err_t harbor_retention_tasks(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct retention_row policy;
	struct job_row row;
	TRY(list_begin(ctx, rq, &list));
	TRY(find(ctx, rq, ACTION_RETENTION_LIST, &policy));
	TRY(retention_run_find(ctx, rq, policy.project_id, rq->sub_id, &row));
	struct retention_tasks tasks = { .job_id = row.id,
					 .max = list.page_size,
					 .offset = list.offset };
	TRY(retention_tasks(ctx, registry_of(rq), &tasks));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < tasks.count; i++)
		write_task(ctx, &w, &tasks.list[i], &row);
	json_write_array_end(&w);
	return list_answer(rq, &list, tasks.total, &body);
}

static void add_list(struct buf *text, const struct json_value *line, const char *key)
{
	const struct json_value *array = NULL;
	if (json_get_array(line, key, &array) == JSON_WRONG)
		return;
	for (size_t i = 0; i < json_count(array); i++) {
		if (i)
			buf_add_byte(text, ',');
		buf_add(text, json_value_str(json_element(array, i)));
	}
	buf_add(text, STR(" | "));
}

static void add_text(struct buf *text, const struct json_value *line, const char *key)
{
	str value = STR_NONE;
	if (json_get_str(line, key, &value) != JSON_WRONG)
		buf_add(text, value);
	buf_add(text, STR(" | "));
}

static void add_row(struct buf *text, const struct json_value *line)
{
	static const char *const marks[][2] = { { "retain", "RETAIN" },
						{ "delete", "DEL" },
						{ "skip", "ERR" } };
	str action = STR_NONE;
	const char *mark = "";
	if (json_get_str(line, "action", &action) == JSON_FOUND)
		for (size_t i = 0; i < COUNT_OF(marks); i++)
			if (str_eq(action, str_from(marks[i][0])))
				mark = marks[i][1];
	buf_add(text, STR("| "));
	add_text(text, line, "digest");
	add_list(text, line, "tags");
	buf_add(text, STR("image | "));
	add_list(text, line, "labels");
	add_text(text, line, "pushed_at");
	add_text(text, line, "pulled_at");
	add_text(text, line, "pushed_at");
	buf_printf(text, "%s | ", mark);
	add_text(text, line, "reason");
	buf_add_byte(text, '\n');
}

static err_t add_page(struct ctx *ctx, struct buf *text, str page)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	const struct json_limits limits = { .depth_max = 8, .values_max = MIB(1) };
	if (!json_parse(page, limits, &doc, &problem))
		return fail(ctx, ERR_CORRUPT, "a page of a retention task: " JSON_PROBLEM_FMT,
			    JSON_PROBLEM_ARG(problem));
	for (size_t i = 0; i < json_count(doc.root); i++)
		add_row(text, json_element(doc.root, i));
	return OK;
}

/* As much of the table as a log may be; our own API has all of it, page by page. */
static err_t add_table(struct ctx *ctx, struct request *rq, const struct retention_task *task,
		       struct buf *text)
{
	for (int64_t number = 0; text->len < LOG_MAX / 2; number++) {
		str page;
		err_t err = retention_lines(ctx, registry_of(rq), task->id, number, &page);
		if (err == ERR_ABSENT)
			return OK;
		TRY(err);
		TRY(add_page(ctx, text, page));
	}
	buf_add(text, STR("further lines: /api/berth/v1/projects/{project}/retention/runs\n"));
	return OK;
}

err_t harbor_retention_task_log(struct ctx *ctx, struct request *rq)
{
	struct retention_row policy;
	struct retention_task task;
	struct job_row row;
	TRY(find(ctx, rq, ACTION_RETENTION_READ, &policy));
	TRY(retention_run_find(ctx, rq, policy.project_id, rq->sub_id, &row));
	TRY(retention_task(ctx, registry_of(rq), row.id, rq->task_id, &task));
	CLEANUP(buf_done) struct buf text = BUF_INIT(LOG_MAX);
	buf_printf(&text,
		   "Run retention process.\n Repository: " STR_FMT
		   "\n Rule Algorithm: or\n Dry Run: %s\n",
		   STR_ARG(task.repository), retention_run_is_dry(&row) ? "true" : "false");
	buf_printf(&text, "%lld candidates, %lld of them retained\n", (long long)task.total,
		   (long long)task.retained);
	buf_add(&text, STR("| Digest | Tag | Kind | Labels | PushedTime | PulledTime | CreatedTime "
			   "| Retention | Reason |\n"));
	TRY(add_table(ctx, rq, &task, &text));
	if (buf_overrun(&text))
		return fail(ctx, ERR_LIMIT, "the log is larger than its buffer");
	return answer_text(rq, 200, buf_str(&text));
}
