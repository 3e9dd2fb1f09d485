/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_text.h - secrets that can be recognised: by people, by those who search code and logs for
 * leaked secrets, and by a reader that sees a typing mistake without asking a database.
 *
 *	berth_pat_<40 letters and digits><6 letters and digits>
 *
 * The last six are the CRC-32 (IEEE 802.3) of the forty, in base 62 with the digits 0-9 A-Z a-z,
 * most significant first and padded with 0. As a regular expression: berth_pat_[0-9A-Za-z]{46}.
 */
#pragma once

#include "base/arena.h"

#define SECRET_TEXT_RANDOM 40
#define SECRET_TEXT_SUM	   6

#define SECRET_PREFIX_PERSONAL "berth_pat_"
#define SECRET_PREFIX_ROBOT    "berth_rob_"

/* `random` is SECRET_TEXT_RANDOM letters and digits. */
str secret_text_make(struct arena *arena, str prefix, str random);

/* Whether a text is such a secret with this prefix, and unharmed. */
bool secret_text_is(str text, str prefix);
