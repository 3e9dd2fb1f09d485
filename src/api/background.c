/* SPDX-License-Identifier: Apache-2.0 */
/* background.c - see background.h. */
#include "api/background.h"
#include "api/audit.h"
#include "codec/cron.h"

#include <string.h>

#include "base/banned.h"

#define TYPE_MAX    16
#define LOG_PARTS   64
#define ARGUMENTS   "{}"
#define LOG_AT_ONCE (LOG_PARTS * KIB(16) + KIB(64))

static struct jobs *jobs_of(struct request *rq)
{
	return rq->api->options.jobs;
}

/* --- schedules -------------------------------------------------------------------------------- */

static const struct {
	str type;
	enum schedule_wish wish;
	str cron; /* empty: it is to be said */
} schedule_types[] = {
	{ STR_INIT("None"), SCHEDULE_NONE, STR_INIT("") },
	{ STR_INIT("Manual"), SCHEDULE_NOW, STR_INIT("") },
	{ STR_INIT("Hourly"), SCHEDULE_BY_CLOCK, STR_INIT("0 0 * * * *") },
	{ STR_INIT("Daily"), SCHEDULE_BY_CLOCK, STR_INIT("0 0 0 * * *") },
	{ STR_INIT("Weekly"), SCHEDULE_BY_CLOCK, STR_INIT("0 0 0 * * 0") },
	{ STR_INIT("Custom"), SCHEDULE_BY_CLOCK, STR_INIT("") },
	{ STR_INIT("Schedule"), SCHEDULE_BY_CLOCK, STR_INIT("") },
};

static err_t read_times(struct ctx *ctx, str type, str given, struct schedule_body *ret)
{
	struct cron cron;
	struct cron_problem problem;
	for (size_t i = 0; i < COUNT_OF(schedule_types); i++) {
		if (!str_eq(type, schedule_types[i].type))
			continue;
		ret->type = schedule_types[i].type;
		ret->wish = schedule_types[i].wish;
		ret->cron = schedule_types[i].cron;
		if (ret->wish != SCHEDULE_BY_CLOCK || ret->cron.len)
			return OK;
		if (!cron_parse(given, &cron, &problem))
			return fail(ctx, ERR_REQUEST_INVALID, "schedule.cron: " CRON_PROBLEM_FMT,
				    CRON_PROBLEM_ARG(problem));
		ret->cron = arena_copy(ctx->arena, given);
		return OK;
	}
	return fail(ctx, ERR_REQUEST_INVALID,
		    "schedule.type is one of Hourly, Daily, Weekly, Custom, Manual and None");
}

err_t schedule_read(struct ctx *ctx, const struct json_value *object, struct schedule_body *ret)
{
	struct times {
		str type, cron;
	} times = { 0 };
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct times, "type", type, TYPE_MAX),
		JSON_FIELD_STR(struct times, "cron", cron, CRON_TEXT_MAX),
	};
	const struct json_value *schedule;
	*ret = (struct schedule_body){ 0 };
	if (json_get_object(object, "schedule", &schedule) != JSON_FOUND)
		return fail(ctx, ERR_REQUEST_INVALID, "schedule: an object with a type is wanted");
	TRY(body_shape(ctx, schedule, fields, COUNT_OF(fields), &times));
	if (json_get_object(object, "parameters", &ret->parameters) == JSON_WRONG)
		return fail(ctx, ERR_REQUEST_INVALID, "parameters: not an object");
	return read_times(ctx, times.type, times.cron, ret);
}

void schedule_write(struct json_writer *w, const char *key, const struct job_schedule_row *row)
{
	json_write_object_begin(w, key);
	json_write_str(w, "type", row->shown_as.len ? row->shown_as : STR("Custom"));
	json_write_str(w, "cron", row->cron);
	json_write_time(w, "next_scheduled_time", row->next_at_us);
	json_write_object_end(w);
}

/* --- jobs ------------------------------------------------------------------------------------- */

const char *background_status(const struct job_row *row)
{
	static const char *const words[JOB_STATE_COUNT] = {
		[JOB_ASLEEP] = "Scheduled", [JOB_READY] = "Pending", [JOB_RUNNING] = "Running",
		[JOB_DONE] = "Success",	    [JOB_FAILED] = "Error",  [JOB_CANCELLED] = "Stopped",
	};
	return words[row->state];
}

