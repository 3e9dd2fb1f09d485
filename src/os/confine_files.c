/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine_files.c - Landlock: the files this process may open. See confine.h. Fault point:
 * confine.files.
 *
 * The C library has no wrappers, and Debian's headers know less than its newer kernels: numbers and
 * rights that may be missing are defined here. What a kernel does not know is left out by its ABI
 * version.
 */
#include "os/confine.h"
#include "os/fault.h"
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/banned.h"

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (UINT64_C(1) << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (UINT64_C(1) << 15)
#endif
#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_SIGNAL (UINT64_C(1) << 1)
#endif

#define LINKS_MAX 40 /* as the kernel's own limit in one path */

/* struct landlock_ruleset_attr as of ABI 6; older kernels take it as long as what they do not know
 * is zero. */
struct ruleset {
	uint64_t files;
	uint64_t network;
	uint64_t scopes;
};

/* A sanitizer's report runs a symbolizer, which reads the program and its libraries. */
#define EXECUTE (SANITIZED ? 0 : LANDLOCK_ACCESS_FS_EXECUTE)

#define READ   (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define SOCKET (LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define DATA                                                                                       \
	(READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |                      \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |                               \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                          \
	 LANDLOCK_ACCESS_FS_REFER)
/* What can be said of something that is no directory. */
#define OF_A_FILE                                                                                  \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |                               \
	 LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |                             \
	 LANDLOCK_ACCESS_FS_IOCTL_DEV)

/* What is forbidden unless a rule allows it, by the first ABI that can. */
static const struct {
	int abi;
	uint64_t rights;
} handled[] = {
	{ 2, EXECUTE | READ | DATA | SOCKET | LANDLOCK_ACCESS_FS_MAKE_CHAR |
		     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
		     LANDLOCK_ACCESS_FS_MAKE_SYM },
	{ 3, LANDLOCK_ACCESS_FS_TRUNCATE },
	{ 5, LANDLOCK_ACCESS_FS_IOCTL_DEV },
};
#define SCOPES_ABI 6 /* signals go to this process and its children only */

/*
 * What the libraries of this program read, wherever it runs. /etc as a whole: its files are
 * replaced while we run (resolv.conf, passwd, hosts, certificates), and a rule for a file ends with
 * that file.
 */
static const struct {
	enum confine_access access;
	const char *path;
} places[] = {
#if SANITIZED
	{ CONFINE_READ, "/" },
#endif
	{ CONFINE_READ, "/etc" },
	/* where resolv.conf leads */
	{ CONFINE_READ, "/run/systemd/resolve" },
	{ CONFINE_READ, "/run/resolvconf" },
	{ CONFINE_READ, "/run/NetworkManager" },
	/* name services and character sets are loaded when first used */
	{ CONFINE_READ, "/lib" },
	{ CONFINE_READ, "/lib64" },
	{ CONFINE_READ, "/usr/lib" },
	{ CONFINE_READ, "/usr/lib64" },
	{ CONFINE_READ, "/usr/local/lib" },
	{ CONFINE_READ, "/var/lib/sss" },
	/* certificates of authorities, time zones */
	{ CONFINE_READ, "/usr/share" },
	{ CONFINE_READ, "/usr/local/share" },
	{ CONFINE_READ, "/var/lib/ca-certificates" },
	/* what allocators and thread libraries ask about the machine */
	{ CONFINE_READ, "/proc/self" },
	{ CONFINE_READ, "/proc/sys" },
	{ CONFINE_READ, "/sys/devices/system/cpu" },
	{ CONFINE_READ, "/dev/null" },
	{ CONFINE_READ, "/dev/random" },
	{ CONFINE_READ, "/dev/urandom" },
};

/* Variables that name files, or folders with `:` between, which libraries read. */
static const char *const variables[] = { "OPENSSL_CONF", "SSL_CERT_DIR", "SSL_CERT_FILE", "TZDIR" };

