/* SPDX-License-Identifier: Apache-2.0 */
/*
 * berth_tenant.c - tenants: made, held and deleted by system administrators, read by auditors, and
 * each by its own administrators too, to whom the others are not there.
 */
#include "api/audit.h"
#include "api/handlers_tenant.h"
#include "api/tenant_json.h"

#include "base/banned.h"

/* --- which -------------------------------------------------------------------------------------
 */

static err_t find(struct ctx *ctx, struct request *rq, struct tenant *ret)
{
	bool sees_all = rq->who.flags & (IDENTITY_ADMIN | IDENTITY_AUDITOR);
	if (!sees_all && rq->id != request_tenant(rq))
		return fail(ctx, ERR_NOT_FOUND, "tenant %lld is another", (long long)rq->id);
	return tenant_get(ctx, registry_of(rq), rq->id, ret);
}

static err_t answer_tenant(struct ctx *ctx, struct request *rq, const struct tenant *tenant)
{
	return answer_json(rq, 200, tenant_json(ctx, rq, tenant));
}

/* In the trail of the tenant itself, where it has one. */
static struct audit_event *declare(struct request *rq, enum audit_type type,
				   const struct tenant *tenant)
{
	struct audit_event *event = audit_change(rq, type);
	event->tenant_id = tenant->row.id;
	event->resource = tenant->row.name;
	return event;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static err_t read_query(struct ctx *ctx, struct request *rq, const struct list *list,
			struct tenant_query *query)
{
	static const char *const columns[TENANT_ORDER_COUNT] = {
		[TENANT_BY_ID] = "id",
		[TENANT_BY_NAME] = "name",
		[TENANT_BY_CREATION] = "creation_time",
	};
	str name = list_text(list, "name"), state = list_text(list, "state");
	*query = (struct tenant_query){ .state = TENANT_STATE_ANY,
					.limit = list->page_size,
					.offset = list->offset };
	query->order = (enum tenant_order)list_sort(list, columns, TENANT_ORDER_COUNT, TENANT_BY_ID,
						    &query->descending);
	query->name_like = like_pattern(ctx->arena, name);
	if (name.len && !list_is_fuzzy(list, "name")) /* without the two "%" */
		query->name_like =
			str_skip(str_take(query->name_like, query->name_like.len - 1), 1);
	enum tenant_state wanted;
	if (state.len) {
		TRY(tenant_state_read(ctx, state, &wanted));
		query->state = (int)wanted;
	}
	return OK;
}

err_t berth_tenant_list(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct tenant_list found;
	TRY(list_begin(ctx, rq, &list));
	TRY(read_query(ctx, rq, &list, &found.query));
	TRY(tenant_list(ctx, registry_of(rq), &found));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < found.count; i++)
		tenant_json_write(&w, rq, &found.items[i]);
	json_write_array_end(&w);
	return list_answer(rq, &list, found.total, &body);
}

err_t berth_tenant_get(struct ctx *ctx, struct request *rq)
{
	struct tenant tenant;
	TRY(find(ctx, rq, &tenant));
	return answer_tenant(ctx, rq, &tenant);
}

err_t berth_tenant_current(struct ctx *ctx, struct request *rq)
{
	rq->id = request_tenant(rq);
	return berth_tenant_get(ctx, rq);
}

/* --- making and changing -----------------------------------------------------------------------
 */

err_t berth_tenant_create(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct tenant_new from;
	struct tenant made;
	int64_t id;
	TRY(body_read(ctx, rq, &doc));
	TRY(tenant_json_read_new(ctx, doc.root, &from));
	struct audit_event *event = audit_change(rq, AUDIT_CREATE_TENANT);
	event->resource = from.name;
	event->after = tenant_json_new(ctx, &from);
	TRY(tenant_create(ctx, registry_of(rq), &from, &id));
	tenant_forget(rq->api->options.auth);
	TRY(tenant_get(ctx, registry_of(rq), id, &made));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	buf_add(&body, tenant_json(ctx, rq, &made));
	return answer_created_with(ctx, rq, id, &body);
}

/* What it is called is the tenant's own; whether it is held is not. */
err_t berth_tenant_update(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct tenant before, after;
	TRY(find(ctx, rq, &before));
	after = before;
	TRY(body_read(ctx, rq, &doc));
	TRY(tenant_json_read_change(ctx, doc.root, &after.row));
	if (after.row.state != before.row.state || !str_eq(after.row.reason, before.row.reason))
		TRY(request_require(ctx, rq, ACTION_TENANT_UPDATE, 0));
	struct audit_event *event = declare(rq, AUDIT_UPDATE_TENANT, &before);
	event->before = tenant_json(ctx, rq, &before);
	event->after = tenant_json(ctx, rq, &after);
	TRY(tenant_update(ctx, registry_of(rq), &after.row));
	tenant_forget(rq->api->options.auth);
	TRY(find(ctx, rq, &after));
	return answer_tenant(ctx, rq, &after);
}

