/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate.h - what a certificate says of its holder, as claims that conditions can be held
 * against (model/condition.h):
 *
 *	{"subject": "CN=builder,O=Acme", "cn": "builder", "issuer": "CN=Acme CA", "serial": "0a1b",
 *	 "fingerprint": "<SHA-256, hexadecimal>", "dns": ["builder.acme.example"],
 *	 "uri": ["spiffe://acme.example/ns/prod/sa/builder"], "email": []}
 *
 * Names are written as RFC 2253 says, with special bytes inside values as `\2C`: so a comma there
 * cannot pass for the end of the value in a pattern.
 * `cn` is absent when there is none or more than one. An alternative name with a NUL byte or
 * ill-formed UTF-8 makes the whole certificate be refused.
 */
#pragma once

#include "base/ctx.h"

#define CERTIFICATE_CLAIMS_MAX KIB(64)

/* The JSON text, in the arena. ERR_UNAUTHORIZED when it is no certificate, or none that is valid
 * now. Who vouches for it is not looked at. */
err_t certificate_claims(struct ctx *ctx, str der, str *ret);
