/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.c - see certificate.h. */
#include "crypto/certificate.h"

#include "codec/json_writer.h"
#include "crypto/hash.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/banned.h"

static void x509_done(X509 **certificate)
{
	X509_free(*certificate);
}

static void names_done(GENERAL_NAMES **names)
{
	GENERAL_NAMES_free(*names);
}

static void bio_done(BIO **bio)
{
	BIO_free(*bio);
}

static str bio_text(struct ctx *ctx, BIO *bio)
{
	char *bytes;
	long len = BIO_get_mem_data(bio, &bytes);
	return arena_copy(ctx->arena, (str){ bytes, len > 0 ? (size_t)len : 0 });
}

/* An escaped comma is still a comma to who compares texts, so what is escaped is written in
 * hexadecimal: `\2C` (RFC 4514 allows it for every byte). */
static str in_hexadecimal(struct ctx *ctx, str name)
{
	char *text = arena_alloc(ctx->arena, 2 * name.len + 1);
	size_t len = 0;
	for (size_t i = 0; i < name.len; i++) {
		text[len++] = name.ptr[i];
		if (name.ptr[i] != '\\' || ++i == name.len)
			continue;
		char byte = name.ptr[i];
		bool is_hexadecimal = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'F');
		if (is_hexadecimal) {
			text[len++] = byte;
			continue;
		}
		text[len++] = "0123456789ABCDEF"[(unsigned char)byte >> 4];
		text[len++] = "0123456789ABCDEF"[(unsigned char)byte & 15];
	}
	return (str){ text, len };
}

static str name_text(struct ctx *ctx, const X509_NAME *name)
{
	CLEANUP(bio_done) BIO *bio = BIO_new(BIO_s_mem());
	CHECK(bio != NULL);
	X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	return in_hexadecimal(ctx, bio_text(ctx, bio));
}

static bool is_text(str s)
{
	return str_is_utf8(s) && !str_has_byte(s, '\0');
}

/* Its one common name. */
static str common_name(struct ctx *ctx, const X509_NAME *name)
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	unsigned char *text = NULL;
	if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
		return STR_NONE;
	int len =
		ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	str copy = len > 0 ? arena_copy(ctx->arena, (str){ (char *)text, (size_t)len }) : STR_NONE;
	OPENSSL_free(text);
	return is_text(copy) ? copy : STR_NONE;
}

static str serial_text(struct ctx *ctx, const X509 *certificate)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
	char *digits = number ? BN_bn2hex(number) : NULL;
	for (char *at = digits; at && *at; at++)
		if (*at >= 'A' && *at <= 'F')
			*at = (char)(*at - 'A' + 'a');
	str text = arena_copy(ctx->arena, str_from(digits));
	OPENSSL_free(digits);
	BN_free(number);
	return text;
}

/* False when one of them is no text. */
static bool write_alternatives(struct json_writer *w, const GENERAL_NAMES *names, const char *key,
			       int type)
{
	json_write_array_begin(w, key);
	for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type != type)
			continue;
		const ASN1_IA5STRING *text = name->d.ia5;
		str value = { (const char *)ASN1_STRING_get0_data(text),
			      (size_t)ASN1_STRING_length(text) };
		if (!is_text(value))
			return false;
		json_write_str(w, NULL, value);
	}
	json_write_array_end(w);
	return true;
}

static bool write_claims(struct ctx *ctx, struct json_writer *w, const X509 *certificate, str der)
{
	CLEANUP(names_done)
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	const X509_NAME *subject = X509_get_subject_name(certificate);
	str subject_text = name_text(ctx, subject), cn = common_name(ctx, subject);
	str issuer_text = name_text(ctx, X509_get_issuer_name(certificate));
	struct digest_text fingerprint = digest_format(hash_bytes(DIGEST_SHA256, der));
	if (!is_text(subject_text) || !is_text(issuer_text))
		return false;
	json_write_object_begin(w, NULL);
	json_write_str(w, "subject", subject_text);
	if (cn.len)
		json_write_str(w, "cn", cn);
	json_write_str(w, "issuer", issuer_text);
	json_write_str(w, "serial", serial_text(ctx, certificate));
	json_write_str(w, "fingerprint",
		       str_skip(str_from(fingerprint.text), sizeof "sha256:" - 1));
	if (!write_alternatives(w, names, "dns", GEN_DNS) ||
	    !write_alternatives(w, names, "uri", GEN_URI) ||
	    !write_alternatives(w, names, "email", GEN_EMAIL))
		return false;
	json_write_object_end(w);
	return true;
}

err_t certificate_claims(struct ctx *ctx, str der, str *ret)
{
	CLEANUP(buf_done) struct buf b = BUF_INIT(CERTIFICATE_CLAIMS_MAX);
	struct json_writer w = JSON_WRITER(&b);
	const unsigned char *at = (const unsigned char *)der.ptr;
	CLEANUP(x509_done) X509 *certificate = d2i_X509(NULL, &at, (long)der.len);
	bool whole = certificate && at == (const unsigned char *)der.ptr + der.len;
	bool fine = whole && write_claims(ctx, &w, certificate, der) && !buf_overrun(&b);
	ERR_clear_error();
	if (!fine)
		return fail(ctx, ERR_UNAUTHORIZED, "client certificate is malformed");
	if (X509_cmp_current_time(X509_get0_notBefore(certificate)) >= 0 ||
	    X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0)
		return fail(ctx, ERR_UNAUTHORIZED, "client certificate is not valid now");
	*ret = arena_copy(ctx->arena, buf_str(&b));
	return OK;
}
