/* SPDX-License-Identifier: Apache-2.0 */
/* retention.c - the job that runs a project's retention (registry/retention.h). Who asks for it is
 * api/retention_view.h, which says what its arguments are. */
#include "registry/retention.h"
#include "codec/json.h"
#include "jobs/schedule.h"
#include "notify/audit.h"
#include "program.h"
#include "registry/expiry.h"
#include "registry/inventory.h"

#include "base/banned.h"

struct retention_job {
	struct program *program;
	struct job *job;
	int64_t project_id, done, total, retained;
	str actor;
};

/* How webhooks name this registry, where nobody called it; empty: not at all. */
static str host_of(const struct program *p)
{
	str url = p->config.external_url;
	size_t at;
	return str_find(url, STR("://"), &at) ? str_skip(url, at + 3) : url;
}

/* --- what it says ----------------------------------------------------------------------------- */

static str resource_of(struct ctx *ctx, const struct retention_gone *gone)
{
	if (gone->tag.len)
		return arena_printf(ctx->arena, STR_FMT ":" STR_FMT, STR_ARG(gone->repository),
				    STR_ARG(gone->tag));
	return arena_printf(ctx->arena, STR_FMT "@" DIGEST_FMT, STR_ARG(gone->repository),
			    DIGEST_ARG(gone->digest));
}

err_t program_record_gone(struct ctx *ctx, struct sql_tx *tx, const struct program *p,
			  const struct retention_gone *gone, str actor)
{
	str project, rest;
	const struct audit_event event = {
		.type = gone->tag.len ? AUDIT_DELETE_TAG : AUDIT_DELETE_ARTIFACT,
		.tenant_id = ctx->tenant_id,
		.project_id = gone->project_id,
		.project = str_cut(gone->repository, '/', &project, &rest) ? project : STR_NONE,
		.resource = resource_of(ctx, gone),
		.digest = arena_copy(ctx->arena, str_from(digest_format(gone->digest).text)),
		.actor_type = STR("system"),
		.actor = actor,
		.after = arena_printf(ctx->arena, "{\"reason\":\"" STR_FMT "\"}",
				      STR_ARG(gone->reason)),
		.result = AUDIT_ALLOWED,
	};
	return audit_write(ctx, p->audit, tx, &event);
}

static err_t record(struct ctx *ctx, struct sql_tx *tx, const struct retention_gone *gone,
		    void *arg)
{
	const struct retention_job *run = arg;
	return program_record_gone(ctx, tx, run->program, gone, run->actor);
}

static void tell(const struct retention_task *task, void *arg)
{
	struct retention_job *run = arg;
	run->done++;
	run->total += task->total;
	run->retained += task->retained;
	job_log(run->job, STR_FMT ": %lld of %lld retained", STR_ARG(task->repository),
		(long long)task->retained, (long long)task->total);
}

static void tell_progress(int64_t done, int64_t total, void *arg)
{
	const struct retention_job *run = arg;
	job_progress(run->job, done, total);
}

/* --- the run ---------------------------------------------------------------------------------- */

static err_t read_arguments(struct ctx *ctx, struct job *job, struct retention_run *run)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	str rules = STR_NONE;
	if (!json_parse(job_arguments(job), JSON_LIMITS_SMALL, &doc, &problem))
		return fail(ctx, ERR_CORRUPT, "arguments: " JSON_PROBLEM_FMT,
			    JSON_PROBLEM_ARG(problem));
	if (json_get_i64(doc.root, "project_id", &run->project_id) != JSON_FOUND ||
	    json_get_bool(doc.root, "dry_run", &run->dry) != JSON_FOUND ||
	    json_get_bool(doc.root, "force", &run->forced) == JSON_WRONG ||
	    json_get_str(doc.root, "rules", &rules) == JSON_WRONG)
		return fail(ctx, ERR_CORRUPT, "arguments: a project and dry_run are wanted");
	if (rules.len && !run->dry)
		return fail(ctx, ERR_CORRUPT, "arguments: rules that nobody keeps delete nothing");
	run->rules = arena_copy(ctx->arena, rules);
	return OK;
}

/* The policy may be gone since, with its project even: then the clock need not ask any more. */
static err_t find_rules(struct ctx *ctx, struct retention_job *job, struct retention_run *run,
			bool *ret_gone)
{
	struct retention_row row;
	*ret_gone = false;
	err_t err = retention_of_project(ctx, job->program->registry, run->project_id, &row);
	if (err == OK) {
		run->policy_id = row.id;
		if (!run->rules.len)
			run->rules = row.rules;
		return OK;
	}
	if (err != ERR_NOT_FOUND)
		return err;
	ctx_forgive(ctx);
	*ret_gone = !run->rules.len;
	if (!*ret_gone)
		return OK;
	err = jobs_unschedule(ctx, job->program->jobs, job_subject(job->job));
	if (err != ERR_NOT_FOUND)
		return err;
	ctx_forgive(ctx);
	return OK;
}

err_t program_run_retention(struct ctx *ctx, struct job *job, void *arg)
{
	struct retention_job own = { .program = arg, .job = job, .actor = STR("retention") };
	struct retention_run run = { .job_id = job_id(job),
				     .asked_by = job_asked_by(job),
				     .gone = record,
				     .done = tell,
				     .progress = tell_progress,
				     .arg = &own };
	bool gone;
	ctx->tenant_id = job_tenant_id(job);
	ctx->asked_at = host_of(own.program);
	TRY(read_arguments(ctx, job, &run));
	TRY(find_rules(ctx, &own, &run, &gone));
	if (gone) {
		job_log(job, "the project has no retention policy any more");
		return OK;
	}
	TRY(retention_run(ctx, own.program->registry, &run));
	job_log(job, "%s%lld of %lld retained in %lld repositories", run.dry ? "dry run: " : "",
		(long long)own.retained, (long long)own.total, (long long)own.done);
	return OK;
}

/* --- what expires ----------------------------------------------------------------------------- */

static err_t record_expired(struct ctx *ctx, struct sql_tx *tx, const struct retention_gone *gone,
			    void *arg)
{
	struct retention_job *run = arg;
	TRY(record(ctx, tx, gone, run));
	job_log(run->job, STR_FMT "%s" STR_FMT, STR_ARG(gone->repository),
		gone->tag.len ? ":" : "@",
		STR_ARG(gone->tag.len ? gone->tag
				      : arena_copy(ctx->arena,
						   str_from(digest_format(gone->digest).text))));
	run->done++;
	return OK;
}

static void tell_kept(str repository, str digest_text, const char *why, void *arg)
{
	struct retention_job *run = arg;
	job_log(run->job, STR_FMT "@" STR_FMT " stays: %s", STR_ARG(repository),
		STR_ARG(digest_text), why);
}

err_t program_expire_tags(struct ctx *ctx, struct job *job, void *arg)
{
	struct retention_job own = { .program = arg, .job = job, .actor = STR("expiry") };
	const struct expiry_run run = { .gone = record_expired, .kept = tell_kept, .arg = &own };
	ctx->asked_at = host_of(own.program);
	TRY(expiry_run(ctx, own.program->registry, &run));
	job_progress(job, own.done, own.done);
	return OK;
}

err_t program_expire_inventory(struct ctx *ctx, struct job *job, void *arg)
{
	struct program *p = arg;
	int64_t count;
	TRY(inventory_expire(ctx, p->registry, &count));
	if (count)
		job_log(job, "expired reports of clusters removed: %lld", (long long)count);
	return OK;
}
