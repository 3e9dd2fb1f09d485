/* SPDX-License-Identifier: Apache-2.0 */
/* system.c - see system.h: values in memory, and the thread that keeps them young. */
#include "internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/db.h"
#include "db/setting.h"
#include "os/thread.h"

#include <string.h>

#include "base/banned.h"

#define ARENA_BYTES_MAX	   MIB(4)
#define REFRESH_DEADLINE_S 10

struct system_settings {
	struct sql *db;

	/* What is read without a lock: numbers, and whether somebody chose them. */
	_Atomic(int64_t) numbers[SYSTEM_SETTING_COUNT];
	_Atomic(bool) set[SYSTEM_SETTING_COUNT];
	int64_t fallbacks[SYSTEM_SETTING_COUNT];

	void (*changed)(struct ctx *ctx, struct system_settings *settings, void *arg); /* or NULL */
	void *changed_arg;

	bool fixed[SYSTEM_SETTING_COUNT]; /* constant once made */
	char *fixed_texts[SYSTEM_SETTING_COUNT];

	pthread_mutex_t lock;
	char *texts[SYSTEM_SETTING_COUNT]; /* by lock; NULL where there is none */

	/* Held while the database is asked, so that an older answer never replaces a newer one. */
	pthread_mutex_t reading;

	pthread_t thread;
	bool running;
	pthread_mutex_t waking;
	pthread_cond_t wake;
	bool stop; /* by waking */
	bool due;  /* somebody said that they changed */
};

static bool is_text(enum system_setting setting)
{
	enum system_setting_type type = system_table[setting].type;
	return type == SYSTEM_TEXT || type == SYSTEM_CHOICE;
}

static bool is_number(enum system_setting setting)
{
	enum system_setting_type type = system_table[setting].type;
	return type == SYSTEM_BOOL || type == SYSTEM_INT || type == SYSTEM_CHOICE;
}

/* --- the values ----------------------------------------------------------------------------- */

bool system_bool(const struct system_settings *settings, enum system_setting setting)
{
	return system_i64(settings, setting) != 0;
}

int64_t system_i64(const struct system_settings *settings, enum system_setting setting)
{
	const struct system_setting_info *info = &system_table[setting];
	CHECK(is_number(setting));
	if (!settings)
		return system_setting_number(info, info->fallback);
	return atomic_load_explicit(&settings->numbers[setting], memory_order_relaxed);
}

str system_text(struct ctx *ctx, struct system_settings *settings, enum system_setting setting)
{
	CHECK(is_text(setting));
	if (!settings)
		return system_table[setting].fallback;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&settings->lock);
	return arena_copy(ctx->arena, str_from(settings->texts[setting]));
}

bool system_is_set(const struct system_settings *settings, enum system_setting setting)
{
	return settings && atomic_load_explicit(&settings->set[setting], memory_order_relaxed);
}

/* `text` NULL: nobody chose one. */
static void install(struct system_settings *settings, enum system_setting setting, const str *text)
{
	const struct system_setting_info *info = &system_table[setting];
	if (is_number(setting)) {
		int64_t number =
			text ? system_setting_number(info, *text) : settings->fallbacks[setting];
		atomic_store_explicit(&settings->numbers[setting], number, memory_order_relaxed);
	}
	if (is_text(setting)) {
		char *old = settings->texts[setting];
		settings->texts[setting] = mem_copy(text ? *text : info->fallback);
		free(old);
	}
	atomic_store_explicit(&settings->set[setting], text != NULL, memory_order_relaxed);
}

void system_set_default(struct system_settings *settings, enum system_setting setting,
			int64_t number)
{
	settings->fallbacks[setting] = number;
	if (!system_is_set(settings, setting))
		install(settings, setting, NULL);
}

/* --- from the database ---------------------------------------------------------------------- */

struct rows {
	struct setting_row *list;
	size_t count;
};

static err_t list_body(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
	struct rows *rows = arg;
	return db_setting_list(ctx, tx, &rows->list, &rows->count);
}

static const str *find_row(const struct rows *rows, enum system_setting setting)
{
	for (size_t i = 0; i < rows->count; i++)
		if (str_eq(rows->list[i].name, str_from(system_table[setting].key)))
			return &rows->list[i].value;
	return NULL;
}

