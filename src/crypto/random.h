/* SPDX-License-Identifier: Apache-2.0 */
/* random.h - bytes from the kernel, and the names made of them. */
#pragma once

#include "base/arena.h"

#define UUID_TEXT_LEN 36
#define UUID_BYTES    16

void random_bytes(void *into, size_t len);
void random_uuid(char into[UUID_TEXT_LEN + 1]); /* RFC 9562 version 4 */
/* The same of bytes from elsewhere, some of whose bits it sets. */
void uuid_format(char bytes[UUID_BYTES], char into[UUID_TEXT_LEN + 1]);
str random_password(struct arena *arena, size_t len); /* letters and digits */
