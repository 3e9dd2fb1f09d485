/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate.h - clients that prove who they are by a certificate: verified by our own TLS
 * listener against tls.client_ca, or by a trusted proxy that passes it on.
 *
 * Which robot one stands for the bindings of certificates say (binding.h), of the host's tenant or
 * else of all in turn, with the claims of crypto/certificate.h. The answer is remembered for
 * STATE_REMEMBER_S.
 */
#pragma once

#include "auth/auth.h"

/* The robot; ERR_ABSENT, unrecorded, when no binding fits; ERR_UNAUTHORIZED when the certificate is
 * malformed or not valid now, or the robot is disabled. */
err_t certificate_identify(struct ctx *ctx, struct auth *auth, str der, struct identity *ret);
