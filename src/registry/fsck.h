/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fsck.h - the independent proof: walks rows and storage and reports every difference.
 *
 * All storages are walked; what lies encrypted is decrypted, so that wrong bytes show there too. An
 * erased one has nothing that could be compared; one that was moved out of is meant by no row. It
 * shares no cache and no shortcut with the serving code, may run beside a server and beside a move,
 * and changes nothing. Bytes of an upload that is being published right now are not a difference.
 */
#pragma once

#include "registry/registry.h"

enum fsck_kind {
	FSCK_BLOB_MISSING,     /* a row without bytes: data loss */
	FSCK_BLOB_SIZE,	       /* bytes of another length than the row says */
	FSCK_BLOB_CORRUPT,     /* bytes that do not match their digest */
	FSCK_BLOB_ORPHAN,      /* bytes without a row */
	FSCK_UPLOAD_ORPHAN,    /* upload bytes without a session */
	FSCK_STRAY,	       /* a name in the storage that is neither */
	FSCK_MANIFEST_CORRUPT, /* a manifest that does not match its digest, or does not parse */
	FSCK_LISTING,	       /* what lists count of an artifact or a repository is not so */
	FSCK_QUOTA, /* a blob or manifest counts for a project and should not, or the reverse;
		       what is used of a quota is not the sum of what is there */
	FSCK_TRASH, /* what is in the trash does not match its digest, or is not all there */
	FSCK_NAME,  /* a name that does not begin with its project's, or means two */
	FSCK_KIND_COUNT,
};

struct fsck_options {
	bool quick; /* compare names and sizes, do not read blob bytes */
	void (*report)(void *arg, enum fsck_kind kind, str what); /* may be NULL */
	void (*erased)(void *arg, str storage); /* one whose key was destroyed; may be NULL */
	void *arg;
};

struct fsck_result {
	uint64_t blobs, manifests, uploads;
	uint64_t erased; /* storages, of which nothing is looked at: no difference */
	uint64_t differences[FSCK_KIND_COUNT];
	uint64_t total;
};

const char *fsck_kind_text(enum fsck_kind kind);

/* OK whether or not there are differences; an error only when it could not look. */
err_t registry_fsck(struct ctx *ctx, struct registry *registry, const struct fsck_options *options,
		    struct fsck_result *ret);
