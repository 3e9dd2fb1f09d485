/* SPDX-License-Identifier: Apache-2.0 */
/* postgres_library.c - see postgres_library.h. */
#include "postgres_library.h"

#include "base/banned.h"

struct pq libpq;

static const char *const names[] = { PQ_FUNCTIONS(LIBRARY_NAME) };
static struct library library = LIBRARY_INIT("libpq.so.5", "libpq5", names, libpq);

err_t pq_open(struct ctx *ctx)
{
	return library_open(ctx, &library);
}

void pq_options_done(PQconninfoOption **options)
{
	libpq.PQconninfoFree(*options);
}
