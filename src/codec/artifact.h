/* SPDX-License-Identifier: Apache-2.0 */
/*
 * artifact.h - what lists say of a manifest: its type, size, icon and what its config tells, in
 * Harbor's words.
 *
 * Everything follows from the manifest's and the config's bytes, which strangers wrote. What cannot
 * be read is left out: a corrupt config costs its artifact the attributes and nobody a list. Texts
 * of JSON are well-formed, at most ARTIFACT_TEXT_MAX each, and hold no NUL but escaped.
 *
 *	type	by artifactType, else by the config's media type; an index by its annotation
 *		org.opencontainers.artifactType, else IMAGE; else the middle of
 *		application/vnd.*.TYPE.config.*+json in capitals; else UNKNOWN
 *	size	manifest, config and layers; whoever stores an index adds its children's
 *	accessory  of what has a subject: signature.cosign, signature.notation, sbom.harbor or
 *		subject.accessory; signature.cosign also for a tag sha256-<hex>.sig with a simple
 *		signing layer
 */
#pragma once

#include "codec/expiry.h"
#include "codec/manifest.h"

#define ARTIFACT_TEXT_MAX   KIB(64)
#define ARTIFACT_CONFIG_MAX MIB(1) /* larger configs are not read */
/* Sizes are whatever a manifest says; sums of this many of them still fit. */
#define ARTIFACT_SIZE_MAX (INT64_MAX / 65536)

struct artifact_facts {
	str type;
	str media_type; /* the config's; of an index its own */
	int64_t size_bytes;
	str accessory;	  /* empty: none */
	str subject_text; /* of an accessory */
	str icon;	  /* digest of the layer that says it is the icon; empty: the type's */
	str extra_attrs_json;
	str children_json;    /* of an index: [{child_digest, platform, annotations, urls}] */
	struct expiry expiry; /* when it wants to be gone */
};

struct artifact_source {
	str manifest_media_type; /* what it is stored as */
	const struct manifest *parsed;
	str bytes;
	str config;	 /* its bytes, empty when they were not to be had */
	str tag;	 /* that it is pushed by; may be empty */
	const str *tags; /* and more of them */
	size_t tag_count;
};

/* Its config, if lists show anything of it and it is small enough to be read; else NULL. */
const struct manifest_reference *artifact_config(const struct manifest *parsed);

/* Texts lie in the arena or in the source. */
void artifact_describe(struct arena *arena, const struct artifact_source *source,
		       struct artifact_facts *ret);

/* The kinds that Harbor knows more of, for additions and icons. */
bool artifact_type_is(str type, const char *name);
