/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harbor_ldap.c - Harbor's API about the directory: try it, look for people and groups in it, and
 * make accounts before people come. It speaks of the tenant's first directory, as the configuration
 * does; several are at /api/berth/v1/identity-providers.
 */
#include "api/audit.h"
#include "api/handlers.h"
#include "api/harbor.h"
#include "auth/outside.h"
#include "auth/user.h"

#include "base/banned.h"

#define GROUP_TYPE_LDAP 1

static struct outside *outside_of(struct request *rq)
{
	return auth_outside(rq->api->options.auth);
}

/* The first directory, enabled or not: it may be tried before it is used. `*ret_found` false leaves
 * one with defaults. */
static err_t find_directory(struct ctx *ctx, struct request *rq, struct identity_provider *ret,
			    bool *ret_found)
{
	struct identity_provider *list;
	size_t count;
	*ret_found = false;
	identity_provider_init(ret, PROVIDER_LDAP, request_tenant(rq), STR("ldap"));
	TRY(identity_provider_list(ctx, &outside_of(rq)->providers, request_tenant(rq), false,
				   &list, &count));
	for (size_t i = 0; i < count && !*ret_found; i++)
		if (list[i].kind == PROVIDER_LDAP) {
			*ret = list[i];
			*ret_found = true;
		}
	return OK;
}

static err_t need_directory(struct ctx *ctx, struct request *rq, struct identity_provider *ret)
{
	bool found;
	TRY(find_directory(ctx, rq, ret, &found));
	return found ? OK : fail(ctx, ERR_REQUEST_INVALID, "no directory is configured");
}

/* Harbor's description of these operations knows no 502: that the directory does not answer is said
 * as a mistake of the configuration, to those who may read that. */
static err_t directory_says(struct ctx *ctx, err_t err)
{
	if (err != ERR_UPSTREAM_UNREACHABLE && err != ERR_UPSTREAM_INVALID &&
	    err != ERR_UPSTREAM_FORBIDDEN)
		return err;
	str why = arena_copy(ctx->arena, str_from(ctx->failure.detail));
	ctx_forgive(ctx);
	return fail(ctx, ERR_REQUEST_INVALID, STR_FMT, STR_ARG(why));
}

/* --- ping ----------------------------------------------------------------------------------- */

struct ldap_conf {
	str url, search_dn, search_password, base_dn, filter, uid;
	int64_t scope, timeout_s;
	bool verify_cert, has_password;
};

