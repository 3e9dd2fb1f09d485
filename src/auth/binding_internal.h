/* SPDX-License-Identifier: Apache-2.0 */
/* binding_internal.h - what bindings and those who use them share. */
#pragma once

#include "auth/binding.h"
#include "codec/json.h"
#include "internal.h"

/* A foreign subject as the audit trail and our tokens have it: never empty, and not longer than
 * BINDING_SUBJECT_MAX. */
#define BINDING_SUBJECT_MAX 512
str binding_subject(struct ctx *ctx, str subject);

/*
 * The robot that claims stand for by the first of these bindings that is enabled and whose
 * conditions they fulfil; with `robot` (a full name) only those of that robot count. Fills `*ret`
 * but for who vouched, and `*ret_binding`. ERR_ABSENT, unrecorded, when none fits; ERR_UNAUTHORIZED
 * when the robot is disabled or has expired.
 */
err_t binding_choose(struct ctx *ctx, struct auth *auth, const struct binding_page *among,
		     const struct json_value *claims, str robot, struct identity *ret,
		     const struct binding_row **ret_binding);
