/* SPDX-License-Identifier: Apache-2.0 */
/* backoff.h - how long to wait before the next try of something that failed. */
#pragma once

#include <stdint.h>

/* After `tries` of them (from 1 on): `first_ms`, twice as long each time, at most `most_ms`. Half
 * of it is left to chance, so that many who failed together do not come back together. */
int64_t backoff_ms(unsigned tries, int64_t first_ms, int64_t most_ms);