err_t berth_tenant_delete(struct ctx *ctx, struct request *rq)
{
	struct tenant tenant;
	TRY(find(ctx, rq, &tenant));
	declare(rq, AUDIT_DELETE_TENANT, &tenant)->before = tenant_json(ctx, rq, &tenant);
	TRY(tenant_delete(ctx, registry_of(rq), &tenant));
	tenant_forget(rq->api->options.auth);
	return answer_empty(rq, 200);
}

/* --- hosts -------------------------------------------------------------------------------------
 */

static err_t change_host(struct ctx *ctx, struct request *rq, str host, bool add)
{
	struct tenant tenant;
	struct registry *registry = registry_of(rq);
	TRY(find(ctx, rq, &tenant));
	struct audit_event *event = declare(rq, AUDIT_UPDATE_TENANT, &tenant);
	str text = arena_printf(ctx->arena, "{\"host\":\"" STR_FMT "\"}", STR_ARG(host));
	*(add ? &event->after : &event->before) = text;
	TRY(add ? tenant_add_host(ctx, registry, tenant.row.id, host)
		: tenant_remove_host(ctx, registry, tenant.row.id, host));
	tenant_forget(rq->api->options.auth);
	return OK;
}

err_t berth_tenant_host_add(struct ctx *ctx, struct request *rq)
{
	struct body {
		str host;
	} body = { STR_NONE };
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct body, "host", host, KIB(1)),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	str host;
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &body));
	TRY(tenant_host_read(ctx, body.host, &host));
	TRY(change_host(ctx, rq, host, true));
	return answer_created_name(rq, host);
}

err_t berth_tenant_host_remove(struct ctx *ctx, struct request *rq)
{
	str host;
	TRY(tenant_host_read(ctx, rq->word, &host));
	TRY(change_host(ctx, rq, host, false));
	return answer_empty(rq, 200);
}

/* --- storage -----------------------------------------------------------------------------------
 */

err_t berth_tenant_storage_update(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct tenant before, after;
	struct storage_spec spec = { .name = STR_NONE };
	TRY(find(ctx, rq, &before));
	TRY(body_read(ctx, rq, &doc));
	TRY(tenant_json_read_storage_maps(ctx, doc.root, &spec));
	after = before;
	if (spec.settings.len)
		after.storage.settings = spec.settings;
	struct audit_event *event = declare(rq, AUDIT_UPDATE_TENANT, &before);
	event->before = tenant_json(ctx, rq, &before);
	event->after = tenant_json(ctx, rq, &after);
	TRY(tenant_change_storage(ctx, registry_of(rq), &before,
				  spec.settings.len ? &spec.settings : NULL,
				  spec.secrets.len ? &spec.secrets : NULL));
	TRY(find(ctx, rq, &after));
	return answer_tenant(ctx, rq, &after);
}

/* Nobody gets it back: so whoever asks has to say the name too. */
err_t berth_tenant_storage_erase(struct ctx *ctx, struct request *rq)
{
	struct body {
		str name;
	} body = { STR_NONE };
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct body, "name", name, KIB(1)),
	};
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct tenant tenant;
	TRY(find(ctx, rq, &tenant));
	TRY(body_read(ctx, rq, &doc));
	TRY(body_shape(ctx, doc.root, fields, COUNT_OF(fields), &body));
	if (!str_eq(body.name, tenant.row.name))
		return fail(ctx, ERR_REQUEST_INVALID, "name is not the tenant's");
	struct audit_event *event = declare(rq, AUDIT_UPDATE_TENANT, &tenant);
	event->before = STR("{\"storage\":\"readable\"}");
	event->after = STR("{\"storage\":\"erased\"}");
	TRY(tenant_erase_storage(ctx, registry_of(rq), &tenant));
	TRY(find(ctx, rq, &tenant));
	return answer_tenant(ctx, rq, &tenant);
}

/* --- administrators ----------------------------------------------------------------------------
 */

