/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest.h - what the registry needs to know of a manifest, read from its exact bytes.
 *
 * Understands OCI image manifests and indexes, Docker schema 2 and manifest lists, and treats any
 * other JSON object like an image manifest without layers. Unknown fields, artifact types, media
 * types and annotation keys are never an error (image-spec, "Compatibility"). Docker schema 1 is
 * recognised so that it can be refused in words.
 *
 * The type is the body's mediaType, else the content type. The four types below, and no type at
 * all, are read strictly: schemaVersion 2, well-formed descriptors, a config in an image. An index
 * with `config` or `layers` and an image with `manifests` are refused, because two readers could
 * take them for two things (CVE-2021-41190). Of other types, `config`, `layers`, `blobs`,
 * `manifests`, `subject` and `annotations` are read where they are well-formed and passed over
 * where they are not; one with `manifests` is an index.
 *
 * A manifest is kept as the bytes it is, so NUL characters (\u0000) in its strings are no error
 * where the string is not needed as text: in unknown fields, and in annotations, which are indexed
 * as JSON and keep the escape. A type, digest or key with one is malformed.
 *
 * All strings point into the arena, and none has a NUL in it. Limits: JSON depth
 * MANIFEST_DEPTH_MAX, MANIFEST_VALUES_MAX JSON values, MANIFEST_REFERENCES_MAX descriptors; the
 * caller bounds the bytes.
 */
#pragma once

#include "base/ctx.h"
#include "codec/digest.h"

#define MANIFEST_DEPTH_MAX	64
#define MANIFEST_VALUES_MAX	262144 /* 16 for each reference */
#define MANIFEST_REFERENCES_MAX 16384

#define MEDIA_OCI_MANIFEST    "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_OCI_INDEX	      "application/vnd.oci.image.index.v1+json"
#define MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_DOCKER_LIST     "application/vnd.docker.distribution.manifest.list.v2+json"

enum manifest_kind { MANIFEST_IMAGE, MANIFEST_INDEX };

enum manifest_role { MANIFEST_CONFIG, MANIFEST_LAYER, MANIFEST_CHILD };

struct manifest_reference {
	enum manifest_role role;
	str media_type;
	str digest_text; /* as written */
	digest digest;	 /* none when the algorithm is unknown to us */
	int64_t size_bytes;
	bool nondistributable; /* foreign or has urls: need not be present */
};

struct manifest {
	enum manifest_kind kind;
	str media_type;	   /* the field `mediaType` of the body, or empty; fit for a header */
	str artifact_type; /* artifactType, else for images config.mediaType, else empty */
	bool has_subject;
	digest subject;	      /* none when its algorithm is unknown to us */
	str subject_text;     /* as written */
	str annotations_json; /* the object, compact JSON; empty when absent */
	struct manifest_reference *references;
	size_t reference_count;
};

/*
 * Parses `bytes`. `content_type` is the header without parameters, may be empty; it decides the
 * kind when the body has no mediaType. ERR_MANIFEST_INVALID (with what and where in ctx),
 * ERR_MANIFEST_SCHEMA1, or ERR_LIMIT when the arena's cap is reached.
 */
err_t manifest_parse(struct ctx *ctx, str content_type, str bytes, struct manifest *ret);
