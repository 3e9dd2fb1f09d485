/* SPDX-License-Identifier: Apache-2.0 */
/* The system's settings: defaults, what is refused, what is fixed, and what another node changed.
 */
#include <criterion/criterion.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/db.h"
#include "db/setting.h"
#include "settings/system.h"

static char root[] = "/tmp/berth-settings-XXXXXX";
static struct arena arena;
static struct ctx ctx;
static struct sql *db;

#define must(expression) cr_assert_eq((expression), OK, "%s: %s", #expression, ctx.failure.detail)

static void start(void)
{
	arena_init(&arena, MIB(32));
	ctx_init(&ctx, &arena);
	cr_assert(mkdtemp(root));
	str path = arena_printf(&arena, "%s/db.sqlite", root);
	struct sql_options options = { SQL_SQLITE, path.ptr, 4, db_statement_count() };
	must(sql_open(&ctx, &options, &db));
	must(db_migrate(&ctx, db));
}

static void stop(void)
{
	char command[64];
	sql_close(db);
	arena_done(&arena);
	snprintf(command, sizeof command, "rm -r %s", root);
	cr_assert_eq(system(command), 0);
}

TestSuite(settings, .init = start, .fini = stop);

static void done(struct system_settings **settings)
{
	system_free(*settings);
}

static struct system_settings *open_with(const char *fixed)
{
	struct system_settings *settings;
	const struct system_options options = { .db = db, .fixed = str_from(fixed) };
	must(system_new(&ctx, &options, &settings));
	return settings;
}

struct put {
	struct system_settings *settings;
	const struct json_value *flat;
};

static err_t put_body(struct ctx *c, struct sql_tx *tx, void *arg)
{
	struct put *put = arg;
	return system_put(c, tx, put->settings, put->flat);
}

static err_t put(struct system_settings *settings, const char *json)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	ctx_forgive(&ctx);
	cr_assert(json_parse(str_from(json), JSON_LIMITS_SMALL, &doc, &problem), "%s", json);
	struct put work = { settings, doc.root };
	TRY(db_run(&ctx, db, SQL_WRITE, put_body, &work));
	return system_refresh(&ctx, settings);
}

Test(settings, are_at_their_defaults_without_a_row_and_without_settings)
{
	CLEANUP(done) struct system_settings *settings = open_with(NULL);
	struct system_settings *both[] = { settings, NULL };
	for (size_t i = 0; i < COUNT_OF(both); i++) {
		cr_expect_not(system_bool(both[i], SYSTEM_READ_ONLY));
		cr_expect(system_bool(both[i], SYSTEM_NOTIFICATION_ENABLE));
		cr_expect_eq(system_i64(both[i], SYSTEM_STORAGE_PER_PROJECT), -1);
		cr_expect_eq(system_i64(both[i], SYSTEM_ROBOT_TOKEN_DURATION), 30);
		cr_expect(str_eq(system_text(&ctx, both[i], SYSTEM_ROBOT_NAME_PREFIX),
				 STR("robot$")));
		cr_expect(str_eq(system_text(&ctx, both[i], SYSTEM_PROJECT_CREATION),
				 STR("everyone")));
		cr_expect_not(system_is_set(both[i], SYSTEM_READ_ONLY));
	}
}

Test(settings, what_was_put_is_read_also_after_a_restart)
{
	CLEANUP(done) struct system_settings *settings = open_with(NULL);
	must(put(settings, "{\"read_only\": true, \"robot_name_prefix\": \"bot_\","
			   " \"storage_per_project\": 1099511627776, \"token_expiration\": null,"
			   " \"project_creation_restriction\": \"adminonly\", \"unknown\": {},"
			   " \"uaa_client_secret\": \"\"}"));
	CLEANUP(done) struct system_settings *again = open_with(NULL);
	struct system_settings *both[] = { settings, again };
	for (size_t i = 0; i < COUNT_OF(both); i++) {
		cr_expect(system_bool(both[i], SYSTEM_READ_ONLY));
		cr_expect(system_is_set(both[i], SYSTEM_READ_ONLY));
		cr_expect_eq(system_i64(both[i], SYSTEM_STORAGE_PER_PROJECT), 1099511627776);
		cr_expect(
			str_eq(system_text(&ctx, both[i], SYSTEM_ROBOT_NAME_PREFIX), STR("bot_")));
		cr_expect_not(system_is_set(both[i], SYSTEM_TOKEN_EXPIRATION));
	}
}

