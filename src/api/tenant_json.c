/* SPDX-License-Identifier: Apache-2.0 */
/* tenant_json.c - see tenant_json.h. */
#include "api/tenant_json.h"
#include "codec/host.h"

#include "base/banned.h"

#define PASSWORD_BYTES 1024
#define STATE_BYTES    16

static const char *const state_names[TENANT_STATE_COUNT] = {
	[TENANT_ACTIVE] = "active",
	[TENANT_READ_ONLY] = "read_only",
	[TENANT_SUSPENDED] = "suspended",
};

/* --- writing -----------------------------------------------------------------------------------
 */

static void write_storage(struct json_writer *w, const struct request *rq,
			  const struct storage_binding *storage)
{
	json_write_object_begin(w, "storage");
	json_write_str(w, "driver", storage->driver);
	json_write_bool(w, "encrypted", storage->encrypted);
	json_write_time(w, "erased_time", storage->erased_at_us);
	if (rq->who.flags & (IDENTITY_ADMIN | IDENTITY_AUDITOR)) {
		json_write_i64(w, "id", storage->id);
		json_write_str(w, "name", storage->name);
		json_write_str(w, "location", storage->location);
		json_write_raw(w, "settings", storage->settings);
		json_write_bool(w, "has_secrets", storage->has_secrets);
	}
	json_write_object_end(w);
}

static void write_hosts(struct json_writer *w, const str *hosts, size_t count)
{
	json_write_array_begin(w, "hosts");
	for (size_t i = 0; i < count; i++)
		json_write_str(w, NULL, hosts[i]);
	json_write_array_end(w);
}

void tenant_json_write(struct json_writer *w, const struct request *rq, const struct tenant *tenant)
{
	const struct tenant_row *row = &tenant->row;
	json_write_object_begin(w, NULL);
	json_write_i64(w, "id", row->id);
	json_write_str(w, "name", row->name);
	json_write_str(w, "title", row->title);
	json_write_str(w, "state", str_from(state_names[row->state]));
	json_write_str(w, "reason", row->reason);
	write_hosts(w, tenant->hosts, tenant->host_count);
	write_storage(w, rq, &tenant->storage);
	json_write_time(w, "creation_time", row->created_at_us);
	json_write_time(w, "update_time", row->updated_at_us);
	json_write_object_end(w);
}

str tenant_json(struct ctx *ctx, const struct request *rq, const struct tenant *tenant)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&text);
	tenant_json_write(&w, rq, tenant);
	return arena_copy(ctx->arena, buf_str(&text));
}

void tenant_json_write_admin(struct json_writer *w, const struct tenant_admin *admin)
{
	json_write_object_begin(w, NULL);
	json_write_str(w, "type", admin->is_group ? STR("group") : STR("user"));
	json_write_i64(w, "id", admin->id);
	json_write_str(w, "name", admin->name);
	json_write_object_end(w);
}

str tenant_json_new(struct ctx *ctx, const struct tenant_new *from)
{
	CLEANUP(buf_done) struct buf text = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&text);
	json_write_object_begin(&w, NULL);
	json_write_str(&w, "name", from->name);
	json_write_str(&w, "title", from->title);
	write_hosts(&w, from->hosts, from->host_count);
	json_write_object_begin(&w, "storage");
	json_write_str(&w, "driver", from->storage.driver);
	json_write_str(&w, "location", from->storage.location);
	json_write_bool(&w, "encrypted", from->storage.encrypted);
	json_write_object_end(&w);
	json_write_array_begin(&w, "administrators");
	for (size_t i = 0; i < from->admin_count; i++)
		json_write_str(&w, NULL, from->admins[i].name);
	json_write_array_end(&w);
	json_write_object_end(&w);
	return arena_copy(ctx->arena, buf_str(&text));
}

/* --- reading -----------------------------------------------------------------------------------
 */

