/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swift_walk.c - all objects below blobs/ and uploads/, in the order of their keys, and then the
 * folders of segments that neither an upload nor a blob has. One page of a list is in memory at a
 * time.
 */
#include "swift.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

struct walk {
	struct swift_store *swift;
	const struct store_walk *visitor;
	size_t prefix_len;
	char folder[REMOTE_ID_MAX + 1]; /* of segments, that is being listed; empty: none */
	bool owned;			/* by a blob */
};

static err_t report_stray(struct ctx *ctx, const struct walk *walk, str name)
{
	return walk->visitor->stray(ctx, walk->visitor->arg, name);
}

/* --- blobs ---------------------------------------------------------------------------------- */

/* Some servers list a manifest's own bytes, and not how many it stands for. */
static err_t visit_blob(struct ctx *ctx, void *arg, const struct swift_item *item)
{
	const struct walk *walk = arg;
	str name = str_skip(item->name, walk->prefix_len);
	uint64_t size_bytes = item->size_bytes;
	blob_name blob;
	if (!remote_blob_parse(name, &blob))
		return report_stray(ctx, walk, name);
	if (str_has_prefix(item->content_type, SWIFT_MANIFEST_TYPE)) {
		struct swift_object object;
		err_t err = swift_head(ctx, walk->swift->client, item->name, false, &object);
		if (err == ERR_ABSENT) { /* gone meanwhile */
			ctx_forgive(ctx);
			return OK;
		}
		TRY(err);
		size_bytes = object.size_bytes;
	}
	return walk->visitor->blob(ctx, walk->visitor->arg, blob, size_bytes);
}

/* --- uploads -------------------------------------------------------------------------------- */

static err_t visit_upload(struct ctx *ctx, void *arg, const struct swift_item *item)
{
	const struct walk *walk = arg;
	str name = str_skip(item->name, walk->prefix_len), id = str_skip(name, strlen("uploads/"));
	uint64_t size_bytes = 0;
	if (!remote_id_is(id))
		return report_stray(ctx, walk, name);
	err_t err = swift_upload_bytes(ctx, walk->swift, id, &size_bytes);
	if (err == OK)
		return walk->visitor->upload(ctx, walk->visitor->arg, id, size_bytes);
	if (err != ERR_ABSENT && err != ERR_CORRUPT)
		return err;
	ctx_forgive(ctx);
	/* Gone meanwhile; or no state that can be read. */
	return err == ERR_ABSENT ? OK : report_stray(ctx, walk, name);
}

/* --- segments ------------------------------------------------------------------------------- */

/* A folder has been seen to its end: without an owner, and without a state, it counts as an upload
 * without bytes. */
static err_t end_folder(struct ctx *ctx, struct walk *walk)
{
	char key[REMOTE_KEY_MAX];
	str id = str_from(walk->folder);
	struct swift_object object;
	if (!id.len || walk->owned)
		return OK;
	err_t err = swift_head(ctx, walk->swift->client, swift_state_key(walk->swift, id, key),
			       false, &object);
	if (err != ERR_ABSENT)
		return err; /* it was seen, or will be */
	ctx_forgive(ctx);
	return walk->visitor->upload(ctx, walk->visitor->arg, id, 0);
}

static err_t begin_folder(struct ctx *ctx, struct walk *walk, str id)
{
	TRY(end_folder(ctx, walk));
	if (id.len)
		memcpy(walk->folder, id.ptr, id.len);
	walk->folder[id.len] = '\0';
	walk->owned = false;
	return OK;
}

static err_t visit_segment(struct ctx *ctx, void *arg, const struct swift_item *item)
{
	struct walk *walk = arg;
	str name = str_skip(item->name, walk->prefix_len), id, rest;
	blob_name blob;
	bool fits =
		str_cut(str_skip(name, strlen("segments/")), '/', &id, &rest) && remote_id_is(id);
	if (!fits || !str_eq(id, str_from(walk->folder)))
		TRY(begin_folder(ctx, walk, fits ? id : STR_NONE));
	if (!fits)
		return report_stray(ctx, walk, name);
	if (walk->owned || !swift_marker_parse(rest, &blob))
		return OK;
	return swift_blob_is_of(ctx, walk->swift, blob, id, &walk->owned);
}

/* --- all ------------------------------------------------------------------------------------ */

static err_t list(struct ctx *ctx, struct walk *walk, const char *folder,
		  err_t (*visit)(struct ctx *ctx, void *arg, const struct swift_item *item))
{
	char prefix[REMOTE_KEY_MAX];
	const struct swift_visitor visitor = { visit, walk };
	snprintf(prefix, sizeof prefix, "%s%s/", walk->swift->prefix, folder);
	return swift_list(ctx, walk->swift->client, str_from(prefix), &visitor);
}

err_t swift_walk(struct ctx *ctx, struct store *store, const struct store_walk *visitor)
{
	struct swift_store *swift = swift_of(store);
	struct walk walk = { swift, visitor, strlen(swift->prefix), { 0 }, false };
	err_t err = visitor->blob ? list(ctx, &walk, "blobs", visit_blob) : OK;
	if (err == OK)
		err = list(ctx, &walk, "uploads", visit_upload);
	if (err == OK)
		err = list(ctx, &walk, "segments", visit_segment);
	if (err == OK)
		err = end_folder(ctx, &walk);
	return remote_error(err);
}
