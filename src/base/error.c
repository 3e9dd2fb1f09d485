/* SPDX-License-Identifier: Apache-2.0 */
/* error.c - the rows of the error table as data, and the end of a broken invariant. */
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/banned.h"

static const struct error_info errors[ERR_COUNT] = { [OK] = { "OK", 200, "", false, "" },
#define ERROR_ROW(name_, status_, code_, retry_, text_)                                            \
	[ERR_##name_] = { #name_, status_, code_, retry_, text_ },
						     ERROR_TABLE(ERROR_ROW)
#undef ERROR_ROW
};

const struct error_info *error_info(err_t err)
{
	CHECK((unsigned)err < ERR_COUNT);
	return &errors[err];
}

void check_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "berth: invariant broken: %s at %s:%d\n", condition, file, line);
	abort();
}
