/* SPDX-License-Identifier: Apache-2.0 */
/* bearer.h - the Authorization header, scheme Bearer (RFC 6750 §2.1): the token, not yet checked.
 */
#pragma once

#include "base/str.h"

/* False for another scheme, or when what follows is not one b64token. */
bool bearer_parse(str header, str *ret_token);
