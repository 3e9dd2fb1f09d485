/* SPDX-License-Identifier: Apache-2.0 */
/*
 * password.h - argon2id password records (libsodium, 19 MiB, 2 passes: OWASP's minimum).
 *
 * Both calls take tens of milliseconds and 19 MiB; at most two run at once, others wait.
 */
#pragma once

#include "base/ctx.h"

#define PASSWORD_BYTES_MAX 1024

err_t password_hash(struct ctx *ctx, str password, str *ret_record); /* in the arena; "$argon2id$…" */
err_t password_verify(struct ctx *ctx, str record, str password);    /* OK or ERR_UNAUTHORIZED */
