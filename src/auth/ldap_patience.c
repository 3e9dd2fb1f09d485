/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_patience.c - see ldap_patience.h. */
#include "ldap_patience.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>

#include "base/banned.h"

#define LEVEL (LBER_SBIOD_LEVEL_PROVIDER + 5) /* above the socket, below TLS */

static int layer_setup(Sockbuf_IO_Desc *layer, void *patience)
{
	layer->sbiod_pvt = patience;
	return 0;
}

static int layer_nothing(Sockbuf_IO_Desc *layer)
{
	return 0;
}

static int layer_control(Sockbuf_IO_Desc *layer, int option, void *arg)
{
	return LBER_SBIOD_CTRL_NEXT(layer, option, arg);
}

/* 0 when the socket is ready, -1 with errno when it was not in time. */
static int wait_for(Sockbuf_IO_Desc *layer, short events)
{
	const struct ldap_patience *patience = layer->sbiod_pvt;
	struct pollfd polled = { .fd = -1, .events = events };
	libldap.ber_sockbuf_ctrl(layer->sbiod_sb, LBER_SB_OPT_GET_FD, &polled.fd);
	for (;;) {
		int64_t left_ms = (patience->until_ns - clock_now_ns()) / CLOCK_MS;
		int ready = poll(&polled, 1, (int)MIN(MAX(left_ms, 0), 60000));
		if (ready > 0)
			return 0;
		if (ready == 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (errno != EINTR)
			return -1;
	}
}

static ber_slen_t layer_read(Sockbuf_IO_Desc *layer, void *into, ber_len_t len)
{
	return wait_for(layer, POLLIN) == 0 ? LBER_SBIOD_READ_NEXT(layer, into, len) : -1;
}

static ber_slen_t layer_write(Sockbuf_IO_Desc *layer, void *bytes, ber_len_t len)
{
	return wait_for(layer, POLLOUT) == 0 ? LBER_SBIOD_WRITE_NEXT(layer, bytes, len) : -1;
}

static Sockbuf_IO layer_calls = {
	.sbi_setup = layer_setup,
	.sbi_remove = layer_nothing,
	.sbi_ctrl = layer_control,
	.sbi_read = layer_read,
	.sbi_write = layer_write,
	.sbi_close = layer_nothing,
};

bool ldap_patience_init(LDAP *ld, struct ldap_patience *patience)
{
	Sockbuf *sockbuf = NULL;
	return libldap.ldap_get_option(ld, LDAP_OPT_SOCKBUF, &sockbuf) == LDAP_OPT_SUCCESS &&
	       sockbuf && libldap.ber_sockbuf_add_io(sockbuf, &layer_calls, LEVEL, patience) == 0;
}
