/* SPDX-License-Identifier: Apache-2.0 */
/* random.h - bytes from the kernel, and the names made of them. */
#pragma once

#include "base/arena.h"

#define UUID_TEXT_LEN 36

void random_bytes(void *into, size_t len);
void random_uuid(char into[UUID_TEXT_LEN + 1]); /* RFC 9562 version 4 */
/* The same of os/unique.h's bytes: for what is seen, and no secret; without a system call. */
void unique_uuid(char into[UUID_TEXT_LEN + 1]);
str random_password(struct arena *arena, size_t len); /* letters and digits */
