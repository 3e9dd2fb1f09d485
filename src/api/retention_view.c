/* SPDX-License-Identifier: Apache-2.0 */
/* retention_view.c - see retention_view.h. */
#include "api/retention_view.h"
#include "api/audit.h"
#include "codec/cron.h"

#include "base/banned.h"

#define KIND_MAX	16
#define RUNS_LOOKED_MAX 2000 /* a page of runs begins before this many */

static struct jobs *jobs_of(struct request *rq)
{
	return rq->api->options.jobs;
}

static struct registry *registry_of(struct request *rq)
{
	return rq->api->options.registry;
}

/* --- bodies ----------------------------------------------------------------------------------- */

/* {"kind": "Schedule", "settings": {"cron": "…"}}; without a line nothing happens by the clock. */
static err_t read_trigger(struct ctx *ctx, const struct json_value *object, str *ret)
{
	const struct json_value *trigger = NULL, *settings = NULL;
	struct cron cron;
	struct cron_problem problem;
	str kind = STR_NONE, line = STR_NONE;
	*ret = STR_NONE;
	if (json_get_object(object, "trigger", &trigger) == JSON_WRONG ||
	    (trigger && json_get_object(trigger, "settings", &settings) == JSON_WRONG))
		return fail(ctx, ERR_REQUEST_INVALID, "trigger: an object with settings is wanted");
	if (trigger && json_get_str(trigger, "kind", &kind) == JSON_WRONG)
		return fail(ctx, ERR_REQUEST_INVALID, "trigger.kind: not a string");
	if (kind.len && !str_eq(kind, STR("Schedule")) && !str_eq(kind, STR("Manual")))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "trigger.kind: one of Schedule and Manual is wanted");
	if (settings && json_get_str(settings, "cron", &line) == JSON_WRONG)
		return fail(ctx, ERR_REQUEST_INVALID, "trigger.settings.cron: not a string");
	if (!line.len || str_eq(kind, STR("Manual")))
		return OK;
	if (line.len > CRON_TEXT_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "trigger.settings.cron: too long");
	if (!cron_parse(line, &cron, &problem))
		return fail(ctx, ERR_REQUEST_INVALID, "trigger.settings.cron: " CRON_PROBLEM_FMT,
			    CRON_PROBLEM_ARG(problem));
	*ret = arena_copy(ctx->arena, line);
	return OK;
}

err_t retention_body_read(struct ctx *ctx, const struct json_value *object,
			  struct retention_body *ret)
{
	struct retention_problem problem = { .conflict = false };
	struct retention_policy *policy = ARENA_NEW(ctx->arena, struct retention_policy);
	if (!retention_read(ctx->arena, object, policy, &problem))
		return fail(ctx, problem.conflict ? ERR_RETENTION_TWICE : ERR_REQUEST_INVALID,
			    STR_FMT, STR_ARG(problem.text));
	ret->rules = retention_text(ctx->arena, policy);
	return read_trigger(ctx, object, &ret->cron);
}

void retention_write_policy(struct ctx *ctx, struct json_writer *w, const struct retention_row *row)
{
	struct retention_policy *policy = ARENA_NEW(ctx->arena, struct retention_policy);
	json_write_i64(w, "id", row->id);
	if (retention_parse(ctx, row->rules, policy) == OK)
		retention_write(w, policy);
	json_write_object_begin(w, "trigger");
	json_write_str(w, "kind", STR("Schedule"));
	json_write_object_begin(w, "references");
	json_write_object_end(w);
	json_write_object_begin(w, "settings");
	json_write_str(w, "cron", row->cron);
	json_write_object_end(w);
	json_write_object_end(w);
	json_write_object_begin(w, "scope");
	json_write_str(w, "level", STR("project"));
	json_write_i64(w, "ref", row->project_id);
	json_write_object_end(w);
}

/* --- changing --------------------------------------------------------------------------------- */

static str subject_of(struct ctx *ctx, int64_t project_id, bool dry)
{
	return arena_printf(ctx->arena, "retention:%lld%s", (long long)project_id,
			    dry ? ":dry" : "");
}

static str arguments_of(struct ctx *ctx, const struct retention_wish *wish)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(2 * RETENTION_JSON_MAX);
	struct json_writer w = JSON_WRITER(&text);
	json_write_object_begin(&w, NULL);
	json_write_i64(&w, "project_id", wish->project_id);
	json_write_i64(&w, "policy_id", wish->policy_id);
	json_write_bool(&w, "dry_run", wish->dry);
	json_write_bool(&w, "force", wish->forced);
	if (wish->rules.len)
		json_write_str(&w, "rules", wish->rules);
	json_write_object_end(&w);
	return arena_copy(ctx->arena, buf_str(&text));
}

/* What the clock does about it: after the policy itself is kept. */
static err_t set_clock(struct ctx *ctx, struct request *rq, const struct retention_row *row)
{
	str subject = subject_of(ctx, row->project_id, false);
	if (!row->cron.len) {
		err_t err = jobs_unschedule(ctx, jobs_of(rq), subject);
		if (err == ERR_NOT_FOUND)
			ctx_forgive(ctx);
		return err == ERR_NOT_FOUND ? OK : err;
	}
	const struct retention_wish wish = { .project_id = row->project_id, .policy_id = row->id };
	const struct job_schedule schedule = {
		.name = subject,
		.kind = RETENTION_KIND,
		.tenant_id = ctx->tenant_id,
		.arguments = arguments_of(ctx, &wish),
		.cron = row->cron,
		.shown_as = STR("Custom"),
	};
	return jobs_schedule(ctx, jobs_of(rq), &schedule);
}

