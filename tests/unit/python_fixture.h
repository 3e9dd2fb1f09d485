/* SPDX-License-Identifier: Apache-2.0 */
/* python_fixture.h - a server in Python that lives as long as the test and says in its first line
 * where it is. */
#pragma once

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct python_server {
	pid_t pid; /* or 0 */
	int input; /* ends it when it is closed */
};

static void python_start(struct python_server *server, const char *name, char *line, size_t size)
{
	int input[2], output[2];
	const char *root = getenv("BERTH_SOURCE_ROOT");
	char script[512];
	cr_assert(pipe(input) == 0 && pipe(output) == 0);
	snprintf(script, sizeof script, "%s/tests/harness/%s", root ? root : ".", name);
	server->pid = fork();
	if (server->pid == 0) {
		dup2(input[0], 0);
		dup2(output[1], 1);
		close(input[1]);
		close(output[0]);
		unsetenv("LD_PRELOAD");
		execlp("python3", "python3", script, (char *)NULL);
		_exit(127);
	}
	close(input[0]);
	close(output[1]);
	server->input = input[1];
	ssize_t len = read(output[0], line, size - 1);
	cr_assert_gt(len, 0, "no %s", name);
	line[len] = '\0'; /* its end stays open: the server may still be writing the line's */
}

/* Four words that say where a server is: those of the variable, else what one in Python says. */
static void python_server_words(struct python_server *server, const char *variable,
				const char *name, char words[4][128])
{
	char line[1024];
	const char *given = getenv(variable);
	signal(SIGPIPE, SIG_IGN);
	if (given)
		snprintf(line, sizeof line, "%s", given);
	else
		python_start(server, name, line, sizeof line);
	cr_assert_eq(
		sscanf(line, "%127s %127s %127s %127s", words[0], words[1], words[2], words[3]), 4,
		"%s", line);
}

static void python_stop(struct python_server *server)
{
	if (!server->pid)
		return;
	close(server->input);
	waitpid(server->pid, NULL, 0);
}
