/* SPDX-License-Identifier: Apache-2.0 */
/*
 * addition.h - what Harbor calls additions: what an image was built by, a chart's README, a model's
 * files. Read from blobs at each request, within limits, and never unpacked anywhere.
 */
#pragma once

#include "base/buf.h"
#include "registry/artifact.h"

#define ADDITION_MAX	   MIB(4)  /* of a document; with ARCHIVE_BYTES_MAX on the way to it */
#define ADDITION_LAYER_MAX MIB(64) /* larger layers are not looked into */

enum addition {
	ADDITION_BUILD_HISTORY,
	ADDITION_VALUES,
	ADDITION_README,
	ADDITION_DEPENDENCIES,
	ADDITION_SBOM,
	ADDITION_LICENSE,
	ADDITION_FILES,
	ADDITION_COUNT,
};

/* Harbor's word for it in paths: "values.yaml". */
const char *addition_name(enum addition addition);
bool addition_find(str name, enum addition *ret);

/* Whether artifacts of this kind have it. */
bool addition_is_of(enum addition addition, const struct artifact *artifact);

/*
 * Writes its content into the buf. ERR_REQUEST_INVALID when the artifact is of a kind that has none
 * such, ERR_NOT_FOUND when it should have one and has not, ERR_LIMIT when it is too large.
 */
err_t artifact_addition(struct ctx *ctx, struct registry *registry, const struct artifact *artifact,
			enum addition addition, struct buf *into, str *ret_content_type);
