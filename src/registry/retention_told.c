/* SPDX-License-Identifier: Apache-2.0 */
/* retention_told.c - what webhooks are told of a run in a repository: Harbor's payload. */
#include "codec/json_writer.h"
#include "registry/event.h"
#include "retention_internal.h"

#include "base/banned.h"

#define RULES_MAX   KIB(8)
#define ONE_MAX	    KIB(1) /* of what was deleted */
#define RESULT_DONE STR("SUCCESS")

static str rest_of(str repository, str *ret_project)
{
	str rest = STR_NONE;
	*ret_project = repository;
	(void)str_cut(repository, '/', ret_project, &rest);
	return rest;
}

/* "app:v1", or "app@sha256:…". */
static void write_deleted(struct ctx *ctx, struct json_writer *w, const struct retention_set *set,
			  size_t at)
{
	const struct retention_candidate *c = &set->candidates[at];
	str project, name = rest_of(set->repository.name, &project);
	str reference = c->tag_count ? c->tags[0] : set->subjects[at].artifact->digest_text;
	json_write_object_begin(w, NULL);
	json_write_str(w, "type", STR("image"));
	json_write_str(w, "status", RESULT_DONE);
	json_write_str(w, "name_tag",
		       arena_printf(ctx->arena, STR_FMT "%c" STR_FMT, STR_ARG(name),
				    c->tag_count ? ':' : '@', STR_ARG(reference)));
	json_write_null(w, "references");
	json_write_object_end(w);
}

static void write_all_deleted(struct ctx *ctx, struct json_writer *w,
			      const struct retention_set *set)
{
	size_t from = w->buf->len;
	json_write_array_begin(w, "deleted_artifact");
	for (size_t i = 0; i < set->count && w->buf->len - from < RETENTION_TOLD_MAX - ONE_MAX; i++)
		if (!retention_stayed(set, i))
			write_deleted(ctx, w, set, i);
	json_write_array_end(w);
}

static void write_rules(struct json_writer *w, const struct retention_policy *policy)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(RULES_MAX);
	struct json_writer rules = JSON_WRITER(&text);
	retention_write_told(&rules, policy);
	if (!buf_overrun(&text))
		json_write_raw(w, "retention_rule", buf_str(&text));
}

err_t retention_add_event(struct ctx *ctx, struct sql_tx *tx, struct event_plan *plan,
			  const struct retention_run *run, const struct retention_set *set,
			  const struct retention_task *task)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(RETENTION_TOLD_MAX + RULES_MAX + KIB(2));
	struct json_writer w = JSON_WRITER(&text);
	str project, host = ctx->asked_at, port;
	if (!plan->wanted || run->dry || task->retained == task->total)
		return OK;
	(void)rest_of(set->repository.name, &project);
	(void)str_cut(ctx->asked_at, ':', &host, &port);
	json_write_object_begin(&w, NULL);
	json_write_i64(&w, "total", task->total);
	json_write_i64(&w, "retained", task->retained);
	if (host.len)
		json_write_str(&w, "harbor_hostname", host);
	json_write_str(&w, "project_name", project);
	json_write_i64(&w, "retention_policy_id", run->policy_id);
	write_rules(&w, set->policy);
	json_write_str(&w, "result", RESULT_DONE);
	write_all_deleted(ctx, &w, set);
	json_write_object_end(&w);
	const struct event event = {
		.repository = set->repository.name,
		.repository_id = set->repository.id,
		.retention = buf_str(&text),
		.by = run->asked_by.len ? run->asked_by : STR("retention"),
	};
	return event_add(ctx, tx, plan, &event);
}
