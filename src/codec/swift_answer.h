/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swift_answer.h - what OpenStack's Keystone and Swift answer in JSON: tokens with the catalog of
 * services, lists of objects, what a server can do, what came of removing many.
 *
 * Within bounds: at most SWIFT_LIST_MAX items, SWIFT_CATALOG_VALUES_MAX values of a token. All
 * strings are in the arena. False, with a reason there, for what is no such answer.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"

#define SWIFT_ANSWER_BYTES_MAX	 MIB(8)
#define SWIFT_LIST_MAX		 10000
#define SWIFT_CATALOG_VALUES_MAX 20000

/* One of a list of objects. */
struct swift_item {
	str name;
	uint64_t size_bytes; /* some servers say here how long a manifest is, and not what it names
			      */
	str content_type;
};

bool swift_list_parse(struct arena *arena, str json, struct swift_item **ret, size_t *ret_count,
		      str *ret_problem);

/* What a token is good for (https://docs.openstack.org/api-ref/identity/v3/, "Token"). */
struct swift_token {
	str url;	    /* of the object store, without a slash at its end */
	int64_t lifetime_s; /* from when it was issued; 0: it does not say */
};

/* The endpoint of type object-store in a region (empty: the first there is), of an interface
 * ("public", "internal", "admin"). */
bool swift_token_parse(struct arena *arena, str json, str region, str interface,
		       struct swift_token *ret, str *ret_problem);

/* What a server can do, by its /info. */
struct swift_info {
	bool bulk_delete;
	bool large_objects; /* static ones */
	int64_t segments_max;
};
bool swift_info_parse(struct arena *arena, str json, struct swift_info *ret, str *ret_problem);

/* Whether all of the many were removed, or had not been there; the problem is the first that was
 * not. */
bool swift_removal_parse(struct arena *arena, str json, str *ret_problem);

/* "2026-11-26T12:25:00.000000Z" as seconds since 1970. */
bool swift_time_parse(str text, int64_t *ret_s);
