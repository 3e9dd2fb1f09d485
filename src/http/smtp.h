/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smtp.h - handing one message to a mail server: SMTP (RFC 5321) by libcurl, in a plain blocking
 * call.
 *
 * The server is the operator's: it is wherever he wants, and nothing is looked at by the guard of
 * client.h. A connection is made for each message and verified as for HTTPS, STARTTLS (RFC 3207)
 * included: with SMTP_TLS_STARTTLS a server that does not offer it gets nothing.
 *
 * A recipient whom the server refuses for good (5xx) is left out while there are others, and the
 * message is offered again without him; so who mistyped one address does not cut off the rest. One
 * who is refused for now (4xx) holds up all, so that nobody gets the message twice.
 *
 * Errors: ERR_UPSTREAM_UNREACHABLE (no connection, no TLS, no answer in time), ERR_UPSTREAM_INVALID
 * (the server says no, or what is no SMTP), ERR_DEADLINE and ERR_CANCELLED (ctx's). What was said
 * is in `ret` whatever comes of it.
 */
#pragma once

#include "base/ctx.h"
#include "codec/mail.h"

#define SMTP_DIALOG_MAX KIB(4)

enum smtp_tls { /* in the order of the option smtp.tls */
		SMTP_TLS_NONE,
		SMTP_TLS_STARTTLS,
		SMTP_TLS_ALWAYS
};

struct smtp_server {
	str host; /* empty: there is none */
	unsigned port;
	enum smtp_tls tls;
	str user, password; /* may be empty */
	str ca_pem;	    /* trust these, and not the system's; may be empty */
	int timeout_ms;	    /* for all of one message */
};

struct smtp_answer {
	int status;    /* of the last reply; 0: there was none */
	bool is_final; /* the message or all its recipients were refused for good */
	str dialog;    /* commands and replies without what is secret, in the arena */
};

/* `message` as mail.h writes it; lines that begin with a dot are this module's business. */
err_t smtp_send(struct ctx *ctx, const struct smtp_server *server, str from,
		const struct mail_list *to, str message, struct smtp_answer *ret);
