/* SPDX-License-Identifier: Apache-2.0 */
/*
 * etag.h - the headers If-None-Match and If-Match against the tag of what exists (RFC 9110 §13.1).
 *
 * `etag` is our header value, `"sha256:…"`, always strong. `*` matches it. Tags without quotes are
 * accepted, as some clients send the bare digest; what cannot be read matches nothing.
 */
#pragma once

#include "base/str.h"

/* For If-None-Match, weak comparison: `W/"x"` in the list matches `"x"`. Then a GET answers 304. */
bool etag_matches(str list, str etag);

/* For If-Match, strong comparison: `W/"x"` does not match. Without a match a change answers 412. */
bool etag_matches_strong(str list, str etag);
