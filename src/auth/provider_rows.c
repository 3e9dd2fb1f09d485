/* SPDX-License-Identifier: Apache-2.0 */
/* provider_rows.c - see identity_provider.h: providers as rows, their secrets sealed, and the whole
 * of Harbor's GET and PUT. */
#include "provider_internal.h"

#include "db/db.h"
#include "db/identity_provider.h"
#include "http/outbound.h"

#include <string.h>

#include "base/banned.h"

/* --- one row -------------------------------------------------------------------------------- */

/* Bound to tenant and kind, not to the id: a row has none before it is inserted. */
static str seal_context(struct ctx *ctx, int64_t tenant_id, enum provider_kind kind)
{
	return arena_printf(ctx->arena, "identity_provider/%lld/%s", (long long)tenant_id,
			    provider_kind_name(kind));
}

static err_t read_members(struct ctx *ctx, str text, struct identity_provider *p)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	size_t taken;
	if (!json_parse(text, JSON_LIMITS_SMALL, &doc, &problem))
		return fail(ctx, ERR_CONFIG, "identity provider: " JSON_PROBLEM_FMT,
			    JSON_PROBLEM_ARG(problem));
	return provider_read_members(ctx, doc.root, p, &taken);
}

static err_t from_row(struct ctx *ctx, const struct identity_providers *ips,
		      const struct identity_provider_row *row, struct identity_provider *ret)
{
	struct identity_provider p;
	enum provider_kind kind;
	str secrets;
	if (!provider_kind_parse(row->kind, &kind))
		return fail(ctx, ERR_CONFIG, "identity provider of unknown kind " STR_FMT,
			    STR_ARG(row->kind));
	identity_provider_init(&p, kind, row->tenant_id, row->name);
	p.id = row->id;
	p.position = row->position;
	p.enabled = row->enabled;
	TRY(read_members(ctx, row->settings, &p));
	if (row->secrets.len) {
		err_t err =
			secretbox_open(ctx, ips->master, seal_context(ctx, row->tenant_id, kind),
				       row->secrets, &secrets);
		if (err == ERR_CORRUPT) {
			ctx_forgive(ctx);
			return fail(ctx, ERR_CONFIG,
				    "master key does not open the secrets of provider " STR_FMT,
				    STR_ARG(row->name));
		}
		TRY(err);
		TRY(read_members(ctx, secrets, &p));
	}
	*ret = p;
	return OK;
}

static str print_members(struct ctx *ctx, const struct identity_provider *p, bool secret,
			 bool *ret_fits)
{
	CLEANUP(buf_done)
	struct buf b = BUF_INIT(secret ? SECRETBOX_SECRET_MAX : PROVIDER_SETTINGS_MAX);
	struct json_writer w = JSON_WRITER(&b);
	json_write_object_begin(&w, NULL);
	provider_write_members(&w, p, secret);
	json_write_object_end(&w);
	*ret_fits = !buf_overrun(&b);
	str text = arena_copy(ctx->arena, buf_str(&b));
	if (secret && b.len)
		explicit_bzero(b.ptr, b.len);
	return text;
}

static err_t to_row(struct ctx *ctx, const struct identity_providers *ips,
		    const struct identity_provider *p, struct identity_provider_row *ret)
{
	bool settings_fit, secrets_fit;
	*ret = (struct identity_provider_row){ .id = p->id,
					       .tenant_id = p->tenant_id,
					       .name = p->name,
					       .kind = str_from(provider_kind_name(p->kind)),
					       .position = p->position,
					       .enabled = p->enabled };
	ret->settings = print_members(ctx, p, false, &settings_fit);
	str secrets = print_members(ctx, p, true, &secrets_fit);
	if (!settings_fit || !secrets_fit)
		return fail(ctx, ERR_REQUEST_INVALID, "settings are too long");
	return secretbox_seal(ctx, ips->master, seal_context(ctx, p->tenant_id, p->kind), secrets,
			      &ret->secrets);
}

/* --- rows, in an open transaction ------------------------------------------------------------- */

