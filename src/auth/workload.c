/* SPDX-License-Identifier: Apache-2.0 */
/* workload.c - see workload.h. */
#include "auth/workload.h"
#include "auth/foreign_token.h"
#include "auth/issuer.h"
#include "auth/outside.h"
#include "auth/tenant.h"
#include "binding_internal.h"
#include "robot_internal.h"
#include "token.h"

#include "base/clock.h"
#include "db/db.h"

#include "base/banned.h"

#define SECOND_US INT64_C(1000000)
#define KEEP_USED (3600 * SECOND_US)

/* --- a token of one issuer -------------------------------------------------------------------- */

struct presented {
	str token;
	str robot; /* wanted; empty: any */
};

static bool is_for_us(const struct issuer *issuer, const struct json_value *claims)
{
	for (size_t i = 0; i < issuer->audience_count; i++)
		if (foreign_claim_has(claims, "aud", issuer->audiences[i]))
			return true;
	return false;
}

struct page_work {
	struct binding_page page;
};

static err_t page_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct page_work *work = arg;
	return db_binding_page(ctx, tx, &work->page);
}

struct use_work {
	int64_t issuer_id;
	str hash;
	int64_t expires_at_us;
};

static err_t use_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct use_work *work = arg;
	return db_token_use(ctx, tx, work->issuer_id, work->hash, work->expires_at_us);
}

/* By what was signed: of one token there can be several signatures that verify. */
static err_t use_up(struct ctx *ctx, struct auth *auth, const struct issuer *issuer, str token,
		    int64_t ends_at_us)
{
	str signed_text, signature;
	if (!str_cut_last(token, '.', &signed_text, &signature))
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: malformed");
	struct use_work work = { .issuer_id = issuer->row.id,
				 .hash = auth_secret_hash(ctx, auth, STR("token"), issuer->row.id,
							  signed_text),
				 .expires_at_us = ends_at_us };
	err_t err = db_run(ctx, auth->db, SQL_WRITE, use_body, &work);
	return err == ERR_EXISTS ? fail(ctx, ERR_UNAUTHORIZED, "foreign token: used before") : err;
}

static int64_t end_of(const struct json_value *claims)
{
	int64_t expires_s = 0;
	(void)json_get_i64(claims, "exp", &expires_s);
	return (expires_s + FOREIGN_LEEWAY_S) * SECOND_US;
}

struct candidate {
	struct binding_found found;
	const struct issuer *issuer;
	str subject;
	int64_t ends_at_us;
};

/* ERR_ABSENT, unrecorded: no binding of this issuer fits. */
static err_t choose(struct ctx *ctx, struct auth *auth, const struct issuer *issuer,
		    const struct presented *presented, const struct json_value *claims,
		    struct candidate *candidate)
{
	struct page_work work = { { .tenant_id = issuer->row.tenant_id,
				    .issuer_id = issuer->row.id,
				    .limit = BINDINGS_MAX } };
	str subject = STR_NONE;
	TRY(db_run(ctx, auth->db, SQL_READ, page_body, &work));
	TRY(binding_choose(ctx, auth, &work.page, claims, presented->robot, &candidate->found));
	(void)json_get_str(claims, "sub", &subject);
	candidate->issuer = issuer;
	candidate->subject = binding_subject(ctx, subject);
	candidate->ends_at_us = end_of(claims);
	return OK;
}

static err_t identify_by(struct ctx *ctx, struct auth *auth, const struct issuer *issuer,
			 const struct presented *presented, struct candidate *candidate)
{
	CLEANUP(json_done) struct json_document claims = JSON_DOCUMENT_NONE;
	const struct jwks_issuer from = { .url = issuer->row.url,
					  .uploaded = issuer->row.keys,
					  .ca_pem = issuer->row.ca,
					  .skip_verify = issuer->row.skip_verify,
					  .tenant_id = issuer->row.tenant_id };
	const struct foreign_expectation expect = { .now_us = clock_wall_us() };
	TRY(foreign_token_verify(ctx, auth->outside->jwks, &from, presented->token, &expect,
				 &claims));
	if (!is_for_us(issuer, claims.root))
		return fail(ctx, ERR_UNAUTHORIZED, "foreign token: for another audience");
	err_t err = choose(ctx, auth, issuer, presented, claims.root, candidate);
	return err == ERR_ABSENT
		       ? fail(ctx, ERR_UNAUTHORIZED, "foreign token: no binding fits its claims")
		       : err;
}

