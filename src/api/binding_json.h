/* SPDX-License-Identifier: Apache-2.0 */
/* binding_json.h - what the operations on issuers and on bindings share. */
#pragma once

#include "api/harbor.h"
#include "api/robot_json.h"
#include "auth/binding.h"
#include "auth/issuer.h"

/* The tenant that is meant: `tenant_id`, else the request's own; from then on the request's.
 * ERR_DENIED as robot_tenant_check(). */
err_t binding_tenant(struct ctx *ctx, struct request *rq, int64_t *ret);

/* The issuer of the path's {id}; ERR_NOT_FOUND. */
err_t binding_issuer(struct ctx *ctx, struct request *rq, struct issuer *ret);

/*
 * Whoever says where an issuer's keys come from can become every robot bound to it: so he must hold
 * what these hold. ERR_DENIED.
 */
err_t binding_may_keep(struct ctx *ctx, struct request *rq, const struct issuer *issuer);

/* Notes in the audit trail that a foreign token was taken for `rq->who`. Nothing for others. */
void audit_federated(struct request *rq);
