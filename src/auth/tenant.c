/* SPDX-License-Identifier: Apache-2.0 */
/* tenant.c - see tenant.h. What is remembered is a head, then the reason's bytes. */
#include "auth/tenant.h"
#include "internal.h"

#include "base/clock.h"
#include "codec/host.h"
#include "db/db.h"

#include <string.h>

#include "base/banned.h"

#define KEY_BYTES_MAX (1 + HOST_BYTES_MAX)

struct remembered {
	int64_t id, state;
};

/* By what a tenant is looked for: the first byte of the key says it, the rest is the key. */
struct wanted {
	char kind; /* 'H' host, 'N' name, 'I' id */
	str key;
	int64_t id;
};

struct find_work {
	const struct wanted *wanted;
	struct tenant_row row;
};

static err_t find_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct find_work *work = arg;
	switch (work->wanted->kind) {
	case 'H':
		return db_tenant_of_host(ctx, tx, work->wanted->key, &work->row);
	case 'N':
		return db_tenant_find(ctx, tx, work->wanted->key, &work->row);
	default:
		return db_tenant_get(ctx, tx, work->wanted->id, &work->row);
	}
}

static err_t read_tenant(struct ctx *ctx, struct auth *auth, const struct wanted *wanted, str *ret)
{
	struct find_work work = { .wanted = wanted };
	err_t err = db_run(ctx, auth->db, SQL_READ, find_body, &work);
	if (err != OK && err != ERR_ABSENT)
		return err;
	const struct remembered head = { err == OK ? work.row.id : 0, work.row.state };
	str reason = work.row.reason;
	char *bytes = arena_alloc(ctx->arena, sizeof head + reason.len);
	memcpy(bytes, &head, sizeof head);
	if (reason.len)
		memcpy(bytes + sizeof head, reason.ptr, reason.len);
	*ret = (str){ bytes, sizeof head + reason.len };
	return OK;
}

static err_t find(struct ctx *ctx, struct auth *auth, const struct wanted *wanted,
		  struct tenant_seen *ret)
{
	char key_bytes[KEY_BYTES_MAX];
	CHECK(wanted->key.len < sizeof key_bytes);
	key_bytes[0] = wanted->kind;
	memcpy(key_bytes + 1, wanted->key.ptr, wanted->key.len);
	str key = { key_bytes, 1 + wanted->key.len };
	CLEANUP(cache_value_done) struct cache_value *value = cache_get(auth->tenants, key);
	if (!value) {
		uint64_t ticket = cache_ticket(auth->tenants, key);
		str bytes;
		TRY(read_tenant(ctx, auth, wanted, &bytes));
		value = cache_fill_recheck(auth->tenants, key, ticket, bytes,
					   clock_now_ns() + STATE_REMEMBER_S * CLOCK_S);
	}
	const struct remembered *head = (const void *)value->bytes.ptr; /* aligned */
	*ret = (struct tenant_seen){
		.id = head->id,
		.state = (enum tenant_state)head->state,
		.reason = arena_copy(ctx->arena, str_skip(value->bytes, sizeof *head)),
	};
	return OK;
}

err_t tenant_of_host(struct ctx *ctx, struct auth *auth, str text, struct tenant_seen *ret)
{
	struct host host;
	*ret = (struct tenant_seen){ 0 };
	if (!host_read(text, &host))
		return OK;
	const struct wanted wanted = { .kind = 'H', .key = host_str(&host) };
	return find(ctx, auth, &wanted, ret);
}

err_t tenant_of_id(struct ctx *ctx, struct auth *auth, int64_t id, struct tenant_seen *ret)
{
	const struct wanted wanted = { 'I', { (const char *)&id, sizeof id }, id };
	return find(ctx, auth, &wanted, ret);
}

bool tenant_name_is_valid(str name)
{
	if (!name.len || name.len > TENANT_NAME_BYTES_MAX || name.ptr[0] == '-' ||
	    name.ptr[name.len - 1] == '-')
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", name.ptr[i]) || !name.ptr[i])
			return false;
	return true;
}

err_t tenant_enter(struct ctx *ctx, struct auth *auth, str login, struct tenant_scope *scope,
		   str *ret_name)
{
	struct wanted wanted = { .kind = 'N' };
	struct tenant_seen found = { 0 };
	str name;
	*ret_name = login;
	if (!str_cut(login, '/', &wanted.key, &name) || !name.len ||
	    !tenant_name_is_valid(wanted.key))
		return OK;
	TRY(find(ctx, auth, &wanted, &found));
	if (!found.id ||
	    (ctx->tenant_fixed && found.id != ctx->tenant_id && found.id != TENANT_DEFAULT))
		return OK;
	*scope = (struct tenant_scope){ ctx, ctx->tenant_id, ctx->tenant_fixed };
	ctx->tenant_id = found.id;
	ctx->tenant_fixed = true;
	*ret_name = name;
	return OK;
}

void tenant_leave(struct tenant_scope *scope)
{
	if (!scope->ctx)
		return;
	scope->ctx->tenant_id = scope->id_before;
	scope->ctx->tenant_fixed = scope->fixed_before;
}

void tenant_forget(struct auth *auth)
{
	cache_drop_all(auth->tenants);
}