err_t tenant_state_read(struct ctx *ctx, str text, enum tenant_state *ret)
{
	for (enum tenant_state state = 0; state < TENANT_STATE_COUNT; state++)
		if (str_eq(text, str_from(state_names[state]))) {
			*ret = state;
			return OK;
		}
	return fail(ctx, ERR_REQUEST_INVALID, "state is active, read_only or suspended");
}

err_t tenant_host_read(struct ctx *ctx, str text, str *ret)
{
	struct host host;
	if (!host_read(text, &host) || host.has_port)
		return fail(ctx, ERR_REQUEST_INVALID,
			    "a host is a name of DNS or an address, without a port");
	*ret = arena_copy(ctx->arena, host_str(&host));
	return OK;
}

static err_t read_hosts(struct ctx *ctx, const struct json_value *array, struct tenant_new *ret)
{
	size_t count = json_count(array);
	if (count > TENANT_HOSTS_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "a tenant has at most %d hosts",
			    TENANT_HOSTS_MAX);
	ret->hosts = ARENA_ARRAY(ctx->arena, str, count);
	ret->host_count = count;
	for (size_t i = 0; i < count; i++)
		TRY(tenant_host_read(ctx, json_value_str(json_element(array, i)), &ret->hosts[i]));
	return OK;
}

/* An object of texts as its text. */
static err_t read_map(struct ctx *ctx, const struct json_value *root, const char *key, str *ret)
{
	const struct json_value *map = json_member(root, key);
	*ret = STR_NONE;
	if (!map)
		return OK;
	if (!json_value_is_str_map(map))
		return fail(ctx, ERR_UNPROCESSABLE, "%s is an object of texts", key);
	size_t len = json_value_print(map, NULL, 0);
	if (len > STORAGE_SETTINGS_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "%s has at most %zu bytes", key,
			    (size_t)STORAGE_SETTINGS_MAX);
	char *text = arena_alloc(ctx->arena, len + 1);
	json_value_print(map, text, len + 1);
	*ret = (str){ text, len };
	return OK;
}

err_t tenant_json_read_storage_maps(struct ctx *ctx, const struct json_value *root,
				    struct storage_spec *ret)
{
	TRY(read_map(ctx, root, "settings", &ret->settings));
	return read_map(ctx, root, "secrets", &ret->secrets);
}

err_t tenant_json_read_storage(struct ctx *ctx, const struct json_value *object,
			       struct storage_spec *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct storage_spec, "name", name, STORAGE_NAME_MAX),
		JSON_FIELD_STR(struct storage_spec, "driver", driver, 64),
		JSON_FIELD_STR(struct storage_spec, "location", location, KIB(1)),
		JSON_FIELD_BOOL(struct storage_spec, "encrypted", encrypted),
	};
	TRY(body_shape(ctx, object, fields, COUNT_OF(fields), ret));
	return tenant_json_read_storage_maps(ctx, object, ret);
}

static err_t read_user(struct ctx *ctx, const struct json_value *object, struct user_new *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct user_new, "username", name, USER_NAME_BYTES_MAX),
		JSON_FIELD_STR(struct user_new, "password", password, PASSWORD_BYTES),
		JSON_FIELD_STR(struct user_new, "email", email, USER_EMAIL_BYTES_MAX),
		JSON_FIELD_STR(struct user_new, "real_name", realname, USER_REALNAME_BYTES_MAX),
	};
	*ret = (struct user_new){ .comment = STR(""), .email = STR(""), .realname = STR("") };
	return body_shape(ctx, object, fields, COUNT_OF(fields), ret);
}

static err_t read_admins(struct ctx *ctx, const struct json_value *array, struct tenant_new *ret)
{
	size_t count = json_count(array);
	if (count > TENANT_ADMINS_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "at most %d administrators come with it",
			    TENANT_ADMINS_MAX);
	ret->admins = ARENA_ARRAY(ctx->arena, struct account, count);
	ret->admin_count = count;
	for (size_t i = 0; i < count; i++) {
		struct user_new user;
		TRY(read_user(ctx, json_element(array, i), &user));
		TRY(user_prepare(ctx, &user, &ret->admins[i]));
	}
	return OK;
}

