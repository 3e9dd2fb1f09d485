/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.c - see certificate.h. */
#include "auth/certificate.h"
#include "binding_internal.h"
#include "image.h"

#include "base/clock.h"
#include "crypto/certificate.h"
#include "crypto/hash.h"
#include "db/db.h"

#include <string.h>

#include "base/banned.h"

struct certificate_key {
	char kind; /* 'X' */
	unsigned char digest[32];
	char tenant[sizeof(int64_t)]; /* whose bindings; 0: all tenants' */
};

struct of_work {
	struct binding_page page;
};

static err_t of_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct of_work *work = arg;
	return db_binding_of_certificates(ctx, tx, auth_tenant_wanted(ctx), BINDINGS_MAX,
					  &work->page.rows, &work->page.count);
}

/* Certificates of services often have no subject, but an alternative name. */
static str holder_of(const struct json_value *claims)
{
	static const char *const alternatives[] = { "uri", "dns", "email" };
	const struct json_value *array;
	str name = STR_NONE;
	if (json_get_str(claims, "subject", &name) == JSON_FOUND && name.len)
		return name;
	for (size_t i = 0; i < COUNT_OF(alternatives); i++)
		if (json_get_array(claims, alternatives[i], &array) == JSON_FOUND &&
		    json_count(array))
			return json_value_str(json_element(array, 0));
	(void)json_get_str(claims, "fingerprint", &name);
	return name;
}

static err_t choose(struct ctx *ctx, struct auth *auth, str der, struct identity *ret)
{
	CLEANUP(json_done) struct json_document claims = JSON_DOCUMENT_NONE;
	struct of_work work = { .page = { .count = 0 } };
	struct binding_found found = { .binding = NULL };
	struct json_problem problem;
	str text, name;
	TRY(db_run(ctx, auth->db, SQL_READ, of_body, &work));
	if (!work.page.count)
		return ERR_ABSENT;
	TRY(certificate_claims(ctx, der, &text));
	if (!json_parse(text, JSON_LIMITS_SMALL, &claims, &problem))
		return fail(ctx, ERR_UNAUTHORIZED, "client certificate: " JSON_PROBLEM_FMT,
			    JSON_PROBLEM_ARG(problem));
	TRY(binding_choose(ctx, auth, &work.page, claims.root, STR_NONE, &found));
	TRY(binding_take(ctx, auth, &found, ret));
	if (json_get_str(claims.root, "issuer", &name) == JSON_FOUND)
		ret->issuer = binding_subject(ctx, name);
	ret->on_behalf_of = binding_subject(ctx, holder_of(claims.root));
	return OK;
}

err_t certificate_identify(struct ctx *ctx, struct auth *auth, str der, struct identity *ret)
{
	struct certificate_key key = { .kind = 'X' };
	digest of = hash_bytes(DIGEST_SHA256, der);
	int64_t tenant_id = auth_tenant_wanted(ctx);
	memcpy(key.digest, of.bytes, sizeof key.digest);
	memcpy(key.tenant, &tenant_id, sizeof key.tenant);
	str bytes = { (const char *)&key, sizeof key };
	CLEANUP(cache_value_done) struct cache_value *value = cache_get(auth->cache, bytes);
	if (value) {
		identity_image_view(ctx->arena, arena_copy(ctx->arena, value->bytes), ret);
		if (state_check(ctx, auth, ret) == OK)
			return OK;
		ctx_forgive(ctx);
		cache_drop(auth->cache, bytes);
	}
	uint64_t ticket = cache_ticket(auth->cache, bytes);
	TRY(choose(ctx, auth, der, ret));
	cache_put(cache_fill(auth->cache, bytes, ticket, identity_image_make(ctx->arena, ret),
			     clock_now_ns() + STATE_REMEMBER_S * CLOCK_S));
	return OK;
}
