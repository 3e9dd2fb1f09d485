/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine_fixture.h - a folder of its own for each test of confine.h, and bodies that run in a
 * child, because there is no way back.
 */
#pragma once

#include "os/confine.h"
#include "os/file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena arena;
static struct ctx ctx;
static char folder[40];

static inline void confine_start(void)
{
	arena_init(&arena, MIB(1));
	ctx_init(&ctx, &arena);
	/* Not below anything that is always readable. */
	snprintf(folder, sizeof folder, "/tmp/berth-confine-XXXXXX");
	cr_assert(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
}

static inline void confine_stop(void)
{
	char command[64];
	snprintf(command, sizeof command, "rm -r %s", folder);
	cr_assert_eq(system(command), 0);
	arena_done(&arena);
}

/* In a child: says what was expected, and ends it. */
#define NEED(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "line %d: %s; errno %d, detail %s\n", __LINE__,            \
				#condition, errno, ctx.failure.detail);                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)
#define NEED_ERRNO(call, expected)                                                                 \
	do {                                                                                       \
		errno = 0;                                                                         \
		NEED((call) < 0 && errno == (expected));                                           \
	} while (0)

static inline int status_of_child(void (*body)(void))
{
	pid_t child = fork();
	if (child == 0) {
		body();
		_exit(0);
	}
	int status = -1;
	cr_assert_eq(waitpid(child, &status, 0), child);
	return status;
}

static inline void expect_success(void (*body)(void))
{
	cr_assert_eq(status_of_child(body), 0);
}

static inline void shell(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

static inline int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return fd;
}

static inline void make_folders(void)
{
	shell("mkdir -p data/a outside && echo x >outside/file && cp /bin/true data/program");
}

/* A thread's body: `*arg` becomes the errno of making a file outside of the data. */
static inline void *open_outside(void *arg)
{
	*(int *)arg = try_open("outside/made", O_CREAT | O_WRONLY) < 0 ? errno : 0;
	return NULL;
}
