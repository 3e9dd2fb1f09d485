/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap_link.h - one connection to a directory; libldap stays behind this door.
 *
 * Nothing here waits longer than the server's timeout for one answer, nor longer than the ctx's
 * deadline. Referrals are not followed and aliases not dereferenced: either could send a password
 * to a stranger. A connection after which the server's state is unclear is marked dead and must be
 * closed. One thread at a time.
 *
 * Errors: ERR_UNAUTHORIZED (bind refused), ERR_UPSTREAM_UNREACHABLE (nobody there, no answer in
 * time, busy, TLS not trusted), ERR_UPSTREAM_FORBIDDEN (at no address that it may have),
 * ERR_UPSTREAM_INVALID (everything else that the server says),
 * ERR_REQUEST_INVALID (a filter, a URL or a certificate that is none).
 */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"

#define LDAP_OID_IN_CHAIN  "1.2.840.113556.1.4.1941" /* MS-ADTS, LDAP_MATCHING_RULE_IN_CHAIN */
#define LDAP_TIMEOUT_S_MAX 60
#define LDAP_PAGE_ENTRIES  500

struct outbound;

struct ldap_server {
	str url; /* ldap:// or ldaps://, several separated by blanks; asked in that order */
	const struct outbound *outbound; /* where it may be; NULL: anywhere */
	int64_t tenant_id;		 /* who named it */
	bool starttls;
	bool verify_cert;
	str ca_pem; /* one certificate; empty: what the system trusts */
	int64_t timeout_s;
};

/* OK, or ERR_REQUEST_INVALID with the reason. */
err_t ldap_server_check(struct ctx *ctx, const struct ldap_server *server);

struct ldap_link;

/* Connects, and has TLS where it is wanted, before anything is said. */
err_t ldap_link_open(struct ctx *ctx, const struct ldap_server *server, struct ldap_link **ret);
void ldap_link_close(struct ldap_link *link); /* NULL is fine */
void ldap_link_done(struct ldap_link **link); /* CLEANUP */
bool ldap_link_is_dead(const struct ldap_link *link);

/*
 * Simple bind. Without a name and a password: anonymous. A name without a password is refused here
 * (ERR_UNAUTHORIZED), because servers answer it with success, and so is a password without a name
 * (RFC 4513 §5.1.2).
 */
err_t ldap_link_bind(struct ctx *ctx, struct ldap_link *link, str dn, str password);

enum ldap_scope { LDAP_BASE, LDAP_ONE_LEVEL, LDAP_SUBTREE };

struct ldap_query {
	str base;
	enum ldap_scope scope;
	str filter;		       /* RFC 4515; values in it by ldap_filter_add() */
	const char *const *attributes; /* ends with NULL */
	size_t entries_max;
};

struct ldap_value {
	const char *attribute; /* as the server spells it */
	str bytes;
};

struct ldap_entry {
	str dn;
	const struct ldap_value *values;
	size_t count;
};

/* Page by page. In the arena. `*ret_more`: there would have been others. A base that is not there
 * has no entries. */
err_t ldap_link_search(struct ctx *ctx, struct ldap_link *link, const struct ldap_query *query,
		       struct ldap_entry **ret, size_t *ret_count, bool *ret_more);

/* The first value, or STR_NONE. Names of attributes ignore case. */
str ldap_entry_get(const struct ldap_entry *entry, str attribute);

/* --- text ----------------------------------------------------------------------------------------
 */

/* A value as a filter spells it (RFC 4515 §3): no byte of it means anything. */
void ldap_filter_add(struct buf *b, str value);

/* "(filter)" from "filter" or "(filter)"; empty stays empty. */
str ldap_filter_wrap(struct ctx *ctx, str filter);

/* A name in one spelling, so that equal ones are equal bytes: its parts, each lower case and
 * escaped alike, from the leftmost. False when it is none. */
#define LDAP_DN_PARTS_MAX 64
struct ldap_dn {
	str parts[LDAP_DN_PARTS_MAX];
	size_t count;
};
bool ldap_dn_parse(struct ctx *ctx, str text, struct ldap_dn *ret);
bool ldap_dn_equal(const struct ldap_dn *a, const struct ldap_dn *b);
/* `dn` is `base` or below it. */
bool ldap_dn_is_under(const struct ldap_dn *dn, const struct ldap_dn *base);
str ldap_dn_text(struct ctx *ctx, const struct ldap_dn *dn);
