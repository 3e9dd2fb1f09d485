/* SPDX-License-Identifier: Apache-2.0 */
/* harbor_search.c - search and statistics, in the words of Harbor's REST API v2.0. */
#include "api/handlers.h"
#include "api/harbor.h"
#include "api/sight.h"
#include "registry/search.h"

#include "base/banned.h"

#define QUERY_MAX 255

static void write_project(struct json_writer *w, const struct found_project *project)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "project_id", project->id);
	json_write_str(w, "name", project->name);
	json_write_str(w, "owner_name", project->owner_name);
	json_write_i64(w, "repo_count", project->repository_count);
	json_write_time(w, "creation_time", project->created_at_us);
	json_write_time(w, "update_time", project->updated_at_us);
	json_write_object_begin(w, "metadata");
	json_write_str(w, "public", project->is_public ? STR("true") : STR("false"));
	json_write_object_end(w);
	json_write_object_end(w);
}

static void write_repository(struct json_writer *w, const struct repository_row *repository)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "project_id", repository->project_id);
	json_write_str(w, "project_name", repository->project);
	json_write_bool(w, "project_public", repository->is_public);
	json_write_str(w, "repository_name", repository->name);
	json_write_i64(w, "pull_count", repository->pull_count);
	json_write_i64(w, "artifact_count", repository->artifact_count);
	json_write_object_end(w);
}

err_t harbor_search(struct ctx *ctx, struct request *rq)
{
	struct project_sight sight;
	struct search_result found;
	str text = request_query(rq, STR("q"));
	if (text.len > QUERY_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "q is longer than any name");
	TRY(request_sight(ctx, rq, &sight));
	TRY(registry_search(ctx, rq->api->options.registry, &sight, like_pattern(ctx->arena, text),
			    &found));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_array_begin(&w, "project");
	for (size_t i = 0; i < found.project_count; i++)
		write_project(&w, &found.projects[i]);
	json_write_array_end(&w);
	json_write_array_begin(&w, "repository");
	for (size_t i = 0; i < found.repository_count; i++)
		write_repository(&w, &found.repositories[i]);
	json_write_array_end(&w);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

err_t harbor_statistics(struct ctx *ctx, struct request *rq)
{
	struct project_sight sight;
	struct statistics statistics;
	TRY(request_sight(ctx, rq, &sight));
	TRY(registry_statistics(ctx, rq->api->options.registry, &sight, &statistics));
	bool all = sight.account_id == SIGHT_EVERYTHING;
	const int64_t *projects = statistics.counts.projects;
	const int64_t *repositories = statistics.counts.repositories;
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_i64(&w, "private_project_count", projects[false]);
	json_write_i64(&w, "private_repo_count", repositories[false]);
	json_write_i64(&w, "public_project_count", projects[true]);
	json_write_i64(&w, "public_repo_count", repositories[true]);
	json_write_i64(&w, "total_project_count", all ? projects[0] + projects[1] : 0);
	json_write_i64(&w, "total_repo_count", all ? repositories[0] + repositories[1] : 0);
	json_write_i64(&w, "total_storage_consumption", statistics.stored_bytes);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}
