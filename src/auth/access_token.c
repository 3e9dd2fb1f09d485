/* SPDX-License-Identifier: Apache-2.0 */
/* access_token.c - see access_token.h. */
#include "auth/access_token.h"
#include "internal.h"

#include "base/clock.h"
#include "codec/secret_text.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "db/db.h"

#include "base/banned.h"

#define WHAT	     STR("access_token")
#define HINT_LEN     4				     /* letters of a token that are shown */
#define KEEP_EXPIRED (INT64_C(30) * 86400 * 1000000) /* µs that an expired one is still listed */

/* --- making ----------------------------------------------------------------------------------- */

struct insert_work {
	struct access_token_row *row;
	bool replace;
};

static err_t insert_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct insert_work *work = arg;
	struct access_token_row *row = work->row;
	int64_t count;
	if (work->replace) {
		err_t err = db_access_token_delete_named(ctx, tx, row->account_id, row->name);
		if (err != OK && err != ERR_ABSENT)
			return err;
	}
	TRY(db_access_token_count(ctx, tx, row->account_id, &count));
	if (count >= ACCESS_TOKENS_MAX)
		return fail(ctx, ERR_LIMIT, "account has %lld personal access tokens",
			    (long long)count);
	return db_access_token_insert(ctx, tx, row);
}

static err_t insert(struct ctx *ctx, struct auth *auth, struct access_token_row *row, str secret,
		    bool replace)
{
	struct insert_work work = { row, replace };
	row->hash = auth_secret_hash(ctx, auth, WHAT, row->account_id, secret);
	row->created_at_us = clock_wall_us();
	return db_run(ctx, auth->db, SQL_WRITE, insert_body, &work);
}

static str make_secret(struct ctx *ctx)
{
	return secret_text_make(ctx->arena, STR(SECRET_PREFIX_PERSONAL),
				random_password(ctx->arena, SECRET_TEXT_RANDOM));
}

err_t access_token_create(struct ctx *ctx, struct auth *auth, struct access_token_row *row,
			  str *ret_token)
{
	if (!row->name.len || row->name.len > ACCESS_TOKEN_NAME_MAX || !auth_is_text(row->name) ||
	    str_eq(row->name, STR(ACCESS_TOKEN_CLI)))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "name must have 1 to %d bytes and not be \"%s\"", ACCESS_TOKEN_NAME_MAX,
			    ACCESS_TOKEN_CLI);
	if (row->expires_at_us && row->expires_at_us <= clock_wall_us())
		return fail(ctx, ERR_REQUEST_INVALID, "the token would have expired already");
	str token = make_secret(ctx);
	size_t shown = sizeof SECRET_PREFIX_PERSONAL - 1 + HINT_LEN;
	row->hint = str_take(token, shown);
	TRY(insert(ctx, auth, row, token, false));
	*ret_token = token;
	return OK;
}

err_t access_token_set_cli(struct ctx *ctx, struct auth *auth, int64_t account_id, str secret,
			   str *ret_secret)
{
	struct access_token_row row = { .account_id = account_id,
					.name = STR(ACCESS_TOKEN_CLI),
					.hint = STR("") };
	str made = secret.len ? secret : make_secret(ctx);
	TRY(insert(ctx, auth, &row, made, true));
	/* What was obtained with the one before ends: its row is gone. */
	cache_drop_all(auth->cache);
	*ret_secret = made;
	return OK;
}

/* --- listing and revoking --------------------------------------------------------------------- */

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct access_token_page *page = arg;
	TRY(db_access_token_count(ctx, tx, page->account_id, &page->total));
	return db_access_token_page(ctx, tx, page->account_id, page->limit, page->offset,
				    &page->rows, &page->count);
}

err_t access_token_list(struct ctx *ctx, struct auth *auth, struct access_token_page *page)
{
	return db_run(ctx, auth->db, SQL_READ, list_body, page);
}

struct delete_work {
	int64_t account_id, id;
};

static err_t delete_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct delete_work *work = arg;
	return db_access_token_delete(ctx, tx, work->account_id, work->id);
}

err_t access_token_delete(struct ctx *ctx, struct auth *auth, int64_t account_id, int64_t id)
{
	struct delete_work work = { account_id, id };
	TRY(db_run(ctx, auth->db, SQL_WRITE, delete_body, &work));
	state_drop_secret(auth, SUBJECT_USER, id);
	return OK;
}

/* --- using ------------------------------------------------------------------------------------ */

struct find_work {
	str user, secret;
	const struct auth *auth;
	struct account account;
	struct access_token_row row;
};

/* ERR_ABSENT: no such account, or no such token of it. */
static err_t find_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct find_work *work = arg;
	TRY(db_account_find_login(ctx, tx, ctx->tenant_id, work->user, &work->account));
	str hash = auth_secret_hash(ctx, work->auth, WHAT, work->account.id, work->secret);
	return db_access_token_find(ctx, tx, hash, &work->row);
}

/* Whether it looks like a token decides before whether there is such an account does: so what is
 * said, and how long it takes, is the same for names that are nobody's. */
err_t access_token_identify(struct ctx *ctx, struct auth *auth, str user, str password,
			    struct identity *ret)
{
	struct find_work work = { .user = user, .secret = password, .auth = auth };
	err_t err = db_run(ctx, auth->db, SQL_READ, find_body, &work);
	if (err == ERR_ABSENT && !secret_text_is(password, STR(SECRET_PREFIX_PERSONAL)))
		return ERR_ABSENT;
	if (err == ERR_ABSENT)
		return fail(ctx, ERR_UNAUTHORIZED, "no such personal access token");
	TRY(err);
	int64_t now_us = clock_wall_us();
	if (work.row.expires_at_us && work.row.expires_at_us <= now_us)
		return fail(ctx, ERR_UNAUTHORIZED, "personal access token has expired");
	if (work.account.disabled)
		return fail(ctx, ERR_UNAUTHORIZED, "account is blocked");
	uses_note(&auth->token_uses, work.row.id, now_us);
	identity_of_account(&work.account, ret);
	ret->access_token_id = work.row.id;
	return OK;
}

struct uses_work {
	struct use uses[USES_MAX];
	size_t count;
};

static err_t uses_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct uses_work *work = arg;
	for (size_t i = 0; i < work->count; i++)
		TRY(db_access_token_used(ctx, tx, work->uses[i].id, work->uses[i].at_us));
	return OK;
}

err_t access_token_write_uses(struct ctx *ctx, struct auth *auth)
{
	struct uses_work *work = ARENA_NEW(ctx->arena, struct uses_work);
	work->count = uses_take(&auth->token_uses, work->uses);
	return work->count ? db_run(ctx, auth->db, SQL_WRITE_RELAXED, uses_body, work) : OK;
}

static err_t purge_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	return db_access_token_delete_expired(ctx, tx, clock_wall_us() - KEEP_EXPIRED,
					      AUTH_PURGE_BATCH, arg);
}

err_t access_token_purge(struct ctx *ctx, struct auth *auth, int64_t *ret_count)
{
	return db_run(ctx, auth->db, SQL_WRITE_RELAXED, purge_body, ret_count);
}
