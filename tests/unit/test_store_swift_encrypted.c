/* SPDX-License-Identifier: Apache-2.0 */
/* The stories of test_store.c over an encrypted store in a Swift server. */
#define SWIFT	  1
#define ENCRYPTED 1
#include "test_store.c"
