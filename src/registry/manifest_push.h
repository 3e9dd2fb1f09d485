/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest_push.h - store a manifest and point tags to it, in one transaction.
 *
 * Accepted: anything manifest_parse() accepts. References must be in the repository (two switches:
 * blobs, index children); `subject`, non-distributable layers, and digests of algorithms we do not
 * know need not be.
 */
#pragma once

#include "codec/reference.h"
#include "registry/repository.h"

#define MANIFEST_TAGS_MAX 64

struct manifest_push {
	str repository;
	struct project_maker *maker;
	struct reference reference; /* a tag to set, or the digest the bytes must have */
	str content_type;	    /* without parameters; may be empty */
	str bytes;
	const str *tags; /* more tags to set (?tag=) */
	size_t tag_count;
	const char *how;   /* for the history of the tags; NULL: by a push */
	str if_match;	   /* If-Match header for the tag in `reference`; may be empty */
	str if_none_match; /* likewise; `*`: only if the tag does not exist yet */
	str *ret_digest;   /* may be NULL; set before anything is written, for the record of it */
};

struct manifest_pushed {
	digest digest;
	bool has_subject;
	str subject_text;
};

/* ERR_MANIFEST_INVALID, ERR_MANIFEST_SCHEMA1, ERR_DIGEST_INVALID, ERR_MANIFEST_BLOB_UNKNOWN,
 * ERR_PRECONDITION_FAILED, ERR_IMMUTABLE, ERR_NAME_UNKNOWN. */
err_t manifest_push(struct ctx *ctx, struct registry *registry, const struct manifest_push *push,
		    struct manifest_pushed *ret);
