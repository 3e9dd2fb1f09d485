/* SPDX-License-Identifier: Apache-2.0 */
/* test_os_confine_calls.c - the system calls that are left, on this machine and on others. */
#include "confine_fixture.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>

TestSuite(confine_calls, .init = confine_start, .fini = confine_stop);

static void need_no_processes(void)
{
	static char *const nothing[] = { NULL };
	NEED_ERRNO(execve("/bin/true", nothing, nothing), EPERM);
	NEED_ERRNO(fork(), EPERM);
	NEED_ERRNO(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0), EPERM);
	NEED_ERRNO(ptrace(PTRACE_TRACEME, 0, 0, 0), EPERM);
	NEED_ERRNO(kill(getppid(), 0), EPERM);
	NEED(kill(getpid(), 0) == 0);
	NEED_ERRNO(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), EPERM);
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(page == MAP_FAILED && errno == EPERM);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(page != MAP_FAILED);
	NEED_ERRNO(mprotect(page, 4096, PROT_READ | PROT_EXEC), EPERM);
	NEED(mprotect(page, 4096, PROT_READ) == 0);
}

static void need_no_powers(void)
{
	NEED_ERRNO(socket(AF_PACKET, SOCK_RAW, 0), EPERM);
	NEED_ERRNO(setuid(getuid()), EPERM);
	NEED_ERRNO(mount("none", "/", NULL, MS_REMOUNT, NULL), EPERM);
	NEED_ERRNO(chroot("."), EPERM);
	NEED_ERRNO(syscall(SYS_bpf, 0, NULL, 0), EPERM);
	NEED_ERRNO(syscall(SYS_io_uring_setup, 1, NULL), EPERM);
	NEED_ERRNO(syscall(SYS_keyctl, 0, 0), EPERM);
	NEED_ERRNO(syscall(SYS_unshare, 0), EPERM);
	NEED_ERRNO(syscall(SYS_clone3, NULL, 0), ENOSYS);
	NEED_ERRNO(syscall(500), ENOSYS); /* what no table knows yet */
}

static void need_the_ordinary(void)
{
	int error = 0, pair[2];
	pthread_t thread;
	NEED(pthread_create(&thread, NULL, open_outside, &error) == 0);
	pthread_join(thread, NULL);
	NEED(error == 0);
	NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CLEANUP(file_done) int fd = open("outside/file", O_RDONLY | O_CLOEXEC);
	NEED(sendfile(pair[0], fd, NULL, 1) == 1);
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC), event_fd = eventfd(1, EFD_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN };
	NEED(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_fd, &event) == 0);
	NEED(epoll_wait(epoll_fd, &event, 1, 0) == 1);
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	NEED(listen(listening, 1) == 0);
	struct addrinfo *found = NULL;
	NEED(getaddrinfo("localhost", "5000", NULL, &found) == 0);
	freeaddrinfo(found);
}

static void calls_body(void)
{
	NEED(confine_calls(&ctx) == OK);
	if (!SANITIZED)
		need_no_processes();
	need_no_powers();
	need_the_ordinary();
}

Test(confine_calls, calls)
{
	make_folders();
	expect_success(calls_body);
}

static void abort_body(void)
{
	NEED(confine_calls(&ctx) == OK);
	abort();
}

Test(confine_calls, a_broken_invariant_still_ends_the_process)
{
	int status = status_of_child(abort_body);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

struct other_thread {
	pthread_barrier_t confined;
	int error;
};

static void *refused_later(void *arg)
{
	struct other_thread *other = arg;
	pthread_barrier_wait(&other->confined);
	other->error = chroot(".") < 0 ? errno : 0;
	return NULL;
}

static void running_threads_body(void)
{
	struct other_thread other = { .error = 0 };
	pthread_t thread;
	pthread_barrier_init(&other.confined, NULL, 2);
	NEED(pthread_create(&thread, NULL, refused_later, &other) == 0);
	NEED(confine_calls(&ctx) == OK);
	pthread_barrier_wait(&other.confined);
	pthread_join(thread, NULL);
	NEED(other.error == EPERM);
}

Test(confine_calls, threads_that_run_already_are_confined_too)
{
	expect_success(running_threads_body);
}

/* The filter as other machines get it: a small interpreter of what is loaded into the kernel. */

#define PROGRAM_MAX 4096

static struct sock_filter program[PROGRAM_MAX];
static size_t program_len;

static bool jumps(uint16_t code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGT:
		return a > k;
	case BPF_JGE:
		return a >= k;
	default:
		return a & k;
	}
}

