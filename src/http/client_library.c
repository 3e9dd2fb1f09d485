/* SPDX-License-Identifier: Apache-2.0 */
/* client_library.c - see client_library.h. */
#include "client_library.h"

#include <pthread.h>

#include "base/banned.h"

struct curl_functions libcurl;

static const char *const names[] = { CURL_FUNCTIONS(LIBRARY_NAME) };
static struct library library = LIBRARY_INIT("libcurl.so.4", "libcurl4", names, libcurl);
static pthread_once_t started = PTHREAD_ONCE_INIT;

static void start(void)
{
	CHECK(libcurl.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

err_t curl_open(struct ctx *ctx)
{
	TRY(library_open(ctx, &library));
	pthread_once(&started, start);
	return OK;
}
