/* SPDX-License-Identifier: Apache-2.0 */
/*
 * media_type.h - media types as the registry meets them: `type/subtype`, with parameters at times.
 *
 * What passes media_type_is_valid has no blanks and no control bytes and may be put into a header.
 */
#pragma once

#include "base/str.h"

#define MEDIA_TYPE_MAX 255 /* RFC 6838 §4.2: 127 + '/' + 127 */

/* `application/json; charset=utf-8` gives `application/json`, without surrounding blanks. */
str media_type_cut(str header);

/* Grammar of RFC 6838 §4.2, restricted-name "/" restricted-name, without parameters. */
bool media_type_is_valid(str type);

/* Equal but for case. */
bool media_type_equal(str a, str b);
