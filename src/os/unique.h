/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unique.h - bytes that nobody else comes upon, to name what is seen in logs and traces.
 *
 * A thread draws a seed from the kernel once and counts from there, so a name costs no system call.
 * They are no secret: who knows some can guess others. For secrets see crypto/random.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Never 0. */
uint64_t unique_u64(void);

void unique_bytes(void *into, size_t len);