static err_t read_conf(struct ctx *ctx, const struct json_value *root, struct identity_provider *p,
		       bool *ret_is_same)
{
	static const struct json_field fields[] = {
		JSON_FIELD_STR(struct ldap_conf, "ldap_url", url, KIB(4)),
		JSON_FIELD_STR(struct ldap_conf, "ldap_search_dn", search_dn, KIB(4)),
		JSON_FIELD_STR(struct ldap_conf, "ldap_search_password", search_password, KIB(4)),
		JSON_FIELD_STR(struct ldap_conf, "ldap_base_dn", base_dn, KIB(4)),
		JSON_FIELD_STR(struct ldap_conf, "ldap_filter", filter, KIB(4)),
		JSON_FIELD_STR(struct ldap_conf, "ldap_uid", uid, 255),
		JSON_FIELD_I64(struct ldap_conf, "ldap_scope", scope),
		JSON_FIELD_I64(struct ldap_conf, "ldap_connection_timeout", timeout_s),
		JSON_FIELD_BOOL(struct ldap_conf, "ldap_verify_cert", verify_cert),
		JSON_FIELD_HAS(struct ldap_conf, "ldap_search_password", has_password),
	};
	struct ldap_conf conf = { .url = provider_text(p, PROVIDER_LDAP_URL),
				  .search_dn = provider_text(p, PROVIDER_LDAP_SEARCH_DN),
				  .base_dn = provider_text(p, PROVIDER_LDAP_BASE_DN),
				  .filter = provider_text(p, PROVIDER_LDAP_FILTER),
				  .uid = provider_text(p, PROVIDER_LDAP_UID),
				  .scope = provider_i64(p, PROVIDER_LDAP_SCOPE),
				  .timeout_s = provider_i64(p, PROVIDER_LDAP_TIMEOUT_S),
				  .verify_cert = provider_bool(p, PROVIDER_LDAP_VERIFY_CERT) };
	TRY(body_shape(ctx, root, fields, COUNT_OF(fields), &conf));
	/* The password that is kept goes to whom it belongs and to nobody else. */
	*ret_is_same = conf.has_password ||
		       (str_eq(conf.url, provider_text(p, PROVIDER_LDAP_URL)) &&
			str_eq(conf.search_dn, provider_text(p, PROVIDER_LDAP_SEARCH_DN)));
	if (conf.scope < 0 || conf.scope > 2 || conf.timeout_s < 0)
		return fail(ctx, ERR_REQUEST_INVALID,
			    "ldap_scope or ldap_connection_timeout is out of range");
	const struct {
		enum provider_setting setting;
		str value;
	} values[] = {
		{ PROVIDER_LDAP_URL, conf.url },
		{ PROVIDER_LDAP_SEARCH_DN, conf.search_dn },
		{ PROVIDER_LDAP_BASE_DN, conf.base_dn },
		{ PROVIDER_LDAP_FILTER, conf.filter },
		{ PROVIDER_LDAP_UID, conf.uid },
		{ PROVIDER_LDAP_SCOPE, arena_printf(ctx->arena, "%d", (int)conf.scope) },
		{ PROVIDER_LDAP_TIMEOUT_S,
		  arena_printf(ctx->arena, "%lld", (long long)conf.timeout_s) },
		{ PROVIDER_LDAP_VERIFY_CERT, conf.verify_cert ? STR("true") : STR("false") },
	};
	for (size_t i = 0; i < COUNT_OF(values); i++)
		p->values[values[i].setting] = arena_copy(ctx->arena, values[i].value);
	if (conf.has_password)
		p->values[PROVIDER_LDAP_SEARCH_PASSWORD] =
			arena_copy(ctx->arena, conf.search_password);
	return OK;
}

static err_t answer_ping(struct request *rq, bool success, str message)
{
	CLEANUP(buf_done) struct buf body = BUF_INIT(KIB(4));
	struct json_writer w = JSON_WRITER(&body);
	json_write_object_begin(&w, NULL);
	json_write_bool(&w, "success", success);
	json_write_str(&w, "message", message);
	json_write_object_end(&w);
	return answer_json(rq, 200, buf_str(&body));
}

/* A directory that does not work is an answer. What it said is for whoever configures it. */
static err_t answer_try(struct ctx *ctx, struct request *rq, err_t err)
{
	if (err == ERR_CANCELLED || err == ERR_SHUTTING_DOWN || err == ERR_DEADLINE)
		return err;
	if (err == OK)
		return answer_ping(rq, true, STR_NONE);
	str why = arena_copy(ctx->arena, str_from(ctx->failure.detail));
	ctx_forgive(ctx);
	return answer_ping(rq, false, why);
}

err_t harbor_ldap_ping(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct identity_provider p;
	struct json_problem problem;
	bool found, is_same = true;
	str body;
	TRY(find_directory(ctx, rq, &p, &found));
	TRY(exchange_read_all(rq->x, rq->route->body_max_bytes, &body));
	if (str_trim(body).len) {
		if (!json_parse(body, JSON_LIMITS_SMALL, &doc, &problem) ||
		    !json_value_is_object(doc.root))
			return fail(ctx, ERR_REQUEST_INVALID, "the body is no JSON object");
		TRY(read_conf(ctx, doc.root, &p, &is_same));
	}
	if (!is_same)
		p.values[PROVIDER_LDAP_SEARCH_PASSWORD] = STR_NONE;
	p.enabled = true; /* for the check: nothing may be missing */
	err_t err = identity_provider_check(ctx, &p);
	return answer_try(ctx, rq,
			  err == OK ? directory_ping(ctx, outside_of(rq)->directory, &p) : err);
}

/* --- search --------------------------------------------------------------------------------- */

err_t harbor_ldap_user_search(struct ctx *ctx, struct request *rq)
{
	struct identity_provider p;
	struct external_user *found;
	size_t count;
	TRY(need_directory(ctx, rq, &p));
	TRY(directory_says(ctx,
			   directory_people(ctx, outside_of(rq)->directory, &p,
					    request_query(rq, STR("username")), &found, &count)));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++) {
		json_write_object_begin(&w, NULL);
		json_write_str(&w, "username", found[i].name);
		json_write_str(&w, "realname", found[i].real_name);
		json_write_str(&w, "email", found[i].email);
		json_write_object_end(&w);
	}
	json_write_array_end(&w);
	return answer_object(ctx, rq, &body);
}

