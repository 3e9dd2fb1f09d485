/* SPDX-License-Identifier: Apache-2.0 */
/* artifact_json.h - artifacts, tags and accessories as Harbor's API spells them. */
#pragma once

#include "api/harbor.h"
#include "registry/artifact.h"

/* What an answer about artifacts shows beside them: the with_… parameters. */
struct artifact_shown {
	bool tags;
	bool labels;
	bool accessories;
	bool immutable;
};
err_t artifact_shown_read(struct ctx *ctx, struct request *rq, struct artifact_shown *ret);

/* The artifact of a path with {repository} and {reference}. */
err_t artifact_of_path(struct ctx *ctx, struct request *rq, struct artifact *ret);

/* Writes the artifacts as elements of the array that is open. Those for which the answer has no
 * room left come without attributes, annotations and references, so that a page never fails. */
err_t artifact_json_write(struct ctx *ctx, struct request *rq, struct json_writer *w,
			  const struct artifact_page *page, const struct artifact_shown *shown);

/* The same for a single one, with more of its tags. */
err_t artifact_json_write_one(struct ctx *ctx, struct request *rq, struct json_writer *w,
			      const struct artifact *artifact, const struct artifact_shown *shown);

void label_json_write(struct json_writer *w, const struct label *label);
/* `rules` of its repository; NULL: whether it may move is not shown. */
struct immutability;
void artifact_json_write_tag(struct json_writer *w, const struct artifact_tag *tag,
			     const struct immutability *rules);
void artifact_json_write_accessory(struct arena *arena, struct json_writer *w,
				   const struct artifact *accessory,
				   const struct artifact *subject);