static void install_all(struct system_settings *settings, const struct rows *rows)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&settings->lock);
	for (int i = 0; i < SYSTEM_SETTING_COUNT; i++) {
		str fixed = str_from(settings->fixed_texts[i]);
		const str *row = find_row(rows, (enum system_setting)i);
		install(settings, (enum system_setting)i, settings->fixed[i] ? &fixed : row);
	}
}

err_t system_refresh(struct ctx *ctx, struct system_settings *settings)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *reading = thread_lock(&settings->reading);
	struct rows rows = { 0 };
	TRY(db_run(ctx, settings->db, SQL_READ, list_body, &rows));
	install_all(settings, &rows);
	if (settings->changed)
		settings->changed(ctx, settings, settings->changed_arg);
	return OK;
}

void system_watch(struct ctx *ctx, struct system_settings *settings,
		  void (*changed)(struct ctx *ctx, struct system_settings *settings, void *arg),
		  void *arg)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *reading = thread_lock(&settings->reading);
	settings->changed = changed;
	settings->changed_arg = arg;
	changed(ctx, settings, arg);
}

bool system_owns_key(str key)
{
	enum system_setting setting;
	return system_setting_find(key, &setting);
}

/* --- Harbor's configuration ----------------------------------------------------------------- */

void system_write(struct ctx *ctx, struct json_writer *w, struct system_settings *settings)
{
	for (int i = 0; i < SYSTEM_SETTING_COUNT; i++) {
		enum system_setting setting = (enum system_setting)i;
		const struct system_setting_info *info = &system_table[i];
		if (info->type == SYSTEM_UNUSED)
			continue;
		json_write_object_begin(w, info->key);
		if (info->type == SYSTEM_BOOL)
			json_write_bool(w, "value", system_bool(settings, setting));
		else if (info->type == SYSTEM_INT)
			json_write_i64(w, "value", system_i64(settings, setting));
		else
			json_write_str(w, "value", system_text(ctx, settings, setting));
		json_write_bool(w, "editable", !(settings && settings->fixed[i]));
		json_write_object_end(w);
	}
}

/* What a setting will be after the rows and the new values. */
static str value_after(const struct system_settings *settings, const struct rows *rows,
		       const str *taken, enum system_setting setting)
{
	if (settings->fixed[setting])
		return str_from(settings->fixed_texts[setting]);
	if (taken[setting].ptr)
		return taken[setting];
	const str *row = find_row(rows, setting);
	return row ? *row : system_table[setting].fallback;
}

static err_t take_member(struct ctx *ctx, const struct system_settings *settings,
			 const struct json_value *flat, enum system_setting setting, str *taken)
{
	str text;
	bool found;
	TRY(system_setting_read(ctx, flat, setting, &text, &found));
	if (!found || system_table[setting].type == SYSTEM_UNUSED)
		return OK;
	if (!settings->fixed[setting])
		*taken = text;
	else if (!str_eq(text, str_from(settings->fixed_texts[setting])))
		return fail(ctx, ERR_DENIED, "%s is fixed by the server's options",
			    system_table[setting].key);
	return OK;
}

err_t system_put(struct ctx *ctx, struct sql_tx *tx, const struct system_settings *settings,
		 const struct json_value *flat)
{
	str taken[SYSTEM_SETTING_COUNT] = { 0 };
	struct rows rows = { 0 };
	for (int i = 0; i < SYSTEM_SETTING_COUNT; i++)
		TRY(take_member(ctx, settings, flat, (enum system_setting)i, &taken[i]));
	TRY(list_body(ctx, tx, &rows));
	/* Else nobody would ever learn what happened. */
	if (str_eq(value_after(settings, &rows, taken, SYSTEM_SKIP_AUDIT_LOG_DATABASE),
		   STR("true")) &&
	    !value_after(settings, &rows, taken, SYSTEM_AUDIT_LOG_FORWARD_ENDPOINT).len)
		return fail(ctx, ERR_REQUEST_INVALID,
			    "skip_audit_log_database needs an audit_log_forward_endpoint");
	for (int i = 0; i < SYSTEM_SETTING_COUNT; i++)
		if (taken[i].ptr)
			TRY(db_setting_put(ctx, tx, str_from(system_table[i].key), taken[i]));
	return OK;
}

/* --- its life ------------------------------------------------------------------------------- */

static void system_done(struct system_settings **settings)
{
	system_free(*settings);
}

