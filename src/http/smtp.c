/* SPDX-License-Identifier: Apache-2.0 */
/* smtp.c - see smtp.h. */
#include "http/smtp.h"
#include "base/clock.h"
#include "base/step.h"
#include "client_library.h"
#include "codec/base64.h"
#include "codec/mask.h"
#include "http/client.h"

#include <string.h>
#include <sys/socket.h>

#include "base/banned.h"

#define CONNECT_TIMEOUT_MS 10000
#define COMMAND_MAX	   512 /* RFC 5321 §4.5.3.1.4 */
#define FINAL_STATUS	   500
#define LOGIN_MAX	   KIB(4)
#define SECRETS_MAX	   3

struct transfer {
	struct ctx *ctx;
	CURL *curl;
	struct curl_slist *to;
	str left; /* of the message */
	str secrets[SECRETS_MAX];
	size_t secret_count;
	err_t err;
	struct buf dialog;
	char command[COMMAND_MAX]; /* the last one */
	str reply;		   /* its last line, in the arena */
	bool is_over;		   /* it was told to quit */
	char reason[CURL_ERROR_SIZE];
};

/* --- callbacks -------------------------------------------------------------------------------- */

static size_t give_message(char *into, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	size_t len = MIN(size * count, t->left.len);
	if (len)
		memcpy(into, t->left.ptr, len);
	t->left = str_skip(t->left, len);
	return len;
}

static int look_around(void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
		       curl_off_t up)
{
	struct transfer *t = arg;
	(void)down_all, (void)down, (void)up_all, (void)up;
	if (t->err == OK)
		t->err = ctx_check(t->ctx);
	return t->err == OK ? 0 : 1;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *at)
{
	(void)arg, (void)purpose;
	return socket(at->family, at->socktype | SOCK_CLOEXEC, at->protocol);
}

/* Whatever is no command that may be shown belongs to a login. */
static bool is_shown(str command)
{
	static const str shown[] = {
		STR_INIT("EHLO "),	STR_INIT("HELO "),    STR_INIT("STARTTLS"),
		STR_INIT("MAIL FROM:"), STR_INIT("RCPT TO:"), STR_INIT("DATA"),
	};
	for (size_t i = 0; i < COUNT_OF(shown); i++)
		if (str_has_prefix(command, shown[i]))
			return true;
	return false;
}

static void keep_command(struct transfer *t, str line)
{
	size_t len = MIN(line.len, sizeof t->command - 1);
	memcpy(t->command, line.ptr, len);
	t->command[len] = '\0';
	buf_add(&t->dialog, STR("> "));
	buf_add(&t->dialog, is_shown(line) ? line : STR("(login)"));
	buf_add_byte(&t->dialog, '\n');
}

/* A server that does not understand a login may say what it was. */
static void keep_reply(struct transfer *t, str line)
{
	CLEANUP(buf_done) struct buf masked = BUF_INIT(COMMAND_MAX);
	char clean[COMMAND_MAX];
	mask_add(&masked, t->secrets, t->secret_count, line);
	line = buf_str(&masked);
	size_t len = line.len;
	for (size_t i = 0; i < len; i++)
		clean[i] = line.ptr[i] < ' ' || line.ptr[i] > '~' ? '?' : line.ptr[i];
	t->reply = arena_copy(t->ctx->arena, (str){ clean, len });
	buf_add(&t->dialog, STR("< "));
	buf_add(&t->dialog, t->reply);
	buf_add_byte(&t->dialog, '\n');
}

static int listen_in(CURL *curl, curl_infotype type, char *bytes, size_t len, void *arg)
{
	struct transfer *t = arg;
	str text = { bytes, len }, line;
	(void)curl;
	/* The end that libcurl makes is no answer to anything. */
	t->is_over |= type == CURLINFO_HEADER_OUT && str_has_prefix(text, STR("QUIT"));
	while (!t->is_over && (type == CURLINFO_HEADER_IN || type == CURLINFO_HEADER_OUT) &&
	       str_next(&text, '\n', &line)) {
		if (str_has_suffix(line, STR("\r")))
			line = str_take(line, line.len - 1);
		(type == CURLINFO_HEADER_OUT ? keep_command : keep_reply)(t, line);
	}
	return 0;
}

