/* SPDX-License-Identifier: Apache-2.0 */
/*
 * membership_marks.h - numbers that grow when what is remembered of memberships is no longer so.
 *
 * They are part of the key under which it is remembered, and read before the database is: what was
 * read before a change is then kept under a key that nobody asks for again. Several projects (and
 * accounts) share a number; that costs a look-up now and then.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#define MEMBERSHIP_MARKS 64

struct membership_marks {
	_Atomic(uint32_t) projects[MEMBERSHIP_MARKS];
	_Atomic(uint32_t) accounts[MEMBERSHIP_MARKS];
	_Atomic(uint32_t) all;
};
