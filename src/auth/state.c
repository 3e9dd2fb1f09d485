/* SPDX-License-Identifier: Apache-2.0 */
/* state.c - see state.h. What is remembered of a subject is its head, then its identity's image. */
#include "internal.h"

#include "image.h"

#include "auth/robot.h"
#include "base/clock.h"
#include "db/access_token.h"
#include "db/db.h"

#include <string.h>

#include "base/banned.h"

struct state {
	int64_t epoch;
	int64_t live; /* there, and not blocked; 16 bytes, so that the image is aligned */
};

struct state_key {
	char bytes[2 + sizeof(int64_t)];
};

static str make_key(struct state_key *key, char kind, char subject, int64_t id)
{
	key->bytes[0] = kind;
	key->bytes[1] = subject;
	memcpy(key->bytes + 2, &id, sizeof id);
	return (str){ key->bytes, sizeof key->bytes };
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Whom a tenant's own provider calls an administrator is that tenant's; rights over the system are
 * for people of the default tenant, whatever a row says. */
static unsigned flags_of(const struct account *account)
{
	unsigned tenant_admin = account->is_tenant_admin ? IDENTITY_TENANT_ADMIN : 0;
	if (account->tenant_id != TENANT_DEFAULT)
		return account->admin_elsewhere ? IDENTITY_TENANT_ADMIN : tenant_admin;
	return (account->is_admin || account->admin_elsewhere ? IDENTITY_ADMIN : 0) |
	       (account->is_auditor ? IDENTITY_AUDITOR : 0) | tenant_admin;
}

void identity_of_account(const struct account *account, struct identity *ret)
{
	*ret = (struct identity){
		.subject = SUBJECT_USER,
		.id = account->id,
		.tenant_id = account->tenant_id,
		.name = account->name,
		.flags = flags_of(account),
		.epoch = account->epoch,
		.issuer = account->issuer.len ? account->issuer : STR("local"),
	};
}

struct account_work {
	int64_t id;
	struct account account;
};

static err_t account_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct account_work *work = arg;
	return db_account_get_anywhere(ctx, tx, work->id, &work->account);
}

/* OK with `live` false: blocked. ERR_ABSENT: gone. */
static err_t read_user(struct ctx *ctx, struct auth *auth, int64_t id, bool *ret_live,
		       struct identity *ret)
{
	struct account_work work = { .id = id };
	TRY(db_run(ctx, auth->db, SQL_READ, account_body, &work));
	identity_of_account(&work.account, ret);
	*ret_live = !work.account.disabled;
	return OK;
}

/* How each kind of subject is looked at. Without a row its proofs end by their own lifetime only.
 */
static err_t (*const readers[])(struct ctx *, struct auth *, int64_t, bool *, struct identity *) = {
	[SUBJECT_USER] = read_user,
	[SUBJECT_ROBOT] = robot_identity,
};

static err_t read_state(struct ctx *ctx, struct auth *auth, enum subject subject, int64_t id,
			str *ret)
{
	struct state state = { 0 };
	struct identity who = { .subject = subject, .id = id };
	bool live = false;
	err_t err = readers[subject](ctx, auth, id, &live, &who);
	if (err != OK && err != ERR_ABSENT)
		return err;
	state = (struct state){ who.epoch, err == OK && live };
	str image = identity_image_make(ctx->arena, &who);
	char *bytes = arena_alloc(ctx->arena, sizeof state + image.len);
	memcpy(bytes, &state, sizeof state);
	memcpy(bytes + sizeof state, image.ptr, image.len);
	*ret = (str){ bytes, sizeof state + image.len };
	return OK;
}

static err_t get_state(struct ctx *ctx, struct auth *auth, enum subject subject, int64_t id,
		       struct cache_value **ret)
{
	struct state_key key_bytes;
	str key = make_key(&key_bytes, 'A', (char)subject, id);
	*ret = cache_get(auth->cache, key);
	if (*ret)
		return OK;
	uint64_t ticket = cache_ticket(auth->cache, key);
	str bytes;
	TRY(read_state(ctx, auth, subject, id, &bytes));
	*ret = cache_fill_recheck(auth->cache, key, ticket, bytes,
				  clock_now_ns() + STATE_REMEMBER_S * CLOCK_S);
	return OK;
}

