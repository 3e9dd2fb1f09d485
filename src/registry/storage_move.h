/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storage_move.h - a tenant's bytes from one storage to another, while it is used.
 *
 * The move begins with one transaction: from there on new uploads go to the new storage. Then each
 * blob is copied, read back there, compared with its digest, and its row says that it is there:
 * pulls find it before and after. Uploads that began in the old storage end there, and are waited
 * for. When no row means the old storage any more its bytes are removed, and the storage is over:
 * its key and its secrets are destroyed. The default one stays, empty.
 *
 * A process that dies at any point leaves a move that goes on: rows say how far it has come. Of two
 * that move one tenant the later one goes on, and the other one fails.
 *
 * A blob whose bytes are not what its digest says, or are not there, stays where it is and is
 * reported; then nothing is removed, and the move goes on when it is called again. Pushing the
 * content again mends it.
 *
 * Servers need not be told. Each driver, and each with encryption or without, may be either side.
 */
#pragma once

#include "registry/storage_binding.h"

enum storage_move_phase {
	STORAGE_MOVE_COPIES,
	STORAGE_MOVE_WAITS,   /* for uploads that go on in the old storage */
	STORAGE_MOVE_REMOVES, /* what is left there */
};

struct storage_move_progress {
	enum storage_move_phase phase;
	uint64_t blobs,
		blobs_total; /* that are in the new storage; of all, those it had before too */
	uint64_t bytes, bytes_total;
	uint64_t uploads; /* that are waited for */
};

struct storage_move_options {
	int64_t tenant_id;
	str tenant_name;
	const struct storage_spec *to; /* where to; NULL: goes on with a move that was begun */
	bool keep; /* the old bytes are not removed, and nothing else is put there */
	/* Taken along (base/ctx.h) by the transaction that begins a move, and by the one that
	 * ends it; NULL is fine. */
	struct tx_rider *begins, *ends;
	/* Called often: for each blob, and within large ones. */
	void (*progress)(void *arg, const struct storage_move_progress *progress);
	/* A blob that could not be moved. */
	void (*problem)(void *arg, str digest_text, const char *why);
	void *arg;
};

struct storage_move_result {
	uint64_t blobs, bytes; /* moved by this call */
	uint64_t problems;     /* not moved; 0: all is done */
};

/* ERR_NOT_FOUND when there is nothing to go on with, ERR_EXISTS when the tenant is moving already
 * and `to` is given, ERR_IN_USE when another process has taken over; and storage_binding.h's. */
err_t storage_move(struct ctx *ctx, struct registry *registry,
		   const struct storage_move_options *options, struct storage_move_result *ret);