static err_t list_in(struct ctx *ctx, const struct identity_providers *ips, struct sql_tx *tx,
		     int64_t tenant_id, struct identity_provider **ret, size_t *ret_count)
{
	struct identity_provider_row *rows;
	size_t count;
	TRY(db_identity_provider_list(ctx, tx, tenant_id, &rows, &count));
	struct identity_provider *list = ARENA_ARRAY(ctx->arena, struct identity_provider, count);
	for (size_t i = 0; i < count; i++)
		TRY(from_row(ctx, ips, &rows[i], &list[i]));
	*ret = list;
	*ret_count = count;
	return OK;
}

/* Where somebody of another tenant must not send us is refused at once when it is written out; a
 * name, whenever it is asked. */
static err_t check_place(struct ctx *ctx, const struct identity_providers *ips,
			 const struct identity_provider *p)
{
	static const enum provider_setting urls[PROVIDER_KIND_COUNT] = {
		[PROVIDER_OIDC] = PROVIDER_OIDC_ENDPOINT,
		[PROVIDER_LDAP] = PROVIDER_LDAP_URL,
		[PROVIDER_KEYSTONE] = PROVIDER_KEYSTONE_URL,
	};
	return ips->outbound ? outbound_check(ctx, ips->outbound, p->tenant_id,
					      provider_text(p, urls[p->kind]))
			     : OK;
}

static err_t save_in(struct ctx *ctx, const struct identity_providers *ips, struct sql_tx *tx,
		     struct identity_provider *p)
{
	struct identity_provider_row row, *others;
	size_t count;
	TRY(check_place(ctx, ips, p));
	TRY(to_row(ctx, ips, p, &row));
	if (p->id)
		return db_identity_provider_update(ctx, tx, &row);
	TRY(db_identity_provider_list(ctx, tx, p->tenant_id, &others, &count));
	if (count >= PROVIDERS_MAX)
		return fail(ctx, ERR_LIMIT, "%zu identity providers", count);
	TRY(db_identity_provider_insert(ctx, tx, &row));
	p->id = row.id;
	return OK;
}

struct work {
	const struct identity_providers *ips;
	int64_t tenant_id, id;
	const struct json_value *flat;
	struct identity_provider *provider, *list;
	size_t count;
};

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct work *work = arg;
	return list_in(ctx, work->ips, tx, work->tenant_id, &work->list, &work->count);
}

static err_t find_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct work *work = arg;
	struct identity_provider_row row;
	TRY(db_identity_provider_find(ctx, tx, work->tenant_id, work->id, &row));
	return from_row(ctx, work->ips, &row, work->provider);
}

static err_t save_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct work *work = arg;
	return save_in(ctx, work->ips, tx, work->provider);
}

static err_t delete_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct work *work = arg;
	return db_identity_provider_delete(ctx, tx, work->tenant_id, work->id);
}

/* --- calls ---------------------------------------------------------------------------------- */

err_t identity_provider_list(struct ctx *ctx, const struct identity_providers *ips,
			     int64_t tenant_id, bool only_enabled, struct identity_provider **ret,
			     size_t *ret_count)
{
	struct work work = { .ips = ips, .tenant_id = tenant_id };
	TRY(db_run(ctx, ips->db, SQL_READ, list_body, &work));
	size_t kept = 0;
	for (size_t i = 0; i < work.count; i++)
		if (!only_enabled || work.list[i].enabled)
			work.list[kept++] = work.list[i];
	*ret = work.list;
	*ret_count = kept;
	return OK;
}

err_t identity_provider_find(struct ctx *ctx, const struct identity_providers *ips,
			     int64_t tenant_id, int64_t id, struct identity_provider *ret)
{
	struct work work = { .ips = ips, .tenant_id = tenant_id, .id = id, .provider = ret };
	return db_run(ctx, ips->db, SQL_READ, find_body, &work);
}

err_t identity_provider_save(struct ctx *ctx, const struct identity_providers *ips,
			     struct identity_provider *p)
{
	struct work work = { .ips = ips, .provider = p };
	TRY(identity_provider_check(ctx, p));
	return db_run(ctx, ips->db, SQL_WRITE, save_body, &work);
}

