/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expiry.h - when an image wants to be gone, as its maker writes it into a label or an annotation:
 *
 *	quay.expires-after, berth.expires-after   so long after tagging: "30s", "20m", "12h", "7d"
 *	berth.expires-at                          "2026-12-31T23:59:59Z", or a date; UTC
 *
 * Of a manifest its annotations count, and then the labels of its config. What cannot be read
 * counts as not written, because it is no reason to refuse a push.
 */
#pragma once

#include "codec/json.h"

#define EXPIRY_AFTER_MAX_S (INT64_C(100) * 366 * 86400)
#define EXPIRY_TEXT_MAX	   64

struct expiry {
	int64_t after_s; /* 0: it says none */
	int64_t at_us;	 /* 0: none; else it counts instead of the other */
};

bool expiry_after_parse(str text, int64_t *ret_s);
bool expiry_at_parse(str text, int64_t *ret_us);

/* From an object of texts. What `*ret` has already stays. */
void expiry_read(const struct json_value *texts, struct expiry *ret);
