/* SPDX-License-Identifier: Apache-2.0 */
/* Identity providers: rows, sealed secrets, Harbor's flat keys, and what is refused. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/identity_provider.h"
#include "base/clock.h"
#include "db/db.h"
#include "db/identity_provider.h"
#include "tenant_fixture.h"

static char root[] = "/tmp/berth-provider-XXXXXX";
static struct arena arena;
static struct ctx ctx;
static struct secretbox_key master = { { 1, 2, 3 } };
static struct identity_providers ips = { .master = &master };

#define must(expression) cr_assert_eq((expression), OK, "%s: %s", #expression, ctx.failure.detail)

static void start(void)
{
	arena_init(&arena, MIB(32));
	ctx_init(&ctx, &arena);
	cr_assert(mkdtemp(root));
	str path = arena_printf(&arena, "%s/db.sqlite", root);
	struct sql_options options = { SQL_SQLITE, path.ptr, 4, db_statement_count() };
	must(sql_open(&ctx, &options, &ips.db));
	must(db_migrate(&ctx, ips.db));
	int64_t second;
	must(db_run(&ctx, ips.db, SQL_WRITE, make_tenant, &second));
	cr_assert_eq(second, 2);
}

static void stop(void)
{
	char command[64];
	sql_close(ips.db);
	arena_done(&arena);
	snprintf(command, sizeof command, "rm -r %s", root);
	cr_assert_eq(system(command), 0);
}

TestSuite(provider, .init = start, .fini = stop);

static struct identity_provider keystone(const char *name, int64_t tenant_id, int64_t position)
{
	struct identity_provider p;
	identity_provider_init(&p, PROVIDER_KEYSTONE, tenant_id, str_from(name));
	p.position = position;
	p.enabled = true;
	p.values[PROVIDER_KEYSTONE_URL] = STR("https://keystone.example/v3");
	return p;
}

static struct identity_provider *list(int64_t tenant_id, bool only_enabled, size_t want)
{
	struct identity_provider *found;
	size_t count;
	must(identity_provider_list(&ctx, &ips, tenant_id, only_enabled, &found, &count));
	cr_assert_eq(count, want, "%zu", count);
	return found;
}

Test(provider, several_in_an_order_and_per_tenant)
{
	struct identity_provider last = keystone("last", 1, 9), first = keystone("first", 1, 1);
	struct identity_provider other = keystone("first", 2, 1);
	must(identity_provider_save(&ctx, &ips, &last));
	must(identity_provider_save(&ctx, &ips, &first));
	must(identity_provider_save(&ctx, &ips, &other));
	struct identity_provider *of_one = list(1, true, 2);
	cr_expect(str_eq(of_one[0].name, STR("first")));
	cr_expect(str_eq(of_one[1].name, STR("last")));
	list(2, true, 1);
	list(3, true, 0);

	struct identity_provider again = keystone("last", 1, 3);
	cr_expect_eq(identity_provider_save(&ctx, &ips, &again), ERR_EXISTS);
	ctx_forgive(&ctx);
	first.enabled = false;
	must(identity_provider_save(&ctx, &ips, &first));
	list(1, true, 1);
	list(1, false, 2);
	/* Another tenant's provider is not there. */
	struct identity_provider found;
	cr_expect_eq(identity_provider_find(&ctx, &ips, 2, last.id, &found), ERR_ABSENT);
	cr_expect_eq(identity_provider_delete(&ctx, &ips, 2, last.id), ERR_ABSENT);
	must(identity_provider_delete(&ctx, &ips, 1, last.id));
	list(1, false, 1);
}

static err_t put(const char *json)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	ctx_forgive(&ctx);
	cr_assert(json_parse(str_from(json), JSON_LIMITS_SMALL, &doc, &problem), "%s", json);
	return identity_provider_put_configuration(&ctx, &ips, 1, doc.root);
}

static str get(void)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(64));
	struct json_writer w = JSON_WRITER(&b);
	json_write_object_begin(&w, NULL);
	must(identity_provider_get_configuration(&ctx, &ips, 1, true, &w));
	json_write_object_end(&w);
	return arena_copy(&arena, buf_str(&b));
}

static bool has(str text, const char *piece)
{
	size_t at;
	return str_find(text, str_from(piece), &at);
}

