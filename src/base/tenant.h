/* SPDX-License-Identifier: Apache-2.0 */
/* tenant.h - the tenant that is there from the first start, and whose names are meant when nobody
 * says otherwise. */
#pragma once

#include <stdint.h>

#define TENANT_DEFAULT INT64_C(1)
