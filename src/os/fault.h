/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault.h - named points where a test can make things go wrong.
 *
 *	if (FAULT("store.rename") || renameat(…) != 0)
 *		return fail_errno(ctx, ERR_STORAGE, "…");
 *
 * FAULT() is true when this hit was asked to fail, with errno set. Only builds with -Dfaults=true
 * have fault points; elsewhere FAULT() is the constant false. What fails stands in BERTH_FAULT:
 *
 *	BERTH_FAULT="store.rename:3=errno:28,http.write:1=kill"
 *
 * name:N=errno:E fails the Nth hit with errno E, name:*=errno:E every hit, name:N=kill sends the
 * process SIGKILL at that hit, and name:N=wait:MS only takes its time (a minute at most). A
 * specification that does not parse ends the process.
 */
#pragma once

#include <stdbool.h>

#ifdef BERTH_FAULTS
#define FAULTS_BUILT true
#define FAULT(name)  __builtin_expect(fault_hit(name), 0)
#else
#define FAULTS_BUILT false
#define FAULT(name)  false
#endif

/* Replaces what BERTH_FAULT says; NULL for nothing. For tests, before threads run. */
void fault_setup(const char *specification);

/* Counts a hit of `name`; true, and errno set, when it is to fail. Blocks when it is to wait. Use
 * FAULT(). */
bool fault_hit(const char *name);
