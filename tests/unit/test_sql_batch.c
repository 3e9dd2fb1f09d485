/* SPDX-License-Identifier: Apache-2.0 */
/* Many writers at once: sharing commits, failing together where they must, and losing nothing. */
#include "sql_fixture.h"
#include "os/fault.h"

#include <sys/resource.h>
#include <sys/stat.h>

#define THREADS 32
#define WRITES	200

struct worker {
	struct sql_fixture *f;
	int number;
	enum sql_mode mode;
	int64_t patience_ns; /* each write's deadline, when > 0 */
	unsigned failed_exists, failed_full, failed_deadline, done;
	int acknowledge_fd; /* one line for each committed name, when > 0 */
	pthread_t thread;
};

static void acknowledge(const struct worker *w, const char *name)
{
	char line[32];
	int len = snprintf(line, sizeof line, "%s\n", name);
	cr_assert_eq(write(w->acknowledge_fd, line, (size_t)len), len);
}

static void *write_items(void *arg)
{
	struct worker *w = arg;
	struct arena arena;
	arena_init(&arena, MIB(1));
	struct ctx ctx;
	ctx_init(&ctx, &arena);
	for (int i = 0; i < WRITES || w->acknowledge_fd > 0; i++) {
		char name[24];
		snprintf(name, sizeof name, "w%d-%d", w->number, i);
		if (w->patience_ns)
			ctx.deadline_ns = clock_now_ns() + w->patience_ns;
		err_t err = fixture_insert(&ctx, w->f->db, w->mode, name);
		w->done += err == OK;
		w->failed_exists += err == ERR_EXISTS;
		w->failed_full += err == ERR_STORAGE_FULL;
		w->failed_deadline += err == ERR_DEADLINE;
		if (err == OK && w->acknowledge_fd > 0)
			acknowledge(w, name);
		ctx_forgive(&ctx);
	}
	cr_assert_eq(ctx.holds, 0);
	arena_done(&arena);
	return NULL;
}

static void start(struct worker *workers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		pthread_create(&workers[i].thread, NULL, write_items, &workers[i]);
}

static struct worker join(struct worker *workers, size_t count)
{
	struct worker sum = { 0 };
	for (size_t i = 0; i < count; i++) {
		pthread_join(workers[i].thread, NULL);
		sum.done += workers[i].done;
		sum.failed_exists += workers[i].failed_exists;
		sum.failed_full += workers[i].failed_full;
		sum.failed_deadline += workers[i].failed_deadline;
	}
	return sum;
}

SQL_TEST(sql_batch, many_durable_writers_share_their_commits)
{
	struct sql_stats before, after;
	sql_stats(f->db, &before);
	struct worker workers[THREADS] = { 0 };
	for (int i = 0; i < THREADS; i++)
		workers[i] = (struct worker){ .f = f, .number = i, .mode = SQL_WRITE };
	start(workers, THREADS);
	cr_assert_eq(join(workers, THREADS).done, THREADS * WRITES);

	sql_stats(f->db, &after);
	cr_assert_eq(after.commits - before.commits, THREADS * WRITES);
	if (f->engine == SQL_SQLITE)
		cr_assert_lt((after.syncs - before.syncs) * 4, THREADS * WRITES);
	fixture_reopen(f, 2);
	cr_assert_eq(fixture_count(&f->ctx, f->db), THREADS * WRITES);
}

SQL_TEST(sql_batch, durable_and_relaxed_writers_and_failing_members_mix)
{
	struct sql_stats before, after;
	sql_stats(f->db, &before);
	struct worker workers[12] = { 0 };
	for (int i = 0; i < 12; i++)
		/* Two of each number: one of them finds each name taken, and rolls back inside the
		 * batch. */
		workers[i] = (struct worker){ .f = f,
					      .number = i / 2,
					      .mode = i % 4 ? SQL_WRITE : SQL_WRITE_RELAXED };
	start(workers, 12);
	struct worker sum = join(workers, 12);
	cr_assert_eq(sum.done, 6 * WRITES);
	cr_assert_eq(sum.failed_exists, 6 * WRITES);
	cr_assert_eq(fixture_count(&f->ctx, f->db), 6 * WRITES);
	sql_stats(f->db, &after);
	cr_assert_eq(after.commits - before.commits, 6 * WRITES);
}

