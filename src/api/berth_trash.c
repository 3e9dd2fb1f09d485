/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth_trash.c - what was deleted: lists of a project and of a tenant, restoring, and deleting it
 * for good.
 *
 * The same handlers serve both: with {project} in the path an entry is looked for there. Who may
 * delete in a repository may restore what was in it. How long the trash keeps is a matter of those
 * who set quotas, because no quota counts what is in it.
 */
#include "api/audit.h"
#include "api/handlers.h"
#include "api/handlers_tenant.h"
#include "api/harbor.h"
#include "api/project_json.h"
#include "auth/member.h"
#include "auth/membership.h"
#include "registry/trash.h"

#include "base/banned.h"

static struct registry *registry_of(struct request *rq)
{
	return rq->api->options.registry;
}

/* 0: all of the tenant. */
static int64_t project_of(const struct request *rq)
{
	return rq->has_project ? rq->project_found.id : 0;
}

/* Of a tag, an artifact or a repository its repository's name; of a project its name. */
static str whole_name(struct ctx *ctx, const struct trash_entry *entry)
{
	if (entry->kind == TRASH_PROJECT)
		return entry->name;
	return repository_name(ctx, entry->project, entry->repository);
}

static void write_entry(struct ctx *ctx, struct json_writer *w, const struct trash_entry *entry)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", entry->id);
	json_write_str(w, "kind", trash_kind_text(entry->kind));
	json_write_i64(w, "project_id", entry->project_id);
	json_write_str(w, "name", whole_name(ctx, entry));
	if (entry->digest.len)
		json_write_str(w, "digest", entry->digest);
	if (entry->kind == TRASH_TAG)
		json_write_str(w, "tag", entry->name);
	json_write_i64(w, "artifact_count", entry->weight.artifacts);
	json_write_i64(w, "tag_count", entry->weight.tags);
	json_write_i64(w, "size_bytes", entry->weight.bytes);
	json_write_str(w, "deleted_by", entry->deleted_by);
	json_write_time(w, "deleted_at", entry->deleted_at_us);
	json_write_time(w, "ends_at", entry->ends_at_us);
	json_write_object_end(w);
}

static err_t read_query(struct ctx *ctx, struct request *rq, struct trash_query *query)
{
	str kind = request_query(rq, STR("kind"));
	query->project_id = project_of(rq);
	query->repository = request_query(rq, STR("repository"));
	query->kind = trash_kind_of(kind);
	if (kind.len && query->kind == TRASH_ANY)
		return fail(ctx, ERR_REQUEST_INVALID,
			    "kind: one of tag, artifact, repository, project");
	if (query->repository.len && !query->project_id)
		return fail(ctx, ERR_REQUEST_INVALID, "repository: only in a project's list");
	return OK;
}

err_t berth_trash_list(struct ctx *ctx, struct request *rq)
{
	struct list page;
	struct trash_list list = { 0 };
	TRY(list_begin(ctx, rq, &page));
	TRY(read_query(ctx, rq, &list.query));
	list.query.limit = page.page_size;
	list.query.offset = page.offset;
	TRY(trash_list(ctx, registry_of(rq), &list));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < list.count; i++)
		write_entry(ctx, &w, &list.items[i]);
	json_write_array_end(&w);
	return list_answer(rq, &page, list.total, &body);
}

/* Robots and roles may hold a right for some repositories only. */
static err_t require_at(struct ctx *ctx, struct request *rq, enum action action, int64_t project_id,
			str name)
{
	const struct asked_place at = { name, { project_id, name } };
	struct decision decision;
	TRY(request_may_at(ctx, rq, action, &at, &decision));
	return decision.allowed ? OK : request_refuse(ctx, rq, &decision);
}

/* The entry of the path, if the asker may delete where it was. */
static err_t find_entry(struct ctx *ctx, struct request *rq, struct trash_entry *ret)
{
	TRY(trash_get(ctx, registry_of(rq), project_of(rq), rq->id, ret));
	if (ret->kind == TRASH_PROJECT || ret->project_deleted)
		return OK; /* of the tenant's list only */
	return require_at(ctx, rq, ACTION_REPOSITORY_DELETE, ret->project_id, whole_name(ctx, ret));
}

static struct audit_event *note(struct ctx *ctx, struct request *rq, enum audit_type type,
				const struct trash_entry *entry)
{
	struct audit_event *event = audit_change(rq, type);
	event->project_id = entry->project_id;
	event->project = entry->kind == TRASH_PROJECT ? entry->name : entry->project;
	event->resource = whole_name(ctx, entry);
	event->digest = entry->digest;
	if (entry->kind == TRASH_TAG)
		event->resource = arena_printf(ctx->arena, STR_FMT ":" STR_FMT,
					       STR_ARG(event->resource), STR_ARG(entry->name));
	return event;
}

