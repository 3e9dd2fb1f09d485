/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h - bytes to another server over TCP or TLS 1.2+, for protocols that are no HTTP. libcurl
 * resolves the name, connects and verifies; a stream belongs to one thread.
 *
 *	CLEANUP(stream_close) struct stream *stream = NULL;
 *	TRY(stream_open(ctx, &options, &stream));
 *	TRY(stream_write(ctx, stream, bytes));
 *
 * Everything ends at ctx's deadline and when ctx is cancelled. By TLS the server must have a
 * certificate for the name it was asked by.
 *
 * Errors: ERR_UPSTREAM_UNREACHABLE (no name, no connection, no TLS, closed, not moving), ERR_CONFIG
 * (a certificate or key that cannot be read), ERR_DEADLINE and ERR_CANCELLED (ctx's), ERR_ABSENT
 * (there is no libcurl). After any of them the stream is good for closing only.
 */
#pragma once

#include "base/ctx.h"

struct stream;

struct stream_options {
	str authority; /* "logs.example.com:6514" */
	bool tls;
	str ca_pem;		      /* trust these, and not the system's; may be empty */
	const char *certificate_path; /* PEM, of this client; NULL: none */
	const char *key_path;
	int connect_timeout_ms; /* name, TCP and TLS */
	int write_timeout_ms;	/* without a byte moving */
};

err_t stream_open(struct ctx *ctx, const struct stream_options *options, struct stream **ret);

/* Returns when the other machine has acknowledged all of it: then at least its kernel has it. */
err_t stream_write(struct ctx *ctx, struct stream *stream, str bytes);

/* What came in is thrown away. False when the other side has closed or broken the connection. */
bool stream_is_open(struct stream *stream);

void stream_close(struct stream **stream); /* CLEANUP; NULL is fine, and it is NULL then */