err_t berth_tenant_admin_list(struct ctx *ctx, struct request *rq)
{
	struct list list;
	struct tenant tenant;
	TRY(list_begin(ctx, rq, &list));
	TRY(find(ctx, rq, &tenant));
	struct tenant_admin_list found = { .tenant_id = tenant.row.id,
					   .limit = list.page_size,
					   .offset = list.offset };
	TRY(tenant_admins(ctx, registry_of(rq), &found));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < found.count; i++)
		tenant_json_write_admin(&w, &found.items[i]);
	json_write_array_end(&w);
	return list_answer(rq, &list, found.total, &body);
}

static void declare_admin(struct request *rq, const struct tenant *tenant,
			  const struct tenant_admin *admin, bool on)
{
	struct audit_event *event = declare(rq, AUDIT_UPDATE_TENANT, tenant);
	CLEANUP(buf_done) struct buf text = BUF_INIT(KIB(8));
	struct json_writer w = JSON_WRITER(&text);
	json_write_object_begin(&w, NULL);
	json_write_key(&w, STR("administrator"));
	tenant_json_write_admin(&w, admin);
	json_write_object_end(&w);
	*(on ? &event->after : &event->before) = arena_copy(rq->x->ctx->arena, buf_str(&text));
}

static err_t set_user(struct ctx *ctx, struct request *rq, const struct tenant *tenant,
		      const struct user *user, bool on)
{
	const struct tenant_admin admin = { false, user->id, user->name };
	declare_admin(rq, tenant, &admin, on);
	return user_set_flag(ctx, rq->api->options.auth, user, IDENTITY_TENANT_ADMIN, on);
}

static err_t set_group(struct ctx *ctx, struct request *rq, const struct tenant *tenant, int64_t id,
		       bool on)
{
	struct user_group group;
	struct auth *auth = rq->api->options.auth;
	err_t err = user_group_get(ctx, auth, tenant->row.id, id, &group);
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_NOT_FOUND, "no such group");
	TRY(err);
	const struct tenant_admin admin = { true, group.id, group.name };
	declare_admin(rq, tenant, &admin, on);
	return user_group_set_tenant_admin(ctx, auth, tenant->row.id, id, on);
}

static err_t find_user(struct ctx *ctx, struct request *rq, const struct tenant *tenant, int64_t id,
		       str name, struct user *ret)
{
	struct auth *auth = rq->api->options.auth;
	err_t err = id ? user_get(ctx, auth, tenant->row.id, id, ret)
		       : user_find(ctx, auth, tenant->row.id, name, ret);
	return err == ERR_ABSENT ? fail(ctx, ERR_NOT_FOUND, "no such user") : err;
}

static err_t make_user(struct ctx *ctx, struct request *rq, const struct tenant *tenant,
		       struct user_new *from, int64_t *ret_id)
{
	from->tenant_id = tenant->row.id;
	struct audit_event *event = audit_change(rq, AUDIT_CREATE_USER);
	event->tenant_id = tenant->row.id;
	event->resource = from->name;
	err_t err = user_create(ctx, rq->api->options.auth, from, ret_id);
	return err == ERR_EXISTS ? fail(ctx, ERR_EXISTS, "a user has this name or address") : err;
}

/* Somebody who is there, a group, or somebody new. */
err_t berth_tenant_admin_add(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct tenant_admin_wanted wanted;
	struct tenant tenant;
	struct user user;
	TRY(find(ctx, rq, &tenant));
	TRY(body_read(ctx, rq, &doc));
	TRY(tenant_json_read_admin(ctx, doc.root, &wanted));
	if (wanted.group_id) {
		TRY(set_group(ctx, rq, &tenant, wanted.group_id, true));
		return answer_empty(rq, 200);
	}
	if (wanted.is_new)
		TRY(make_user(ctx, rq, &tenant, &wanted.user, &wanted.user_id));
	TRY(find_user(ctx, rq, &tenant, wanted.user_id, wanted.username, &user));
	TRY(set_user(ctx, rq, &tenant, &user, true));
	return answer_empty(rq, 200);
}

err_t berth_tenant_admin_remove_user(struct ctx *ctx, struct request *rq)
{
	struct tenant tenant;
	struct user user;
	TRY(find(ctx, rq, &tenant));
	TRY(find_user(ctx, rq, &tenant, rq->sub_id, STR_NONE, &user));
	TRY(set_user(ctx, rq, &tenant, &user, false));
	return answer_empty(rq, 200);
}

err_t berth_tenant_admin_remove_group(struct ctx *ctx, struct request *rq)
{
	struct tenant tenant;
	TRY(find(ctx, rq, &tenant));
	TRY(set_group(ctx, rq, &tenant, rq->sub_id, false));
	return answer_empty(rq, 200);
}