SQL_TEST(sql_batch, writers_who_give_up_waiting_leave_nobody_behind)
{
	if (f->engine != SQL_SQLITE)
		return;
	struct worker workers[16] = { 0 };
	for (int i = 0; i < 16; i++)
		workers[i] = (struct worker){ .f = f,
					      .number = i,
					      .mode = SQL_WRITE,
					      .patience_ns = i % 2 ? i * 40 * CLOCK_US : 0 };
	start(workers, 16);
	struct worker sum = join(workers, 16);
	cr_assert_eq(sum.done + sum.failed_deadline, 16 * WRITES);
	cr_assert_geq(sum.done, 8 * WRITES);
	cr_assert_eq(fixture_count(&f->ctx, f->db), sum.done);
}

SQL_TEST(sql_batch, relaxed_writes_do_not_wait_for_the_disk)
{
	struct sql_stats before, after;
	sql_stats(f->db, &before);
	for (int i = 0; i < 10; i++) {
		char name[16];
		snprintf(name, sizeof name, "r%d", i);
		EXPECT_OK(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE_RELAXED, name));
	}
	sql_stats(f->db, &after);
	cr_assert_eq(after.syncs, before.syncs);
	EXPECT_OK(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE, "durable"));
	sql_stats(f->db, &after);
	cr_assert_eq(after.syncs, before.syncs + 1);
}

SQL_TEST(sql_batch, readers_run_beside_the_writers)
{
	struct worker workers[4] = { 0 };
	for (int i = 0; i < 4; i++)
		workers[i] = (struct worker){ .f = f, .number = i, .mode = SQL_WRITE_RELAXED };
	start(workers, 4);
	int64_t last = 0;
	while (last < 4 * WRITES) {
		int64_t count = fixture_count(&f->ctx, f->db);
		cr_assert_geq(count, last);
		last = count;
	}
	join(workers, 4);
}

/* kill -9 */

static void write_until_killed(struct sql_fixture *f, int fd)
{
	f->db = fixture_open(f, &f->ctx, 8);
	struct worker workers[8] = { 0 };
	for (int i = 0; i < 8; i++)
		workers[i] = (struct worker){ .f = f,
					      .number = i,
					      .mode = i % 2 ? SQL_WRITE : SQL_WRITE_RELAXED,
					      .acknowledge_fd = fd };
	start(workers, 8);
	join(workers, 8);
}

/* Reads acknowledged names from `from` until the writer is dead, and kills it after `count` of
 * them. */
static char *collect(FILE *from, pid_t child, int count, size_t *ret_len)
{
	char *all = NULL;
	FILE *into = open_memstream(&all, ret_len);
	char line[64];
	for (int lines = 0; fgets(line, sizeof line, from); lines++) {
		if (lines == count)
			kill(child, SIGKILL);
		if (strchr(line, '\n'))
			fputs(line, into);
	}
	fclose(into);
	return all;
}

SQL_TEST(sql_batch, what_was_acknowledged_survives_kill_9)
{
	sql_close(f->db);
	for (int round = 0; round < 3; round++) {
		int ends[2];
		cr_assert_eq(pipe(ends), 0);
		pid_t child = fork();
		if (child == 0) {
			close(ends[0]);
			write_until_killed(f, ends[1]);
			_exit(1);
		}
		close(ends[1]);
		FILE *from = fdopen(ends[0], "r");
		size_t len;
		char *all = collect(from, child, 200 + 150 * round, &len);
		fclose(from);
		cr_assert_eq(waitpid(child, NULL, 0), child);

		f->db = fixture_open(f, &f->ctx, 2);
		str rest = { all, len };
		for (str name; str_next(&rest, '\n', &name);) {
			char text[64];
			snprintf(text, sizeof text, STR_FMT, STR_ARG(name));
			if (text[0])
				cr_assert(fixture_has(&f->ctx, f->db, text), "%s is lost", text);
		}
		free(all);
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE, &tx));
		EXPECT_OK(&f->ctx,
			  sql_exec(&f->ctx, &tx, &ITEM_DELETE, SQL_ARGS(SQL_I64(2)), NULL));
		EXPECT_OK(&f->ctx, sql_commit(&f->ctx, &tx));
		sql_close(f->db);
	}
	f->db = fixture_open(f, &f->ctx, 2);
}

/* Disk full: here, a limit on the size of files, which the engine meets in write(2) as it would
 * meet the disk's. */

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

