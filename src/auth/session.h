/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h - sessions of browsers: what a login leaves behind, as a cookie there and a row here.
 *
 * The cookie is a random secret; the row has a keyed hash of it, so who reads the database cannot
 * use it. Each login makes a new one: a secret that somebody planted in a browser never becomes a
 * session. It lives as long as the setting `session_timeout` after it was last used, and ends at
 * once with a new password, a block, a deletion, by whoever revokes it, and when the identity
 * provider says so. Rights are those of the account as of now; what a provider gave besides is what
 * it gave at login.
 *
 * A use moves the end at most once a minute, so a busy page writes little. Looked-up sessions are
 * remembered for STATE_REMEMBER_S; other nodes are told of one that ended (auth/told.h).
 */
#pragma once

#include "auth/auth.h"
#include "db/session.h"

#define SESSIONS_MAX	     100 /* of one account; the one not used for longest makes room */
#define SESSION_AGENT_MAX    255 /* bytes of User-Agent that are kept */
#define SESSION_SECRET_LEN   43
#define SESSION_ID_TOKEN_MAX KIB(12) /* a longer one is not kept: logging out there then asks */

struct session_new {
	const struct identity *who; /* has an account: ERR_UNAUTHORIZED otherwise */
	str address, user_agent;
	int64_t provider_id;  /* who vouched for him in the browser; 0: we did */
	str provider_session; /* its name there; empty: none */
	str id_token;	      /* empty: none */
};
err_t session_create(struct ctx *ctx, struct auth *auth, const struct session_new *from,
		     str *ret_secret);

/* Who this is, with session_id; strs in the arena. `renew` moves its end. ERR_ABSENT, unrecorded,
 * when there is no such session (any more) or its account is blocked. */
err_t session_identify(struct ctx *ctx, struct auth *auth, str secret, bool renew,
		       struct identity *ret);

/* Ends it; what is needed to end the provider's as well. ERR_ABSENT, unrecorded. */
struct session_ended {
	int64_t provider_id;
	str id_token; /* in the arena */
};
err_t session_end(struct ctx *ctx, struct auth *auth, str secret, struct session_ended *ret);

/* The provider that vouched for it. ERR_ABSENT, unrecorded. */
err_t session_provider(struct ctx *ctx, struct auth *auth, str secret, int64_t *ret_provider_id);

struct session_list {
	int64_t account_id, limit, offset; /* which */
	struct session_row *rows;	   /* the answer, in the arena; the newest first */
	size_t count;
	int64_t total;
};
err_t session_list(struct ctx *ctx, struct auth *auth, struct session_list *list);

/* ERR_ABSENT, unrecorded, when the account has no such session. */
err_t session_delete(struct ctx *ctx, struct auth *auth, int64_t account_id, int64_t id);
/* All of an account but `keep_id` (0: none). */
err_t session_delete_all(struct ctx *ctx, struct auth *auth, int64_t account_id, int64_t keep_id);
/* Those that a provider ends. */
err_t session_delete_elsewhere(struct ctx *ctx, struct auth *auth,
			       const struct session_elsewhere *which);

/* Forgets those that are over: at most AUTH_PURGE_BATCH. */
err_t session_purge(struct ctx *ctx, struct auth *auth, int64_t *ret_count);
