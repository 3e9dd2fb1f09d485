/* SPDX-License-Identifier: Apache-2.0 */
/* purge.c - the job that purges the audit trail: its arguments, and what its log says. */
#include "base/clock.h"
#include "codec/json.h"
#include "jobs/job.h"
#include "notify/audit_purge.h"
#include "program.h"

#include "base/banned.h"

static void tell_progress(void *job, const struct audit_purged *so_far)
{
	job_progress(job, so_far->records, 0);
}

static err_t read_arguments(struct ctx *ctx, const struct job *job, struct audit_purge *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	if (!json_parse(job_arguments(job), JSON_LIMITS_SMALL, &doc, &problem))
		return fail(ctx, ERR_REQUEST_INVALID, "arguments: " JSON_PROBLEM_FMT,
			    JSON_PROBLEM_ARG(problem));
	return audit_purge_read(ctx, doc.root, ret);
}

static void tell(struct job *job, const struct audit_purge *purge,
		 const struct audit_purged *purged)
{
	const char *done = purge->dry_run ? "would be removed" : "removed";
	char time[CLOCK_RFC3339_MAX];
	str before = clock_rfc3339(purged->older_than_us, time);
	for (unsigned type = 0; type < AUDIT_TYPE_COUNT; type++)
		if (purged->by_type[type])
			job_log(job, STR_FMT ": %lld %s", STR_ARG(audit_type_info(type)->name),
				(long long)purged->by_type[type], done);
	job_log(job, "%lld records from before " STR_FMT " %s", (long long)purged->records,
		STR_ARG(before), done);
}

err_t program_purge_audit(struct ctx *ctx, struct job *job, void *arg)
{
	struct program *p = arg;
	str asked_by = job_asked_by(job);
	const struct audit_event by = {
		.actor_type = asked_by.len ? STR("user") : STR("system"),
		.actor = asked_by,
	};
	struct audit_purge purge = { .by = &by, .progress = tell_progress, .arg = job };
	struct audit_purged purged;
	TRY(read_arguments(ctx, job, &purge));
	TRY(audit_purge(ctx, p->audit, &purge, &purged));
	tell(job, &purge, &purged);
	if (!purged.differing)
		return OK;
	return fail(ctx, ERR_DATABASE,
		    "%lld records were kept because they are not what was sealed, the first at "
		    "place %lld: ask `berth audit verify`",
		    (long long)purged.differing, (long long)purged.first_differing);
}
