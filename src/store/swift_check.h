/* SPDX-License-Identifier: Apache-2.0 */
/* swift_check.h - what a Swift server really does (store_check.h); private to store. */
#pragma once

#include "store/store_check.h"

/* ERR_CONFIG for a place that makes no sense, OK otherwise. */
err_t swift_check(struct ctx *ctx, const struct store_place *place,
		  const struct store_check_report *report);
