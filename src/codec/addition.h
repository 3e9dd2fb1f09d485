/* SPDX-License-Identifier: Apache-2.0 */
/*
 * addition.h - what Harbor calls additions, out of configs and manifests that strangers wrote.
 *
 * Each writes JSON into a buf and returns false when the bytes are not what they should be; what
 * does not fit into the buf is left out at the end of a list.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

/* An image config's history: [{created, created_by, author, comment, empty_layer}]. */
bool addition_history(str config, struct buf *into);

/* The dependencies in a chart's config, as they stand there. */
bool addition_dependencies(str config, struct buf *into);

#define ADDITION_FILES_MAX 10000
#define ADDITION_DEPTH_MAX 32

/*
 * The files of a model, from the annotation org.cncf.model.filepath of its layers:
 * [{name, type: "directory", children: […]}, {name, type: "file", size}], directories first.
 */
bool addition_files(struct arena *arena, str manifest, struct buf *into);

/* The layer of a model whose file has one of the two names; false when there is none. */
struct addition_layer {
	str digest_text;
	bool is_tar;
};
bool addition_find_layer(struct arena *arena, str manifest, const char *const names[2],
			 struct addition_layer *ret);
