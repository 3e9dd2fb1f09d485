/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine.h - the process gives up what it does not need, for ever and for every thread to come.
 *
 *	TRY(confine_privileges(ctx));
 *	CLEANUP(confine_files_done) struct confine_files files = CONFINE_FILES_INIT;
 *	TRY(confine_files_init(ctx, &files));
 *	TRY(confine_files_allow(ctx, &files, CONFINE_DATA, "/var/lib/berth"));
 *	TRY(confine_files_apply(ctx, &files));
 *	TRY(confine_calls(ctx));
 *
 * In this order, because each step forbids what the one before it needs. Files are confined for the
 * calling thread and those it starts from then on: call it before there are others. Calls are
 * confined for all threads. What is open already stays open.
 *
 * Each part stands alone. A kernel, or a container, may not have one: it then fails, the detail
 * says why, nothing has changed, and the caller goes on with the rest. Nothing here is ever fatal
 * to the confined program either: what is forbidden fails with EPERM (calls) or EACCES (files).
 *
 * Errors: ERR_ABSENT (the kernel has no such thing), else ERR_INTERNAL or those of file_error().
 */
#pragma once

#include "base/ctx.h"

/* No new privileges by execve (set-user-id programs), no core dumps and no look into the memory by
 * processes of the same user: it holds keys. */
err_t confine_privileges(struct ctx *ctx);

/* Landlock: which files may be opened. Nothing may be executed. */
struct confine_files {
	int ruleset_fd;
	int abi; /* what the kernel has; at least CONFINE_ABI_MIN once init succeeded */
};
#define CONFINE_FILES_INIT                                                                         \
	{                                                                                          \
		.ruleset_fd = -1                                                                   \
	}
/* Before it Landlock refused every rename into another folder. */
#define CONFINE_ABI_MIN 2

enum confine_access {
	CONFINE_READ,	 /* a file, or a directory and all below it */
	CONFINE_RENEWED, /* the same, but a file is read again and may be another one by then */
	CONFINE_DATA,	 /* a directory: everything below it, but devices and programs */
	CONFINE_SOCKET,	 /* a Unix socket that is made and removed */
};

/* Starts with what the libraries of any program read: the table is in confine_files.c. */
err_t confine_files_init(struct ctx *ctx, struct confine_files *files);

/*
 * Adds a path. Missing ones are skipped, but for CONFINE_DATA.
 *
 * CONFINE_RENEWED allows to read the folder the file is in, for a file that is replaced; where the
 * path is a symbolic link, the folder of each link of the chain, too, for links that are changed to
 * point at the next one; and where the folder is a link itself, the folder of that. The root
 * directory is never allowed this way. CONFINE_SOCKET is the folder, likewise. CONFINE_DATA
 * follows the symbolic links that lie directly in the directory.
 */
err_t confine_files_allow(struct ctx *ctx, struct confine_files *files, enum confine_access access,
			  const char *path);
err_t confine_files_apply(struct ctx *ctx, struct confine_files *files);
void confine_files_done(struct confine_files *files); /* CLEANUP; any state */

/* seccomp: which system calls may be made. The table is in confine_calls.c. */
err_t confine_calls(struct ctx *ctx);

/* The same filter as a classic BPF program, written to `fd`, for the machine `architecture`
 * (AUDIT_ARCH_X86_64 or AUDIT_ARCH_AARCH64 of linux/audit.h). For tests. */
err_t confine_calls_write(struct ctx *ctx, uint32_t architecture, int fd);
