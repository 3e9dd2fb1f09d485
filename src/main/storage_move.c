/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storage_move.c - `berth storage move TENANT [PLACE] [--keep]`: moves a tenant's bytes while they
 * are used.
 *
 * PLACE is a file (`-`: standard input) with what `storage` of a new tenant would be; without it a
 * move that was begun goes on. With `--keep` the old bytes are not removed. On a terminal the state
 * is a bar, elsewhere a line now and then.
 */
#include "api/tenant_json.h"
#include "base/clock.h"
#include "codec/json.h"
#include "db/tenant.h"
#include "os/file.h"
#include "notify/audit.h"
#include "program.h"
#include "registry/storage_move.h"
#include "registry/tenant.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/banned.h"

#define PLACE_BYTES_MAX KIB(64)
#define BAR_LEN		30
#define DRAW_NS		(100 * CLOCK_MS)
#define LINES_IN_ALL	10 /* of copying, where there is no terminal */

enum { EXIT_MOVED = 0, EXIT_PROBLEMS = 1, EXIT_FAILED = 2 };

/* --- what is seen --------------------------------------------------------------------------- */

struct screen {
	bool terminal;
	bool drawn;	     /* a bar stands there, without the end of its line */
	int64_t drawn_at_ns; /* the bar */
	uint64_t tenths;     /* that a line was printed for, and one more */
	enum storage_move_phase phase;
	bool any;
};

struct amount {
	double value;
	const char *unit;
};

static struct amount amount_of(uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	struct amount amount = { (double)bytes, units[0] };
	for (size_t i = 1; i < COUNT_OF(units) && amount.value >= 1024; i++)
		amount = (struct amount){ amount.value / 1024, units[i] };
	return amount;
}

static uint64_t parts_of(const struct storage_move_progress *p, uint64_t parts)
{
	if (!p->bytes_total)
		return p->phase == STORAGE_MOVE_COPIES ? 0 : parts;
	return (uint64_t)((double)MIN(p->bytes, p->bytes_total) / (double)p->bytes_total *
			  (double)parts);
}

static void print_amounts(const struct storage_move_progress *p)
{
	struct amount done = amount_of(p->bytes), all = amount_of(p->bytes_total);
	printf("%3llu%% %llu of %llu blobs, %.1f %s of %.1f %s",
	       (unsigned long long)parts_of(p, 100), (unsigned long long)p->blobs,
	       (unsigned long long)p->blobs_total, done.value, done.unit, all.value, all.unit);
}

static void print_phase(const struct storage_move_progress *p)
{
	if (p->phase == STORAGE_MOVE_WAITS)
		printf("waiting for %llu uploads in the old storage",
		       (unsigned long long)p->uploads);
	else
		printf("all is moved and proved; removing the old bytes");
}

/* The line again, and what stood behind it away. */
static void draw(struct screen *screen, const struct storage_move_progress *p)
{
	int64_t now_ns = clock_now_ns();
	if (screen->any && screen->phase == p->phase && now_ns - screen->drawn_at_ns < DRAW_NS &&
	    p->blobs < p->blobs_total)
		return;
	screen->drawn_at_ns = now_ns;
	printf("\r");
	if (p->phase == STORAGE_MOVE_COPIES) {
		printf("[");
		for (uint64_t i = 0; i < BAR_LEN; i++)
			printf("%c", i < parts_of(p, BAR_LEN) ? '#' : '.');
		printf("] ");
		print_amounts(p);
	} else {
		print_phase(p);
	}
	printf("\033[K");
	screen->drawn = true;
}

static void print_line(struct screen *screen, const struct storage_move_progress *p)
{
	if (p->phase != STORAGE_MOVE_COPIES) {
		if (!screen->any || screen->phase != p->phase) {
			print_phase(p);
			printf("\n");
		}
		return;
	}
	if (screen->any && parts_of(p, LINES_IN_ALL) < screen->tenths)
		return;
	screen->tenths = parts_of(p, LINES_IN_ALL) + 1;
	print_amounts(p);
	printf("\n");
}

static void show(void *arg, const struct storage_move_progress *p)
{
	struct screen *screen = arg;
	(screen->terminal ? draw : print_line)(screen, p);
	screen->phase = p->phase;
	screen->any = true;
	fflush(stdout);
}

static void end_bar(struct screen *screen)
{
	if (screen->drawn)
		printf("\n");
	screen->drawn = false;
	fflush(stdout);
}

static void show_problem(void *arg, str digest_text, const char *why)
{
	end_bar(arg);
	fprintf(stderr, "not moved: " STR_FMT ": %s\n", STR_ARG(digest_text), why);
}

/* --- where to ------------------------------------------------------------------------------- */

static err_t read_input(struct ctx *ctx, str *ret)
{
	char *bytes = arena_alloc(ctx->arena, PLACE_BYTES_MAX);
	size_t len = fread(bytes, 1, PLACE_BYTES_MAX, stdin);
	if (ferror(stdin) || len == PLACE_BYTES_MAX)
		return fail(ctx, ERR_CONFIG, "could not read where to move from standard input");
	*ret = (str){ bytes, len };
	return OK;
}

