/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retention.h - the retention of projects: their policies, and running them. What a policy says is
 * model/retention.h; when one is run is a job's (main/retention.c).
 *
 * All of it in ctx's tenant: a policy of another one is unknown (ERR_NOT_FOUND).
 *
 * *A run* goes through the project's repositories by name. Of each it reads all that is listed into
 * memory of its own (RETENTION_MEMORY_MAX, some 700,000 artifacts; more is ERR_LIMIT), decides, and
 * deletes in transactions of RETENTION_BATCH, so that no push waits long. Children of indexes and
 * accessories are never decided about: they go with what they belong to. What an index names is not
 * deleted, only its tags are. Whatever changed after it was read (a tag moved to it or away, it was
 * pushed, pulled, or reported as running) stays until the next run.
 *
 * *Everything*: a run that would leave nothing in the whole project is ERR_RETENTION_EMPTIES
 * before it deleted anything, unless the same rules were run dry before, or it is forced.
 *
 * *What it did* is kept as long as its job: a task for each repository, and pages of JSON for what
 * was decided there:
 *	{"digest", "tags": […], "labels": […], "pushed_at", "pulled_at", "action", "reason", "rule"}
 * The action is retain, delete, or skip for what was to go and could not.
 *
 * Webhooks are told as Harbor's are: DELETE_ARTIFACT of each artifact that goes, and TAG_RETENTION
 * when a repository is done of which something was deleted.
 */
#pragma once

#include "db/retention.h"
#include "model/retention.h"
#include "registry/registry.h"

#define RETENTION_MEMORY_MAX MIB(256)
#define RETENTION_BATCH	     50
#define RETENTION_PAGE_LINES 500  /* fewer when they are long */
#define RETENTION_LINE_TAGS  1000 /* of one artifact are shown */

/* --- policies --------------------------------------------------------------------------------- */

err_t retention_get(struct ctx *ctx, struct registry *registry, int64_t id,
		    struct retention_row *ret);
err_t retention_of_project(struct ctx *ctx, struct registry *registry, int64_t project_id,
			   struct retention_row *ret);

/* With the project's setting retention_id, which says that there is one. Takes project_id, rules
 * (as retention_text() gives them) and cron. ERR_EXISTS when the project has one. */
err_t retention_create(struct ctx *ctx, struct registry *registry, struct retention_row *row);
/* Takes id, rules and cron. */
err_t retention_update(struct ctx *ctx, struct registry *registry, const struct retention_row *row);
err_t retention_delete(struct ctx *ctx, struct registry *registry, const struct retention_row *row);

/* A policy as it is kept, and back. ERR_CORRUPT for what is none. */
str retention_text(struct arena *arena, const struct retention_policy *policy);
err_t retention_parse(struct ctx *ctx, str text, struct retention_policy *ret);

/* --- running ---------------------------------------------------------------------------------- */

/* Something that was deleted. */
struct retention_gone {
	int64_t project_id;
	str repository;
	digest digest;
	str tag; /* empty: the artifact, with all its tags */
	str reason;
};

struct retention_run {
	int64_t project_id, job_id;
	int64_t policy_id; /* this and the next for who is told of it */
	str asked_by;	   /* empty: the clock */
	str rules;
	bool dry, forced;

	/* In the transaction that deletes it, to record it. */
	err_t (*gone)(struct ctx *ctx, struct sql_tx *tx, const struct retention_gone *gone,
		      void *arg);
	/* When a repository is done. */
	void (*done)(const struct retention_task *task, void *arg);
	/* How many repositories were looked at, of all of the project when it began. */
	void (*progress)(int64_t done, int64_t total, void *arg);
	void *arg;
};
err_t retention_run(struct ctx *ctx, struct registry *registry, const struct retention_run *run);

/* ERR_RETENTION_EMPTIES when a run with these rules would leave nothing of a project that has
 * something, and they were not run dry: costs what it reads until something stays. */
err_t retention_check(struct ctx *ctx, struct registry *registry, int64_t project_id, str rules);

/* --- what it did ------------------------------------------------------------------------------ */

struct retention_tasks {
	int64_t job_id, max, offset; /* which are wanted */
	struct retention_task *list;
	size_t count;
	int64_t total; /* of all of the job */
};
err_t retention_tasks(struct ctx *ctx, struct registry *registry, struct retention_tasks *tasks);
err_t retention_task(struct ctx *ctx, struct registry *registry, int64_t job_id, int64_t id,
		     struct retention_task *ret);
/* Page `number`, from 0, as a JSON array; ERR_ABSENT, unrecorded, behind the last. */
err_t retention_lines(struct ctx *ctx, struct registry *registry, int64_t task_id, int64_t number,
		      str *ret);
