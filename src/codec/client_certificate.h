/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_certificate.h - a client's certificate in a header, as the proxy that ended TLS writes it.
 *
 *	:MIIB…=:                          RFC 9440 (Client-Cert)
 *	MIIB…=                            base64 of the DER: haproxy's ssl_c_der,base64
 *	-----BEGIN%20CERTIFICATE-----%0A… an escaped PEM: nginx's $ssl_client_escaped_cert
 */
#pragma once

#include "base/arena.h"

#define CLIENT_CERTIFICATE_MAX KIB(16)

/* The DER, into the arena. False for what is none of these; whether it is a certificate is not
 * looked at. */
bool client_certificate_decode(struct arena *arena, str text, str *ret_der);