/* Only what libseccomp writes: loads of words, masks, jumps, returns. Anything else is 0, which no
 * row expects: it would end the process. */
static uint32_t run(const struct seccomp_data *data)
{
	uint32_t a = 0;
	for (size_t at = 0; at < program_len; at++) {
		const struct sock_filter *i = &program[at];
		if (i->code == (BPF_LD | BPF_W | BPF_ABS))
			memcpy(&a, (const char *)data + i->k, sizeof a);
		else if (i->code == (BPF_ALU | BPF_AND | BPF_K))
			a &= i->k;
		else if (i->code == (BPF_JMP | BPF_JA))
			at += i->k;
		else if (BPF_CLASS(i->code) == BPF_JMP && BPF_SRC(i->code) == BPF_K)
			at += jumps(i->code, a, i->k) ? i->jt : i->jf;
		else
			return i->code == (BPF_RET | BPF_K) ? i->k : 0;
	}
	return 0;
}

#define DENIED(e) (SECCOMP_RET_ERRNO | (e))

static const struct {
	const char *name;
	uint64_t arguments[3];
	uint32_t verdict;
} calls[] = {
	{ "read", { 0 }, SECCOMP_RET_ALLOW },
	{ "openat", { 0 }, SECCOMP_RET_ALLOW },
	{ "renameat2", { 0 }, SECCOMP_RET_ALLOW },
	{ "newfstatat", { 0 }, SECCOMP_RET_ALLOW },
	{ "epoll_pwait", { 0 }, SECCOMP_RET_ALLOW },
	{ "accept4", { 0 }, SECCOMP_RET_ALLOW },
	{ "sendfile", { 0 }, SECCOMP_RET_ALLOW },
	{ "futex", { 0 }, SECCOMP_RET_ALLOW },
	{ "fdatasync", { 0 }, SECCOMP_RET_ALLOW },
	{ "rt_sigtimedwait", { 0 }, SECCOMP_RET_ALLOW },
	{ "socket", { AF_INET6 }, SECCOMP_RET_ALLOW },
	{ "socket", { AF_VSOCK }, DENIED(EPERM) },
	{ "ioctl", { 0, FIONREAD }, SECCOMP_RET_ALLOW },
	{ "ioctl", { 0, TIOCSTI }, DENIED(EPERM) },
	{ "clone3", { 0 }, DENIED(ENOSYS) },
	{ "init_module", { 0 }, DENIED(EPERM) },
	{ "setuid", { 0 }, DENIED(EPERM) },
	{ "memfd_create", { 0 }, DENIED(EPERM) },
#if !SANITIZED
	{ "clone", { CLONE_THREAD | CLONE_VM }, SECCOMP_RET_ALLOW },
	{ "clone", { CLONE_VFORK | CLONE_VM }, DENIED(EPERM) },
	{ "mmap", { 0, 0, PROT_READ | PROT_EXEC }, SECCOMP_RET_ALLOW },
	{ "mmap", { 0, 0, PROT_READ | PROT_WRITE }, SECCOMP_RET_ALLOW },
	{ "mmap", { 0, 0, PROT_WRITE | PROT_EXEC }, DENIED(EPERM) },
	{ "kill", { 1 }, DENIED(EPERM) },
	{ "execve", { 0 }, DENIED(EPERM) },
	{ "ptrace", { 0 }, DENIED(EPERM) },
#endif
};

static void read_program(uint32_t architecture)
{
	CLEANUP(file_done) int fd = open("filter", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	cr_assert_eq(confine_calls_write(&ctx, architecture, fd), OK, "%s", ctx.failure.detail);
	ssize_t len = pread(fd, program, sizeof program, 0);
	cr_assert(len > 0 && (size_t)len < sizeof program);
	program_len = (size_t)len / sizeof program[0];
}

Test(confine_calls, every_machine_has_the_same_rules)
{
	static const uint32_t machines[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64 };
	for (size_t m = 0; m < COUNT_OF(machines); m++) {
		read_program(machines[m]);
		for (size_t i = 0; i < COUNT_OF(calls); i++) {
			struct seccomp_data data = { .arch = machines[m] };
			data.nr = seccomp_syscall_resolve_name_arch(machines[m], calls[i].name);
			memcpy(data.args, calls[i].arguments, sizeof calls[i].arguments);
			cr_assert_geq(data.nr, 0, "%s", calls[i].name);
			cr_expect_eq(run(&data), calls[i].verdict, "%s on machine %zu",
				     calls[i].name, m);
			data.arch = AUDIT_ARCH_I386;
			cr_expect_eq(run(&data), DENIED(EPERM));
		}
	}
}
