/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference.h - the OCI grammar of names: repository, tag, digest.
 *
 * distribution-spec, "Pulling manifests":
 *	name = [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*
 *	tag  = [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}
 */
#pragma once

#include "codec/digest.h"

#define REPOSITORY_NAME_MAX 255
#define TAG_NAME_MAX	    128

bool reference_is_repository(str name); /* grammar and length */
bool reference_is_tag(str name);
bool reference_is_project(str name); /* one segment of a repository name */

/* The part before the first slash; "library" for a name without one. */
str reference_project(str repository);

/* What stands behind /manifests/: a digest if there is a colon, else a tag. */
struct reference {
	str tag; /* empty when `digest` is set */
	digest digest;
};

enum reference_kind {
	REFERENCE_INVALID_TAG,
	REFERENCE_INVALID_DIGEST,
	REFERENCE_TAG,
	REFERENCE_DIGEST
};
/* Sets `*ret` for the last two only. */
enum reference_kind reference_parse(str text, struct reference *ret);
