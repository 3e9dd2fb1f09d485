/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_link.c - see ldap_link.h. */
#include "auth/ldap_link.h"
#include "ldap_connect.h"
#include "ldap_library.h"
#include "ldap_patience.h"

#include "base/clock.h"
#include "base/mem.h"
#include "codec/base64.h"
#include "os/fault.h"
#include "os/file.h"

#include <sys/time.h>

#include "base/banned.h"

#define URL_BYTES_MAX	    KIB(4)
#define ANSWER_BYTES_MAX    MIB(4) /* of one message */
#define SYSTEM_CERTIFICATES "/etc/ssl/certs/ca-certificates.crt"
#define ENTRIES_STEP	    64
#define NOBODY		    "ldapi://%2Fdev%2Fnull"

struct ldap_link {
	LDAP *ld;
	struct ldap_patience patience;
	int64_t timeout_ms;
	bool dead;
};

/* --- what the server says ------------------------------------------------------------------- */

static err_t code_of(int result)
{
	switch (result) {
	case LDAP_SUCCESS:
		return OK;
	case LDAP_INVALID_CREDENTIALS:
	case LDAP_INAPPROPRIATE_AUTH:
	case LDAP_CONSTRAINT_VIOLATION: /* locked, by some servers */
	case LDAP_UNWILLING_TO_PERFORM:
	case LDAP_INSUFFICIENT_ACCESS:
	case LDAP_NO_SUCH_OBJECT:
	case LDAP_INVALID_DN_SYNTAX:
		return ERR_UNAUTHORIZED; /* of a bind; see said() */
	case LDAP_SERVER_DOWN:
	case LDAP_CONNECT_ERROR:
	case LDAP_TIMEOUT:
	case LDAP_BUSY:
	case LDAP_UNAVAILABLE:
	case LDAP_TIMELIMIT_EXCEEDED:
	case LDAP_ADMINLIMIT_EXCEEDED:
		return ERR_UPSTREAM_UNREACHABLE;
	case LDAP_FILTER_ERROR:
		return ERR_REQUEST_INVALID;
	default:
		return ERR_UPSTREAM_INVALID;
	}
}

/* What a result means for anything but a bind: refused there is a mistake of ours. */
static err_t said(struct ctx *ctx, struct ldap_link *link, const char *doing, int result)
{
	err_t err = code_of(result);
	char *diagnostic = NULL;
	if (err == OK)
		return OK;
	if (err == ERR_UPSTREAM_UNREACHABLE)
		link->dead = true;
	libldap.ldap_get_option(link->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &diagnostic);
	(void)fail(ctx, err == ERR_UNAUTHORIZED ? ERR_UPSTREAM_INVALID : err, "ldap %s: %s%s%.100s",
		   doing, libldap.ldap_err2string(result), diagnostic && *diagnostic ? ": " : "",
		   diagnostic ? diagnostic : "");
	libldap.ldap_memfree(diagnostic);
	return err == ERR_UNAUTHORIZED ? ERR_UPSTREAM_INVALID : err;
}

/* --- connecting ----------------------------------------------------------------------------- */

/* libldap takes one certificate from memory, and that in DER. */
static err_t der_of(struct ctx *ctx, str pem, str *ret)
{
	static const str begin = STR_INIT("-----BEGIN CERTIFICATE-----");
	static const str end = STR_INIT("-----END CERTIFICATE-----");
	CLEANUP(buf_done) struct buf text = BUF_INIT(KIB(32));
	size_t from, until, again;
	if (!str_find(pem, begin, &from))
		return fail(ctx, ERR_REQUEST_INVALID, "ldap: ca_pem is no certificate");
	str body = str_skip(pem, from + begin.len);
	if (!str_find(body, end, &until))
		return fail(ctx, ERR_REQUEST_INVALID, "ldap: ca_pem is cut off");
	if (str_find(str_skip(body, until), begin, &again))
		return fail(ctx, ERR_REQUEST_INVALID,
			    "ldap: ca_pem holds more than one certificate");
	for (size_t i = 0; i < until; i++)
		if (!str_has_byte(STR(" \t\r\n"), body.ptr[i]))
			buf_add_byte(&text, body.ptr[i]);
	if (buf_overrun(&text) || !base64_decode(ctx->arena, BASE64_STANDARD, buf_str(&text), ret))
		return fail(ctx, ERR_REQUEST_INVALID, "ldap: ca_pem is not base64");
	return OK;
}

