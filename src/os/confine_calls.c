/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine_calls.c - the system calls this program makes, as a seccomp filter. See confine.h. Fault
 * point: confine.calls.
 *
 * A call that is in no table fails with EPERM. Numbers newer than the tables fail with ENOSYS
 * instead, as on an older kernel: C libraries try a new call first and fall back on that error
 * only.
 *
 * To allow one more: a row in `allowed`, or in `limited` when its arguments decide.
 */
#include "os/confine.h"
#include "os/fault.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/banned.h"

/* What an architecture does not have (arm64 began without the old forms) is left out there. */
static const char *const allowed[] = {
	/* threads */
	"exit",
	"exit_group",
	"futex",
	"futex_waitv",
	"get_robust_list",
	"gettid",
	"membarrier",
	"rseq",
	"sched_getaffinity",
	"sched_yield",
	"set_robust_list",
	"set_tid_address",
	/* memory */
	"brk",
	"madvise",
	"mincore",
	"mlock",
	"mremap",
	"munlock",
	"munmap",
	/* descriptors and their bytes */
	"close",
	"close_range",
	"copy_file_range",
	"dup",
	"dup2",
	"dup3",
	"fadvise64",
	"fallocate",
	"fcntl",
	"fdatasync",
	"flock",
	"fstat",
	"fstatfs",
	"fsync",
	"ftruncate",
	"lseek",
	"pipe",
	"pipe2",
	"pread64",
	"preadv",
	"preadv2",
	"pwrite64",
	"pwritev",
	"pwritev2",
	"read",
	"readahead",
	"readv",
	"sendfile",
	"splice",
	"sync_file_range",
	"write",
	"writev",
	/* names; SQLite gives the files it makes the owner of its database */
	"access",
	"chmod",
	"faccessat",
	"faccessat2",
	"fchmod",
	"fchmodat",
	"fchown",
	"getcwd",
	"getdents64",
	"link",
	"linkat",
	"lstat",
	"mkdir",
	"mkdirat",
	"newfstatat",
	"open",
	"openat",
	"openat2",
	"readlink",
	"readlinkat",
	"rename",
	"renameat",
	"renameat2",
	"rmdir",
	"stat",
	"statfs",
	"statx",
	"umask",
	"unlink",
	"unlinkat",
	"utimensat",
	/* sockets and waiting */
	"accept",
	"accept4",
	"bind",
	"connect",
	"epoll_create",
	"epoll_create1",
	"epoll_ctl",
	"epoll_pwait",
	"epoll_pwait2",
	"epoll_wait",
	"eventfd",
	"eventfd2",
	"getpeername",
	"getsockname",
	"getsockopt",
	"listen",
	"poll",
	"ppoll",
	"pselect6",
	"recvfrom",
	"recvmmsg",
	"recvmsg",
	"select",
	"sendmmsg",
	"sendmsg",
	"sendto",
	"setsockopt",
	"shutdown",
	"socketpair",
	/* time and signals */
	"clock_getres",
	"clock_gettime",
	"clock_nanosleep",
	"gettimeofday",
	"nanosleep",
	"pause",
	"restart_syscall",
	"rt_sigaction",
	"rt_sigpending",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigsuspend",
	"rt_sigtimedwait",
	"sigaltstack",
	"time",
	"timerfd_create",
	"timerfd_gettime",
	"timerfd_settime",
	/* who and where we are */
	"arch_prctl",
	"getcpu",
	"getegid",
	"geteuid",
	"getgid",
	"getgroups",
	"getpid",
	"getppid",
	"getrandom",
	"getresgid",
	"getresuid",
	"getrlimit",
	"getrusage",
	"getuid",
	"sysinfo",
	"times",
	"uname",
#if SANITIZED
	/* The leak check stops all threads from a process of its own; reports run a symbolizer. */
	"clone",
	"execve",
	"fork",
	"getdents",
	"kill",
	"mmap",
	"mprotect",
	"personality",
	"prctl",
	"prlimit64",
	"process_vm_readv",
	"ptrace",
	"tgkill",
	"wait4",
	"waitid",
#endif
};

/* `value` of a row stands for this process's id, which is not known before. */
#define OWN_PID UINT64_MAX

/* Allowed when (argument & mask) == value; several rows of a name are alternatives. */
static const struct limit {
	const char *name;
	unsigned argument;
	uint64_t mask;
	uint64_t value;
} limited[] = {
	/* the network and local services, and asking the kernel for our addresses */
	{ "socket", 0, UINT32_MAX, AF_UNIX },
	{ "socket", 0, UINT32_MAX, AF_INET },
	{ "socket", 0, UINT32_MAX, AF_INET6 },
	{ "socket", 0, UINT32_MAX, AF_NETLINK },
	/* terminals are recognised, not typed into; sockets tell what they hold */
	{ "ioctl", 1, UINT32_MAX, TCGETS },
	{ "ioctl", 1, UINT32_MAX, TIOCGWINSZ },
	{ "ioctl", 1, UINT32_MAX, FIONREAD },
	{ "ioctl", 1, UINT32_MAX, TIOCOUTQ },
	{ "ioctl", 1, UINT32_MAX, FIONBIO },
	{ "ioctl", 1, UINT32_MAX, FIOCLEX },
	{ "ioctl", 1, UINT32_MAX, SIOCGIFINDEX },
	{ "ioctl", 1, UINT32_MAX, SIOCGIFNAME },
#if !SANITIZED
	/* threads, not processes */
	{ "clone", 0, CLONE_THREAD, CLONE_THREAD },
	/* memory is written or executed, not both, and does not change from one to the other */
	{ "mmap", 2, PROT_EXEC, 0 },
	{ "mmap", 2, PROT_WRITE, 0 },
	{ "mprotect", 2, PROT_EXEC, 0 },
	/* signals to ourselves: abort(), and threads among each other */
	{ "kill", 0, UINT32_MAX, OWN_PID },
	{ "tgkill", 0, UINT32_MAX, OWN_PID },
	/* limits are looked at, not changed */
	{ "prlimit64", 2, UINT64_MAX, 0 },
	/* names of threads */
	{ "prctl", 0, UINT32_MAX, PR_SET_NAME },
	{ "prctl", 0, UINT32_MAX, PR_GET_NAME },
#endif
};