static const struct state *state_of(const struct cache_value *value)
{
	return (const void *)value->bytes.ptr; /* cache values are aligned */
}

/* --- personal access tokens, and secrets of robots
 * ------------------------------------------------------------------- */

struct token_work {
	int64_t account_id, id;
	struct access_token_row row;
};

static err_t token_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct token_work *work = arg;
	return db_access_token_get(ctx, tx, work->account_id, work->id, &work->row);
}

static err_t read_token_end(struct ctx *ctx, struct auth *auth, const struct identity *who,
			    int64_t *ret_us)
{
	if (who->subject == SUBJECT_ROBOT)
		return robot_secret_end(ctx, auth, who->id, who->access_token_id, ret_us);
	struct token_work work = { .account_id = who->id, .id = who->access_token_id };
	err_t err = db_run(ctx, auth->db, SQL_READ, token_body, &work);
	if (err != OK && err != ERR_ABSENT)
		return err;
	*ret_us = work.row.expires_at_us ? work.row.expires_at_us : INT64_MAX;
	if (err == ERR_ABSENT)
		*ret_us = 0;
	return OK;
}

/* When it ends: 0 when it is gone, INT64_MAX for never. */
static err_t get_token_end(struct ctx *ctx, struct auth *auth, const struct identity *who,
			   int64_t *ret_us)
{
	struct state_key key_bytes;
	str key = make_key(&key_bytes, 'K', (char)who->subject, who->access_token_id);
	CLEANUP(cache_value_done) struct cache_value *value = cache_get(auth->cache, key);
	if (!value) {
		uint64_t ticket = cache_ticket(auth->cache, key);
		int64_t end_us;
		TRY(read_token_end(ctx, auth, who, &end_us));
		value = cache_fill_recheck(auth->cache, key, ticket,
					   (str){ (const char *)&end_us, sizeof end_us },
					   clock_now_ns() + STATE_REMEMBER_S * CLOCK_S);
	}
	memcpy(ret_us, value->bytes.ptr, sizeof *ret_us);
	return OK;
}

static err_t check_token(struct ctx *ctx, struct auth *auth, const struct identity *who)
{
	int64_t end_us;
	TRY(get_token_end(ctx, auth, who, &end_us));
	if (end_us <= clock_wall_us())
		return fail(ctx, ERR_UNAUTHORIZED,
			    "the token or secret it came by is gone or has expired");
	return OK;
}

/* --- what others ask -------------------------------------------------------------------------- */

err_t state_check(struct ctx *ctx, struct auth *auth, const struct identity *who)
{
	if (!who->id || (size_t)who->subject >= COUNT_OF(readers) || !readers[who->subject])
		return OK;
	CLEANUP(cache_value_done) struct cache_value *value = NULL;
	TRY(get_state(ctx, auth, who->subject, who->id, &value));
	if (!state_of(value)->live)
		return fail(ctx, ERR_UNAUTHORIZED, "account is gone or blocked");
	if (state_of(value)->epoch != who->epoch)
		return fail(ctx, ERR_UNAUTHORIZED, "account has changed since");
	return who->access_token_id ? check_token(ctx, auth, who) : OK;
}

err_t state_identity(struct ctx *ctx, struct auth *auth, enum subject subject, int64_t id,
		     struct identity *ret)
{
	if ((size_t)subject >= COUNT_OF(readers) || !readers[subject])
		return ERR_ABSENT;
	CLEANUP(cache_value_done) struct cache_value *value = NULL;
	TRY(get_state(ctx, auth, subject, id, &value));
	if (!state_of(value)->live)
		return ERR_ABSENT;
	str image = arena_copy(ctx->arena, str_skip(value->bytes, sizeof(struct state)));
	identity_image_view(ctx->arena, image, ret);
	return OK;
}

void state_drop(struct auth *auth, enum subject subject, int64_t id)
{
	struct state_key key;
	cache_drop(auth->cache, make_key(&key, 'A', (char)subject, id));
}

void state_drop_secret(struct auth *auth, enum subject subject, int64_t id)
{
	struct state_key key;
	cache_drop(auth->cache, make_key(&key, 'K', (char)subject, id));
}
