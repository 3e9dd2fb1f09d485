/* SPDX-License-Identifier: Apache-2.0 */
/* test_os_confine.c - what a confined process can no longer open, what it still can, and a kernel
 * that cannot confine. */
#include "confine_fixture.h"

#include "os/fault.h"

#include <netdb.h>
#include <pthread.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

TestSuite(confine, .init = confine_start, .fini = confine_stop);

/* Privileges. */

static void privileges(void)
{
	NEED(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
	NEED(confine_privileges(&ctx) == OK);
	NEED(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	NEED(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
}

Test(confine, privileges)
{
	expect_success(privileges);
}

/* Files. */

/* Skips where the kernel has nothing to test. */
static bool has_landlock(void)
{
	CLEANUP(confine_files_done) struct confine_files files = CONFINE_FILES_INIT;
	bool has = confine_files_init(&ctx, &files) == OK;
	ctx_forgive(&ctx);
	return has;
}

static void confine_to(enum confine_access access, const char *path)
{
	CLEANUP(confine_files_done) struct confine_files files = CONFINE_FILES_INIT;
	NEED(confine_privileges(&ctx) == OK);
	NEED(confine_files_init(&ctx, &files) == OK);
	NEED(confine_files_allow(&ctx, &files, access, path) == OK);
	NEED(confine_files_apply(&ctx, &files) == OK);
}

static void need_refusals(void)
{
	static char *const nothing[] = { NULL };
	NEED_ERRNO(try_open("outside/file", O_WRONLY), EACCES);
	NEED_ERRNO(try_open("outside/made", O_WRONLY | O_CREAT), EACCES);
	NEED_ERRNO(unlink("outside/file"), EACCES);
	NEED_ERRNO(rename("outside/file", "data/stolen"), EACCES);
	NEED_ERRNO(mkdir("outside/folder", 0700), EACCES);
	NEED_ERRNO(symlink("x", "data/link"), EACCES);
	NEED_ERRNO(try_open("/etc/made", O_WRONLY | O_CREAT), EACCES);
	if (!SANITIZED) {
		NEED_ERRNO(try_open("outside/file", O_RDONLY), EACCES);
		NEED_ERRNO(try_open("/", O_RDONLY | O_DIRECTORY), EACCES);
		NEED_ERRNO(execve("/bin/true", nothing, nothing), EACCES);
		NEED_ERRNO(execve("data/program", nothing, nothing), EACCES);
	}
	int error = 0;
	pthread_t thread;
	NEED(pthread_create(&thread, NULL, open_outside, &error) == 0);
	pthread_join(thread, NULL);
	NEED(error == EACCES);
}

static void need_data(void)
{
	CLEANUP(file_done) int fd = open("data/a/new", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	NEED(fd >= 0);
	NEED(write(fd, "hello", 5) == 5 && ftruncate(fd, 2) == 0);
	NEED(mkdir("data/b", 0700) == 0);
	NEED(link("data/a/new", "data/b/second") == 0);
	NEED(rename("data/a/new", "data/b/new") == 0); /* into another folder */
	NEED(try_open("data/b/new", O_WRONLY | O_TRUNC) >= 0);
	NEED(unlink("data/b/new") == 0 && unlink("data/b/second") == 0 && rmdir("data/b") == 0);
	NEED(try_open("data", O_RDONLY | O_DIRECTORY) >= 0);
}

static void files_body(void)
{
	CLEANUP(file_done) int before = open("outside/file", O_RDWR | O_CLOEXEC);
	confine_to(CONFINE_DATA, "data");
	need_refusals();
	need_data();
	char byte;
	NEED(read(before, &byte, 1) == 1); /* what was open stays open */
	NEED(try_open("/etc/passwd", O_RDONLY) >= 0);
	NEED(try_open("/proc/self/status", O_RDONLY) >= 0);
	NEED(try_open("/dev/null", O_RDONLY) >= 0);
	struct addrinfo *found = NULL;
	NEED(getaddrinfo("localhost", "5000", NULL, &found) == 0);
	freeaddrinfo(found);
}

Test(confine, files)
{
	if (!has_landlock())
		cr_skip("no Landlock here");
	make_folders();
	expect_success(files_body);
}

static void socket_body(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "run/s" };
	confine_to(CONFINE_SOCKET, "run/s");
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	NEED(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0);
	int other = socket(AF_UNIX, SOCK_STREAM, 0);
	NEED(connect(other, (struct sockaddr *)&address, sizeof address) == 0);
	NEED(unlink("run/s") == 0);
	NEED_ERRNO(try_open("run/file", O_WRONLY | O_CREAT), EACCES);
}

Test(confine, a_unix_socket_is_made_and_removed)
{
	if (!has_landlock())
		cr_skip("no Landlock here");
	shell("mkdir run");
	expect_success(socket_body);
}

static void linked_data_body(void)
{
	confine_to(CONFINE_DATA, "data");
	NEED(try_open("data/db", O_RDWR) >= 0);
	NEED(try_open("fast/db-wal", O_RDWR | O_CREAT) >= 0);
	NEED(try_open("data/blobs/new", O_RDWR | O_CREAT) >= 0);
	NEED_ERRNO(try_open("large/file", O_RDWR | O_CREAT), EACCES);
}

Test(confine, what_lies_elsewhere_by_a_link_belongs_to_the_data)
{
	if (!has_landlock())
		cr_skip("no Landlock here");
	shell("mkdir -p data fast large/blobs && touch fast/db && ln -s ../fast/db data/db && "
	      "ln -s ../large/blobs data/blobs && ln -s nowhere data/dangling");
	expect_success(linked_data_body);
}

static void absent_body(void)
{
	CLEANUP(confine_files_done) struct confine_files files = CONFINE_FILES_INIT;
	NEED(confine_files_init(&ctx, &files) == OK);
	NEED(confine_files_allow(&ctx, &files, CONFINE_READ, "absent") == OK);
	NEED(confine_files_allow(&ctx, &files, CONFINE_RENEWED, "absent/file") == OK);
	NEED(confine_files_allow(&ctx, &files, CONFINE_DATA, "absent") == ERR_ABSENT);
}

Test(confine, only_the_data_must_be_there)
{
	if (!has_landlock())
		cr_skip("no Landlock here");
	expect_success(absent_body);
}

/* Files that are replaced while they are allowed. */

struct renewal {
	const char *path, *before, *after; /* shell commands; the file says "old", then "new" */
};

static const struct renewal renewals[] = {
	{ "tls/c", "mkdir tls; echo old >tls/c", "echo new >tls/t; mv tls/t tls/c" },
	{ "k/c", "mkdir -p k/..1; echo old >k/..1/c; ln -s ..1 k/..data; ln -s ..data/c k/c",
	  "mkdir k/..2; echo new >k/..2/c; ln -s ..2 k/t; mv -T k/t k/..data; rm -r k/..1" },
	{ "live/c", "mkdir live archive; echo old >archive/c1; ln -s ../archive/c1 live/c",
	  "echo new >archive/c2; ln -sfn ../archive/c2 live/c; rm archive/c1" },
	{ "release/current/c", "mkdir -p release/1; echo old >release/1/c; ln -s 1 release/current",
	  "mkdir release/2; echo new >release/2/c; ln -sfn 2 release/current; rm -r release/1" },
	{ "c", "echo old >c", "echo new >t; mv t c" },
};

static void expect_word(const char *path, const char *word)
{
	char text[8] = "";
	CLEANUP(file_done) int fd = open(path, O_RDONLY | O_CLOEXEC);
	NEED(fd >= 0);
	NEED(read(fd, text, sizeof text - 1) == 4);
	NEED(strncmp(text, word, 3) == 0);
}

/* Confines itself, waits for the replacement, and reads again. */
static void read_twice(const struct renewal *row, int fd)
{
	char byte = 0;
	confine_to(CONFINE_RENEWED, row->path);
	expect_word(row->path, "old");
	NEED(write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1);
	expect_word(row->path, "new");
	if (!SANITIZED)
		NEED_ERRNO(try_open("../private/file", O_RDONLY), EACCES);
	_exit(0);
}

static void expect_renewal(const struct renewal *row)
{
	int pair[2], status;
	char byte = 0;
	shell(row->before);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid_t child = fork();
	if (child == 0) {
		close(pair[0]);
		read_twice(row, pair[1]);
	}
	close(pair[1]);
	if (read(pair[0], &byte, 1) == 1) {
		shell(row->after);
		cr_assert_eq(write(pair[0], &byte, 1), 1);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_eq(status, 0, "%s", row->path);
	close(pair[0]);
}

Test(confine, files_are_renewed)
{
	if (!has_landlock())
		cr_skip("no Landlock here");
	shell("mkdir private; echo secret >private/file");
	for (size_t i = 0; i < COUNT_OF(renewals); i++) {
		cr_assert(mkdir("own", 0700) == 0 && chdir("own") == 0);
		expect_renewal(&renewals[i]);
		cr_assert_eq(chdir(".."), 0);
		shell("rm -r own");
	}
}

static void variable_body(void)
{
	setenv("SSL_CERT_DIR", "certs:more", 1);
	confine_to(CONFINE_READ, "data");
	NEED(try_open("certs/file", O_RDONLY) >= 0);
	NEED(try_open("more/file", O_RDONLY) >= 0);
	NEED_ERRNO(try_open("more/file", O_WRONLY), EACCES);
	NEED_ERRNO(try_open("data/file", O_WRONLY), EACCES);
}

Test(confine, variables_name_files_of_libraries)
{
	if (!has_landlock())
		cr_skip("no Landlock here");
	shell("mkdir certs more data; touch certs/file more/file data/file");
	expect_success(variable_body);
}

/* Older kernels: a filter stands between us and the question for the version. */

static int pretended_abi;

static void *pretend(void *arg)
{
	int notify_fd = *(int *)arg;
	struct seccomp_notif *asked;
	struct seccomp_notif_resp *answer;
	NEED(seccomp_notify_alloc(&asked, &answer) == 0);
	for (;;) {
		memset(asked, 0, sizeof *asked);
		NEED(seccomp_notify_receive(notify_fd, asked) == 0);
		bool version = asked->data.args[2] == 1;
		answer->id = asked->id;
		answer->error = 0;
		answer->val = version ? pretended_abi : 0;
		answer->flags = version ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		NEED(seccomp_notify_respond(notify_fd, answer) == 0);
	}
}

static void pretend_abi(void)
{
	static int notify_fd;
	pthread_t thread;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	NEED(seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(landlock_create_ruleset), 0) == 0);
	NEED(seccomp_load(filter) == 0);
	notify_fd = seccomp_notify_fd(filter);
	NEED(notify_fd >= 0 && pthread_create(&thread, NULL, pretend, &notify_fd) == 0);
}

static void older_kernel(void)
{
	pretend_abi();
	files_body();
}

static void ancient_kernel(void)
{
	CLEANUP(confine_files_done) struct confine_files files = CONFINE_FILES_INIT;
	pretend_abi();
	NEED(confine_files_init(&ctx, &files) == ERR_ABSENT);
	NEED(strstr(ctx.failure.detail, "too old"));
	NEED(try_open("outside/file", O_RDWR) >= 0);
}

Test(confine, older_kernels_confine_what_they_can)
{
	if (!has_landlock())
		cr_skip("no Landlock here");
	for (pretended_abi = 0; pretended_abi < CONFINE_ABI_MIN; pretended_abi++) {
		make_folders();
		expect_success(ancient_kernel);
	}
	for (; pretended_abi <= 8; pretended_abi++) {
		make_folders();
		expect_success(older_kernel);
		shell("rm -r data outside");
	}
}

/* Without it. */

#ifdef BERTH_FAULTS
static void refused_body(void)
{
	CLEANUP(confine_files_done) struct confine_files files = CONFINE_FILES_INIT;
	fault_setup(
		"confine.privileges:1=errno:22,confine.files:1=errno:38,confine.calls:1=errno:22");
	NEED(confine_privileges(&ctx) == ERR_INTERNAL);
	ctx_forgive(&ctx);
	NEED(confine_files_init(&ctx, &files) == ERR_ABSENT);
	NEED(strstr(ctx.failure.detail, "not offered here: Function not implemented"));
	ctx_forgive(&ctx);
	NEED(confine_calls(&ctx) == ERR_INTERNAL);
	NEED(strstr(ctx.failure.detail, "Invalid argument"));
	/* Nothing has changed. */
	NEED(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
	NEED(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0);
	NEED(try_open("outside/file", O_RDWR) >= 0);
}

Test(confine, a_kernel_without_it_says_so_and_nothing_has_changed)
{
	make_folders();
	expect_success(refused_body);
}
#endif
