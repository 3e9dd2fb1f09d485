/* SPDX-License-Identifier: Apache-2.0 */
/* s3_check.h - what an S3 server really does (store_check.h); private to store. */
#pragma once

#include "store/store_check.h"

/* ERR_CONFIG for a place that makes no sense, OK otherwise. */
err_t s3_check(struct ctx *ctx, const struct store_place *place,
	       const struct store_check_report *report);
