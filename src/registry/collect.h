/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collect.h - garbage collection: while the registry is used, and at the cost of what was let go.
 *
 * *What is let go* is written down by whoever does, in the same transaction (db/garbage.h): who
 * deletes a manifest, a repository or a blob; who uploads or mounts one, since no manifest refers
 * to it yet; who ends an upload whose bytes nobody has. It is looked at when the window is over
 * (registry_options.window_ms), and nothing else is: what nobody let go of costs nothing, however
 * much there is.
 *
 * *The window* is the lease of clients that were told that a blob is there, and will push a
 * manifest that refers to it: by an upload, a mount or a HEAD. A HEAD renews it, in the database
 * only when somebody let go of the blob, and asks at most four times a window (pull.h): so
 * three quarters of it are sure, whichever node is asked.
 *
 * *Looking.* Every link of a repository to a blob that no manifest there refers to goes, and what
 * the project's quota counted for it. A blob that no repository has then is condemned. On
 * PostgreSQL who pushes a manifest or mounts holds the links that he relies on, and who collects
 * passes over those; so either he sees the reference, or the push sees no link.
 *
 * *Bytes* are removed after the commit that condemned them, those of one storage together, and the
 * rows of those that went after that. Who uploads the same content says so before he publishes it:
 * then it is not condemned, or he sees that it is and waits until it is gone; and when he has
 * published, his word must stand still.
 *
 * *Who does not end it* (his process died, a removal failed, or it was heard of no more) leaves
 * rows condemned, which the next collector takes over two minutes later. Nobody can know whether
 * the one before is gone or only stands still; so from then on what is published of that digest is
 * another edition, with another name (store/store.h), and whoever goes on later removes a name that
 * nobody uses any more. No clock and no lease is in this: the two minutes are only how soon.
 *
 * *Untagged artifacts* are another matter, and go only when the run is told to: those that have no
 * tag, that no index names and that are nobody's accessory, and have been so for a window: since
 * they lost their last tag, or were pushed without one. Children of an index and accessories stay
 * with what they belong to, and go with it. A dry run says what blobs would go because of that,
 * too (collect_dry.h): those of the deletions that a run makes are let go of by it, and go when a
 * window is over.
 *
 * Each batch is a transaction of some milliseconds, so nobody waits long for it.
 */
#pragma once

#include "db/garbage.h"
#include "registry/registry.h"

struct collected {
	int64_t looked;	   /* of what was due: so much was looked at, by all workers */
	int64_t artifacts; /* untagged ones */
	int64_t links;	   /* repositories that let go of a blob */
	int64_t blobs, bytes;
	int64_t uploads; /* that were over: upload_sweep.h */
	int64_t put_off; /* looked at later: somebody relied on it just then */
	int64_t failed;	 /* bytes that could not be removed; tried again */
};

struct collecting {
	int64_t job_id; /* whose report says what went; 0: no report */
	bool dry_run;	/* only says what would go; with untagged artifacts only for a job */
	bool untagged;
	bool uploads;		/* sweeps them too: upload_sweep.h */
	unsigned workers;	/* threads that take from the queue; 0: one */
	int64_t per_second_max; /* blobs and artifacts, of all workers; 0: as fast as it goes */
	void (*tell)(void *arg, const struct collected *so_far); /* now and then; may be NULL */
	/* In the transaction that deletes an untagged artifact, to record it; may be NULL. */
	err_t (*gone)(struct ctx *ctx, struct sql_tx *tx, const struct loose_artifact *artifact,
		      void *arg);
	void *arg;
};

/* Until nothing is due. What went until a failure stays gone, and `*ret` says how much. */
err_t registry_collect(struct ctx *ctx, struct registry *registry,
		       const struct collecting *collecting, struct collected *ret);

/* What a job has removed, or would have: items after number `after`. */
err_t registry_freed(struct ctx *ctx, struct registry *registry, int64_t job_id, int64_t after,
		     size_t max, struct garbage_freed **ret, size_t *ret_count);

/* For metrics: how much is due, and what all runs of this process have done. */
struct collected_here {
	struct collected sum;
	int64_t ended_us; /* when the last one got to its end, of the wall's clock; 0: none has */
};
err_t registry_garbage(struct ctx *ctx, struct registry *registry, struct garbage_count *ret);
void registry_collected(struct registry *registry, struct collected_here *ret);

/* For those who let go. */
int64_t registry_window_us(const struct registry *registry);
