/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - see session.h. What is remembered of one is its head, then the image of an identity
 * that has nothing but what the provider gave at login. */
#include "auth/session.h"
#include "image.h"
#include "internal.h"

#include "base/clock.h"
#include "codec/json.h"
#include "codec/json_writer.h"
#include "crypto/random.h"
#include "db/db.h"
#include "settings/system.h"

#include <string.h>

#include "base/banned.h"

#define MINUTE_US INT64_C(60000000)
#define ROLES_MAX KIB(64)
#define CONTEXT	  STR("session/id_token")

struct remembered {
	int64_t id, account_id;
	int64_t touched_at_us, expires_at_us; /* 32 bytes, so that the image is aligned */
};

struct session_key {
	char bytes[1 + SECRET_HASH_LEN];
};

static str make_key(struct session_key *key, str hash)
{
	str cut = str_take(hash, SECRET_HASH_LEN);
	key->bytes[0] = 'C';
	memcpy(key->bytes + 1, cut.ptr, cut.len);
	return (str){ key->bytes, 1 + cut.len };
}

void session_forget(struct auth *auth, const str *hashes, size_t count)
{
	struct session_key key;
	for (size_t i = 0; i < count; i++)
		cache_drop(auth->cache, make_key(&key, hashes[i]));
}

static str hash_of(struct ctx *ctx, const struct auth *auth, str secret)
{
	return auth_secret_hash(ctx, auth, STR("session"), 0, secret);
}

static int64_t timeout_us(const struct auth *auth)
{
	return system_i64(auth->settings, SYSTEM_SESSION_TIMEOUT) * MINUTE_US;
}

/* --- what a provider gave at login, as text --------------------------------------------------- */

static str write_roles(struct ctx *ctx, const struct identity *who)
{
	if (!who->external_role_count)
		return STR("");
	CLEANUP(buf_done) struct buf text = BUF_INIT(ROLES_MAX);
	struct json_writer w = JSON_WRITER(&text);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < who->external_role_count; i++) {
		json_write_object_begin(&w, NULL);
		json_write_str(&w, "project", who->external_roles[i].project_glob);
		json_write_i64(&w, "role", who->external_roles[i].role);
		json_write_object_end(&w);
	}
	json_write_array_end(&w);
	return buf_overrun(&text) ? STR("") : arena_copy(ctx->arena, buf_str(&text));
}

static void read_roles(struct ctx *ctx, str text, struct identity *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	if (!text.len || !json_parse(text, JSON_LIMITS_SMALL, &doc, &problem))
		return;
	size_t count = json_count(doc.root);
	struct external_role *roles = ARENA_ARRAY(ctx->arena, struct external_role, count);
	for (size_t i = 0; i < count; i++) {
		str glob;
		int64_t role;
		const struct json_value *one = json_element(doc.root, i);
		if (json_get_str(one, "project", &glob) == JSON_FOUND &&
		    json_get_i64(one, "role", &role) == JSON_FOUND && project_role_is_known(role))
			roles[ret->external_role_count++] =
				(struct external_role){ arena_copy(ctx->arena, glob),
							(enum project_role)role };
	}
	ret->external_roles = roles;
}

/* --- making ----------------------------------------------------------------------------------- */

struct create_work {
	struct session_row row;
	str *hashes;
	size_t count;
};

static err_t create_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct create_work *work = arg;
	TRY(db_session_delete_oldest(ctx, tx, work->row.account_id, SESSIONS_MAX - 1, &work->hashes,
				     &work->count));
	return db_session_insert(ctx, tx, &work->row);
}

/* Text for a column, whatever a browser sends. */
static str plain_text(struct ctx *ctx, str text, size_t max)
{
	str cut = str_take(text, max);
	while (cut.len && !auth_is_text(cut) && cut.len + 4 > MIN(text.len, max))
		cut.len--; /* the limit cut a character */
	return auth_is_text(cut) && cut.len ? arena_copy(ctx->arena, cut) : STR("");
}