SQL_TEST(sql_batch, a_full_disk_fails_writers_and_nothing_else)
{
	if (f->engine != SQL_SQLITE)
		return;
	signal(SIGXFSZ, SIG_IGN);
	char log[560];
	snprintf(log, sizeof log, "%s-wal", f->location);
	struct stat now;
	cr_assert_eq(stat(log, &now), 0);
	limit_files((rlim_t)now.st_size + KIB(512));

	struct worker workers[8] = { 0 };
	for (int i = 0; i < 8; i++)
		workers[i] = (struct worker){ .f = f, .number = i, .mode = SQL_WRITE };
	start(workers, 8);
	struct worker sum = join(workers, 8);
	cr_assert_gt(sum.done, 0);
	cr_assert_gt(sum.failed_full, 0);
	cr_assert_eq(sum.done + sum.failed_full, 8 * WRITES,
		     "no other error, and no waiter forgotten");
	cr_assert_eq(fixture_count(&f->ctx, f->db), sum.done);

	limit_files(RLIM_INFINITY);
	EXPECT_OK(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE, "there is room again"));
	fixture_reopen(f, 2);
	cr_assert_eq(fixture_count(&f->ctx, f->db), sum.done + 1);
}

#ifdef BERTH_FAULTS
SQL_TEST(sql_batch, a_commit_that_fails_fails_its_whole_batch)
{
	fault_setup("sql.commit:*=errno:28");
	struct worker workers[8] = { 0 };
	for (int i = 0; i < 8; i++)
		workers[i] = (struct worker){ .f = f, .number = i, .mode = SQL_WRITE };
	start(workers, 8);
	cr_assert_eq(join(workers, 8).failed_full, 8 * WRITES);
	fault_setup(NULL);
	cr_assert_eq(fixture_count(&f->ctx, f->db), 0);
	EXPECT_OK(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE, "a"));
}

SQL_TEST(sql_batch, begin_and_exec_fail_where_they_are_told_to)
{
	fault_setup("sql.begin:1=errno:11,sql.exec:1=errno:28");
	err_t err = fixture_insert(&f->ctx, f->db, SQL_WRITE, "a");
	cr_assert_eq(err, ERR_DATABASE);
	cr_assert(sql_should_retry(&f->ctx, err));
	ctx_forgive(&f->ctx);
	EXPECT(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE, "a"), ERR_STORAGE_FULL);
	EXPECT_OK(&f->ctx, fixture_insert(&f->ctx, f->db, SQL_WRITE, "a"));
	fault_setup(NULL);
}
#endif

SQL_TEST(sql_batch, the_log_stays_small)
{
	if (f->engine != SQL_SQLITE)
		return;
	static char bytes[64 * 1024];
	for (int i = 0; i < 2400; i++) {
		CLEANUP(sql_tx_done) struct sql_tx tx = SQL_TX_INIT;
		EXPECT_OK(&f->ctx, sql_begin(&f->ctx, f->db, SQL_WRITE_RELAXED, &tx));
		EXPECT_OK(&f->ctx, sql_exec(&f->ctx, &tx, &ITEM_INSERT,
					    SQL_ARGS(SQL_TEXT(STR("big")), SQL_I64(0),
						     SQL_BLOB(((str){ bytes, sizeof bytes }))),
					    NULL));
		EXPECT_OK(&f->ctx,
			  sql_exec(&f->ctx, &tx, &ITEM_DELETE, SQL_ARGS(SQL_I64(1)), NULL));
		EXPECT_OK(&f->ctx, fixture_has(&f->ctx, f->db, "x") ? ERR_INTERNAL : OK);
		EXPECT_OK(&f->ctx, sql_commit(&f->ctx, &tx));
	}
	char log[560];
	snprintf(log, sizeof log, "%s-wal", f->location);
	struct stat now;
	cr_assert_eq(stat(log, &now), 0);
	cr_assert_leq(now.st_size, (off_t)MIB(64));
	fixture_reopen(f, 2);
	cr_assert_eq(fixture_count(&f->ctx, f->db), 0);
}

SQL_TEST(sql_batch, the_file_is_its_owners)
{
	if (f->engine != SQL_SQLITE)
		return;
	static const char *const endings[] = { "", "-wal", "-shm" };
	for (size_t i = 0; i < COUNT_OF(endings); i++) {
		char path[560];
		snprintf(path, sizeof path, "%s%s", f->location, endings[i]);
		struct stat now;
		cr_assert_eq(stat(path, &now), 0);
		cr_assert_eq(now.st_mode & 0777, 0600);
	}
}
