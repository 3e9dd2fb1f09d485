/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3_credentials.h - the key that S3 requests are signed with, wherever it comes from; private to
 * store.
 *
 * The first of these that is given counts:
 * - a key, written in the options; it never changes;
 * - a file, as AWS's tools keep it (`[default]`, aws_access_key_id = …); read again when it
 * changes;
 * - the metadata service of the machine (IMDSv2), asked again every five minutes and some minutes
 *   before the key ends. While it does not answer, what is there is used;
 * - the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, as it was at the
 *   start.
 */
#pragma once

#include "base/ctx.h"
#include "crypto/aws_signature.h"

#define S3_CREDENTIALS_FILE_MAX KIB(64)

struct s3_credential_options {
	struct aws_key key;
	str file;
	str profile;  /* its section; empty: default */
	str metadata; /* URL of the service, "http://169.254.169.254" */
	bool environment;
};

struct s3_credentials;

/* ERR_CONFIG when there is no key to be had. */
err_t s3_credentials_new(struct ctx *ctx, const struct s3_credential_options *options,
			 struct s3_credentials **ret);
void s3_credentials_free(struct s3_credentials *credentials); /* NULL is fine */

/* Copied into the arena. ERR_STORAGE, with the reason, when it could not be had. */
err_t s3_credentials_get(struct ctx *ctx, struct s3_credentials *credentials, struct aws_key *ret);

/* The server says that the key has expired: the next get asks anew. False when that would give the
 * same one. */
bool s3_credentials_expire(struct s3_credentials *credentials);
