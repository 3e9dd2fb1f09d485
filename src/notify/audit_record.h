/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_record.h - from an event to the row that is kept; private to notify.
 *
 * What came from strangers is made storable here: ill-formed UTF-8 and NUL become U+FFFD, texts are
 * cut at AUDIT_TEXT_MAX. Of `before` and `after` only the members that differ are kept, and the
 * values of members whose names say that they are secret are replaced by "***".
 */
#pragma once

#include "base/ctx.h"
#include "db/audit.h"

#define AUDIT_TEXT_MAX	 1024
#define AUDIT_CHANGE_MAX KIB(32) /* of before and of after */
#define AUDIT_MASK	 "***"

/* What stands for a change that cannot be kept. */
#define AUDIT_CHANGE_TOO_LARGE "{\"too_large\":true}"
#define AUDIT_CHANGE_MALFORMED "{\"malformed\":true}"

/* `last_us`: when the last of `event->count` happened; 0 when there is one. Its strs are in the
 * arena or those of the event. */
struct audit_row audit_record_make(struct ctx *ctx, const struct audit_event *event,
				   int64_t last_us);

/* True for the name of a member whose value must not be kept: password, secret, token, … */
bool audit_is_secret(str name);

/* An object of the members of `json` with their secrets masked, and without those that `other` (may
 * be empty) has with the same value. Empty when nothing is left. */
str audit_change_make(struct arena *arena, str json, str other);
