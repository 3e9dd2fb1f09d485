/* SPDX-License-Identifier: Apache-2.0 */
/* portal.h - what the handlers under /c/ share: the login page's own requests, as in Harbor. */
#pragma once

#include "api/request.h"
#include "auth/session.h"

/* He is in: a new session in place of the browser's last one. `from->who` has an account. */
err_t portal_log_in(struct ctx *ctx, struct request *rq, struct session_new *from);

/* 302 to a path of this registry, or to an address that an identity provider named. */
err_t portal_redirect(struct request *rq, str location);
