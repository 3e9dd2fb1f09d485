/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.h - TLS 1.2+ for accepted sockets: OpenSSL behind a few calls.
 *
 * A tls_server holds the certificate and key and can reload them while connections run: new
 * handshakes see the new pair, old connections keep theirs. A failed reload keeps the old pair.
 */
#pragma once

#include "base/ctx.h"

struct tls_server;
struct tls_connection;

err_t tls_server_new(struct ctx *ctx, const char *certificate_path, const char *key_path,
		     struct tls_server **ret);
err_t tls_server_reload(struct ctx *ctx, struct tls_server *tls);
/*
 * Asks clients for a certificate from now on, of an authority in `ca_path` (PEM). Who brings none
 * is served; who brings one of another authority, an expired or (with `crl_path`, may be NULL) a
 * revoked one is not. Both files are read again by a reload. Sessions are not resumed then: each
 * handshake verifies.
 */
err_t tls_server_trust_clients(struct ctx *ctx, struct tls_server *tls, const char *ca_path,
			       const char *crl_path);
void tls_server_free(struct tls_server *tls);

/* What a non-finished call waits for. */
enum tls_want { TLS_DONE, TLS_WANT_READ, TLS_WANT_WRITE, TLS_EOF, TLS_FAILED };

/*
 * `fd` stays the caller's, and blocks: reading waits for its receive timeout, writing never waits.
 * `early` are bytes already read from it (after a PROXY header), may be empty.
 */
err_t tls_connection_new(struct ctx *ctx, struct tls_server *tls, int fd, str early,
			 struct tls_connection **ret);
enum tls_want tls_handshake(struct tls_connection *c);
enum tls_want tls_read(struct tls_connection *c, void *into, size_t len, size_t *ret_len);
enum tls_want tls_write(struct tls_connection *c, const void *bytes, size_t len, size_t *ret_len);
/* Whether tls_read may wait for the socket's receive timeout; it does at first. */
void tls_set_waiting(struct tls_connection *c, bool waits);
bool tls_pending(const struct tls_connection *c); /* decrypted bytes wait inside */
/* The client's certificate as DER, verified, in the arena; empty when it has brought none. */
str tls_peer_certificate(const struct tls_connection *c, struct arena *arena);
void tls_shutdown(struct tls_connection *c); /* sends close_notify, does not wait */
void tls_connection_free(struct tls_connection *c);