err_t session_create(struct ctx *ctx, struct auth *auth, const struct session_new *from,
		     str *ret_secret)
{
	if (from->who->subject != SUBJECT_USER || !from->who->id)
		return fail(ctx, ERR_UNAUTHORIZED, "no session without an account");
	int64_t now_us = clock_wall_us();
	str secret = random_password(ctx->arena, SESSION_SECRET_LEN), sealed = STR("");
	if (from->id_token.len && from->id_token.len <= SESSION_ID_TOKEN_MAX)
		TRY(secretbox_seal(ctx, &auth->keys.master, CONTEXT, from->id_token, &sealed));
	struct create_work work = {
		.row = { .account_id = from->who->id,
			 .created_at_us = now_us,
			 .expires_at_us = now_us + timeout_us(auth),
			 .address = from->address,
			 .user_agent = plain_text(ctx, from->user_agent, SESSION_AGENT_MAX),
			 .provider_id = from->provider_id,
			 .provider_session = plain_text(ctx, from->provider_session, KIB(1)),
			 .id_token = sealed,
			 .roles = write_roles(ctx, from->who),
			 .hash = hash_of(ctx, auth, secret) },
	};
	TRY(db_run(ctx, auth->db, SQL_WRITE, create_body, &work));
	session_forget(auth, work.hashes, work.count);
	*ret_secret = secret;
	return OK;
}

/* --- using ------------------------------------------------------------------------------------ */

struct find_work {
	str hash;
	bool end;
	struct session_row row;
	str id_token;
};

static err_t find_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct find_work *work = arg;
	TRY(db_session_find(ctx, tx, work->hash, &work->row));
	if (!work->end)
		return OK;
	TRY(db_session_id_token(ctx, tx, work->row.id, &work->id_token));
	return db_session_delete_hash(ctx, tx, work->hash);
}

static err_t get_session(struct ctx *ctx, struct auth *auth, str hash, struct cache_value **ret)
{
	struct session_key key_bytes;
	str key = make_key(&key_bytes, hash);
	*ret = cache_get(auth->cache, key);
	if (*ret)
		return OK;
	uint64_t ticket = cache_ticket(auth->cache, key);
	struct find_work work = { .hash = hash };
	TRY(db_run(ctx, auth->db, SQL_READ, find_body, &work));
	const struct session_row *row = &work.row;
	const struct remembered head = { row->id, row->account_id, row->touched_at_us,
					 row->expires_at_us };
	struct identity given = { .subject = SUBJECT_USER };
	read_roles(ctx, row->roles, &given);
	str image = identity_image_make(ctx->arena, &given);
	char *bytes = arena_alloc(ctx->arena, sizeof head + image.len);
	memcpy(bytes, &head, sizeof head);
	memcpy(bytes + sizeof head, image.ptr, image.len);
	*ret = cache_fill(auth->cache, key, ticket, (str){ bytes, sizeof head + image.len },
			  clock_now_ns() + STATE_REMEMBER_S * CLOCK_S);
	return OK;
}

struct touch_work {
	int64_t id, now_us, expires_at_us;
};

static err_t touch_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	const struct touch_work *work = arg;
	return db_session_touch(ctx, tx, work->id, work->now_us, work->expires_at_us);
}

static err_t touch(struct ctx *ctx, struct auth *auth, const struct remembered *session, str hash)
{
	int64_t now_us = clock_wall_us();
	struct touch_work work = { session->id, now_us, now_us + timeout_us(auth) };
	TRY(db_run(ctx, auth->db, SQL_WRITE_RELAXED, touch_body, &work));
	session_forget(auth, &hash, 1);
	return OK;
}

/* While nothing can be written it lasts as long as it would have without this use. */
static err_t keep_alive(struct ctx *ctx, struct auth *auth, const struct remembered *session,
			str hash)
{
	err_t err = touch(ctx, auth, session, hash);
	if (err != ERR_DATABASE_READ_ONLY)
		return err;
	ctx_forgive(ctx);
	return OK;
}