err_t berth_trash_delete(struct ctx *ctx, struct request *rq)
{
	struct trash_entry entry;
	TRY(find_entry(ctx, rq, &entry));
	note(ctx, rq, AUDIT_DELETE_TRASH, &entry);
	TRY(trash_empty(ctx, registry_of(rq), project_of(rq), rq->id));
	return answer_empty(rq, 200);
}

/* --- restoring -------------------------------------------------------------------------------- */

#define AS_BYTES_MAX 255

static err_t read_restore(struct ctx *ctx, struct request *rq, struct trash_restore *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct trash_restore, "as", as, AS_BYTES_MAX),
		JSON_FIELD_BOOL(struct trash_restore, "force", force),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	*ret = (struct trash_restore){ .project_id = project_of(rq), .id = rq->id };
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), ret));
	ret->as = arena_copy(ctx->arena, ret->as);
	return OK;
}

/* Under another name it is as if it were pushed there. */
static err_t may_restore(struct ctx *ctx, struct request *rq, const struct trash_entry *entry,
			 const struct trash_restore *restore)
{
	if (!restore->as.len || entry->kind == TRASH_TAG || entry->project_deleted)
		return entry->kind == TRASH_PROJECT && restore->as.len
			       ? project_name_check(ctx, restore->as)
			       : OK;
	return require_at(ctx, rq, ACTION_REPOSITORY_PUSH, entry->project_id,
			  repository_name(ctx, entry->project, restore->as));
}

static err_t answer_restored(struct ctx *ctx, struct request *rq, const struct trash_restored *done)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "kind", trash_kind_text(done->entry.kind));
	json_write_str(&w, "name", done->repository);
	json_write_i64(&w, "artifact_count", done->artifacts);
	json_write_i64(&w, "tag_count", done->tags);
	json_write_array_begin(&w, "tags_elsewhere");
	for (size_t i = 0; i < done->left_count; i++)
		json_write_str(&w, NULL, done->left[i].name);
	json_write_array_end(&w);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

err_t berth_trash_restore(struct ctx *ctx, struct request *rq)
{
	struct auth *auth = rq->api->options.auth;
	struct trash_entry entry;
	struct trash_restore restore;
	struct trash_restored done;
	TRY(read_restore(ctx, rq, &restore));
	TRY(find_entry(ctx, rq, &entry));
	TRY(may_restore(ctx, rq, &entry, &restore));
	note(ctx, rq, AUDIT_RESTORE_TRASH, &entry);
	TRY(trash_restore(ctx, registry_of(rq), &restore, &done));
	if (entry.kind == TRASH_PROJECT)
		membership_project_changed(auth, entry.project_id);
	member_drop_states(auth, done.accounts, done.account_count);
	return answer_restored(ctx, rq, &done);
}

/* --- windows ---------------------------------------------------------------------------------- */

static str window_json(struct ctx *ctx, const struct trash_window *window)
{
	return arena_printf(ctx->arena, "{\"window_seconds\":%lld,\"own\":%s}",
			    (long long)window->seconds, window->own ? "true" : "false");
}

err_t berth_trash_window_get(struct ctx *ctx, struct request *rq)
{
	struct trash_window window;
	TRY(trash_window(ctx, registry_of(rq), project_of(rq), &window));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_i64(&w, "window_seconds", window.seconds);
	json_write_bool(&w, "own", window.own);
	json_write_object_end(&w);
	return answer_object(ctx, rq, &body);
}

err_t berth_trash_window_put(struct ctx *ctx, struct request *rq)
{
	static const struct json_field fields[] = {
		JSON_FIELD_I64(struct trash_window, "window_seconds", seconds),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct trash_window before, after = { .seconds = INT64_MAX, .own = true };
	int64_t project_id = project_of(rq);
	TRY(trash_window(ctx, registry_of(rq), project_id, &before));
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &after));
	if (after.seconds < -1 || after.seconds > TRASH_WINDOW_MAX_S)
		return fail(ctx, ERR_REQUEST_INVALID,
			    "window_seconds: -1 (none of its own), or 0 to %lld",
			    (long long)TRASH_WINDOW_MAX_S);
	struct audit_event *event = project_id ? audit_project(rq, AUDIT_UPDATE_PROJECT)
					       : audit_change(rq, AUDIT_UPDATE_TENANT);
	event->before = window_json(ctx, &before);
	event->after = window_json(ctx, &after);
	TRY(trash_set_window(ctx, registry_of(rq), project_id, after.seconds));
	return answer_empty(rq, 200);
}
