/* SPDX-License-Identifier: Apache-2.0 */
/* client_library.h - libcurl, opened when something first asks another server; see os/library.h. */
#pragma once

#include "os/library.h"

/* Its macros over functions would hide the pointers. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

#define CURL_FUNCTIONS(X)                                                                          \
	X(curl_easy_cleanup)                                                                       \
	X(curl_easy_getinfo)                                                                       \
	X(curl_easy_init)                                                                          \
	X(curl_easy_pause)                                                                         \
	X(curl_easy_perform)                                                                       \
	X(curl_easy_recv)                                                                          \
	X(curl_easy_reset)                                                                         \
	X(curl_easy_send)                                                                          \
	X(curl_easy_setopt)                                                                        \
	X(curl_easy_strerror)                                                                      \
	X(curl_free)                                                                               \
	X(curl_global_init)                                                                        \
	X(curl_multi_add_handle)                                                                   \
	X(curl_multi_cleanup)                                                                      \
	X(curl_multi_info_read)                                                                    \
	X(curl_multi_init)                                                                         \
	X(curl_multi_perform)                                                                      \
	X(curl_multi_poll)                                                                         \
	X(curl_multi_remove_handle)                                                                \
	X(curl_multi_setopt)                                                                       \
	X(curl_multi_strerror)                                                                     \
	X(curl_slist_append)                                                                       \
	X(curl_slist_free_all)                                                                     \
	X(curl_url)                                                                                \
	X(curl_url_cleanup)                                                                        \
	X(curl_url_get)                                                                            \
	X(curl_url_set)

struct curl_functions {
	CURL_FUNCTIONS(LIBRARY_FIELD)
};
extern struct curl_functions libcurl;

/* Opens and initialises it. */
err_t curl_open(struct ctx *ctx);
