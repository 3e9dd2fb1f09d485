/* SPDX-License-Identifier: Apache-2.0 */
/* notify.c - see notify.h. */
#include "os/notify.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/banned.h"

static void notify(str message)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	str path = str_from(getenv("NOTIFY_SOCKET"));
	if (path.len < 2 || path.len >= sizeof address.sun_path)
		return;
	memcpy(address.sun_path, path.ptr, path.len);
	/* A leading '@' stands for the abstract namespace. */
	if (address.sun_path[0] == '@')
		address.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len);
	(void)sendto(fd, message.ptr, message.len, MSG_NOSIGNAL, (struct sockaddr *)&address, len);
	close(fd);
}

void notify_ready(void)
{
	notify(STR("READY=1"));
}

void notify_stopping(void)
{
	notify(STR("STOPPING=1"));
}