err_t harbor_ldap_group_search(struct ctx *ctx, struct request *rq)
{
	struct identity_provider p;
	struct directory_group *found;
	size_t count;
	TRY(need_directory(ctx, rq, &p));
	TRY(directory_says(ctx,
			   directory_groups(ctx, outside_of(rq)->directory, &p,
					    request_query(rq, STR("groupname")),
					    request_query(rq, STR("groupdn")), &found, &count)));
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < count; i++) {
		json_write_object_begin(&w, NULL);
		json_write_str(&w, "group_name", found[i].name);
		json_write_i64(&w, "group_type", GROUP_TYPE_LDAP);
		json_write_str(&w, "ldap_group_dn", found[i].dn);
		json_write_object_end(&w);
	}
	json_write_array_end(&w);
	return answer_object(ctx, rq, &body);
}

/* --- import --------------------------------------------------------------------------------- */

/* Whether he has an account already: then nothing changes, and nothing is recorded. */
static err_t is_here(struct ctx *ctx, struct request *rq, const struct external_user *user,
		     bool *ret)
{
	struct user have;
	err_t err = user_find(ctx, rq->api->options.auth, user->tenant_id, user->name, &have);
	*ret = err == OK && str_eq(have.issuer, user->issuer) &&
	       str_eq(have.subject, user->subject);
	return err == ERR_ABSENT ? OK : err;
}

/* Makes his account. */
static err_t onboard(struct ctx *ctx, struct request *rq, const struct external_user *user)
{
	struct identity who;
	bool here;
	TRY(is_here(ctx, rq, user, &here));
	if (here)
		return OK;
	struct audit_event *event = audit_change(rq, AUDIT_CREATE_USER);
	event->resource = user->name;
	err_t err = user_onboard(ctx, rq->api->options.auth, user, &who);
	if (err != OK)
		audit_forget(rq);
	return err;
}

/* Harbor's words for why not; OK and NULL when he has an account now. What concerns all of them is
 * an error. */
static err_t import_one(struct ctx *ctx, struct request *rq, const struct identity_provider *p,
			str name, const char **ret_why)
{
	struct external_user user;
	*ret_why = "unknown_user";
	err_t err = directory_describe(ctx, outside_of(rq)->directory, p, name, &user);
	if (err == OK) {
		*ret_why = "failed_import_user";
		err = onboard(ctx, rq, &user);
	}
	if (err == OK)
		*ret_why = NULL;
	else if (err != ERR_ABSENT && err != ERR_UNAUTHORIZED && err != ERR_EXISTS &&
		 err != ERR_REQUEST_INVALID)
		return directory_says(ctx, err);
	ctx_forgive(ctx);
	return OK;
}

err_t harbor_ldap_user_import(struct ctx *ctx, struct request *rq)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	CLEANUP(buf_done) struct buf body = BUF_INIT(HARBOR_BODY_MAX);
	struct json_writer w = JSON_WRITER(&body);
	struct identity_provider p;
	const struct json_value *names;
	size_t failed = 0;
	TRY(need_directory(ctx, rq, &p));
	TRY(body_read(ctx, rq, &doc));
	if (json_get_array(doc.root, "ldap_uid_list", &names) != JSON_FOUND)
		return fail(ctx, ERR_REQUEST_INVALID, "ldap_uid_list is no array");
	json_write_array_begin(&w, NULL);
	for (size_t i = 0; i < json_count(names); i++) {
		const char *why;
		str name = json_value_str(json_element(names, i));
		TRY(import_one(ctx, rq, &p, name, &why));
		if (!why)
			continue;
		failed++;
		json_write_object_begin(&w, NULL);
		json_write_str(&w, "uid", name);
		json_write_str(&w, "error", str_from(why));
		json_write_object_end(&w);
	}
	json_write_array_end(&w);
	if (!failed)
		return answer_empty(rq, 200);
	return answer_json(rq, 404, buf_str(&body));
}
