/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h - what the system knows of this process, as the `process_` metrics everybody knows.
 *
 * Read from /proc/self, which a confined server may read. What cannot be read is left out.
 */
#pragma once

#include "observe/exposition.h"

void process_collect(struct samples *samples);
