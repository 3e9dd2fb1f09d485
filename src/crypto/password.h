/* SPDX-License-Identifier: Apache-2.0 */
/*
 * password.h - argon2id password records (libsodium, 19 MiB, 2 passes: OWASP's minimum).
 *
 * Both calls take tens of milliseconds and 19 MiB; at most two run at once, others wait.
 */
#pragma once

#include "base/ctx.h"

#define PASSWORD_BYTES_MAX 1024

/* In the arena, "$argon2id$…". ERR_LIMIT for a longer password; ERR_BUSY without memory. */
err_t password_hash(struct ctx *ctx, str password, str *ret_record);

/*
 * OK or ERR_UNAUTHORIZED. An empty record stands for an account that does not exist: it takes the
 * same time and is ERR_UNAUTHORIZED, so that time does not tell. Both calls: ERR_DEADLINE after
 * waiting too long.
 */
err_t password_verify(struct ctx *ctx, str record, str password);
