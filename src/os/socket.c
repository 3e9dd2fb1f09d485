/* SPDX-License-Identifier: Apache-2.0 */
/* socket.c - see socket.h. Fault points: socket.listen, socket.accept, socket.connect. */
#include "os/socket.h"
#include "base/clock.h"
#include "os/fault.h"
#include "os/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/banned.h"

#define BACKLOG 4096
#define DEFER_S 1
/* How long one wait for a connection lasts before cancellation is looked at again. */
#define CONNECT_SLICE_MS 200

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
	struct sockaddr_storage storage;
};

static void set_timeout(int fd, int option, int timeout_ms)
{
	struct timeval time = { .tv_sec = timeout_ms / 1000,
				.tv_usec = (timeout_ms % 1000) * 1000 };
	setsockopt(fd, SOL_SOCKET, option, &time, sizeof time);
}

static void set_options(int fd, const struct socket_options *options)
{
	set_timeout(fd, SO_RCVTIMEO, options->receive_timeout_ms);
	set_timeout(fd, SO_SNDTIMEO, options->send_timeout_ms);
}

void socket_set_nodelay(int fd)
{
	int on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static str address_text(struct ctx *ctx, const union address *address)
{
	char text[SOCKET_ADDRESS_MAX];
	if (address->any.sa_family == AF_UNIX)
		return arena_printf(ctx->arena, "unix:%s", address->local.sun_path);
	if (address->any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &address->v4.sin_addr, text, sizeof text);
		return arena_printf(ctx->arena, "%s:%u", text, ntohs(address->v4.sin_port));
	}
	const struct in6_addr *ip = &address->v6.sin6_addr;
	if (IN6_IS_ADDR_V4MAPPED(ip)) {
		inet_ntop(AF_INET, ip->s6_addr + 12, text, sizeof text);
		return arena_printf(ctx->arena, "%s:%u", text, ntohs(address->v6.sin6_port));
	}
	inet_ntop(AF_INET6, ip, text, sizeof text);
	return arena_printf(ctx->arena, "[%s]:%u", text, ntohs(address->v6.sin6_port));
}

str socket_local_address(struct ctx *ctx, int fd)
{
	union address address = { 0 };
	socklen_t len = sizeof address;
	if (getsockname(fd, &address.any, &len) != 0 || address.any.sa_family == AF_UNIX)
		return STR("localhost");
	return address_text(ctx, &address);
}

static err_t parse_ip_address(struct ctx *ctx, str text, union address *ret, socklen_t *ret_len)
{
	str host, port_text;
	uint64_t port;
	if (!str_cut_last(text, ':', &host, &port_text) || !str_to_u64(port_text, 65535, &port))
		return fail(ctx, ERR_CONFIG, "address " STR_FMT " has no valid port",
			    STR_ARG(text));
	if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
		host = str_take(str_skip(host, 1), host.len - 2);
	char *name = arena_cstr(ctx->arena, host.len ? host : STR("::"));
	*ret = (union address){ 0 };
	if (inet_pton(AF_INET, name, &ret->v4.sin_addr) == 1) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons((uint16_t)port);
		*ret_len = sizeof ret->v4;
		return OK;
	}
	if (inet_pton(AF_INET6, name, &ret->v6.sin6_addr) == 1) {
		ret->v6.sin6_family = AF_INET6;
		ret->v6.sin6_port = htons((uint16_t)port);
		*ret_len = sizeof ret->v6;
		return OK;
	}
	return fail(ctx, ERR_CONFIG, "address " STR_FMT " is not an IP address", STR_ARG(text));
}

/* The same port on all IPv4 addresses, for systems without IPv6. */
static void fall_back_to_v4(union address *address, socklen_t *len)
{
	in_port_t port = address->v6.sin6_port;
	*address = (union address){ 0 };
	address->v4.sin_family = AF_INET;
	address->v4.sin_port = port;
	*len = sizeof address->v4;
}

static err_t bind_and_listen(struct ctx *ctx, int fd, const union address *address, socklen_t len)
{
	if (FAULT("socket.listen") || bind(fd, &address->any, len) != 0)
		return fail_errno(ctx, ERR_CONFIG, "could not bind");
	if (listen(fd, BACKLOG) != 0)
		return fail_errno(ctx, ERR_CONFIG, "could not listen");
	return OK;
}

