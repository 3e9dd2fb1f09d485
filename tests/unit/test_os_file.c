/* SPDX-License-Identifier: Apache-2.0 */
/* test_os_file.c - files, directories, and the fault points in them. */
#include "os/file.h"
#include "base/clock.h"
#include "os/fault.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena arena;
static struct ctx ctx;
static char folder[32];
static int dir_fd;

static void start(void)
{
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
	snprintf(folder, sizeof folder, "/tmp/berth-file-XXXXXX");
	cr_assert(mkdtemp(folder));
	cr_assert_eq(file_open_dir(&ctx, AT_FDCWD, folder, &dir_fd), OK);
	cr_assert_eq(chdir(folder), 0);
}

static void stop(void)
{
	char command[64];
	close(dir_fd);
	snprintf(command, sizeof command, "rm -r %s", folder);
	cr_assert_eq(system(command), 0);
	arena_done(&arena);
}

TestSuite(file, .init = start, .fini = stop);
TestSuite(fault);

Test(file, write_and_read)
{
	CLEANUP(file_done) int fd = -1;
	cr_assert_eq(file_open(&ctx, dir_fd, "a", O_RDWR | O_CREAT | O_EXCL, 0600, &fd), OK);
	cr_assert_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cr_assert_eq(file_write_all(&ctx, fd, "hello", 5), OK);
	cr_assert_eq(file_write_all_at(&ctx, fd, 3, "p me", 4), OK);
	cr_assert_eq(file_sync_data(&ctx, fd), OK);
	cr_assert_eq(file_sync_dir(&ctx, dir_fd), OK);
	uint64_t size;
	cr_assert_eq(file_size(&ctx, fd, &size), OK);
	cr_assert_eq(size, 7);

	char into[16];
	size_t len;
	cr_assert_eq(file_read_at(&ctx, fd, 3, into, sizeof into, &len), OK);
	cr_assert_eq(len, 4);
	str all;
	cr_assert_eq(file_read_all(&ctx, dir_fd, "a", 7, &all), OK);
	cr_assert(str_eq(all, STR("help me")));
	cr_assert_eq(all.ptr[7], '\0');
	cr_assert_eq(file_read_all(&ctx, dir_fd, "a", 6, &all), ERR_LIMIT);
}

Test(file, errors_have_codes)
{
	int fd = -1;
	cr_assert_eq(file_open(&ctx, dir_fd, "none", O_RDONLY, 0, &fd), ERR_ABSENT);
	cr_assert_eq(ctx.failure.sys_errno, ENOENT);
	cr_assert_eq(fd, -1);
	cr_assert_eq(file_make_dir(&ctx, dir_fd, "d", 0700, NULL), OK);
	ctx_forgive(&ctx);
	cr_assert_eq(file_open(&ctx, dir_fd, "d", O_WRONLY | O_CREAT | O_EXCL, 0600, &fd),
		     ERR_EXISTS);
	cr_assert_eq(file_error(ENOSPC), ERR_STORAGE_FULL);
	cr_assert_eq(file_error(EDQUOT), ERR_STORAGE_FULL);
	cr_assert_eq(file_error(EIO), ERR_STORAGE);
	cr_assert_eq(file_remove(&ctx, dir_fd, "none"), OK, "already gone");
}

Test(file, directories)
{
	bool created;
	cr_assert_eq(file_make_dir(&ctx, dir_fd, "d", 0700, &created), OK);
	cr_assert(created);
	cr_assert_eq(file_make_dir(&ctx, dir_fd, "d", 0700, &created), OK);
	cr_assert_not(created);
	cr_assert_eq(file_make_dirs(&ctx, "x/y/z", 0700), OK);
	cr_assert_eq(file_make_dirs(&ctx, "x/y/z", 0700), OK);
	cr_assert_eq(access("x/y/z", F_OK), 0);
	char absolute[64];
	snprintf(absolute, sizeof absolute, "%s/m/n", folder);
	cr_assert_eq(file_make_dirs(&ctx, absolute, 0700), OK);
	cr_assert_eq(access("m/n", F_OK), 0);
}

