/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retention_view.h - what Harbor's and our own API of retention have in common.
 *
 * A run is a job of the kind RETENTION_KIND. Its subject is the project's: one run that deletes and
 * one that does not at a time, and a schedule of that name asks for the first. Its arguments say
 * what it is of:
 *	{"project_id": 7, "policy_id": 3, "dry_run": true, "force": false, "rules": "{…}"}
 * with "rules" only in a preview of rules that nobody keeps; other runs take those of the policy
 * when they begin.
 */
#pragma once

#include "api/background.h"
#include "registry/retention.h"

#define RETENTION_KIND STR("retention")

/* Policy and times of a body: ERR_REQUEST_INVALID and ERR_EXISTS (two rules are the same) say where
 * it is wrong. `*ret_rules` is as it is kept; `*ret_cron` is empty when nothing is to happen by the
 * clock. */
struct retention_body {
	str rules, cron;
};
err_t retention_body_read(struct ctx *ctx, const struct json_value *object,
			  struct retention_body *ret);
/* The members of a policy: rules, trigger, and the scope. */
void retention_write_policy(struct ctx *ctx, struct json_writer *w,
			    const struct retention_row *row);

/* Makes, changes or removes it, with what the clock is to do; recorded. */
err_t retention_make(struct ctx *ctx, struct request *rq, struct retention_row *row);
err_t retention_change(struct ctx *ctx, struct request *rq, const struct retention_row *before,
		       const struct retention_body *body);
err_t retention_remove(struct ctx *ctx, struct request *rq, const struct retention_row *row);

/* A run now. ERR_RETENTION_EMPTIES for rules that would leave nothing and were never run dry;
 * ERR_RETENTION_RUNS while another such run of the project is not finished. */
struct retention_wish {
	int64_t project_id, policy_id;
	str rules; /* of a preview; empty: the policy's */
	bool dry, forced;
};
err_t retention_start(struct ctx *ctx, struct request *rq, const struct retention_wish *wish,
		      int64_t *ret_id);

/* The runs of a project, the newest first. */
err_t retention_runs(struct ctx *ctx, struct request *rq, int64_t project_id,
		     const struct list *list, struct job_row **ret, size_t *ret_count,
		     int64_t *ret_total);
/* One of them. ERR_NOT_FOUND when it is another's. */
err_t retention_run_find(struct ctx *ctx, struct request *rq, int64_t project_id, int64_t id,
			 struct job_row *ret);
bool retention_run_is_dry(const struct job_row *row);
const char *retention_task_status(const struct retention_task *task, const struct job_row *row);