const char *background_trigger(enum job_cause cause)
{
	switch (cause) {
	case JOB_BY_CLOCK:
		return "SCHEDULE";
	case JOB_BY_HAND:
		return "MANUAL";
	case JOB_BY_EVENT:
		break;
	}
	return "EVENT";
}

int64_t background_updated_us(const struct job_row *row)
{
	return MAX(row->created_at_us, MAX(row->started_at_us, row->finished_at_us));
}

err_t background_find(struct ctx *ctx, struct request *rq, str kind, int64_t id,
		      struct job_row *ret)
{
	TRY(jobs_get(ctx, jobs_of(rq), id, ret));
	if (!str_eq(ret->kind, kind))
		return fail(ctx, ERR_NOT_FOUND, "%lld is no " STR_FMT, (long long)id,
			    STR_ARG(kind));
	return OK;
}

err_t background_log(struct ctx *ctx, struct request *rq, int64_t id)
{
	struct job_log_part *parts;
	size_t count;
	TRY(jobs_read_log(ctx, jobs_of(rq), id, 0, LOG_PARTS, &parts, &count));
	CLEANUP(buf_done) struct buf text = BUF_INIT(LOG_AT_ONCE);
	for (size_t i = 0; i < count; i++)
		buf_add(&text, parts[i].text);
	if (buf_overrun(&text))
		return fail(ctx, ERR_LIMIT, "the log is larger than its buffer");
	return answer_text(rq, 200, buf_str(&text));
}

err_t background_end(struct ctx *ctx, struct request *rq, int64_t id)
{
	struct audit_event *event = audit_change(rq, AUDIT_STOP_JOB);
	event->resource = arena_printf(ctx->arena, "%lld", (long long)id);
	err_t err = jobs_cancel(ctx, jobs_of(rq), id);
	if (err != ERR_NOT_FOUND)
		return err;
	ctx_forgive(ctx);
	audit_forget(rq);
	return OK;
}

err_t background_start(struct ctx *ctx, struct request *rq, const struct job_request *wanted,
		       int64_t *ret_id)
{
	struct job_request asked = *wanted;
	asked.cause = JOB_BY_HAND;
	asked.asked_by = rq->who.name;
	struct audit_event *event = audit_change(rq, AUDIT_START_JOB);
	event->resource = wanted->kind;
	event->after = wanted->arguments;
	return jobs_ask(ctx, jobs_of(rq), &asked, ret_id);
}

/* --- Harbor's operations ---------------------------------------------------------------------- */

static void write_common(struct json_writer *w, const struct background *of, int64_t id,
			 str parameters)
{
	json_write_i64(w, "id", id);
	json_write_str(w, "job_name", str_from(of->name));
	json_write_str(w, "job_parameters", parameters.len ? parameters : STR(ARGUMENTS));
	json_write_bool(w, "deleted", false);
}

static void write_job(struct json_writer *w, const struct background *of, const struct job_row *row)
{
	const char *trigger = background_trigger(row->cause);
	json_write_object_begin(w, NULL);
	write_common(w, of, row->id, row->arguments);
	json_write_str(w, "job_kind", str_from(trigger));
	json_write_str(w, "job_status", str_from(background_status(row)));
	json_write_object_begin(w, "schedule");
	json_write_str(w, "type", row->cause == JOB_BY_HAND ? STR("Manual") : STR("Schedule"));
	json_write_object_end(w);
	json_write_time(w, "creation_time", row->created_at_us);
	json_write_time(w, "update_time", background_updated_us(row));
	json_write_object_end(w);
}

err_t background_history(struct ctx *ctx, struct request *rq)
{
	const struct background *of = rq->route->background;
	struct list list;
	struct job_row *rows;
	size_t count;
	int64_t total;
	TRY(list_begin(ctx, rq, &list));
	const struct job_page page = { .kind = of->kind,
				       .max = list.page_size,
				       .offset = list.offset };
	TRY(jobs_list(ctx, jobs_of(rq), &page, &rows, &count, &total));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++)
		write_job(&w, of, &rows[i]);
	json_write_array_end(&w);
	return list_answer(rq, &list, total, &body);
}

