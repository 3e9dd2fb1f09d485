/* SPDX-License-Identifier: Apache-2.0 */
/* harbor_user_group.c - groups of people, as Harbor's API has them. */
#include "api/audit.h"
#include "api/handlers.h"
#include "api/harbor.h"
#include "auth/user_group.h"

#include "base/banned.h"

static void write_group(struct json_writer *w, const struct user_group *group)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", group->id);
	json_write_str(w, "group_name", group->name);
	json_write_i64(w, "group_type", group->type);
	json_write_str(w, "ldap_group_dn", group->dn);
	json_write_object_end(w);
}

static void write_found(struct json_writer *w, const struct user_group *group)
{
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", group->id);
	json_write_str(w, "group_name", group->name);
	json_write_i64(w, "group_type", group->type);
	json_write_object_end(w);
}

static err_t answer_groups(struct request *rq, const struct list *list, struct group_filter filter,
			   void (*write)(struct json_writer *w, const struct user_group *group))
{
	struct ctx *ctx = rq->x->ctx;
	struct user_group_list found = { .filter = filter };
	found.filter.tenant_id = request_tenant(rq);
	found.filter.limit = list->page_size;
	found.filter.offset = list->offset;
	TRY(user_group_list(ctx, rq->api->options.auth, &found));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < found.count; i++)
		write(&w, &found.rows[i]);
	json_write_array_end(&w);
	return list_answer(rq, list, found.total, &body);
}

err_t harbor_group_list(struct ctx *ctx, struct request *rq)
{
	struct list list;
	TRY(list_begin(ctx, rq, &list));
	const struct group_filter filter = {
		.name_like = like_pattern(ctx->arena, request_query(rq, STR("group_name"))),
		.dn = request_query(rq, STR("ldap_group_dn")),
	};
	return answer_groups(rq, &list, filter, write_group);
}

err_t harbor_group_search(struct ctx *ctx, struct request *rq)
{
	struct list list;
	str name = request_query(rq, STR("groupname"));
	TRY(list_begin(ctx, rq, &list));
	if (!name.len)
		return fail(ctx, ERR_UNPROCESSABLE, "groupname is required");
	const struct group_filter filter = { .name_like = like_pattern(ctx->arena, name),
					     .nearest_first = true };
	return answer_groups(rq, &list, filter, write_found);
}

/* --- one ---------------------------------------------------------------------------------------
 */

static err_t find_group(struct ctx *ctx, struct request *rq, struct user_group *ret)
{
	err_t err = user_group_get(ctx, rq->api->options.auth, request_tenant(rq), rq->id, ret);
	return err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such group") : err;
}

static str group_json(struct ctx *ctx, const struct user_group *group)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	write_group(&w, group);
	return arena_copy(ctx->arena, buf_str(&body));
}

err_t harbor_group_get(struct ctx *ctx, struct request *rq)
{
	struct user_group group;
	TRY(find_group(ctx, rq, &group));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	write_group(&w, &group);
	return answer_object(ctx, rq, &body);
}

static err_t read_group(struct ctx *ctx, struct request *rq, struct user_group *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct user_group, "group_name", name, USER_GROUP_NAME_MAX),
		JSON_FIELD_I64(struct user_group, "group_type", type),
		JSON_FIELD_STR(struct user_group, "ldap_group_dn", dn, USER_GROUP_DN_MAX),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), ret));
	ret->name = arena_copy(ctx->arena, ret->name);
	ret->dn = arena_copy(ctx->arena, ret->dn);
	return OK;
}

err_t harbor_group_create(struct ctx *ctx, struct request *rq)
{
	struct user_group group = { .tenant_id = request_tenant(rq) };
	TRY(read_group(ctx, rq, &group));
	struct audit_event *event = audit_change(rq, AUDIT_CREATE_USER_GROUP);
	event->resource = group.name;
	event->after = group_json(ctx, &group);
	TRY(user_group_create(ctx, rq->api->options.auth, &group));
	return answer_created(rq, group.id);
}

/* Only its name can be another: what it is elsewhere is said there. */
err_t harbor_group_update(struct ctx *ctx, struct request *rq)
{
	struct user_group group, wanted = { 0 };
	TRY(find_group(ctx, rq, &group));
	TRY(read_group(ctx, rq, &wanted));
	struct audit_event *event = audit_change(rq, AUDIT_UPDATE_USER_GROUP);
	event->resource = group.name;
	event->before = group_json(ctx, &group);
	group.name = wanted.name;
	event->after = group_json(ctx, &group);
	err_t err = user_group_rename(ctx, rq->api->options.auth, group.tenant_id, group.id,
				      group.name);
	if (err == ERR_EXISTS) {
		ctx_forgive(ctx);
		return fail(ctx, ERR_REQUEST_INVALID, "another group has this name");
	}
	TRY(err);
	return answer_empty(rq, 200);
}

err_t harbor_group_delete(struct ctx *ctx, struct request *rq)
{
	struct user_group group;
	TRY(find_group(ctx, rq, &group));
	struct audit_event *event = audit_change(rq, AUDIT_DELETE_USER_GROUP);
	event->resource = group.name;
	event->before = group_json(ctx, &group);
	TRY(user_group_delete(ctx, rq->api->options.auth, group.tenant_id, group.id));
	return answer_empty(rq, 200);
}