static err_t read_place(struct ctx *ctx, const char *path, struct storage_spec *ret)
{
	CLEANUP(json_done) struct json_document doc = JSON_DOCUMENT_NONE;
	struct json_problem problem;
	struct storage_spec spec = { .name = STR_NONE };
	str text;
	if (str_eq(str_from(path), STR("-")))
		TRY(read_input(ctx, &text));
	else
		TRY(file_read_all(ctx, AT_FDCWD, path, PLACE_BYTES_MAX, &text));
	if (!json_parse(text, JSON_LIMITS_SMALL, &doc, &problem))
		return fail(ctx, ERR_CONFIG, "%s: " JSON_PROBLEM_FMT, path,
			    JSON_PROBLEM_ARG(problem));
	TRY_CTX(ctx, tenant_json_read_storage(ctx, doc.root, &spec), "%s", path);
	*ret = (struct storage_spec){
		.name = arena_copy(ctx->arena, spec.name),
		.driver = arena_copy(ctx->arena, spec.driver),
		.location = arena_copy(ctx->arena, spec.location),
		.settings = spec.settings,
		.secrets = spec.secrets,
		.encrypted = spec.encrypted,
	};
	return OK;
}

/* --- what is moved -------------------------------------------------------------------------- */

struct wanted {
	const char *tenant, *place; /* place NULL: goes on */
	bool keep;
};

static err_t find_tenant(struct ctx *ctx, struct program *p, str name, struct tenant *ret)
{
	struct tenant_row row;
	{
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		TRY(sql_begin(ctx, p->db, SQL_READ, &tx));
		err_t err = db_tenant_find(ctx, &tx, name, &row);
		if (err == ERR_ABSENT)
			return fail(ctx, ERR_NOT_FOUND, "no tenant " STR_FMT, STR_ARG(name));
		TRY(err);
	}
	return tenant_get(ctx, p->registry, row.id, ret);
}

/* --- the audit trail ------------------------------------------------------------------------ */

struct record {
	struct tx_rider rider;
	struct audit *audit;
	struct audit_event event;
};

static void free_audit(struct audit **audit)
{
	audit_free(*audit);
}

static err_t write_record(struct ctx *ctx, struct sql_tx *tx, struct tx_rider *rider)
{
	struct record *record = CONTAINER_OF(rider, struct record, rider);
	return audit_write(ctx, record->audit, tx, &record->event);
}

static struct record record_of(struct audit *audit, const struct tenant *tenant)
{
	return (struct record){
		.rider.join = write_record,
		.audit = audit,
		.event = { .type = AUDIT_UPDATE_TENANT,
			   .tenant_id = tenant->row.id,
			   .resource = tenant->row.name,
			   .actor_type = STR("system"),
			   .actor = STR("berth storage move") },
	};
}

/* --- all ------------------------------------------------------------------------------------ */

static err_t move(struct ctx *ctx, struct program *p, const struct wanted *wanted,
		  struct screen *screen, struct storage_move_result *ret)
{
	struct storage_spec spec = { .name = STR_NONE };
	struct tenant tenant;
	CLEANUP(free_audit) struct audit *audit = NULL;
	if (wanted->place)
		TRY(read_place(ctx, wanted->place, &spec));
	TRY(program_find_data(ctx, p));
	TRY(program_open(ctx, p));
	TRY(find_tenant(ctx, p, str_from(wanted->tenant), &tenant));
	TRY(program_new_audit_writer(ctx, p, &audit));
	struct record begins = record_of(audit, &tenant), ends = begins;
	begins.event.before = STR("{\"storage_moves\":false}");
	begins.event.after = ends.event.before = STR("{\"storage_moves\":true}");
	ends.event.after = begins.event.before;
	const struct storage_move_options options = {
		.tenant_id = tenant.row.id,
		.tenant_name = tenant.row.name,
		.to = wanted->place ? &spec : NULL,
		.keep = wanted->keep,
		.begins = &begins.rider,
		.ends = &ends.rider,
		.progress = show,
		.problem = show_problem,
		.arg = screen,
	};
	return storage_move(ctx, p->registry, &options, ret);
}

static int say_result(const struct storage_move_result *result)
{
	struct amount moved = amount_of(result->bytes);
	printf("%llu blobs moved, %.1f %s\n", (unsigned long long)result->blobs, moved.value,
	       moved.unit);
	if (!result->problems)
		return EXIT_MOVED;
	printf("%llu blobs could not be moved; nothing was removed. Push their content again, and "
	       "run "
	       "this once more\n",
	       (unsigned long long)result->problems);
	return EXIT_PROBLEMS;
}

static bool is_word(int argc, char **argv)
{
	return argc > 0 && !str_has_prefix(str_from(argv[0]), STR("--"));
}

/* How many words it was; 0: they make no sense. */
static int read_words(int argc, char **argv, struct wanted *ret)
{
	int words = 0;
	if (!is_word(argc, argv))
		return 0;
	ret->tenant = argv[words++];
	if (is_word(argc - words, argv + words))
		ret->place = argv[words++];
	ret->keep = argc > words && str_eq(str_from(argv[words]), STR("--keep"));
	return words + ret->keep;
}

int main_storage_move(int argc, char **argv)
{
	struct wanted wanted = { .tenant = NULL };
	int words = read_words(argc, argv, &wanted);
	if (!words) {
		fprintf(stderr, "usage: berth storage move TENANT [PLACE] [--keep] [OPTION…]\n");
		return EXIT_FAILED;
	}
	CLEANUP(arena_done) struct arena arena;
	arena_init(&arena, MIB(64));
	struct ctx ctx;
	ctx_init(&ctx, &arena);
	CLEANUP(program_close) struct program p = PROGRAM_INIT;
	struct screen screen = { .terminal = isatty(STDOUT_FILENO) };
	struct storage_move_result result;
	err_t err = program_configure(&ctx, argc - words, argv + words, &p);
	if (err == OK)
		err = move(&ctx, &p, &wanted, &screen, &result);
	end_bar(&screen);
	if (err == OK)
		return say_result(&result);
	fprintf(stderr, "berth: %s\n", ctx.failure.detail);
	return EXIT_FAILED;
}
