/* SPDX-License-Identifier: Apache-2.0 */
/*
 * binding.h - which robot somebody else's token, or a client's certificate, stands for.
 *
 * A binding belongs to an issuer (issuer.h) or, with issuer 0, to the client certificates of its
 * tenant. It has conditions (model/condition.h), and either names a robot or has permissions of its
 * own: these are kept by a robot that nobody else sees, which comes and goes with the binding.
 * Bindings are tried in their order; the first whose conditions hold counts.
 *
 * What a login by a binding obtains lives `lifetime_s` at most, and ends when the binding changes.
 *
 * Errors as in issuer.h.
 */
#pragma once

#include "auth/robot.h"
#include "db/binding.h"

#define BINDING_LIFETIME_S     INT64_C(900)
#define BINDING_LIFETIME_S_MIN INT64_C(60)
#define BINDING_LIFETIME_S_MAX INT64_C(43200)
#define BINDING_CONDITIONS_MAX KIB(16)
#define BINDINGS_MAX	       1000 /* of one issuer */

struct binding {
	struct binding_row row; /* `conditions` is a JSON array */
	str issuer_name; /* "certificates" when there is none; names the binding's own robot */
	bool own_robot;	 /* has permissions of its own; else row.robot_id names a robot */
	struct robot robot;
};

/* Fills id and times. ERR_ABSENT also when the robot is none of the tenant's. */
err_t binding_create(struct ctx *ctx, struct auth *auth, struct binding *binding);
err_t binding_get(struct ctx *ctx, struct auth *auth, int64_t tenant_id, int64_t issuer_id,
		  int64_t id, struct binding *ret);
struct binding_list {
	struct binding_page page;
	struct binding *list; /* of page.count */
};
err_t binding_list(struct ctx *ctx, struct auth *auth, struct binding_list *list);
/* Takes position, enabled, conditions, lifetime and the robot or permissions; whether it has a
 * robot of its own cannot change. `robot_before` is the robot it named until now. */
err_t binding_update(struct ctx *ctx, struct auth *auth, struct binding *binding,
		     int64_t robot_before);
err_t binding_delete(struct ctx *ctx, struct auth *auth, const struct binding *binding);
