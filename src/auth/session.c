/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - sessions of browsers. */
#include "internal.h"

#include <string.h>

#include "base/banned.h"

void session_forget(struct auth *auth, const str *hashes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char key[1 + SECRET_HASH_LEN] = { 'C' };
		str hash = str_take(hashes[i], SECRET_HASH_LEN);
		memcpy(key + 1, hash.ptr, hash.len);
		cache_drop(auth->cache, (str){ key, 1 + hash.len });
	}
}
