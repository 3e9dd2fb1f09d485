/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access_token.h - personal access tokens: passwords that a person makes for a program.
 *
 * One works wherever the password does, with the same name (or e-mail address): as docker's
 * password, and as HTTP Basic at the API. It looks like `berth_pat_…` (codec/secret_text.h) and is
 * shown once; a row has a keyed hash of it, under a key made from the master key. It may expire,
 * and revoking it ends at once what was obtained with it, bearer tokens included (state.h). It
 * outlives a new password, and dies with the account.
 *
 * Harbor's CLI secret is one too, with a text that the person chose, under the name
 * ACCESS_TOKEN_CLI.
 *
 * When one was last used is written in batches, so that a pull waits for no write: up to a minute
 * late, and lost when the process is killed.
 */
#pragma once

#include "auth/auth.h"
#include "db/access_token.h"

#define ACCESS_TOKEN_NAME_MAX 127
#define ACCESS_TOKENS_MAX     100 /* of one account */
#define ACCESS_TOKEN_CLI      "CLI secret"

/*
 * Makes one for `row->account_id`, with `row->name` and `row->expires_at_us` (0: never); fills the
 * rest. The token is in the arena. ERR_EXISTS for a name that is taken, ERR_REQUEST_INVALID for one
 * that cannot be or an end in the past, ERR_LIMIT for one token too many.
 */
err_t access_token_create(struct ctx *ctx, struct auth *auth, struct access_token_row *row,
			  str *ret_token);

/* Sets the CLI secret, in place of the one before; an empty one is made, and given back. */
err_t access_token_set_cli(struct ctx *ctx, struct auth *auth, int64_t account_id, str secret,
			   str *ret_secret);

struct access_token_page {
	int64_t account_id, limit, offset; /* which */
	struct access_token_row *rows;	   /* the answer, in the arena */
	size_t count;
	int64_t total;
};
err_t access_token_list(struct ctx *ctx, struct auth *auth, struct access_token_page *page);

/* ERR_ABSENT, unrecorded, when the account has no such token. */
err_t access_token_delete(struct ctx *ctx, struct auth *auth, int64_t account_id, int64_t id);

/* Writes when tokens were used. */
err_t access_token_write_uses(struct ctx *ctx, struct auth *auth);

/* Forgets those that expired a month ago: at most AUTH_PURGE_BATCH. */
err_t access_token_purge(struct ctx *ctx, struct auth *auth, int64_t *ret_count);
