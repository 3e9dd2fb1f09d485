/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cookie.h - cookies of a request (RFC 6265 §5.4: `name=value; name=value`).
 *
 * Values are taken as they are: no quotes are removed and nothing is decoded, because ours need
 * neither.
 */
#pragma once

#include "base/str.h"

/* The value of the first cookie of this name, within `header`. Empty when there is none, or when it
 * holds a byte that no cookie may have (blanks, controls, `"`, `,`, `;`, `\`, not ASCII). */
str cookie_get(str header, str name);