static int landlock_create_ruleset(const struct ruleset *ruleset, size_t size, unsigned flags)
{
	return (int)syscall(SYS_landlock_create_ruleset, ruleset, size, flags);
}

static int landlock_add_path(int ruleset_fd, const struct landlock_path_beneath_attr *rule)
{
	return (int)syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, rule, 0);
}

static int landlock_restrict_self(int ruleset_fd)
{
	return (int)syscall(SYS_landlock_restrict_self, ruleset_fd, 0);
}

static uint64_t handled_by(int abi)
{
	/* A right may stand in several rows: it is known only if all of them are. */
	uint64_t rights = 0, unknown = 0;
	for (size_t i = 0; i < COUNT_OF(handled); i++)
		*(handled[i].abi <= abi ? &rights : &unknown) |= handled[i].rights;
	return rights & ~unknown;
}

/* Adds a rule for what is open as `fd`. Rights that this kernel does not handle are free anyway. */
static err_t add_rule(struct ctx *ctx, const struct confine_files *files, int fd, uint64_t rights,
		      const char *path)
{
	struct stat info;
	if (fstat(fd, &info) != 0)
		return fail_errno(ctx, file_error(errno), "landlock: could not stat %s", path);
	rights &= handled_by(files->abi);
	if (!S_ISDIR(info.st_mode))
		rights &= OF_A_FILE;
	if (!rights)
		return OK;
	const struct landlock_path_beneath_attr rule = { .allowed_access = rights,
							 .parent_fd = fd };
	if (landlock_add_path(files->ruleset_fd, &rule) != 0)
		return fail_errno(ctx, ERR_INTERNAL, "landlock: could not allow %s", path);
	return OK;
}

/* What cannot be opened now could not be read before, either. */
static bool is_out_of_reach(int sys_errno)
{
	return sys_errno == ENOENT || sys_errno == ENOTDIR || sys_errno == EACCES ||
	       sys_errno == ELOOP;
}

static err_t allow(struct ctx *ctx, const struct confine_files *files, uint64_t rights,
		   const char *path)
{
	CLEANUP(file_done) int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd >= 0)
		return add_rule(ctx, files, fd, rights, path);
	if (rights != DATA && is_out_of_reach(errno))
		return OK;
	return fail_errno(ctx, file_error(errno), "landlock: could not open %s", path);
}

/* Paths. */

/* The folder of `path`, "." when it names none, and "/" when it is right below the root. */
static const char *folder_of(struct ctx *ctx, const char *path)
{
	str folder, name;
	if (!str_cut_last(str_from(path), '/', &folder, &name))
		return arena_cstr(ctx->arena, STR("."));
	return arena_cstr(ctx->arena, folder.len ? folder : STR("/"));
}

/* Where a symbolic link points, NULL when `path` is none. */
static const char *link_target(struct ctx *ctx, const char *path)
{
	char target[PATH_MAX];
	ssize_t len = readlink(path, target, sizeof target);
	if (len <= 0 || (size_t)len >= sizeof target)
		return NULL;
	str text = { target, (size_t)len };
	if (target[0] == '/')
		return arena_cstr(ctx->arena, text);
	return arena_printf(ctx->arena, "%s/" STR_FMT, folder_of(ctx, path), STR_ARG(text)).ptr;
}

