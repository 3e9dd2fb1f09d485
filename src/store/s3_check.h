/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3_check.h - what an S3 server really does: each thing that the driver "s3" relies on is tried in
 * the bucket, below a prefix of its own that is removed again. Servers differ, and say the same.
 */
#pragma once

#include "store/store.h"

enum s3_check_result {
	S3_CHECK_GOOD,
	S3_CHECK_QUIRK,	 /* it differs, and can be lived with: `words` say how */
	S3_CHECK_FAILED, /* it cannot be used, or not for all */
};

/* `report` is called once for each thing tried, in their order; `words` are empty when it is good.
 * ERR_CONFIG for a place that makes no sense, OK otherwise. */
err_t s3_check(struct ctx *ctx, const struct store_place *place,
	       void (*report)(void *arg, const char *what, enum s3_check_result result, str words),
	       void *arg);
