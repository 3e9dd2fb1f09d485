/* SPDX-License-Identifier: Apache-2.0 */
/* json_escape.h - a JSON string literal (RFC 8259 §7) from any bytes. */
#pragma once

#include "base/buf.h"

/* Adds `s` in quotes; control bytes become \uXXXX, ill-formed UTF-8 becomes U+FFFD. */
void json_escape(struct buf *b, str s);
