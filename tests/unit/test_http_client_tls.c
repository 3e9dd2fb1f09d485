/* SPDX-License-Identifier: Apache-2.0 */
/* The outgoing client and certificates: who is believed, and who is not. */
#include "http_fixture.h"

#include "crypto/tls.h"
#include "http/client.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static struct fixture f;
static struct tls_server *tls;
static struct client *asker;
static struct arena arena;
static struct ctx ctx;
static char folder[32], certificate_path[64], key_path[64];
static char pem[8192];

static void write_pair(const char *names)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1,
				   -1, 0);
	X509_set_issuer_name(certificate, subject);
	X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
	X509_add_ext(certificate, san, -1);
	X509_EXTENSION_free(san);
	cr_assert_gt(X509_sign(certificate, key, EVP_sha256()), 0);
	FILE *out = fopen(certificate_path, "w+");
	cr_assert_eq(PEM_write_X509(out, certificate), 1);
	rewind(out);
	pem[fread(pem, 1, sizeof pem - 1, out)] = '\0';
	fclose(out);
	out = fopen(key_path, "w");
	cr_assert_eq(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(out);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void start_as(const char *names)
{
	snprintf(folder, sizeof folder, "/tmp/berth-client-XXXXXX");
	cr_assert(mkdtemp(folder));
	snprintf(certificate_path, sizeof certificate_path, "%s/c.pem", folder);
	snprintf(key_path, sizeof key_path, "%s/k.pem", folder);
	write_pair(names);
	arena_init(&arena, MIB(8));
	ctx_init(&ctx, &arena);
	cr_assert_eq(tls_server_new(&ctx, certificate_path, key_path, &tls), OK, "%s",
		     ctx.failure.detail);
	fixture_start_at(&f, (struct server_options){ .tls = tls }, "127.0.0.1:0", true);
	struct client_options options = { .ignore_proxy = true };
	cr_assert_eq(client_new(&ctx, &options, &asker), OK);
}

static void stop(void)
{
	client_free(asker);
	fixture_stop(&f);
	tls_server_free(tls);
	unlink(certificate_path);
	unlink(key_path);
	rmdir(folder);
	arena_done(&arena);
}

TestSuite(client_tls, .fini = stop, .timeout = 60);

static err_t ask(const char *ca, bool skip)
{
	struct client_response a;
	struct client_request rq = { .method = "GET",
				     .url = arena_printf(&arena, "https://127.0.0.1:%u/hello",
							 f.port),
				     .ca_pem = str_from(ca),
				     .skip_verify = skip };
	ctx_forgive(&ctx);
	err_t err = client_send(&ctx, asker, &rq, &a);
	if (err == OK)
		cr_expect(str_eq(a.body, STR("hello")));
	return err;
}

Test(client_tls, only_a_certificate_that_is_vouched_for)
{
	start_as("IP:127.0.0.1");
	cr_expect_eq(ask(NULL, false), ERR_UPSTREAM_UNREACHABLE);
	cr_expect_eq(ask(pem, false), OK, "%s", ctx.failure.detail);
	/* A connection made under one trust is not used under another. */
	cr_expect_eq(ask(NULL, false), ERR_UPSTREAM_UNREACHABLE);
	cr_expect_eq(ask(NULL, true), OK, "%s", ctx.failure.detail);
	cr_expect_eq(ask(NULL, false), ERR_UPSTREAM_UNREACHABLE);
	cr_expect_eq(ask("-----BEGIN nonsense", false), ERR_UPSTREAM_UNREACHABLE);
}

Test(client_tls, a_certificate_of_somebody_else)
{
	start_as("IP:127.0.0.9,DNS:localhost");
	cr_expect_eq(ask(pem, false), ERR_UPSTREAM_UNREACHABLE);
	cr_expect_eq(ask(pem, true), OK, "%s", ctx.failure.detail);
}
