/* SPDX-License-Identifier: Apache-2.0 */
/* test_os_notify.c - what the service manager hears. */
#include "os/notify.h"

#include "base/str.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int listen_at(const char *path, size_t path_len)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	memcpy(address.sun_path, path, path_len);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_len);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, len), 0);
	return fd;
}

static void expect_heard(int fd, const char *message)
{
	char text[64] = { 0 };
	cr_assert_gt(recv(fd, text, sizeof text - 1, MSG_DONTWAIT), 0);
	cr_assert_str_eq(text, message);
}

Test(notify, over_a_path)
{
	char folder[] = "/tmp/berth-notify-XXXXXX", path[64];
	cr_assert(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/s", folder);
	int fd = listen_at(path, strlen(path));
	setenv("NOTIFY_SOCKET", path, 1);
	notify_ready();
	expect_heard(fd, "READY=1");
	notify_stopping();
	expect_heard(fd, "STOPPING=1");
	unlink(path);
	rmdir(folder);
}

Test(notify, over_an_abstract_name)
{
	char name[64];
	int len = snprintf(name, sizeof name, "@berth-notify-%d", (int)getpid());
	setenv("NOTIFY_SOCKET", name, 1);
	name[0] = '\0';
	int fd = listen_at(name, (size_t)len);
	notify_ready();
	expect_heard(fd, "READY=1");
}

Test(notify, nobody_listens)
{
	unsetenv("NOTIFY_SOCKET");
	notify_ready();
	setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
	notify_ready();
	notify_stopping();
}
