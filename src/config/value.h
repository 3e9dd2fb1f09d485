/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.h - the text forms of option values.
 *
 * Sizes are a whole number and B, KiB, MiB, GiB or TiB (a bare number is bytes); durations a whole
 * number and ms, s, m, h or d (only 0 may stand alone). A blank between is fine, case does not
 * matter. The readers return false, and set nothing, for anything else.
 */
#pragma once

#include "base/buf.h"

bool value_read_bool(str text, bool *ret);
bool value_read_int(str text, int64_t *ret);
bool value_read_size(str text, int64_t *ret_bytes);
bool value_read_duration(str text, int64_t *ret_ms);
bool value_read_choice(str text, const char *choices, int *ret_position);

/* Adds the shortest text that reads as the same value. */
void value_print_size(struct buf *b, int64_t bytes);
void value_print_duration(struct buf *b, int64_t ms);