#define OIDC                                                                                       \
	"\"oidc_name\":\"Example\",\"oidc_endpoint\":\"https://login.example\","                   \
	"\"oidc_client_id\":\"berth\",\"oidc_client_secret\":\"hush-hush\",\"oidc_verify_cert\":"  \
	"true"

Test(provider, harbors_configuration_is_the_first_of_each_kind)
{
	str before = get();
	cr_expect(has(before, "\"auth_mode\":{\"value\":\"db_auth\",\"editable\":true}"));
	cr_expect(has(before, "\"ldap_uid\":{\"value\":\"cn\",\"editable\":true}"));
	cr_expect(has(before, "\"ldap_scope\":{\"value\":2,\"editable\":true}"));
	cr_expect(has(before, "\"oidc_verify_cert\":{\"value\":true,\"editable\":true}"));
	cr_expect(
		has(before, "\"oidc_extra_redirect_parms\":{\"value\":\"{}\",\"editable\":true}"));
	list(1, false, 0);

	must(put("{\"auth_mode\":\"oidc_auth\"," OIDC
		 ",\"project_creation_restriction\":\"everyone\"}"));
	str after = get();
	cr_expect(has(after, "\"auth_mode\":{\"value\":\"oidc_auth\""));
	cr_expect(has(after, "\"oidc_name\":{\"value\":\"Example\""));
	cr_expect(!has(after, "hush-hush"));
	cr_expect(!has(after, "oidc_client_secret"));
	struct identity_provider *p = list(1, true, 1);
	cr_expect_eq(p->kind, PROVIDER_OIDC);
	cr_expect(str_eq(provider_text(p, PROVIDER_OIDC_CLIENT_SECRET), STR("hush-hush")));

	/* What is not named stays, the secret too. */
	must(put("{\"oidc_auto_onboard\":true,\"oidc_name\":null}"));
	p = list(1, true, 1);
	cr_expect(provider_bool(p, PROVIDER_OIDC_AUTO_ONBOARD));
	cr_expect(str_eq(provider_text(p, PROVIDER_OIDC_NAME), STR("Example")));
	cr_expect(str_eq(provider_text(p, PROVIDER_OIDC_CLIENT_SECRET), STR("hush-hush")));

	must(put("{\"auth_mode\":\"ldap_auth\",\"ldap_url\":\"ldaps://"
		 "ldap.example\",\"ldap_timeout\":7}"));
	p = list(1, true, 1);
	cr_expect_eq(p->kind, PROVIDER_LDAP);
	cr_expect_eq(provider_i64(p, PROVIDER_LDAP_TIMEOUT_S), 7);
	cr_expect(str_eq(provider_text(p, PROVIDER_LDAP_UID), STR("cn")));
	must(put("{\"auth_mode\":\"db_auth\"}"));
	list(1, true, 0);
	list(1, false, 2);
	must(put("{}"));
	must(put("{\"token_expiration\":30}"));
}

Test(provider, a_configuration_that_is_refused_changes_nothing)
{
	static const char *const bad[] = {
		"{\"auth_mode\":\"oidc_auth\"}", /* no endpoint */
		"{\"auth_mode\":\"oidc_auth\",\"oidc_endpoint\":\"https://a.example\"}",
		"{\"auth_mode\":\"oidc_auth\",\"oidc_client_id\":\"a\",\"oidc_endpoint\":\"http://"
		"a.example\"}",
		"{\"auth_mode\":\"oidc_auth\",\"oidc_client_id\":\"a\",\"oidc_endpoint\":"
		"\"javascript:x\"}",
		"{\"auth_mode\":\"ldap_auth\"}",
		"{\"auth_mode\":\"uaa_auth\"}",
		"{\"auth_mode\":7}",
		"{\"oidc_name\":7}",
		"{\"oidc_verify_cert\":\"true\"}",
		"{\"ldap_timeout\":\"5\"}",
		"{\"ldap_timeout\":-1}",
		"{\"ldap_scope\":3}",
		"{\"oidc_group_filter\":\"(\"}",
		"{\"oidc_extra_redirect_parms\":\"[]\"}",
		"{\"oidc_extra_redirect_parms\":\"{\\\"a\\\":1}\"}",
	};
	must(put("{\"oidc_name\":\"half\"}"));
	str before = get();
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		cr_expect_eq(put(bad[i]), ERR_REQUEST_INVALID, "%s", bad[i]);
		cr_expect(strlen(ctx.failure.detail) > 0);
		ctx_forgive(&ctx);
	}
	cr_expect(str_eq(before, get()));
	cr_expect(identity_provider_owns_key(STR("auth_mode")));
	cr_expect(identity_provider_owns_key(STR("oidc_client_secret")));
	cr_expect(!identity_provider_owns_key(STR("token_expiration")));
}

