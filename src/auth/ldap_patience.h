/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap_patience.h - no byte of a directory is waited for longer than a deadline.
 *
 * libldap's own timeouts begin and end with whole messages: a server that is silent during the
 * handshake of TLS, or sends an answer byte by byte, holds a thread for ever. So each connection
 * has a layer below TLS that waits by the clock before it reads or writes.
 */
#pragma once

#include "ldap_library.h"

struct ldap_patience {
	int64_t until_ns; /* clock_now_ns() scale; set anew before each step */
};

/* For a handle that is connected and has no TLS yet; false when libldap has no room for a layer.
 * `patience` lives as long as the handle. */
bool ldap_patience_init(LDAP *ld, struct ldap_patience *patience);
