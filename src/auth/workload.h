/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workload.h - programs that prove who they are by a token that somebody else signed, in place of a
 * robot's secret: a Kubernetes service account, a job of GitHub Actions or GitLab CI.
 *
 * The token is taken as the password of HTTP Basic or docker's login, under the name of a robot
 * (then only bindings to that robot count) or any other; as a bearer token; and in exchange for one
 * of ours (RFC 8693, api/token.c). It must be of a known and enabled issuer, for one of its
 * audiences, signed by its keys and valid now; then the first binding whose conditions hold says
 * which robot it is (binding.h). The identity names the issuer and the token's `sub`, and what it
 * obtains is short-lived.
 *
 * A token of an issuer with `single_use` counts once, in all nodes of one database.
 *
 * Because some tokens live for minutes only, one may be exchanged for a login token
 * (auth_issue_login()): signed by us, used as a password, and good for as long as the binding says.
 */
#pragma once

#include "auth/auth.h"

/*
 * Whom a foreign token stands for; `robot`, a full name or empty, says which robot is wanted.
 * ERR_UNAUTHORIZED when it is not good or stands for nobody, the errors of jwks_keys() when the
 * issuer's keys cannot be had. ERR_ABSENT, unrecorded, when it is no token of an issuer known here.
 */
err_t workload_exchange(struct ctx *ctx, struct auth *auth, str token, str robot,
			struct identity *ret);

/* Writes when bindings were used. */
err_t workload_write_uses(struct ctx *ctx, struct auth *auth);

/* Forgets tokens that are used up and expired an hour ago, for nodes whose clocks are behind. */
err_t workload_purge(struct ctx *ctx, struct auth *auth, int64_t *ret_count);
