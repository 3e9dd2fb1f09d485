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

struct binding_found {
	const struct binding_row *binding; /* NULL: none yet */
	struct identity who;		   /* but for who vouched */
	bool several;			   /* bindings of several tenants fit */
};

/*
 * The robot that claims stand for by the first of these bindings, in each tenant, that is enabled
 * and whose conditions they fulfil; with `robot` (a full name) only those of that robot count. The
 * bindings are by tenant; once one of the default tenant is found no other is looked for. Adds to
 * `*found`. ERR_ABSENT, unrecorded, when none fits; ERR_UNAUTHORIZED when the robot is disabled or
 * has expired.
 */
err_t binding_choose(struct ctx *ctx, struct auth *auth, const struct binding_page *among,
		     const struct json_value *claims, str robot, struct binding_found *found);

/* Whoever was found is used now. ERR_UNAUTHORIZED when that is not clear. */
err_t binding_take(struct ctx *ctx, struct auth *auth, const struct binding_found *found,
		   struct identity *ret);