static str policy_json(struct ctx *ctx, const struct retention_row *row)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(2 * RETENTION_JSON_MAX);
	struct json_writer w = JSON_WRITER(&text);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "cron", row->cron);
	json_write_raw(&w, "policy", row->rules);
	json_write_object_end(&w);
	return arena_copy(ctx->arena, buf_str(&text));
}

static struct audit_event *record(struct ctx *ctx, struct request *rq, enum audit_type type,
				  const struct retention_row *row)
{
	struct audit_event *event = audit_change(rq, type);
	event->project_id = row->project_id;
	event->resource = arena_printf(ctx->arena, "%lld", (long long)row->project_id);
	return event;
}

err_t retention_make(struct ctx *ctx, struct request *rq, struct retention_row *row)
{
	record(ctx, rq, AUDIT_CREATE_RETENTION, row)->after = policy_json(ctx, row);
	TRY(retention_create(ctx, registry_of(rq), row));
	return set_clock(ctx, rq, row);
}

err_t retention_change(struct ctx *ctx, struct request *rq, const struct retention_row *before,
		       const struct retention_body *body)
{
	struct retention_row row = *before;
	struct audit_event *event = record(ctx, rq, AUDIT_UPDATE_RETENTION, before);
	row.rules = body->rules;
	row.cron = body->cron;
	event->before = policy_json(ctx, before);
	event->after = policy_json(ctx, &row);
	TRY(retention_update(ctx, registry_of(rq), &row));
	return set_clock(ctx, rq, &row);
}

err_t retention_remove(struct ctx *ctx, struct request *rq, const struct retention_row *row)
{
	struct retention_row none = *row;
	none.cron = STR_NONE;
	record(ctx, rq, AUDIT_DELETE_RETENTION, row)->before = policy_json(ctx, row);
	TRY(retention_delete(ctx, registry_of(rq), row));
	return set_clock(ctx, rq, &none);
}

/* --- runs ------------------------------------------------------------------------------------- */

static err_t check_everything(struct ctx *ctx, struct request *rq,
			      const struct retention_wish *wish)
{
	struct retention_row row;
	if (wish->dry || wish->forced)
		return OK;
	TRY(retention_of_project(ctx, registry_of(rq), wish->project_id, &row));
	return retention_check(ctx, registry_of(rq), wish->project_id, row.rules);
}

err_t retention_start(struct ctx *ctx, struct request *rq, const struct retention_wish *wish,
		      int64_t *ret_id)
{
	struct job_row row;
	TRY(check_everything(ctx, rq, wish));
	const struct job_request wanted = {
		.kind = RETENTION_KIND,
		.tenant_id = ctx->tenant_id,
		.subject = subject_of(ctx, wish->project_id, wish->dry),
		.arguments = arguments_of(ctx, wish),
	};
	TRY(background_start(ctx, rq, &wanted, ret_id));
	TRY(jobs_get(ctx, jobs_of(rq), *ret_id, &row));
	if (!str_eq(row.arguments, wanted.arguments))
		return fail(ctx, ERR_RETENTION_RUNS, "job %lld", (long long)*ret_id);
	return OK;
}

/* Two lists, newest first, into one. */
static size_t merge(const struct job_row *const lists[2], const size_t counts[2],
		    const struct list *list, struct job_row *into)
{
	size_t at[2] = { 0, 0 }, skipped = 0, count = 0;
	while (count < (size_t)list->page_size && (at[0] < counts[0] || at[1] < counts[1])) {
		int from = at[1] == counts[1] || (at[0] < counts[0] &&
						  lists[0][at[0]].id > lists[1][at[1]].id)
				   ? 0
				   : 1;
		const struct job_row *row = &lists[from][at[from]++];
		if (skipped++ >= (size_t)list->offset)
			into[count++] = *row;
	}
	return count;
}

err_t retention_runs(struct ctx *ctx, struct request *rq, int64_t project_id,
		     const struct list *list, struct job_row **ret, size_t *ret_count,
		     int64_t *ret_total)
{
	struct job_row *lists[2];
	size_t counts[2];
	int64_t totals[2];
	for (int dry = 0; dry < 2; dry++) {
		const struct job_page page = {
			.kind = RETENTION_KIND,
			.subject = subject_of(ctx, project_id, dry),
			.max = MIN(list->offset + list->page_size, RUNS_LOOKED_MAX),
		};
		TRY(jobs_list(ctx, jobs_of(rq), &page, &lists[dry], &counts[dry], &totals[dry]));
	}
	*ret = ARENA_ARRAY(ctx->arena, struct job_row, (size_t)list->page_size);
	*ret_count =
		merge((const struct job_row *const[2]){ lists[0], lists[1] }, counts, list, *ret);
	*ret_total = totals[0] + totals[1];
	return OK;
}

err_t retention_run_find(struct ctx *ctx, struct request *rq, int64_t project_id, int64_t id,
			 struct job_row *ret)
{
	TRY(background_find(ctx, rq, RETENTION_KIND, id, ret));
	if (!str_eq(ret->subject, subject_of(ctx, project_id, false)) &&
	    !str_eq(ret->subject, subject_of(ctx, project_id, true)))
		return fail(ctx, ERR_NOT_FOUND, "%lld is no run of this project", (long long)id);
	return OK;
}

bool retention_run_is_dry(const struct job_row *row)
{
	return str_has_suffix(row->subject, STR(":dry"));
}

/* One that its job left behind is as that is. */
const char *retention_task_status(const struct retention_task *task, const struct job_row *row)
{
	switch (task->state) {
	case RETENTION_DONE:
		return "Success";
	case RETENTION_FAILED:
		return row->state == JOB_CANCELLED ? "Stopped" : "Error";
	case RETENTION_RUNS:
		break;
	}
	return background_status(row);
}
