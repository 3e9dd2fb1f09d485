/* SPDX-License-Identifier: Apache-2.0 */
/* issuer.c - see issuer.h. */
#include "auth/issuer.h"
#include "auth/jwks.h"
#include "auth/outside.h"
#include "binding_internal.h"
#include "robot_internal.h"

#include "codec/json.h"
#include "codec/json_writer.h"
#include "crypto/jwk.h"
#include "db/db.h"

#include "base/banned.h"

#define AUDIENCES_TEXT_MAX KIB(32)
#define ISSUERS_OF_URL_MAX 100 /* tenants that trust one issuer */

/* --- rows ------------------------------------------------------------------------------------- */

static err_t from_row(struct ctx *ctx, const struct token_issuer_row *row, struct issuer *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	if (!json_parse(row->audiences, JSON_LIMITS_SMALL, &doc, &problem))
		return fail(ctx, ERR_CONFIG, "audiences of issuer " STR_FMT ": " JSON_PROBLEM_FMT,
			    STR_ARG(row->name), JSON_PROBLEM_ARG(problem));
	size_t count = json_count(doc.root);
	str *audiences = ARENA_ARRAY(ctx->arena, str, count);
	for (size_t i = 0; i < count; i++)
		audiences[i] = arena_copy(ctx->arena, json_value_str(json_element(doc.root, i)));
	*ret = (struct issuer){ *row, audiences, count };
	return OK;
}

static err_t from_rows(struct ctx *ctx, const struct token_issuer_row *rows, size_t count,
		       struct issuer **ret)
{
	*ret = ARENA_ARRAY(ctx->arena, struct issuer, count);
	for (size_t i = 0; i < count; i++)
		TRY(from_row(ctx, &rows[i], &(*ret)[i]));
	return OK;
}

static str audiences_text(struct ctx *ctx, const struct issuer *issuer)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(AUDIENCES_TEXT_MAX);
	struct json_writer w = JSON_WRITER(&b);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < issuer->audience_count; i++)
		json_write_str(&w, NULL, issuer->audiences[i]);
	json_write_array_end(&w);
	return arena_copy(ctx->arena, buf_str(&b));
}

static err_t check_keys(struct ctx *ctx, str keys)
{
	CLEANUP(jwk_set_put) struct jwk_set *set = NULL;
	if (!keys.len)
		return OK;
	if (keys.len > ISSUER_KEYS_MAX || jwk_set_parse(ctx, keys, &set) != OK) {
		ctx_forgive(ctx);
		return fail(ctx, ERR_REQUEST_INVALID, "keys is no key set with a key to verify");
	}
	return OK;
}

static err_t check(struct ctx *ctx, const struct auth *auth, const struct issuer *issuer)
{
	const struct token_issuer_row *row = &issuer->row;
	TRY(robot_check_name(ctx, row->name));
	if (!row->url.len || row->url.len > ISSUER_URL_MAX || !auth_is_text(row->url))
		return fail(ctx, ERR_REQUEST_INVALID, "url is empty or too long");
	if (!row->keys.len && !jwks_url_is_safe(row->url, row->skip_verify))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "url must begin with https:// for its keys to be fetched");
	if (!row->keys.len)
		TRY(outbound_check(ctx, auth->outside->outbound, row->tenant_id, row->url));
	if (row->ca.len > ISSUER_CA_MAX || !auth_is_text(row->ca))
		return fail(ctx, ERR_REQUEST_INVALID, "ca is too long");
	if (!issuer->audience_count || issuer->audience_count > ISSUER_AUDIENCES_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "audiences must have 1 to %d of them",
			    ISSUER_AUDIENCES_MAX);
	for (size_t i = 0; i < issuer->audience_count; i++)
		if (!issuer->audiences[i].len || issuer->audiences[i].len > ISSUER_AUDIENCE_MAX ||
		    !auth_is_text(issuer->audiences[i]))
			return fail(ctx, ERR_REQUEST_INVALID,
				    "an audience is empty or longer than %d bytes",
				    ISSUER_AUDIENCE_MAX);
	return check_keys(ctx, row->keys);
}

/* --- changing --------------------------------------------------------------------------------- */

static err_t create_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct issuer *issuer = arg;
	return db_token_issuer_insert(ctx, tx, &issuer->row);
}