static void expect_content(const char *path, str expected)
{
	str content;
	cr_assert_eq(file_read_all(&ctx, dir_fd, path, 100, &content), OK);
	cr_assert(str_eq(content, expected));
}

Test(file, replace_is_all_or_nothing)
{
	cr_assert_eq(file_make_dir(&ctx, dir_fd, "d", 0700, NULL), OK);
	cr_assert_eq(file_replace(&ctx, dir_fd, "d/key", 0600, STR("one")), OK);
	expect_content("d/key", STR("one"));
	cr_assert_eq(file_replace(&ctx, dir_fd, "d/key", 0600, STR("two")), OK);
	expect_content("d/key", STR("two"));
	struct stat info;
	cr_assert_eq(stat("d/key", &info), 0);
	cr_assert_eq(info.st_mode & 0777, 0600);
	cr_assert_eq(file_replace(&ctx, dir_fd, "none/key", 0600, STR("x")), ERR_ABSENT);
	cr_assert_eq(file_replace(&ctx, dir_fd, "top", 0600, STR_NONE), OK);
	expect_content("top", STR(""));
}

#ifdef BERTH_FAULTS
Test(file, replace_survives_every_fault)
{
	static const char *const faults[] = { "file.write:1=errno:28", "file.sync:1=errno:5",
					      "file.rename:1=errno:5" };
	cr_assert_eq(file_replace(&ctx, dir_fd, "key", 0600, STR("old")), OK);
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		fault_setup(faults[i]);
		ctx_forgive(&ctx);
		cr_assert_neq(file_replace(&ctx, dir_fd, "key", 0600, STR("new")), OK);
		expect_content("key", STR("old"));
	}
	fault_setup(NULL);
	cr_assert_eq(system("test $(ls | wc -l) = 1"), 0, "no temporary file stays");
}
#endif

Test(fault, hits_are_counted)
{
	fault_setup("a.b:2=errno:28, c:*=errno:5");
	errno = 0;
	cr_assert_not(fault_hit("a.b"));
	cr_assert(fault_hit("a.b"));
	cr_assert_eq(errno, ENOSPC);
	cr_assert_not(fault_hit("a.b"));
	cr_assert(fault_hit("c") && fault_hit("c"));
	cr_assert_eq(errno, EIO);
	cr_assert_not(fault_hit("other"));
	fault_setup(NULL);
	cr_assert_not(fault_hit("c"));
}

Test(fault, waiting_is_no_failure)
{
	fault_setup("slow:1=wait:60, slow:2=errno:5");
	int64_t since_ns = clock_now_ns();
	cr_assert_not(fault_hit("slow"));
	cr_assert_geq(clock_now_ns() - since_ns, 60 * CLOCK_MS);
	cr_assert(fault_hit("slow"));
	fault_setup(NULL);
}

Test(fault, kill)
{
	pid_t child = fork();
	if (child == 0) {
		fault_setup("x:3=kill");
		for (int i = 0; i < 2; i++)
			fault_hit("x");
		if (write(STDOUT_FILENO, "", 0) == 0)
			fault_hit("x");
		_exit(0);
	}
	int status;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

Test(fault, a_wrong_specification_ends_the_process)
{
	static const char *const rows[] = { "x",	   "x:1",	 "x:0=kill",
					    "x:1=errno:0", "x:1=errno:", ":1=kill",
					    "x:1=die",	   "x:1=wait:0", "x:1=wait:60001" };
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		pid_t child = fork();
		if (child == 0) {
			fclose(stderr);
			fault_setup(rows[i]);
			_exit(0);
		}
		int status;
		cr_assert_eq(waitpid(child, &status, 0), child);
		cr_expect(WIFSIGNALED(status), "%s", rows[i]);
	}
}