/* Answered like a kernel without them. Threads begin with clone3 or, failing that, with clone: its
 * flags are an argument that a filter can see. */
static const char *const denied_as_missing[] = { "clone3" };

/* Calls that are newer than the tables. 512 and on belong to the x32 interface of x86_64. */
#define NEWER_FIRST 451
#define NEWER_LAST  511

static err_t fail_library(struct ctx *ctx, int result, const char *what, const char *name)
{
	errno = -result;
	return fail_errno(ctx, ERR_INTERNAL, "seccomp: could not %s%s", what, name);
}

/* A name the library does not know at all is a mistake in the tables; one this architecture does
 * not have is a negative number, for which adding a rule does nothing. */
static err_t find_call(struct ctx *ctx, const char *name, int *ret_number)
{
	*ret_number = seccomp_syscall_resolve_name(name);
	if (*ret_number == __NR_SCMP_ERROR)
		return fail_library(ctx, -EINVAL, "find the call ", name);
	return OK;
}

static err_t add_names(struct ctx *ctx, scmp_filter_ctx filter, uint32_t action,
		       const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int number;
		TRY(find_call(ctx, names[i], &number));
		int result = seccomp_rule_add(filter, action, number, 0);
		if (result < 0)
			return fail_library(ctx, result, "add the call ", names[i]);
	}
	return OK;
}

static err_t add_limits(struct ctx *ctx, scmp_filter_ctx filter)
{
	for (size_t i = 0; i < COUNT_OF(limited); i++) {
		const struct limit *row = &limited[i];
		int number;
		TRY(find_call(ctx, row->name, &number));
		uint64_t value = row->value == OWN_PID ? (uint64_t)getpid() : row->value;
		const struct scmp_arg_cmp condition = { row->argument, SCMP_CMP_MASKED_EQ,
							row->mask, value };
		int result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 1, &condition);
		if (result < 0)
			return fail_library(ctx, result, "add the call ", row->name);
	}
	return OK;
}

static err_t add_newer(struct ctx *ctx, scmp_filter_ctx filter)
{
	for (int number = NEWER_FIRST; number <= NEWER_LAST; number++) {
		int result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), number, 0);
		if (result < 0)
			return fail_library(ctx, result, "add a newer call", "");
	}
	return OK;
}

static err_t configure(struct ctx *ctx, scmp_filter_ctx filter)
{
	static const struct {
		enum scmp_filter_attr name;
		uint32_t value;
	} attributes[] = {
		{ SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM) },
		{ SCMP_FLTATR_CTL_NNP, 1 },
		{ SCMP_FLTATR_CTL_TSYNC, 1 },	 /* every thread there is */
		{ SCMP_FLTATR_CTL_OPTIMIZE, 2 }, /* a tree, not a list */
	};
	/* Not logged by the kernel: every start of a thread would be, as it tries clone3 first. */
	for (size_t i = 0; i < COUNT_OF(attributes); i++) {
		int result = seccomp_attr_set(filter, attributes[i].name, attributes[i].value);
		if (result < 0)
			return fail_library(ctx, result, "be configured", "");
	}
	return OK;
}

/* `architecture` 0: this machine's. */
static err_t build(struct ctx *ctx, uint32_t architecture, scmp_filter_ctx filter)
{
	TRY(configure(ctx, filter));
	uint32_t native = seccomp_arch_native();
	bool foreign = architecture && architecture != native;
	if (foreign) {
		int result = seccomp_arch_add(filter, architecture);
		if (result == 0)
			result = seccomp_arch_remove(filter, native);
		if (result < 0)
			return fail_library(ctx, result, "take the architecture", "");
	}
	TRY(add_names(ctx, filter, SCMP_ACT_ALLOW, allowed, COUNT_OF(allowed)));
	TRY(add_limits(ctx, filter));
	TRY(add_names(ctx, filter, SCMP_ACT_ERRNO(ENOSYS), denied_as_missing,
		      COUNT_OF(denied_as_missing)));
	/* The library translates foreign numbers by name, and these have none yet. */
	return foreign ? OK : add_newer(ctx, filter);
}

static void filter_done(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

static scmp_filter_ctx filter_new(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	CHECK(filter != NULL);
	return filter;
}

err_t confine_calls(struct ctx *ctx)
{
	CLEANUP(filter_done) scmp_filter_ctx filter = filter_new();
	TRY(build(ctx, 0, filter));
	int result = FAULT("confine.calls") ? -errno : seccomp_load(filter);
	if (result < 0)
		return fail_library(ctx, result, "load the filter", "");
	return OK;
}

err_t confine_calls_write(struct ctx *ctx, uint32_t architecture, int fd)
{
	CLEANUP(filter_done) scmp_filter_ctx filter = filter_new();
	TRY(build(ctx, architecture, filter));
	int result = seccomp_export_bpf(filter, fd);
	if (result < 0)
		return fail_library(ctx, result, "write the filter", "");
	return OK;
}
