/* SPDX-License-Identifier: Apache-2.0 */
/* The chain: its order from text, and who comes in whatever the others say. */
#include "auth_fixture.h"

#include "auth/chain.h"
#include "auth/identity_provider.h"
#include "auth/outside.h"

static void set_up(void)
{
	fixture_start(NULL, 0);
	make_admin("Admin1234");
}

TestSuite(chain, .init = set_up, .fini = fixture_stop);

Test(chain, the_order_is_written_down)
{
	struct chain chain;
	must(chain_parse(&ctx, STR_NONE, &chain));
	cr_expect_eq(chain.count, METHOD_COUNT);
	for (enum auth_method i = 0; i < METHOD_COUNT; i++)
		cr_expect_eq(chain.methods[i], i);
	must(chain_parse(&ctx, STR("providers, local"), &chain));
	cr_expect_eq(chain.count, 2);
	cr_expect_eq(chain.methods[0], METHOD_PROVIDERS);
	cr_expect_eq(chain.methods[1], METHOD_LOCAL);
	cr_expect_eq(chain_parse(&ctx, STR("local,local"), &chain), ERR_CONFIG);
	cr_expect_eq(chain_parse(&ctx, STR("local,kerberos"), &chain), ERR_CONFIG);
}

static void reopen(const char *methods)
{
	const struct auth_options options = { .db = db,
					      .master_key_path = key_path(),
					      .methods = str_from(methods) };
	auth_free(auth);
	must(auth_new(&ctx, &options, &auth));
}

/* A Keystone where nobody answers, asked first. */
static void add_lost_provider(void)
{
	static const char settings[] = "{\"url\": \"http://127.0.0.1:1\", \"domain\": \"x\"}";
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	struct identity_provider p;
	identity_provider_init(&p, PROVIDER_KEYSTONE, TENANT_DEFAULT, STR("lost"));
	cr_assert(json_parse(str_from(settings), JSON_LIMITS_SMALL, &doc, &problem));
	must(identity_provider_read_settings(&ctx, doc.root, &p));
	p.enabled = true;
	must(identity_provider_save(&ctx, &auth_outside(auth)->providers, &p));
}

Test(chain, a_lost_provider_says_later_and_locks_no_administrator_out)
{
	static const char *const orders[] = { "", "providers,local", "providers", "token" };
	struct identity who;
	add_lost_provider();
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		reopen(orders[i]);
		must(password_at(auth, "192.0.2.1", "admin", "Admin1234", &who));
		cr_expect_eq(who.flags, IDENTITY_ADMIN, "%s", orders[i]);
	}
	reopen("local,providers");
	cr_expect_eq(password_at(auth, "192.0.2.1", "anna/web", "x", &who),
		     ERR_UPSTREAM_UNREACHABLE);
	ctx_forgive(&ctx);
	cr_expect_eq(password_at(auth, "192.0.2.1", "admin", "wrong", &who), ERR_UNAUTHORIZED);
	ctx_forgive(&ctx);
	cr_expect_eq(password_at(auth, "192.0.2.1", "anna", "x", &who), ERR_UNAUTHORIZED,
		     "a name that Keystone does not have is wrong, not unknown");
}

/* The lock-out is around all methods, and the remembered password is inside of none. */
Test(chain, too_many_wrong_passwords_for_names_that_are_there_or_not)
{
	const struct auth_options options = {
		.db = db,
		.master_key_path = key_path(),
		.lockout = { .name_attempts = 2, .name_interval_ms = 3600000, .at_once_max = 8 },
	};
	struct identity who;
	auth_free(auth);
	must(auth_new(&ctx, &options, &auth));
	must(password_at(auth, "192.0.2.1", "admin", "Admin1234", &who));
	for (int i = 0; i < 2; i++) {
		cr_expect_eq(password_at(auth, "192.0.2.1", "admin", "wrong", &who),
			     ERR_UNAUTHORIZED);
		cr_expect_eq(password_at(auth, "192.0.2.1", "nobody", "wrong", &who),
			     ERR_UNAUTHORIZED);
	}
	cr_expect_eq(password_at(auth, "192.0.2.1", "admin", "wrong", &who), ERR_TOO_MANY_REQUESTS);
	cr_expect_eq(password_at(auth, "192.0.2.1", "nobody", "wrong", &who),
		     ERR_TOO_MANY_REQUESTS);
	ctx_forgive(&ctx);
	must(password_at(auth, "192.0.2.1", "admin", "Admin1234", &who));
	must(password_at(auth, "192.0.2.2", "admin", "Admin1234", &who));
}