Test(settings, what_cannot_be_is_refused_and_changes_nothing)
{
	static const char *const bodies[] = {
		"{\"read_only\": \"true\"}",
		"{\"read_only\": 1}",
		"{\"project_creation_restriction\": \"nobody\"}",
		"{\"project_creation_restriction\": \"everyone|adminonly\"}",
		"{\"project_creation_restriction\": \"\"}",
		"{\"token_expiration\": 0}",
		"{\"token_expiration\": -1}",
		"{\"token_expiration\": 43201}",
		"{\"token_expiration\": \"30\"}",
		"{\"token_expiration\": 1.5}",
		"{\"session_timeout\": 0}",
		"{\"robot_token_duration\": 0}",
		"{\"storage_per_project\": 0}",
		"{\"storage_per_project\": -2}",
		"{\"storage_per_project\": 1125899906842625}",
		"{\"robot_name_prefix\": \"\"}",
		"{\"robot_name_prefix\": \"robot:\"}",
		"{\"robot_name_prefix\": \"robot+\"}",
		"{\"robot_name_prefix\": \"robot \"}",
		"{\"robot_name_prefix\": \"123456789012345678901234567890123\"}",
		"{\"audit_log_forward_endpoint\": \"example.com\"}",
		"{\"audit_log_forward_endpoint\": \"example.com:0\"}",
		"{\"audit_log_forward_endpoint\": \":514\"}",
		"{\"audit_log_forward_endpoint\": \"a b:514\"}",
		"{\"skip_audit_log_database\": true}",
		"{\"disabled_audit_log_event_types\": \"create_nothing\"}",
		"{\"banner_message\": {}}",
		"{\"uaa_client_secret\": 1}",
		"{\"uaa_client_secret\": \"hunter2\"}",
		"{\"uaa_verify_cert\": true}",
		"{\"http_authproxy_verify_cert\": false}",
	};
	CLEANUP(done) struct system_settings *settings = open_with(NULL);
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		str both = arena_printf(&arena, "{\"self_registration\": true, %s", bodies[i] + 1);
		cr_expect_eq(put(settings, both.ptr), ERR_REQUEST_INVALID, "%s", bodies[i]);
		cr_expect_not(system_bool(settings, SYSTEM_SELF_REGISTRATION), "%s", bodies[i]);
	}
}

Test(settings, the_trail_may_leave_the_database_only_with_somewhere_to_go)
{
	CLEANUP(done) struct system_settings *settings = open_with(NULL);
	must(put(settings, "{\"skip_audit_log_database\": true,"
			   " \"audit_log_forward_endpoint\": \"log.example.com:514\"}"));
	cr_expect_eq(put(settings, "{\"audit_log_forward_endpoint\": \"\"}"), ERR_REQUEST_INVALID);
	must(put(settings, "{\"audit_log_forward_endpoint\": \"\","
			   " \"skip_audit_log_database\": false}"));
}

Test(settings, fixed_ones_cannot_be_changed)
{
	CLEANUP(done) struct system_settings *before = open_with(NULL);
	must(put(before, "{\"project_creation_restriction\": \"everyone\"}"));
	CLEANUP(done)
	struct system_settings *settings =
		open_with("{\"project_creation_restriction\": \"adminonly\", \"read_only\": true}");
	cr_expect(str_eq(system_text(&ctx, settings, SYSTEM_PROJECT_CREATION), STR("adminonly")));
	cr_expect(system_bool(settings, SYSTEM_READ_ONLY));
	cr_expect_eq(put(settings, "{\"read_only\": false}"), ERR_DENIED);
	must(put(settings, "{\"read_only\": true, \"self_registration\": true}"));

	CLEANUP(buf_done) struct buf body = BUF_INIT(KIB(16));
	struct json_writer w = JSON_WRITER(&body);
	size_t at;
	system_write(&ctx, &w, settings);
	cr_expect(str_find(buf_str(&body), STR("\"read_only\":{\"value\":true,\"editable\":false}"),
			   &at));
	cr_expect(str_find(buf_str(&body),
			   STR("\"self_registration\":{\"value\":true,\"editable\":true}"), &at));
	cr_expect_not(str_find(buf_str(&body), STR("secret"), &at));
}

Test(settings, fixed_ones_that_cannot_be_stop_the_start)
{
	static const char *const texts[] = { "{", "[]", "{\"readonly\": true}",
					     "{\"read_only\": 1}" };
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct system_settings *settings;
		const struct system_options options = { .db = db, .fixed = str_from(texts[i]) };
		cr_expect_eq(system_new(&ctx, &options, &settings), ERR_CONFIG, "%s", texts[i]);
		ctx_forgive(&ctx);
	}
}

Test(settings, a_default_of_the_options_counts_until_somebody_chooses)
{
	CLEANUP(done) struct system_settings *settings = open_with(NULL);
	system_set_default(settings, SYSTEM_TOKEN_EXPIRATION, 5);
	cr_expect_eq(system_i64(settings, SYSTEM_TOKEN_EXPIRATION), 5);
	must(put(settings, "{\"token_expiration\": 30}"));
	cr_expect_eq(system_i64(settings, SYSTEM_TOKEN_EXPIRATION), 30);
	system_set_default(settings, SYSTEM_TOKEN_EXPIRATION, 7);
	cr_expect_eq(system_i64(settings, SYSTEM_TOKEN_EXPIRATION), 30);
}

Test(settings, another_node_learns_of_a_change_within_the_bound)
{
	CLEANUP(done) struct system_settings *here = open_with(NULL);
	CLEANUP(done) struct system_settings *there = open_with(NULL);
	must(system_start(&ctx, there));
	must(put(here, "{\"read_only\": true}"));
	int64_t until_ns = clock_now_ns() + SYSTEM_AGE_MAX_MS * CLOCK_MS;
	while (!system_bool(there, SYSTEM_READ_ONLY) && clock_now_ns() < until_ns)
		sched_yield();
	cr_expect(system_bool(there, SYSTEM_READ_ONLY));
}