err_t ldap_server_check(struct ctx *ctx, const struct ldap_server *server)
{
	str rest = server->url, url, der;
	struct host host;
	uint16_t port;
	if (!rest.len || rest.len > URL_BYTES_MAX)
		return fail(ctx, ERR_REQUEST_INVALID, "the LDAP server's URL is missing or long");
	while (str_next(&rest, ' ', &url))
		if (!ldap_url_read(url, &host, &port))
			return fail(ctx, ERR_REQUEST_INVALID,
				    "the LDAP server's URL is not ldap://host[:port] or ldaps://");
	return server->ca_pem.len ? der_of(ctx, server->ca_pem, &der) : OK;
}

/* Options of the connection: libldap copies them. */
static err_t set_options(struct ctx *ctx, struct ldap_link *link, const struct ldap_server *server)
{
	int version = LDAP_VERSION3, deref = LDAP_DEREF_NEVER, is_server = 0;
	int require = server->verify_cert ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER;
	int protocol = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
	int left_ms = ctx_left_ms(ctx, (int)link->timeout_ms); /* to connect, and for TLS */
	struct timeval timeout = { .tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000 };
	ber_len_t answer_max = ANSWER_BYTES_MAX;
	Sockbuf *sockbuf = NULL;
	bool set =
		libldap.ldap_set_option(link->ld, LDAP_OPT_PROTOCOL_VERSION, &version) == 0 &&
		libldap.ldap_set_option(link->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == 0 &&
		libldap.ldap_set_option(link->ld, LDAP_OPT_DEREF, &deref) == 0 &&
		libldap.ldap_set_option(link->ld, LDAP_OPT_NETWORK_TIMEOUT, &timeout) == 0 &&
		libldap.ldap_set_option(link->ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &require) == 0 &&
		libldap.ldap_set_option(link->ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, &protocol) == 0 &&
		libldap.ldap_get_option(link->ld, LDAP_OPT_SOCKBUF, &sockbuf) == 0 && sockbuf &&
		libldap.ber_sockbuf_ctrl(sockbuf, LBER_SB_OPT_SET_MAX_INCOMING, &answer_max) == 1;
	if (server->ca_pem.len) {
		str der;
		TRY(der_of(ctx, server->ca_pem, &der));
		struct berval value = { der.len, arena_cstr(ctx->arena, der) };
		set = set &&
		      libldap.ldap_set_option(link->ld, LDAP_OPT_X_TLS_CACERT, &value) == 0 &&
		      libldap.ldap_set_option(link->ld, LDAP_OPT_X_TLS_CACERTFILE, NULL) == 0;
	} else {
		set = set && libldap.ldap_set_option(link->ld, LDAP_OPT_X_TLS_CACERTFILE,
						     SYSTEM_CERTIFICATES) == 0;
	}
	/* From the options above; without it those of the process would count. */
	set = set && !FAULT("ldap.options") &&
	      libldap.ldap_set_option(link->ld, LDAP_OPT_X_TLS_NEWCTX, &is_server) == 0;
	return set ? OK : fail(ctx, ERR_INTERNAL, "ldap: options of the connection were refused");
}

/* How long the next step may take, from now. */
static int allow(struct ctx *ctx, struct ldap_link *link)
{
	int left_ms = ctx_left_ms(ctx, (int)link->timeout_ms);
	link->patience.until_ns = clock_now_ns() + left_ms * CLOCK_MS;
	return left_ms;
}

/* The answer to a message, by the deadlines. */
static err_t wait_for(struct ctx *ctx, struct ldap_link *link, const char *doing, int message_id,
		      LDAPMessage **ret)
{
	TRY(ctx_check(ctx));
	int left_ms = allow(ctx, link);
	struct timeval timeout = { .tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000 };
	LDAPMessage *answer = NULL;
	int kind = FAULT("ldap.answer") ? -1
					: libldap.ldap_result(link->ld, message_id, LDAP_MSG_ONE,
							      &timeout, &answer);
	if (kind > 0) {
		*ret = answer;
		return OK;
	}
	int result = LDAP_TIMEOUT;
	if (kind < 0)
		libldap.ldap_get_option(link->ld, LDAP_OPT_RESULT_CODE, &result);
	link->dead = true;
	return said(ctx, link, doing, result == LDAP_SUCCESS ? LDAP_SERVER_DOWN : result);
}

/* What the server answered to a message that has one answer: `*ret` is a code of libldap. */
static err_t result_of(struct ctx *ctx, struct ldap_link *link, const char *doing, int message_id,
		       int *ret)
{
	LDAPMessage *answer;
	int result = LDAP_OTHER;
	TRY(wait_for(ctx, link, doing, message_id, &answer));
	int parsed =
		libldap.ldap_parse_result(link->ld, answer, &result, NULL, NULL, NULL, NULL, 1);
	*ret = parsed == LDAP_SUCCESS ? result : parsed;
	return OK;
}

static err_t install_tls(struct ctx *ctx, struct ldap_link *link, const char *doing)
{
	allow(ctx, link);
	int result = FAULT("ldap.tls") ? LDAP_LOCAL_ERROR : libldap.ldap_install_tls(link->ld);
	return said(ctx, link, doing, result == LDAP_LOCAL_ERROR ? LDAP_CONNECT_ERROR : result);
}

static err_t start_tls(struct ctx *ctx, struct ldap_link *link)
{
	int message_id, result;
	allow(ctx, link);
	int sent = FAULT("ldap.starttls")
			   ? LDAP_SERVER_DOWN
			   : libldap.ldap_start_tls(link->ld, NULL, NULL, &message_id);
	TRY(said(ctx, link, "starttls", sent));
	TRY(result_of(ctx, link, "starttls", message_id, &result));
	TRY(said(ctx, link, "starttls", result));
	return install_tls(ctx, link, "starttls");
}

/* Gives libldap the connection. A lost one it would make anew by itself: it must find nobody. */
static err_t take_over(struct ctx *ctx, struct ldap_link *link, str url, int *fd)
{
	int result = FAULT("ldap.init")
			     ? LDAP_NO_MEMORY
			     : libldap.ldap_init_fd(take_fd(*fd), LDAP_PROTO_TCP,
						    arena_cstr(ctx->arena, url), &link->ld);
	if (result != LDAP_SUCCESS)
		return fail(ctx,
			    result == LDAP_NO_MEMORY ? ERR_UPSTREAM_UNREACHABLE
						     : ERR_REQUEST_INVALID,
			    "ldap: %s", libldap.ldap_err2string(result));
	if (libldap.ldap_set_option(link->ld, LDAP_OPT_URI, NOBODY) != LDAP_OPT_SUCCESS)
		return fail(ctx, ERR_INTERNAL, "ldap: the URL was refused");
	return OK;
}

/* By one of its URLs. */
static err_t open_by(struct ctx *ctx, const struct ldap_server *server, str url,
		     struct ldap_link **ret)
{
	CLEANUP(ldap_link_done) struct ldap_link *link = NEW(struct ldap_link);
	CLEANUP(file_done) int fd = -1;
	int64_t timeout_s = MIN(MAX(server->timeout_s, 1), LDAP_TIMEOUT_S_MAX);
	link->timeout_ms = timeout_s * 1000;
	allow(ctx, link);
	TRY(ldap_connect_to(ctx, server, url, link->patience.until_ns, &fd));
	TRY(take_over(ctx, link, url, &fd));
	TRY(set_options(ctx, link, server));
	if (!ldap_patience_init(link->ld, &link->patience))
		return fail(ctx, ERR_INTERNAL, "ldap: no layer for connections");
	if (str_has_prefix(url, STR("ldaps://")))
		TRY(install_tls(ctx, link, "connect"));
	else if (server->starttls)
		TRY(start_tls(ctx, link));
	*ret = take(link);
	return OK;
}

err_t ldap_link_open(struct ctx *ctx, const struct ldap_server *server, struct ldap_link **ret)
{
	TRY(ldap_library_open(ctx));
	TRY(ldap_server_check(ctx, server));
	err_t err = OK;
	str rest = server->url, url;
	while (str_next(&rest, ' ', &url)) {
		TRY(ctx_check(ctx));
		err = open_by(ctx, server, url, ret);
		bool is_last = !str_trim(rest).len;
		if ((err != ERR_UPSTREAM_UNREACHABLE && err != ERR_UPSTREAM_FORBIDDEN) || is_last)
			return err;
		ctx_forgive(ctx);
	}
	return err;
}

void ldap_link_close(struct ldap_link *link)
{
	if (!link)
		return;
	if (link->ld) {
		/* libldap frees the certificate only when another takes its place. */
		libldap.ldap_set_option(link->ld, LDAP_OPT_X_TLS_CACERT, NULL);
		libldap.ldap_unbind_ext(link->ld, NULL, NULL);
	}
	free(link);
}

void ldap_link_done(struct ldap_link **link)
{
	ldap_link_close(*link);
}

bool ldap_link_is_dead(const struct ldap_link *link)
{
	return link->dead;
}

/* --- bind ----------------------------------------------------------------------------------- */

err_t ldap_link_bind(struct ctx *ctx, struct ldap_link *link, str dn, str password)
{
	if (!dn.len != !password.len)
		return fail(ctx, ERR_UNAUTHORIZED, "ldap: a bind needs a name and a password");
	struct berval secret = { password.len, arena_cstr(ctx->arena, password) };
	int message_id, result;
	allow(ctx, link);
	int sent = FAULT("ldap.bind") ? LDAP_SERVER_DOWN
				      : libldap.ldap_sasl_bind(link->ld, arena_cstr(ctx->arena, dn),
							       LDAP_SASL_SIMPLE, &secret, NULL,
							       NULL, &message_id);
	explicit_bzero(secret.bv_val, secret.bv_len);
	TRY(said(ctx, link, "bind", sent));
	TRY(result_of(ctx, link, "bind", message_id, &result));
	if (code_of(result) == ERR_UNAUTHORIZED)
		return fail(ctx, ERR_UNAUTHORIZED, "ldap bind: %s",
			    libldap.ldap_err2string(result));
	return said(ctx, link, "bind", result);
}

/* --- search --------------------------------------------------------------------------------- */

struct search {
	const struct ldap_query *query;
	struct ldap_entry *entries;
	size_t count, room;
	bool more;
	struct berval cookie; /* libldap's */
};

static err_t copy_values(struct ctx *ctx, LDAP *ld, LDAPMessage *message, struct ldap_entry *entry)
{
	struct berval **values[64];
	char *names[64], *name;
	BerElement *ber = NULL;
	size_t attributes = 0, count = 0;
	for (name = libldap.ldap_first_attribute(ld, message, &ber);
	     name && attributes < COUNT_OF(names);
	     name = libldap.ldap_next_attribute(ld, message, ber)) {
		names[attributes] = name;
		values[attributes] = libldap.ldap_get_values_len(ld, message, name);
		count += (size_t)libldap.ldap_count_values_len(values[attributes]);
		attributes++;
	}
	if (name)
		libldap.ldap_memfree(name);
	libldap.ber_free(ber, 0);
	struct ldap_value *copies =
		FAULT("ldap.entry") ? NULL : arena_try(ctx->arena, count * sizeof *copies);
	for (size_t i = 0, at = 0; i < attributes; i++) {
		const char *kept = arena_cstr(ctx->arena, str_from(names[i]));
		for (int n = 0; copies && values[i] && values[i][n]; n++)
			copies[at++] = (struct ldap_value){
				kept, arena_copy(ctx->arena, (str){ values[i][n]->bv_val,
								    values[i][n]->bv_len })
			};
		libldap.ldap_value_free_len(values[i]);
		libldap.ldap_memfree(names[i]);
	}
	if (!copies)
		return fail(ctx, ERR_LIMIT, "ldap: an entry of %zu values", count);
	entry->values = copies;
	entry->count = count;
	return OK;
}

static err_t add_entry(struct ctx *ctx, struct ldap_link *link, LDAPMessage *message,
		       struct search *search)
{
	if (search->count == search->query->entries_max) {
		search->more = true;
		return OK;
	}
	if (search->count == search->room) {
		size_t room = search->room ? search->room * 2 : ENTRIES_STEP;
		struct ldap_entry *grown = arena_try(ctx->arena, room * sizeof *grown);
		if (!grown)
			return fail(ctx, ERR_LIMIT, "ldap: %zu entries", search->count);
		for (size_t i = 0; i < search->count; i++)
			grown[i] = search->entries[i];
		search->entries = grown;
		search->room = room;
	}
	struct ldap_entry *entry = &search->entries[search->count];
	char *dn = libldap.ldap_get_dn(link->ld, message);
	entry->dn = arena_copy(ctx->arena, str_from(dn));
	libldap.ldap_memfree(dn);
	TRY(copy_values(ctx, link->ld, message, entry));
	search->count++;
	return OK;
}

/* The end of a page: its result, and the cookie of the next one. */
static err_t end_page(struct ctx *ctx, struct ldap_link *link, LDAPMessage *message,
		      struct search *search)
{
	LDAPControl **controls = NULL;
	int result = LDAP_OTHER;
	int parsed = libldap.ldap_parse_result(link->ld, message, &result, NULL, NULL, NULL,
					       &controls, 0);
	LDAPControl *page = libldap.ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
	ber_int_t estimate;
	libldap.ber_memfree(search->cookie.bv_val);
	search->cookie = (struct berval){ 0, NULL };
	if (page)
		libldap.ldap_parse_pageresponse_control(link->ld, page, &estimate, &search->cookie);
	libldap.ldap_controls_free(controls);
	if (parsed != LDAP_SUCCESS)
		return said(ctx, link, "search", parsed);
	if (result == LDAP_NO_SUCH_OBJECT)
		return OK;
	if (result == LDAP_SIZELIMIT_EXCEEDED) {
		search->more = true;
		search->cookie.bv_len = 0;
		return OK;
	}
	return said(ctx, link, "search", result);
}

static err_t receive_page(struct ctx *ctx, struct ldap_link *link, int message_id,
			  struct search *search)
{
	for (;;) {
		LDAPMessage *message;
		TRY(wait_for(ctx, link, "search", message_id, &message));
		int kind = libldap.ldap_msgtype(message);
		err_t err = OK;
		if (kind == LDAP_RES_SEARCH_ENTRY)
			err = add_entry(ctx, link, message, search);
		else if (kind == LDAP_RES_SEARCH_RESULT)
			err = end_page(ctx, link, message, search);
		libldap.ldap_msgfree(message); /* references are left alone */
		if (err != OK && kind != LDAP_RES_SEARCH_RESULT)
			link->dead = true; /* the rest of the answer is still to come */
		if (err != OK || kind == LDAP_RES_SEARCH_RESULT)
			return err;
	}
}

static err_t search_page(struct ctx *ctx, struct ldap_link *link, char **attributes,
			 struct search *search)
{
	static const int scopes[] = { [LDAP_BASE] = LDAP_SCOPE_BASE,
				      [LDAP_ONE_LEVEL] = LDAP_SCOPE_ONELEVEL,
				      [LDAP_SUBTREE] = LDAP_SCOPE_SUBTREE };
	const struct ldap_query *query = search->query;
	LDAPControl *page = NULL;
	int message_id;
	allow(ctx, link);
	/* Not critical: a server without pages answers with all that it will. */
	int made = FAULT("ldap.page")
			   ? LDAP_NO_MEMORY
			   : libldap.ldap_create_page_control(link->ld, LDAP_PAGE_ENTRIES,
							      &search->cookie, 0, &page);
	TRY(said(ctx, link, "search", made));
	LDAPControl *controls[] = { page, NULL };
	struct timeval limit = { .tv_sec = (link->timeout_ms + 999) / 1000 };
	int sent = FAULT("ldap.search")
			   ? LDAP_SERVER_DOWN
			   : libldap.ldap_search_ext(link->ld, arena_cstr(ctx->arena, query->base),
						     scopes[query->scope],
						     arena_cstr(ctx->arena, query->filter),
						     attributes, 0, controls, NULL, &limit,
						     LDAP_NO_LIMIT, &message_id);
	libldap.ldap_control_free(page);
	TRY(said(ctx, link, "search", sent));
	return receive_page(ctx, link, message_id, search);
}

static void search_done(struct search *search)
{
	libldap.ber_memfree(search->cookie.bv_val);
}

err_t ldap_link_search(struct ctx *ctx, struct ldap_link *link, const struct ldap_query *query,
		       struct ldap_entry **ret, size_t *ret_count, bool *ret_more)
{
	CLEANUP(search_done) struct search search = { .query = query };
	size_t names = 0;
	while (query->attributes[names])
		names++;
	char **attributes = ARENA_ARRAY(ctx->arena, char *, names + 1); /* libldap wants them so */
	for (size_t i = 0; i < names; i++)
		attributes[i] = arena_cstr(ctx->arena, str_from(query->attributes[i]));
	do
		TRY(search_page(ctx, link, attributes, &search));
	while (search.cookie.bv_len && !search.more);
	/* A server remembers what it has not been asked for; another search would get an error. */
	if (search.cookie.bv_len)
		link->dead = true;
	*ret = search.entries;
	*ret_count = search.count;
	*ret_more = search.more;
	return OK;
}

str ldap_entry_get(const struct ldap_entry *entry, str attribute)
{
	for (size_t i = 0; i < entry->count; i++)
		if (str_eq_nocase(str_from(entry->values[i].attribute), attribute))
			return entry->values[i].bytes;
	return STR_NONE;
}