err_t background_get(struct ctx *ctx, struct request *rq)
{
	const struct background *of = rq->route->background;
	struct job_row row;
	TRY(background_find(ctx, rq, of->kind, rq->id, &row));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	write_job(&w, of, &row);
	return answer_object(ctx, rq, &body);
}

err_t background_stop(struct ctx *ctx, struct request *rq)
{
	const struct background *of = rq->route->background;
	struct job_row row;
	TRY(background_find(ctx, rq, of->kind, rq->id, &row));
	TRY(background_end(ctx, rq, row.id));
	return answer_empty(rq, 200);
}

err_t background_get_log(struct ctx *ctx, struct request *rq)
{
	const struct background *of = rq->route->background;
	struct job_row row;
	TRY(background_find(ctx, rq, of->kind, rq->id, &row));
	return background_log(ctx, rq, row.id);
}

/* Without one the body is empty: that is how Harbor's Terraform provider knows. */
err_t background_schedule_get(struct ctx *ctx, struct request *rq)
{
	const struct background *of = rq->route->background;
	struct job_schedule_row row;
	err_t err = jobs_schedule_get(ctx, jobs_of(rq), of->kind, &row);
	if (err == ERR_NOT_FOUND) {
		ctx_forgive(ctx);
		return answer_empty(rq, 200);
	}
	TRY(err);
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	write_common(&w, of, row.id, row.arguments);
	json_write_str(&w, "job_kind", STR("SCHEDULE"));
	schedule_write(&w, "schedule", &row);
	json_write_time(&w, "creation_time", row.created_at_us);
	json_write_time(&w, "update_time", row.updated_at_us);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

static err_t end_schedule(struct ctx *ctx, struct request *rq, const struct background *of)
{
	err_t err = jobs_unschedule(ctx, jobs_of(rq), of->kind);
	if (err != ERR_NOT_FOUND)
		return err;
	ctx_forgive(ctx);
	audit_forget(rq);
	return OK;
}

static err_t change_schedule(struct ctx *ctx, struct request *rq, const struct background *of,
			     const struct schedule_body *body, str arguments)
{
	struct audit_event *event = audit_change(rq, AUDIT_UPDATE_SCHEDULE);
	event->resource = of->kind;
	if (body->wish == SCHEDULE_NONE)
		return end_schedule(ctx, rq, of);
	event->after =
		arena_printf(ctx->arena, "{\"cron\":\"" STR_FMT "\",\"parameters\":" STR_FMT "}",
			     STR_ARG(body->cron), STR_ARG(arguments));
	const struct job_schedule wanted = {
		.name = of->kind,
		.kind = of->kind,
		.arguments = arguments,
		.cron = body->cron,
		.shown_as = body->type,
	};
	return jobs_schedule(ctx, jobs_of(rq), &wanted);
}

/* POST makes one or asks for a job, and PUT changes it; whichever comes, there is one then. */
err_t background_schedule_put(struct ctx *ctx, struct request *rq)
{
	const struct background *of = rq->route->background;
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct schedule_body body;
	str arguments = STR_NONE;
	int64_t id;
	TRY(body_read(ctx, rq, &doc));
	TRY(schedule_read(ctx, doc.root, &body));
	if (body.wish != SCHEDULE_NONE) /* which needs none */
		TRY(of->parameters(ctx, body.parameters, &arguments));
	bool creates = rq->route->method == HTTP_POST;
	if (body.wish != SCHEDULE_NOW) {
		TRY(change_schedule(ctx, rq, of, &body, arguments));
		return answer_empty(rq, creates ? 201 : 200);
	}
	const struct job_request wanted = { .kind = of->kind,
					    .subject = of->kind,
					    .arguments = arguments };
	TRY(background_start(ctx, rq, &wanted, &id));
	if (!creates)
		return answer_empty(rq, 200);
	str at = str_take(rq->x->head->path, rq->x->head->path.len - strlen("/schedule"));
	exchange_header(rq->x, STR("Location"),
			arena_printf(ctx->arena, STR_FMT "/%lld", STR_ARG(at), (long long)id));
	return answer_empty(rq, 201);
}