static err_t listen_ip(struct ctx *ctx, str text, int *ret_fd)
{
	union address address;
	socklen_t len;
	TRY(parse_ip_address(ctx, text, &address, &len));
	bool all = text.ptr[0] == ':';
	int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, on = 1, off = 0;
	CLEANUP(file_done) int fd = socket(address.any.sa_family, type, 0);
	if (fd < 0 && all) {
		fall_back_to_v4(&address, &len);
		fd = socket(AF_INET, type, 0);
	}
	if (fd < 0)
		return fail_errno(ctx, ERR_CONFIG, "could not make a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (address.any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, all ? &off : &on, sizeof on);
	TRY(bind_and_listen(ctx, fd, &address, len));
	*ret_fd = take_fd(fd);
	return OK;
}

/* Removes a socket file nobody listens on any more. */
static void remove_stale(const union address *address, socklen_t len)
{
	struct stat info;
	if (lstat(address->local.sun_path, &info) != 0 || !S_ISSOCK(info.st_mode))
		return;
	CLEANUP(file_done) int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (probe >= 0 && connect(probe, &address->any, len) != 0 && errno == ECONNREFUSED)
		unlink(address->local.sun_path);
}

static err_t listen_unix(struct ctx *ctx, str path, int *ret_fd)
{
	union address address = { .local = { .sun_family = AF_UNIX } };
	if (path.len == 0 || path.len >= sizeof address.local.sun_path)
		return fail(ctx, ERR_CONFIG, "unix socket path is empty or too long");
	memcpy(address.local.sun_path, path.ptr, path.len);
	remove_stale(&address, sizeof address.local);
	CLEANUP(file_done) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail_errno(ctx, ERR_CONFIG, "could not make a socket");
	TRY(bind_and_listen(ctx, fd, &address, sizeof address.local));
	*ret_fd = take_fd(fd);
	return OK;
}

static err_t listen_given(struct ctx *ctx, str number, int *ret_fd)
{
	uint64_t fd;
	int listening = 0;
	socklen_t len = sizeof listening;
	if (!str_to_u64(number, 65535, &fd))
		return fail(ctx, ERR_CONFIG, "fd:" STR_FMT " is not a number", STR_ARG(number));
	if (getsockopt((int)fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0 || !listening)
		return fail(ctx, ERR_CONFIG, "descriptor %d is not a listening socket", (int)fd);
	fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	fcntl((int)fd, F_SETFL, fcntl((int)fd, F_GETFL) | O_NONBLOCK);
	*ret_fd = (int)fd;
	return OK;
}

/* A connection is worth a thread when its first bytes are there; silent ones come after DEFER_S. */
static void defer_accept(int fd)
{
	int seconds = DEFER_S;
	setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds);
}

err_t socket_listen(struct ctx *ctx, str address, const struct socket_options *options, int *ret_fd,
		    str *ret_bound)
{
	int fd;
	err_t err =
		str_has_prefix(address, STR("unix:")) ? listen_unix(ctx, str_skip(address, 5), &fd)
		: str_has_prefix(address, STR("fd:")) ? listen_given(ctx, str_skip(address, 3), &fd)
						      : listen_ip(ctx, address, &fd);
	TRY_CTX(ctx, err, "listen " STR_FMT, STR_ARG(address));
	set_options(fd, options);
	socket_set_nodelay(fd);
	defer_accept(fd);
	union address bound = { 0 };
	socklen_t len = sizeof bound;
	getsockname(fd, &bound.any, &len);
	*ret_bound = address_text(ctx, &bound);
	*ret_fd = fd;
	return OK;
}

static void read_peer(const union address *address, struct socket_peer *ret)
{
	*ret = (struct socket_peer){ .is_ip = address->any.sa_family != AF_UNIX };
	if (address->any.sa_family == AF_INET) {
		ret->address[10] = ret->address[11] = 0xFF;
		memcpy(ret->address + 12, &address->v4.sin_addr, 4);
	} else if (address->any.sa_family == AF_INET6) {
		memcpy(ret->address, &address->v6.sin6_addr, 16);
	}
}

/*
 * On Linux a TCP connection inherits its listener's timeouts and TCP_NODELAY, which saves three
 * system calls per connection; a Unix socket inherits nothing. Who connected while a service
 * manager alone had the listener inherited what that had: a read without a timeout is a thread lost
 * for as long as this client likes.
 */
enum socket_accept socket_accept(int listen_fd, const struct socket_options *options, bool given,
				 int *ret_fd, struct socket_peer *ret_peer)
{
	union address address;
	address.any.sa_family = AF_UNIX;
	socklen_t len = sizeof address;
	int fd = -1;
	if (!FAULT("socket.accept"))
		fd = accept4(listen_fd, &address.any, &len, SOCK_CLOEXEC);
	if (fd >= 0) {
		read_peer(&address, ret_peer);
		if (given || !ret_peer->is_ip)
			set_options(fd, options);
		if (given)
			socket_set_nodelay(fd);
		*ret_fd = fd;
		return SOCKET_ACCEPTED;
	}
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return SOCKET_EXHAUSTED;
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
	case EOPNOTSUPP:
		return SOCKET_CLOSED;
	default: /* EAGAIN, or a connection that died in the queue */
		return SOCKET_NOBODY;
	}
}

void socket_bury(int fd)
{
	CLEANUP(file_done) int dead = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (dead < 0 || dup3(dead, fd, O_CLOEXEC) < 0)
		shutdown(fd, SHUT_RDWR);
}

short socket_wait(int fd, short events, int timeout_ms)
{
	struct pollfd wanted = { .fd = fd, .events = events };
	return poll(&wanted, 1, timeout_ms) > 0 ? wanted.revents : 0;
}

static err_t wait_connected(struct ctx *ctx, int fd, int64_t until_ns)
{
	int error = ETIMEDOUT;
	socklen_t len = sizeof error;
	for (short ready = 0; !ready;) {
		int64_t left_ms = (until_ns - clock_now_ns()) / CLOCK_MS;
		TRY(ctx_check(ctx));
		if (left_ms <= 0)
			break;
		ready = socket_wait(fd, POLLOUT, (int)MIN(left_ms, CONNECT_SLICE_MS));
		if (ready)
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	}
	errno = error;
	return error ? fail_errno(ctx, ERR_UPSTREAM_UNREACHABLE, "could not connect") : OK;
}

err_t socket_connect(struct ctx *ctx, const struct sockaddr *to, unsigned len, int64_t until_ns,
		     int *ret_fd)
{
	ctx_waits(ctx);
	CLEANUP(file_done)
	int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail_errno(ctx, ERR_BUSY, "could not make a socket");
	if (FAULT("socket.connect") || (connect(fd, to, len) != 0 && errno != EINPROGRESS))
		return fail_errno(ctx, ERR_UPSTREAM_UNREACHABLE, "could not connect");
	TRY(wait_connected(ctx, fd, until_ns));
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) != 0)
		return fail_errno(ctx, ERR_INTERNAL, "could not make a socket block");
	*ret_fd = take_fd(fd);
	return OK;
}
