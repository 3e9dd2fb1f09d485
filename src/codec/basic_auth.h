/* SPDX-License-Identifier: Apache-2.0 */
/*
 * basic_auth.h - the Authorization header, scheme Basic (RFC 7617): user and password.
 *
 * The user ends at the first colon and may be empty; the password may hold any colon. Both are
 * UTF-8 without control characters. False for another scheme or anything malformed.
 */
#pragma once

#include "base/arena.h"

#define BASIC_AUTH_BYTES_MAX KIB(8) /* of the header value */

struct basic_auth {
	str user;
	str password;
};

bool basic_auth_parse(struct arena *arena, str header, struct basic_auth *ret);
