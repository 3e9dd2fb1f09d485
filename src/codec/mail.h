/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mail.h - what an e-mail is made of: addresses, header fields, and the two encodings of bodies.
 * Whatever goes in, what comes out is seven-bit lines of at most 76 bytes that end with CRLF, and
 * nobody's text begins a line of the header.
 *
 * Addresses are those of RFC 5321 §4.1.2 whose local part is a Dot-string and whose domain is a
 * name: no quoted strings, no address literals, no letters outside of ASCII (a domain that has some
 * is written in its A-labels).
 */
#pragma once

#include "base/buf.h"

#define MAIL_ADDRESS_MAX    254 /* RFC 5321 §4.5.3.1.3, without the brackets */
#define MAIL_RECIPIENTS_MAX 16

bool mail_address_is_valid(str text);

/*
 * "mailto:a@example.com,b@example.com" (RFC 6068; `mailto:` may be missing), at least one and at
 * most MAIL_RECIPIENTS_MAX, each once. There are no header fields behind a `?` and nothing is
 * percent-encoded. The pieces point into `text`.
 */
struct mail_list {
	str addresses[MAIL_RECIPIENTS_MAX];
	size_t count;
};
bool mail_list_parse(str text, struct mail_list *ret);

/* `Name: text`, in encoded words (RFC 2047) unless it is a short line of printable ASCII. Control
 * characters become blanks. */
void mail_write_field(struct buf *b, const char *name, str text);
/* `Name: a,` and each further address in a line of its own. */
void mail_write_addresses(struct buf *b, const char *name, const struct mail_list *list);

/* quoted-printable (RFC 2045 §6.7); the text's lines end with LF. */
void mail_write_text(struct buf *b, str text);
/* base64 (§6.8). */
void mail_write_bytes(struct buf *b, str bytes);
