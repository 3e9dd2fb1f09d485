/* SPDX-License-Identifier: Apache-2.0 */
/* confine.c - see confine.h. Fault point: confine.privileges. */
#include "os/confine.h"
#include "os/fault.h"

#include <sys/prctl.h>

#include "base/banned.h"

err_t confine_privileges(struct ctx *ctx)
{
	if (FAULT("confine.privileges") || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail_errno(ctx, ERR_INTERNAL, "could not give up new privileges");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return fail_errno(ctx, ERR_INTERNAL, "could not forbid core dumps");
	return OK;
}