static bool is_directory(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool is_root(const char *path)
{
	struct stat root, info;
	return stat("/", &root) == 0 && stat(path, &info) == 0 && root.st_dev == info.st_dev &&
	       root.st_ino == info.st_ino;
}

static err_t allow_folder_of(struct ctx *ctx, const struct confine_files *files, uint64_t rights,
			     const char *path)
{
	const char *folder = folder_of(ctx, path);
	return is_root(folder) ? OK : allow(ctx, files, rights, folder);
}

static err_t allow_renewed(struct ctx *ctx, const struct confine_files *files, const char *path)
{
	TRY(allow(ctx, files, READ, path));
	if (is_directory(path))
		return OK;
	const char *folder = folder_of(ctx, path);
	if (link_target(ctx, folder))
		TRY(allow_folder_of(ctx, files, READ, folder));
	for (int links = 0; path && links < LINKS_MAX; links++) {
		TRY(allow_folder_of(ctx, files, READ, path));
		path = link_target(ctx, path);
	}
	return OK;
}

static void dir_done(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static void free_done(char **text)
{
	free(*text);
}

/* A database or a folder that lies elsewhere: SQLite makes its other files beside the real one. */
static err_t allow_link(struct ctx *ctx, const struct confine_files *files, const char *path)
{
	CLEANUP(free_done) char *real = realpath(path, NULL);
	if (!real)
		return OK;
	return is_directory(real) ? allow(ctx, files, DATA, real)
				  : allow_folder_of(ctx, files, DATA, real);
}

static err_t allow_data(struct ctx *ctx, const struct confine_files *files, const char *path)
{
	TRY(allow(ctx, files, DATA, path));
	CLEANUP(dir_done) DIR *dir = opendir(path);
	if (!dir)
		return fail_errno(ctx, file_error(errno), "landlock: could not read %s", path);
	for (const struct dirent *entry; (entry = readdir(dir));) {
		str inside = arena_printf(ctx->arena, "%s/%s", path, entry->d_name);
		if (link_target(ctx, inside.ptr))
			TRY(allow_link(ctx, files, inside.ptr));
	}
	return OK;
}

/* The module's calls. */

err_t confine_files_allow(struct ctx *ctx, struct confine_files *files, enum confine_access access,
			  const char *path)
{
	switch (access) {
	case CONFINE_READ:
		return allow(ctx, files, READ, path);
	case CONFINE_RENEWED:
		return allow_renewed(ctx, files, path);
	case CONFINE_DATA:
		return allow_data(ctx, files, path);
	case CONFINE_SOCKET:
		return allow_folder_of(ctx, files, SOCKET, path);
	}
	return OK;
}

static err_t allow_variable(struct ctx *ctx, struct confine_files *files, const char *name)
{
	str rest = str_from(getenv(name));
	for (str item; str_next(&rest, ':', &item);)
		if (item.len)
			TRY(confine_files_allow(ctx, files, CONFINE_RENEWED,
						arena_cstr(ctx->arena, item)));
	return OK;
}

static err_t make_ruleset(struct ctx *ctx, struct confine_files *files)
{
	files->abi = FAULT("confine.files")
			     ? -1
			     : landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (files->abi < 0)
		return fail_errno(ctx, ERR_ABSENT, "landlock: not offered here");
	if (files->abi < CONFINE_ABI_MIN)
		return fail(ctx, ERR_ABSENT, "landlock: version %d of this kernel is too old",
			    files->abi);
	const struct ruleset ruleset = {
		.files = handled_by(files->abi),
		.scopes = files->abi >= SCOPES_ABI ? LANDLOCK_SCOPE_SIGNAL : 0,
	};
	files->ruleset_fd = landlock_create_ruleset(&ruleset, sizeof ruleset, 0);
	if (files->ruleset_fd < 0)
		return fail_errno(ctx, ERR_INTERNAL, "landlock: could not make a ruleset");
	return OK;
}

err_t confine_files_init(struct ctx *ctx, struct confine_files *files)
{
	TRY(make_ruleset(ctx, files));
	for (size_t i = 0; i < COUNT_OF(places); i++)
		TRY(confine_files_allow(ctx, files, places[i].access, places[i].path));
	for (size_t i = 0; i < COUNT_OF(variables); i++)
		TRY(allow_variable(ctx, files, variables[i]));
	return OK;
}

err_t confine_files_apply(struct ctx *ctx, struct confine_files *files)
{
	if (landlock_restrict_self(files->ruleset_fd) != 0)
		return fail_errno(ctx, ERR_INTERNAL, "landlock: could not restrict ourselves");
	return OK;
}

void confine_files_done(struct confine_files *files)
{
	file_done(&files->ruleset_fd);
}