/* --- of whichever issuer ---------------------------------------------------------------------- */

static err_t settle(struct ctx *ctx, struct auth *auth, const struct candidate *candidate,
		    str token, struct identity *ret)
{
	const struct token_issuer_row *issuer = &candidate->issuer->row;
	TRY(binding_take(ctx, auth, &candidate->found, ret));
	if (issuer->single_use)
		TRY(use_up(ctx, auth, candidate->issuer, token, candidate->ends_at_us));
	ret->issuer = issuer->url;
	ret->on_behalf_of = candidate->subject;
	ret->proof_ends_at_us = issuer->single_use ? 1 : candidate->ends_at_us;
	return OK;
}

/*
 * One issuer may be trusted by several tenants, each with audiences and bindings of its own: on a
 * tenant's host that one's count, elsewhere the default tenant's before all, and else those of the
 * only tenant where the token is good for something.
 */
err_t workload_exchange(struct ctx *ctx, struct auth *auth, str token, str robot,
			struct identity *ret)
{
	struct presented presented = { .token = token };
	struct candidate candidate = { .issuer = NULL };
	struct failure first = { .code = OK };
	struct issuer *issuers;
	size_t count;
	str url;
	if (!foreign_token_issuer(ctx, token, &url) || !auth_is_text(url))
		return ERR_ABSENT;
	CLEANUP(tenant_leave) struct tenant_scope scope = TENANT_SCOPE_INIT;
	TRY(tenant_enter(ctx, auth, robot, &scope, &presented.robot));
	TRY(issuer_of_url(ctx, auth, url, &issuers, &count));
	for (size_t i = 0; i < count; i++) {
		err_t err = identify_by(ctx, auth, &issuers[i], &presented, &candidate);
		if (err == OK && issuers[i].row.tenant_id == TENANT_DEFAULT)
			break;
		if (err != OK && first.code == OK)
			first = ctx->failure;
		ctx_forgive(ctx);
	}
	if (candidate.issuer)
		return settle(ctx, auth, &candidate, token, ret);
	return count ? fail(ctx, first.code, "%s", first.detail) : ERR_ABSENT;
}

/* --- methods of chain.h ----------------------------------------------------------------------- */

static err_t identify_login(struct ctx *ctx, struct auth *auth, str token, str robot,
			    struct identity *ret)
{
	TRY(auth_check_login(ctx, auth, token, ret));
	if (robot.len && !str_eq(robot, ret->name))
		return fail(ctx, ERR_UNAUTHORIZED, "login token is another robot's");
	return OK;
}

err_t workload_identify(struct ctx *ctx, struct auth *auth, str user, str password,
			struct identity *ret)
{
	str issuer, bare;
	if (!foreign_token_issuer(ctx, password, &issuer))
		return ERR_ABSENT;
	str robot = robot_strip_prefix(ctx, auth, user, &bare) ? user : STR_NONE;
	if (str_eq(issuer, STR(TOKEN_ISSUER)))
		return identify_login(ctx, auth, password, robot, ret);
	return workload_exchange(ctx, auth, password, robot, ret);
}

err_t workload_identify_bearer(struct ctx *ctx, struct auth *auth, str token, struct identity *ret)
{
	return workload_exchange(ctx, auth, token, STR_NONE, ret);
}

/* --- uses ------------------------------------------------------------------------------------- */

struct uses_work {
	struct use uses[USES_MAX];
	size_t count;
};

static err_t uses_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct uses_work *work = arg;
	for (size_t i = 0; i < work->count; i++)
		TRY(db_binding_used(ctx, tx, work->uses[i].id, work->uses[i].at_us));
	return OK;
}

err_t workload_write_uses(struct ctx *ctx, struct auth *auth)
{
	struct uses_work *work = ARENA_NEW(ctx->arena, struct uses_work);
	work->count = uses_take(&auth->binding_uses, work->uses);
	return work->count ? db_run(ctx, auth->db, SQL_WRITE_RELAXED, uses_body, work) : OK;
}

static err_t purge_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	return db_token_use_forget(ctx, tx, clock_wall_us() - KEEP_USED, arg);
}

err_t workload_purge(struct ctx *ctx, struct auth *auth, int64_t *ret_count)
{
	return db_run(ctx, auth->db, SQL_WRITE_RELAXED, purge_body, ret_count);
}