err_t issuer_create(struct ctx *ctx, struct auth *auth, struct issuer *issuer)
{
	TRY(check(ctx, auth, issuer));
	issuer->row.audiences = audiences_text(ctx, issuer);
	return db_run(ctx, auth->db, SQL_WRITE, create_body, issuer);
}

struct change_work {
	struct issuer *issuer;
	struct binding_page bound;
};

/* Raises the epochs of those that are bound, and removes robots that are a binding's own when
 * `remove`. */
static err_t end_bound(struct ctx *ctx, struct sql_tx *tx, struct binding_page *bound, bool remove)
{
	bound->limit = BINDINGS_MAX;
	TRY(db_binding_page(ctx, tx, bound));
	for (size_t i = 0; i < bound->count; i++) {
		int64_t robot_id = bound->rows[i].robot_id;
		err_t err = remove && !bound->rows[i].robot_visible
				    ? db_robot_delete(ctx, tx, robot_id)
				    : db_robot_changed(ctx, tx, robot_id);
		if (err != OK && err != ERR_ABSENT)
			return err;
	}
	return OK;
}

static void drop_bound(struct auth *auth, const struct binding_page *bound)
{
	for (size_t i = 0; i < bound->count; i++)
		state_drop(auth, SUBJECT_ROBOT, bound->rows[i].robot_id);
}

static err_t update_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct change_work *work = arg;
	TRY(db_token_issuer_update(ctx, tx, &work->issuer->row));
	return end_bound(ctx, tx, &work->bound, false);
}

err_t issuer_update(struct ctx *ctx, struct auth *auth, struct issuer *issuer)
{
	struct change_work work = { .issuer = issuer,
				    .bound = { .tenant_id = issuer->row.tenant_id,
					       .issuer_id = issuer->row.id } };
	TRY(check(ctx, auth, issuer));
	issuer->row.audiences = audiences_text(ctx, issuer);
	TRY(db_run(ctx, auth->db, SQL_WRITE, update_body, &work));
	drop_bound(auth, &work.bound);
	return OK;
}

static err_t delete_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct change_work *work = arg;
	TRY(end_bound(ctx, tx, &work->bound, true));
	return db_token_issuer_delete(ctx, tx, work->bound.tenant_id, work->bound.issuer_id);
}

err_t issuer_delete(struct ctx *ctx, struct auth *auth, int64_t tenant_id, int64_t id)
{
	struct change_work work = { .bound = { .tenant_id = tenant_id, .issuer_id = id } };
	TRY(db_run(ctx, auth->db, SQL_WRITE, delete_body, &work));
	drop_bound(auth, &work.bound);
	return OK;
}

/* --- looking ---------------------------------------------------------------------------------- */

struct find_work {
	int64_t tenant_id, id;
	str url;
	struct token_issuer_row row, *rows;
	size_t count;
};

static err_t get_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct find_work *work = arg;
	return db_token_issuer_get(ctx, tx, work->tenant_id, work->id, &work->row);
}

err_t issuer_get(struct ctx *ctx, struct auth *auth, int64_t tenant_id, int64_t id,
		 struct issuer *ret)
{
	struct find_work work = { .tenant_id = tenant_id, .id = id };
	TRY(db_run(ctx, auth->db, SQL_READ, get_body, &work));
	return from_row(ctx, &work.row, ret);
}

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	return db_token_issuer_page(ctx, tx, arg);
}

err_t issuer_list(struct ctx *ctx, struct auth *auth, struct issuer_list *list)
{
	TRY(db_run(ctx, auth->db, SQL_READ, list_body, &list->page));
	return from_rows(ctx, list->page.rows, list->page.count, &list->list);
}

static err_t of_url_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct find_work *work = arg;
	return db_token_issuer_of_url(ctx, tx, auth_tenant_wanted(ctx), work->url,
				      ISSUERS_OF_URL_MAX, &work->rows, &work->count);
}

err_t issuer_of_url(struct ctx *ctx, struct auth *auth, str url, struct issuer **ret,
		    size_t *ret_count)
{
	struct find_work work = { .url = url };
	TRY(db_run(ctx, auth->db, SQL_READ, of_url_body, &work));
	*ret_count = work.count;
	return from_rows(ctx, work.rows, work.count, ret);
}
