/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.c - see tls.h. The certificate and key live in an SSL_CTX; a reload builds a new one and
 * swaps the pointer. A BIO of our own feeds early bytes before the socket and never raises SIGPIPE.
 */
#include "crypto/tls.h"
#include "base/mem.h"
#include "os/thread.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/banned.h"

struct tls_server {
	pthread_mutex_t lock; /* guards current */
	SSL_CTX *current;
	char *certificate_path;
	char *key_path;
	char *client_ca_path;  /* NULL: clients are not asked for a certificate */
	char *client_crl_path; /* may be NULL */
};

struct tls_connection {
	SSL *ssl;
	int fd;
	int receive_flags;
	bool ended;  /* the peer has closed its side */
	bool broken; /* after a fatal error OpenSSL must not be asked to shut down */
	char *early;
	size_t early_at, early_len;
};

/* The first error says what was wrong with the file; those after it, what could not be done then.
 */
static err_t fail_file(struct ctx *ctx, const char *what, const char *path)
{
	char text[64];
	unsigned long error = ERR_peek_error();
	const char *reason = ERR_SYSTEM_ERROR(error)
				     ? strerror_r(ERR_GET_REASON(error), text, sizeof text)
				     : ERR_reason_error_string(error);
	ERR_clear_error();
	return fail(ctx, ERR_CONFIG, "could not load the TLS %s %s: %s", what, path,
		    reason ? reason : "no reason given");
}

static err_t fail_openssl(struct ctx *ctx, err_t code, const char *what)
{
	char reason[160] = "no reason given";
	unsigned long error = ERR_peek_last_error();
	if (error)
		ERR_error_string_n(error, reason, sizeof reason);
	ERR_clear_error();
	return fail(ctx, code, "%s: %s", what, reason);
}

/* The BIO. */

static int bio_read(BIO *bio, char *into, int len)
{
	struct tls_connection *c = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	if (c->early) {
		size_t count = MIN((size_t)len, c->early_len - c->early_at);
		memcpy(into, c->early + c->early_at, count);
		c->early_at += count;
		if (c->early_at == c->early_len) {
			free(c->early);
			c->early = NULL;
		}
		return (int)count;
	}
	ssize_t got = recv(c->fd, into, (size_t)len, c->receive_flags);
	c->ended = got == 0;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(bio);
	return (int)got;
}

static int bio_write(BIO *bio, const char *bytes, int len)
{
	struct tls_connection *c = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	ssize_t put = send(c->fd, bytes, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (put < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(bio);
	return (int)put;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
	/* Without this an end without close_notify would count as a failure of ours. */
	if (command == BIO_CTRL_EOF)
		return ((struct tls_connection *)BIO_get_data(bio))->ended;
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_method;

static void bio_method_make(void)
{
	bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "early socket");
	CHECK(bio_method != NULL);
	BIO_meth_set_read(bio_method, bio_read);
	BIO_meth_set_write(bio_method, bio_write);
	BIO_meth_set_ctrl(bio_method, bio_control);
}

/* The server. */

static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len,
			   const unsigned char *offered, unsigned offered_len, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *found;
	int verdict = SSL_select_next_proto(&found, chosen_len, ours, sizeof ours - 1, offered,
					    offered_len);
	if (verdict != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*chosen = found;
	return SSL_TLSEXT_ERR_OK;
}

static void ssl_ctx_done(SSL_CTX **ssl_ctx)
{
	SSL_CTX_free(*ssl_ctx);
}

static void ssl_ctx_configure(SSL_CTX *made)
{
	static const unsigned char session_context[] = "berth";
	SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
	SSL_CTX_set_options(made, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					  SSL_OP_CIPHER_SERVER_PREFERENCE |
					  SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_clear_mode(made, SSL_MODE_AUTO_RETRY);
	/* Tickets carry the sessions; nothing is kept per client. */
	SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(made, 1);
	SSL_CTX_set_session_id_context(made, session_context, sizeof session_context - 1);
	SSL_CTX_set_read_ahead(made, 1);
	SSL_CTX_set_alpn_select_cb(made, choose_protocol, NULL);
}

static err_t load_crl(struct ctx *ctx, SSL_CTX *made, const char *path)
{
	X509_STORE *store = SSL_CTX_get_cert_store(made);
	X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
	if (!lookup || X509_load_crl_file(lookup, path, X509_FILETYPE_PEM) < 1)
		return fail_file(ctx, "revocation list", path);
	X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
	return OK;
}

/* A ticket would bring back what was verified at another time. */
static err_t load_clients(struct ctx *ctx, const struct tls_server *tls, SSL_CTX *made)
{
	if (SSL_CTX_load_verify_locations(made, tls->client_ca_path, NULL) != 1)
		return fail_file(ctx, "client authority", tls->client_ca_path);
	SSL_CTX_set_client_CA_list(made, SSL_load_client_CA_file(tls->client_ca_path));
	SSL_CTX_set_verify(made, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_options(made, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(made, 0);
	return tls->client_crl_path ? load_crl(ctx, made, tls->client_crl_path) : OK;
}

static err_t ssl_ctx_load(struct ctx *ctx, const struct tls_server *tls, SSL_CTX **ret)
{
	CLEANUP(ssl_ctx_done) SSL_CTX *made = SSL_CTX_new(TLS_server_method());
	CHECK(made != NULL);
	ssl_ctx_configure(made);
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(made, tls->certificate_path) != 1)
		return fail_file(ctx, "certificate", tls->certificate_path);
	if (SSL_CTX_use_PrivateKey_file(made, tls->key_path, SSL_FILETYPE_PEM) != 1)
		return fail_file(ctx, "key", tls->key_path);
	if (SSL_CTX_check_private_key(made) != 1)
		return fail_openssl(ctx, ERR_CONFIG, "TLS key and certificate do not match");
	if (tls->client_ca_path)
		TRY(load_clients(ctx, tls, made));
	*ret = take(made);
	return OK;
}

err_t tls_server_new(struct ctx *ctx, const char *certificate_path, const char *key_path,
		     struct tls_server **ret)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, bio_method_make);

	struct tls_server *tls = NEW(struct tls_server);
	pthread_mutex_init(&tls->lock, NULL);
	tls->certificate_path = mem_copy(str_from(certificate_path));
	tls->key_path = mem_copy(str_from(key_path));
	err_t err = tls_server_reload(ctx, tls);
	if (err != OK) {
		tls_server_free(tls);
		return err;
	}
	*ret = tls;
	return OK;
}

err_t tls_server_trust_clients(struct ctx *ctx, struct tls_server *tls, const char *ca_path,
			       const char *crl_path)
{
	tls->client_ca_path = mem_copy(str_from(ca_path));
	tls->client_crl_path = crl_path ? mem_copy(str_from(crl_path)) : NULL;
	return tls_server_reload(ctx, tls);
}

err_t tls_server_reload(struct ctx *ctx, struct tls_server *tls)
{
	SSL_CTX *fresh;
	TRY(ssl_ctx_load(ctx, tls, &fresh));
	CLEANUP(ssl_ctx_done) SSL_CTX *old = NULL;
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&tls->lock);
	old = tls->current;
	tls->current = fresh;
	return OK;
}

void tls_server_free(struct tls_server *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->current);
	pthread_mutex_destroy(&tls->lock);
	free(tls->certificate_path);
	free(tls->key_path);
	free(tls->client_ca_path);
	free(tls->client_crl_path);
	free(tls);
}

