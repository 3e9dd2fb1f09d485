/* SPDX-License-Identifier: Apache-2.0 */
/* blob_link.h - a blob and what has it: what statements about many of them at once are given. */
#pragma once

#include <stdint.h>

struct blob_link {
	int64_t blob_id;
	int64_t of_id; /* a repository, or where it says so a storage; 0: none */
};