static err_t read_fixed(struct ctx *ctx, struct system_settings *settings, str json)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	str key;
	const struct json_value *value;
	enum system_setting setting;
	if (!json.len)
		return OK;
	if (!json_parse(json, JSON_LIMITS_SMALL, &doc, &problem) || !json_value_is_object(doc.root))
		return fail(ctx, ERR_CONFIG, "fixed settings are no JSON object");
	for (void *at = NULL; json_next_member(doc.root, &at, &key, &value);)
		if (!system_setting_find(key, &setting))
			return fail(ctx, ERR_CONFIG, "fixed settings: there is no " STR_FMT,
				    STR_ARG(key));
	for (int i = 0; i < SYSTEM_SETTING_COUNT; i++) {
		str text;
		if (system_setting_read(ctx, doc.root, (enum system_setting)i, &text,
					&settings->fixed[i]) != OK) {
			ctx->failure.code = ERR_CONFIG;
			return ERR_CONFIG;
		}
		settings->fixed_texts[i] = settings->fixed[i] ? mem_copy(text) : NULL;
	}
	return OK;
}

err_t system_new(struct ctx *ctx, const struct system_options *options,
		 struct system_settings **ret)
{
	CLEANUP(system_done) struct system_settings *settings = NEW(struct system_settings);
	settings->db = options->db;
	pthread_mutex_init(&settings->lock, NULL);
	pthread_mutex_init(&settings->reading, NULL);
	pthread_mutex_init(&settings->waking, NULL);
	thread_condition_init(&settings->wake);
	for (int i = 0; i < SYSTEM_SETTING_COUNT; i++)
		settings->fallbacks[i] =
			system_setting_number(&system_table[i], system_table[i].fallback);
	TRY(read_fixed(ctx, settings, options->fixed));
	TRY(system_refresh(ctx, settings));
	*ret = take(settings);
	return OK;
}

/* Says so once, and again when it is over. */
static void refresh_and_tell(struct ctx *ctx, struct system_settings *settings, bool *failing)
{
	ctx->deadline_ns = clock_now_ns() + REFRESH_DEADLINE_S * CLOCK_S;
	err_t err = system_refresh(ctx, settings);
	if (err != OK && !*failing)
		LOG(LOG_WARN, "settings could not be read again; the old ones stay",
		    LOG_CSTR("detail", ctx->failure.detail));
	else if (err == OK && *failing)
		LOG(LOG_NOTICE, "settings are read again");
	*failing = err != OK;
	ctx_forgive(ctx);
	arena_reset(ctx->arena);
}

/* False when it is time to stop. */
static bool wait_for_turn(struct system_settings *settings)
{
	int64_t until_ns = clock_now_ns() + SYSTEM_AGE_MAX_MS / 2 * CLOCK_MS;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&settings->waking);
	while (!settings->stop && !settings->due &&
	       thread_wait_until(&settings->wake, &settings->waking, until_ns))
		;
	settings->due = false;
	return !settings->stop;
}

static void *keep_young(void *arg)
{
	struct system_settings *settings = arg;
	CLEANUP(arena_done) struct arena arena;
	struct ctx ctx;
	bool failing = false;
	arena_init(&arena, ARENA_BYTES_MAX);
	ctx_init(&ctx, &arena);
	while (wait_for_turn(settings))
		refresh_and_tell(&ctx, settings, &failing);
	return NULL;
}

void system_told(struct system_settings *settings)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&settings->waking);
	settings->due = true;
	pthread_cond_signal(&settings->wake);
}

err_t system_start(struct ctx *ctx, struct system_settings *settings)
{
	TRY(thread_start(ctx, "settings", keep_young, settings, &settings->thread));
	settings->running = true;
	return OK;
}

void system_stop(struct system_settings *settings)
{
	if (!settings || !settings->running)
		return;
	pthread_mutex_lock(&settings->waking);
	settings->stop = true;
	pthread_cond_signal(&settings->wake);
	pthread_mutex_unlock(&settings->waking);
	pthread_join(settings->thread, NULL);
	settings->running = false;
}

void system_free(struct system_settings *settings)
{
	if (!settings)
		return;
	system_stop(settings);
	for (int i = 0; i < SYSTEM_SETTING_COUNT; i++) {
		free(settings->texts[i]);
		free(settings->fixed_texts[i]);
	}
	pthread_cond_destroy(&settings->wake);
	pthread_mutex_destroy(&settings->waking);
	pthread_mutex_destroy(&settings->reading);
	pthread_mutex_destroy(&settings->lock);
	free(settings);
}