/* Connections. */

static SSL *ssl_new(struct tls_server *tls)
{
	CLEANUP(thread_unlock) UNUSED pthread_mutex_t *held = thread_lock(&tls->lock);
	return SSL_new(tls->current); /* keeps its own reference to the SSL_CTX */
}

err_t tls_connection_new(struct ctx *ctx, struct tls_server *tls, int fd, str early,
			 struct tls_connection **ret)
{
	SSL *ssl = ssl_new(tls);
	BIO *bio = BIO_new(bio_method);
	if (!ssl || !bio) {
		SSL_free(ssl);
		BIO_free(bio);
		return fail_openssl(ctx, ERR_INTERNAL, "could not start a TLS connection");
	}
	struct tls_connection *c = NEW(struct tls_connection);
	c->ssl = ssl;
	c->fd = fd;
	if (early.len) {
		c->early = mem_copy(early);
		c->early_len = early.len;
	}
	BIO_set_data(bio, c);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_accept_state(ssl);
	*ret = c;
	return OK;
}

static enum tls_want verdict(struct tls_connection *c, int result)
{
	int error = SSL_get_error(c->ssl, result);
	ERR_clear_error();
	switch (error) {
	case SSL_ERROR_NONE:
		return TLS_DONE;
	case SSL_ERROR_WANT_READ:
		return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_EOF;
	default:
		c->broken = true;
		return TLS_FAILED;
	}
}

enum tls_want tls_handshake(struct tls_connection *c)
{
	ERR_clear_error();
	return verdict(c, SSL_do_handshake(c->ssl));
}

void tls_set_waiting(struct tls_connection *c, bool waits)
{
	c->receive_flags = waits ? 0 : MSG_DONTWAIT;
}

enum tls_want tls_read(struct tls_connection *c, void *into, size_t len, size_t *ret_len)
{
	size_t got = 0;
	ERR_clear_error();
	int result = SSL_read_ex(c->ssl, into, len, &got);
	if (result == 1) {
		*ret_len = got;
		return TLS_DONE;
	}
	return verdict(c, result);
}

enum tls_want tls_write(struct tls_connection *c, const void *bytes, size_t len, size_t *ret_len)
{
	size_t put = 0;
	ERR_clear_error();
	int result = SSL_write_ex(c->ssl, bytes, len, &put);
	if (result == 1) {
		*ret_len = put;
		return TLS_DONE;
	}
	return verdict(c, result);
}

bool tls_pending(const struct tls_connection *c)
{
	return SSL_pending(c->ssl) > 0;
}

str tls_peer_certificate(const struct tls_connection *c, struct arena *arena)
{
	X509 *certificate = SSL_get0_peer_certificate(c->ssl);
	if (!certificate || SSL_get_verify_result(c->ssl) != X509_V_OK)
		return STR_NONE;
	int len = i2d_X509(certificate, NULL);
	CHECK(len > 0);
	unsigned char *der = arena_alloc(arena, (size_t)len), *end = der;
	i2d_X509(certificate, &end);
	return (str){ (const char *)der, (size_t)len };
}

void tls_shutdown(struct tls_connection *c)
{
	if (!c->broken && SSL_is_init_finished(c->ssl))
		SSL_shutdown(c->ssl);
	ERR_clear_error();
}

void tls_connection_free(struct tls_connection *c)
{
	if (!c)
		return;
	SSL_free(c->ssl);
	free(c->early);
	free(c);
}