struct new_body {
	str name, title;
	const struct json_value *hosts, *storage, *administrators;
};

err_t tenant_json_read_new(struct ctx *ctx, const struct json_value *root, struct tenant_new *ret)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct new_body, "name", name, TENANT_NAME_BYTES_MAX),
		JSON_FIELD_STR(struct new_body, "title", title, TENANT_TITLE_BYTES_MAX),
		JSON_FIELD_OF(JSON_KIND_ARRAY, struct new_body, "hosts", hosts),
		JSON_FIELD_OF(JSON_KIND_OBJECT, struct new_body, "storage", storage),
		JSON_FIELD_OF(JSON_KIND_ARRAY, struct new_body, "administrators", administrators),
	};
	struct new_body body = { .title = STR("") };
	TRY(body_shape(ctx, root, fields, COUNT_OF(fields), &body));
	if (!tenant_name_is_valid(body.name))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "name has 1 to %d lower-case letters, digits and \"-\" between them",
			    TENANT_NAME_BYTES_MAX);
	*ret = (struct tenant_new){ .name = body.name, .title = body.title };
	TRY(read_hosts(ctx, body.hosts, ret));
	if (body.storage)
		TRY(tenant_json_read_storage(ctx, body.storage, &ret->storage));
	return read_admins(ctx, body.administrators, ret);
}

struct change_body {
	str title, state, reason;
	bool has_state, has_reason;
};

err_t tenant_json_read_change(struct ctx *ctx, const struct json_value *root,
			      struct tenant_row *row)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct change_body, "title", title, TENANT_TITLE_BYTES_MAX),
		JSON_FIELD_STR(struct change_body, "state", state, STATE_BYTES),
		JSON_FIELD_STR(struct change_body, "reason", reason, TENANT_REASON_BYTES_MAX),
		JSON_FIELD_HAS(struct change_body, "state", has_state),
		JSON_FIELD_HAS(struct change_body, "reason", has_reason),
	};
	struct change_body body = { .title = row->title, .reason = STR("") };
	enum tenant_state before = row->state;
	TRY(body_shape(ctx, root, fields, COUNT_OF(fields), &body));
	if (body.has_state)
		TRY(tenant_state_read(ctx, body.state, &row->state));
	if (body.has_reason || row->state != before)
		row->reason = body.reason;
	row->title = body.title;
	return OK;
}

err_t tenant_json_read_admin(struct ctx *ctx, const struct json_value *root,
			     struct tenant_admin_wanted *ret)
{
	struct body {
		int64_t user_id, group_id;
		str username;
		const struct json_value *user;
	} body = { .username = STR_NONE };
	static const struct json_field fields[] = {
		JSON_FIELD_I64(struct body, "user_id", user_id),
		JSON_FIELD_I64(struct body, "group_id", group_id),
		JSON_FIELD_STR(struct body, "username", username, USER_NAME_BYTES_MAX),
		JSON_FIELD_OF(JSON_KIND_OBJECT, struct body, "user", user),
	};
	TRY(body_shape(ctx, root, fields, COUNT_OF(fields), &body));
	if ((body.user_id != 0) + (body.group_id != 0) + (body.username.len != 0) +
		    (body.user != NULL) !=
	    1)
		return fail(ctx, ERR_REQUEST_INVALID,
			    "exactly one of user_id, username, group_id and user says who");
	*ret = (struct tenant_admin_wanted){ .user_id = body.user_id,
					     .group_id = body.group_id,
					     .username = body.username,
					     .is_new = body.user != NULL };
	return body.user ? read_user(ctx, body.user, &ret->user) : OK;
}