err_t session_identify(struct ctx *ctx, struct auth *auth, str secret, bool renew,
		       struct identity *ret)
{
	CLEANUP(cache_value_done) struct cache_value *value = NULL;
	struct identity given;
	if (secret.len != SESSION_SECRET_LEN)
		return ERR_ABSENT;
	str hash = hash_of(ctx, auth, secret);
	TRY(get_session(ctx, auth, hash, &value));
	const struct remembered *session = (const void *)value->bytes.ptr; /* aligned */
	int64_t now_us = clock_wall_us();
	if (session->expires_at_us <= now_us)
		return ERR_ABSENT;
	if (renew && now_us - session->touched_at_us > MIN(MINUTE_US, timeout_us(auth) / 10))
		TRY(keep_alive(ctx, auth, session, hash));
	TRY(state_identity(ctx, auth, SUBJECT_USER, session->account_id, ret));
	str image = arena_copy(ctx->arena, str_skip(value->bytes, sizeof *session));
	identity_image_view(ctx->arena, image, &given);
	ret->external_roles = given.external_roles;
	ret->external_role_count = given.external_role_count;
	ret->session_id = session->id;
	return OK;
}

err_t session_provider(struct ctx *ctx, struct auth *auth, str secret, int64_t *ret_provider_id)
{
	struct find_work work = { .hash = hash_of(ctx, auth, secret) };
	TRY(db_run(ctx, auth->db, SQL_READ, find_body, &work));
	*ret_provider_id = work.row.provider_id;
	return OK;
}

/* --- the ends --------------------------------------------------------------------------------- */

err_t session_end(struct ctx *ctx, struct auth *auth, str secret, struct session_ended *ret)
{
	struct find_work work = { .hash = hash_of(ctx, auth, secret), .end = true };
	TRY(db_run(ctx, auth->db, SQL_WRITE, find_body, &work));
	session_forget(auth, &work.hash, 1);
	*ret = (struct session_ended){ .provider_id = work.row.provider_id };
	if (work.id_token.len &&
	    secretbox_open(ctx, &auth->keys.master, CONTEXT, work.id_token, &ret->id_token) != OK)
		ctx_forgive(ctx); /* without it the provider asks him whether he wants to */
	return OK;
}

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct session_list *list = arg;
	const struct session_page page = { list->account_id, clock_wall_us(), list->limit,
					   list->offset };
	TRY(db_session_count(ctx, tx, list->account_id, page.now_us, &list->total));
	return db_session_page(ctx, tx, &page, &list->rows, &list->count);
}

err_t session_list(struct ctx *ctx, struct auth *auth, struct session_list *list)
{
	return db_run(ctx, auth->db, SQL_READ, list_body, list);
}

struct delete_work {
	int64_t account_id, id, keep_id; /* id 0: all but keep_id */
	const struct session_elsewhere *elsewhere;
	str *hashes;
	size_t count;
};

static err_t delete_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct delete_work *work = arg;
	if (work->elsewhere)
		return db_session_delete_elsewhere(ctx, tx, work->elsewhere, &work->hashes,
						   &work->count);
	if (work->id)
		return db_session_delete(ctx, tx, work->account_id, work->id, &work->hashes,
					 &work->count);
	return db_session_delete_all(ctx, tx, work->account_id, work->keep_id, &work->hashes,
				     &work->count);
}

static err_t delete_some(struct ctx *ctx, struct auth *auth, struct delete_work *work)
{
	TRY(db_run(ctx, auth->db, SQL_WRITE, delete_body, work));
	session_forget(auth, work->hashes, work->count);
	return OK;
}

err_t session_delete(struct ctx *ctx, struct auth *auth, int64_t account_id, int64_t id)
{
	struct delete_work work = { .account_id = account_id, .id = id };
	if (!id)
		return ERR_ABSENT;
	TRY(delete_some(ctx, auth, &work));
	return work.count ? OK : ERR_ABSENT;
}

err_t session_delete_all(struct ctx *ctx, struct auth *auth, int64_t account_id, int64_t keep_id)
{
	struct delete_work work = { .account_id = account_id, .keep_id = keep_id };
	return delete_some(ctx, auth, &work);
}

err_t session_delete_elsewhere(struct ctx *ctx, struct auth *auth,
			       const struct session_elsewhere *which)
{
	struct delete_work work = { .elsewhere = which };
	return delete_some(ctx, auth, &work);
}

static err_t purge_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	return db_session_delete_expired(ctx, tx, clock_wall_us(), AUTH_PURGE_BATCH, arg);
}

err_t session_purge(struct ctx *ctx, struct auth *auth, int64_t *ret_count)
{
	return db_run(ctx, auth->db, SQL_WRITE_RELAXED, purge_body, ret_count);
}
