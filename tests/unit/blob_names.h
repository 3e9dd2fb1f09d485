/* SPDX-License-Identifier: Apache-2.0 */
/* blob_names.h - names of blobs as nearly all have them. */
#pragma once

#include "store/store.h"

#define FIRST(d) ((blob_name){ .digest = (d) })
