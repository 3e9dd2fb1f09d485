/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openapi.h - the OpenAPI 3.1 document of our own API, joined from the files in openapi/ and
 * compiled in by tools/openapi. It is one line of JSON.
 */
#pragma once

#include <stddef.h>

extern const char openapi_document[];
extern const size_t openapi_document_len; /* without the NUL */