err_t identity_provider_delete(struct ctx *ctx, const struct identity_providers *ips,
			       int64_t tenant_id, int64_t id)
{
	struct work work = { .ips = ips, .tenant_id = tenant_id, .id = id };
	return db_run(ctx, ips->db, SQL_WRITE, delete_body, &work);
}

/* --- Harbor's configuration ------------------------------------------------------------------- */

static struct identity_provider *first_of(struct identity_provider *list, size_t count,
					  enum provider_kind kind)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].kind == kind)
			return &list[i];
	return NULL;
}

/* One kind of a PUT: its provider is made when a key of it, or its mode, is there. */
static err_t put_kind(struct ctx *ctx, struct sql_tx *tx, struct work *work,
		      enum provider_kind kind, str mode)
{
	struct identity_provider fresh, *p = first_of(work->list, work->count, kind);
	bool touched;
	if (!p) {
		identity_provider_init(&fresh, kind, work->tenant_id,
				       str_from(provider_kind_name(kind)));
		fresh.position = (int64_t)work->count + 1;
		p = &fresh;
	}
	TRY(identity_provider_from_configuration(ctx, work->flat, p, &touched));
	bool enabled = mode.len ? str_eq(mode, str_from(provider_auth_mode_of(kind))) : p->enabled;
	touched = touched || enabled != p->enabled;
	p->enabled = enabled;
	if (!touched)
		return OK;
	TRY(identity_provider_check(ctx, p));
	return save_in(ctx, work->ips, tx, p);
}

static err_t put_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct work *work = arg;
	str mode = STR_NONE;
	TRY(list_body(ctx, tx, arg));
	if (json_get_str(work->flat, "auth_mode", &mode) == JSON_WRONG ||
	    (mode.len && !str_eq(mode, STR("db_auth")) && !str_eq(mode, STR("oidc_auth")) &&
	     !str_eq(mode, STR("ldap_auth"))))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "auth_mode is not db_auth, ldap_auth or oidc_auth (which is also "
			    "for a UAA)");
	for (int kind = 0; kind < PROVIDER_KIND_COUNT; kind++)
		if (provider_auth_mode_of((enum provider_kind)kind))
			TRY(put_kind(ctx, tx, work, (enum provider_kind)kind, mode));
	return OK;
}

err_t provider_put_configuration(struct ctx *ctx, const struct identity_providers *ips,
				 struct sql_tx *tx, int64_t tenant_id,
				 const struct json_value *flat)
{
	struct work work = { .ips = ips, .tenant_id = tenant_id, .flat = flat };
	return put_body(ctx, tx, &work);
}

err_t identity_provider_put_configuration(struct ctx *ctx, const struct identity_providers *ips,
					  int64_t tenant_id, const struct json_value *flat)
{
	struct work work = { .ips = ips, .tenant_id = tenant_id, .flat = flat };
	return db_run(ctx, ips->db, SQL_WRITE, put_body, &work);
}

err_t identity_provider_get_configuration(struct ctx *ctx, const struct identity_providers *ips,
					  int64_t tenant_id, bool editable, struct json_writer *w)
{
	struct identity_provider *list, fresh;
	size_t count;
	TRY(identity_provider_list(ctx, ips, tenant_id, false, &list, &count));
	json_write_object_begin(w, "auth_mode");
	json_write_str(w, "value", str_from(identity_provider_auth_mode(list, count)));
	json_write_bool(w, "editable", editable);
	json_write_object_end(w);
	for (int kind = 0; kind < PROVIDER_KIND_COUNT; kind++) {
		if (!provider_auth_mode_of((enum provider_kind)kind))
			continue;
		struct identity_provider *p = first_of(list, count, (enum provider_kind)kind);
		if (!p)
			identity_provider_init(&fresh, (enum provider_kind)kind, tenant_id,
					       STR_NONE);
		identity_provider_to_configuration(w, p ? p : &fresh, editable);
	}
	return OK;
}