/* --- one attempt ------------------------------------------------------------------------------ */

#define SET(option, value) CHECK(libcurl.curl_easy_setopt(t->curl, (option), (value)) == CURLE_OK)

static void add_secret(struct transfer *t, str secret)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(LOGIN_MAX);
	base64_encode(&b, BASE64_STANDARD, secret);
	t->secrets[t->secret_count++] = arena_copy(t->ctx->arena, buf_str(&b));
}

/* As AUTH LOGIN and AUTH PLAIN (RFC 4616) have it. */
static void note_secrets(struct transfer *t, const struct smtp_server *server)
{
	CLEANUP(buf_done) struct buf plain = BUF_INIT(LOGIN_MAX);
	if (!server->password.len)
		return;
	t->secrets[t->secret_count++] = server->password;
	add_secret(t, server->password);
	buf_add_byte(&plain, '\0');
	buf_add(&plain, server->user);
	buf_add_byte(&plain, '\0');
	buf_add(&plain, server->password);
	add_secret(t, buf_str(&plain));
}

static void set_server(struct transfer *t, const struct smtp_server *server, int timeout_ms)
{
	bool is_tls = server->tls == SMTP_TLS_ALWAYS;
	SET(CURLOPT_URL,
	    arena_printf(t->ctx->arena, "%s://" STR_FMT ":%u", is_tls ? "smtps" : "smtp",
			 STR_ARG(server->host), server->port)
		    .ptr);
	SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_USE_SSL,
	    (long)(server->tls == SMTP_TLS_NONE ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (server->user.len) {
		SET(CURLOPT_USERNAME, arena_cstr(t->ctx->arena, server->user));
		SET(CURLOPT_PASSWORD, arena_cstr(t->ctx->arena, server->password));
	}
	if (server->ca_pem.len) {
		struct curl_blob blob = { (void *)(uintptr_t)server->ca_pem.ptr, server->ca_pem.len,
					  CURL_BLOB_COPY };
		SET(CURLOPT_CAINFO_BLOB, &blob);
		SET(CURLOPT_CAPATH, NULL);
	}
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)MIN(timeout_ms, CONNECT_TIMEOUT_MS));
	SET(CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	/* For each reply; and for the one to QUIT, which the above does not bound. */
	SET(CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)MAX(timeout_ms / 1000, 1));
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
}

static const char *bracketed(struct transfer *t, str address)
{
	return arena_printf(t->ctx->arena, "<" STR_FMT ">", STR_ARG(address)).ptr;
}

static void set_message(struct transfer *t, str from, const struct mail_list *to)
{
	for (size_t i = 0; i < to->count; i++) {
		struct curl_slist *longer =
			libcurl.curl_slist_append(t->to, bracketed(t, to->addresses[i]));
		CHECK(longer);
		t->to = longer;
	}
	SET(CURLOPT_MAIL_FROM, bracketed(t, from));
	SET(CURLOPT_MAIL_RCPT, t->to);
	SET(CURLOPT_UPLOAD, 1L);
	SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->left.len);
	SET(CURLOPT_READFUNCTION, give_message);
	SET(CURLOPT_READDATA, t);
	SET(CURLOPT_NOPROGRESS, 0L);
	SET(CURLOPT_XFERINFOFUNCTION, look_around);
	SET(CURLOPT_XFERINFODATA, t);
	SET(CURLOPT_VERBOSE, 1L);
	SET(CURLOPT_DEBUGFUNCTION, listen_in);
	SET(CURLOPT_DEBUGDATA, t);
	SET(CURLOPT_ERRORBUFFER, t->reason);
}

static bool said(const struct transfer *t, const char *command)
{
	return str_has_prefix(str_from(t->command), str_from(command));
}

