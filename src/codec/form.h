/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form.h - bodies of type application/x-www-form-urlencoded (the token service's POST).
 *
 * Like a query string, but `+` means a blank. Unknown fields are nobody's business.
 */
#pragma once

#include "base/arena.h"

#define FORM_BYTES_MAX KIB(64)

/*
 * The decoded value of the first / next field `name`, in the arena; form_next starts with `*rest =
 * body`. False when there is none (left), its value does not decode, or the body exceeds
 * FORM_BYTES_MAX.
 */
bool form_get(struct arena *arena, str body, str name, str *ret);
bool form_next(struct arena *arena, str *rest, str name, str *ret);
