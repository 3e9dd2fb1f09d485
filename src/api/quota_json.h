/* SPDX-License-Identifier: Apache-2.0 */
/* quota_json.h - quotas in JSON: what may be held ("hard") and what is used, by resource. */
#pragma once

#include "api/harbor.h"
#include "registry/quota.h"

/*
 * Members hard and used. Storage always; what else can be counted when it has a limit, or with
 * `all`: who asks for Harbor's quota and set no other limits sees Harbor's.
 */
void quota_json_write(struct json_writer *w, const struct quota *quota, bool all);

/* Takes new limits of a body {"hard": {"storage": bytes, …}} over; others stay.
 * ERR_REQUEST_INVALID for a resource that `quota` cannot limit, or for a number that is neither -1
 * nor from 1 to QUOTA_LIMIT_MAX. */
err_t quota_json_read(struct ctx *ctx, const struct json_value *body, struct quota *quota);

/* {"storage": …}, all that are limited, for the audit trail. */
str quota_limits_json(struct ctx *ctx, const struct quota *quota);