Test(provider, plain_http_is_for_this_machine_or_for_those_who_say_so)
{
	must(put("{\"auth_mode\":\"oidc_auth\",\"oidc_client_id\":\"a\",\"oidc_endpoint\":\"http://"
		 "127.0.0.1:1/\"}"));
	must(put("{\"oidc_endpoint\":\"http://login.example\",\"oidc_verify_cert\":false}"));
}

struct raw {
	struct identity_provider_row *rows;
	size_t count;
	bool move;
};

static err_t look(struct ctx *c, struct sql_tx *tx, void *arg)
{
	struct raw *raw = arg;
	TRY(db_identity_provider_list(c, tx, 1, &raw->rows, &raw->count));
	if (!raw->move)
		return OK;
	raw->rows[0].tenant_id = 2;
	return db_identity_provider_insert(c, tx, &raw->rows[0]);
}

Test(provider, secrets_are_sealed_and_bound)
{
	struct raw raw = { 0 };
	struct identity_provider *found;
	size_t count;
	must(put("{" OIDC "}"));
	must(db_run(&ctx, ips.db, SQL_READ, look, &raw));
	cr_assert_eq(raw.count, 1);
	cr_expect(!has(raw.rows[0].settings, "hush"));
	cr_expect(!has(raw.rows[0].secrets, "hush"));
	/* A row of another tenant's does not open. */
	raw.move = true;
	must(db_run(&ctx, ips.db, SQL_WRITE, look, &raw));
	cr_expect_eq(identity_provider_list(&ctx, &ips, 2, false, &found, &count), ERR_CONFIG);
	ctx_forgive(&ctx);
	struct secretbox_key wrong = { { 9 } };
	ips.master = &wrong;
	cr_expect_eq(identity_provider_list(&ctx, &ips, 1, false, &found, &count), ERR_CONFIG);
	ips.master = &master;
}

static err_t read_settings(const char *json, struct identity_provider *p)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	ctx_forgive(&ctx);
	cr_assert(json_parse(str_from(json), JSON_LIMITS_SMALL, &doc, &problem), "%s", json);
	return identity_provider_read_settings(&ctx, doc.root, p);
}

Test(provider, settings_as_our_own_api_has_them)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(KIB(16));
	struct json_writer w = JSON_WRITER(&b);
	struct identity_provider p = keystone("k", 1, 1);
	must(read_settings("{\"roles\":[{\"keystone_role\":\"member\",\"project\":\"{project}\","
			   "\"role\":\"developer\"}],\"remember\":5}",
			   &p));
	must(identity_provider_check(&ctx, &p));
	json_write_object_begin(&w, NULL);
	identity_provider_write_settings(&w, &p);
	json_write_object_end(&w);
	cr_expect(has(buf_str(&b), "\"roles\":[{\"keystone_role\":\"member\""));
	cr_expect(has(buf_str(&b), "\"remember\":5"));
	cr_expect_eq(read_settings("{\"endpoint\":\"x\"}", &p), ERR_REQUEST_INVALID,
		     "of another kind");
	cr_expect_eq(read_settings("[]", &p), ERR_REQUEST_INVALID);
	cr_expect_eq(read_settings("{\"roles\":\"x\"}", &p), ERR_REQUEST_INVALID);
	must(read_settings(
		"{\"roles\":[{\"keystone_role\":\"m\",\"project\":\"p\",\"role\":\"king\"}]}", &p));
	cr_expect_eq(identity_provider_check(&ctx, &p), ERR_REQUEST_INVALID);
}

Test(provider, only_so_many)
{
	for (int i = 0; i < PROVIDERS_MAX; i++) {
		struct identity_provider p = keystone(arena_printf(&arena, "k%d", i).ptr, 1, i);
		must(identity_provider_save(&ctx, &ips, &p));
	}
	struct identity_provider more = keystone("more", 1, 1);
	cr_expect_eq(identity_provider_save(&ctx, &ips, &more), ERR_LIMIT);
}