/* What it says of us (at the greeting, a login, our address) the operator may put right. */
static bool is_final(const struct transfer *t, int status)
{
	return status >= FINAL_STATUS && (said(t, "RCPT TO:") || said(t, "DATA"));
}

static err_t judge(struct transfer *t, CURLcode code, struct smtp_answer *ret)
{
	uint64_t status = 0;
	(void)str_to_u64(str_take(t->reply, 3), 999, &status);
	ret->status = (int)status;
	ret->is_final = code != CURLE_OK && is_final(t, ret->status);
	if (code == CURLE_OK)
		return OK;
	if (t->err != OK)
		return t->err;
	TRY(ctx_check(t->ctx));
	if (status >= 400)
		return fail(t->ctx, ERR_UPSTREAM_INVALID, "the mail server answers " STR_FMT,
			    STR_ARG(str_take(t->reply, 200)));
	return fail(
		t->ctx,
		code == CURLE_WEIRD_SERVER_REPLY ? ERR_UPSTREAM_INVALID : ERR_UPSTREAM_UNREACHABLE,
		"the mail server: %s", t->reason[0] ? t->reason : libcurl.curl_easy_strerror(code));
}

static void transfer_done(struct transfer *t)
{
	libcurl.curl_slist_free_all(t->to);
	libcurl.curl_easy_cleanup(t->curl);
	buf_done(&t->dialog);
}

/* `*ret_refused`: which recipient is refused for good, or `to->count`. */
static err_t try_once(struct ctx *ctx, const struct smtp_server *server, str from,
		      const struct mail_list *to, str message, struct smtp_answer *ret,
		      size_t *ret_refused)
{
	CLEANUP(transfer_done)
	struct transfer t = { .ctx = ctx, .left = message, .dialog = BUF_INIT(SMTP_DIALOG_MAX) };
	t.curl = libcurl.curl_easy_init();
	CHECK(t.curl);
	note_secrets(&t, server);
	set_server(&t, server, ctx_left_ms(ctx, server->timeout_ms) + 1);
	set_message(&t, from, to);
	buf_add(&t.dialog, ret->dialog);
	err_t err = judge(&t, libcurl.curl_easy_perform(t.curl), ret);
	ret->dialog = arena_copy(ctx->arena, buf_str(&t.dialog));
	*ret_refused = to->count;
	for (size_t i = 0; ret->is_final && i < to->count; i++)
		if (str_eq(str_from(t.command), arena_printf(ctx->arena, "RCPT TO:<" STR_FMT ">",
							     STR_ARG(to->addresses[i]))))
			*ret_refused = i;
	return err;
}

static void leave_out(struct mail_list *list, size_t at)
{
	list->count--;
	for (size_t i = at; i < list->count; i++)
		list->addresses[i] = list->addresses[i + 1];
}

static err_t offer(struct ctx *ctx, const struct smtp_server *server, str from,
		   const struct mail_list *to, str message, struct smtp_answer *ret)
{
	struct smtp_server now = *server;
	struct mail_list left = *to;
	int64_t until_ns = clock_now_ns() + server->timeout_ms * CLOCK_MS;
	for (;;) {
		size_t refused;
		now.timeout_ms = (int)MAX((until_ns - clock_now_ns()) / CLOCK_MS, 1);
		err_t err = try_once(ctx, &now, from, &left, message, ret, &refused);
		if (err == OK || refused == left.count || left.count == 1)
			return err;
		ctx_forgive(ctx);
		leave_out(&left, refused);
	}
}

err_t smtp_send(struct ctx *ctx, const struct smtp_server *server, str from,
		const struct mail_list *to, str message, struct smtp_answer *ret)
{
	*ret = (struct smtp_answer){ 0 };
	ctx_waits(ctx);
	CHECK(ctx->holds == 0);
	TRY(ctx_check(ctx));
	TRY(curl_open(ctx));
	struct step step = step_begin(ctx, STEP_UPSTREAM, CLIENT_FOR_MAIL, "mail");
	err_t err = offer(ctx, server, from, to, message, ret);
	step_end(ctx, &step, err);
	return err;
}
